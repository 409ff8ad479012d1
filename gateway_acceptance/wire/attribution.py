"""Who served a request: the witness of the gateway's header, held against the declared backends."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from gateway_acceptance.environment import Backend
from gateway_acceptance.wire.exchange import Exchange


def served_by(exchange: Exchange, header: str | None, backends: Sequence[Backend]) -> str:
    """The name of the backend that the header points to.

    Empty where there is no such header; the header's own value where it names no declared backend (an
    undeclared deployment must be seen, not dropped). Hosts and ports are compared, not whole URLs.
    """
    value = exchange.header(header) if header else None
    return name_of(value, backends) if value else ""


def name_of(url: str, backends: Sequence[Backend]) -> str:
    """The name of the declared backend at this URL; the URL itself where none is."""
    place = _place(url)
    for backend in backends:
        if place in {_place(known) for known in backend.urls}:
            return backend.name
    return url


def _place(url: str) -> tuple[str, int] | str:
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
    except ValueError:
        return url
    return (parts.hostname or "", port)
