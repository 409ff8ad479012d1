"""Defects of who gets in: something else than the dispatched route and the defined credential decides."""

from __future__ import annotations

from lab.faults.exposure import header, lets_in
from lab.faults.model import Fault, gateway_fault
from lab.proxy.message import Request


def stranger(request: Request) -> bool:
    """No Authorization header at all."""
    return request.key is None


ACCESS_FAULTS: tuple[Fault, ...] = (
    gateway_fault(
        "host-hides-path",
        "the route is judged by a URL that is put together from Host",
        {"API-ACCESS-001": "is served where Host holds a query"},
        before=lets_in(lambda request: stranger(request) and "/?" in header(request, "host")),
    ),
    gateway_fault(
        "other-header-believed",
        "whatever stands in x-api-key or api-key is taken for a key that was checked before",
        {"API-ACCESS-002": "a made-up value in x-api-key"},
        before=lets_in(
            lambda request: (
                stranger(request) and bool(header(request, "x-api-key") or header(request, "api-key"))
            )
        ),
    ),
)
