"""What a gateway answers to a POST at a path that nobody has, where that is no 404.

Some judge the body before they look for the route (Claude Code Router's server): that opens nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from http import HTTPStatus

from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.gateway import GatewayClient
from suites.api.auth.probes import WRONG, ProtectedRoute

JUDGED = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY)


def refused_nowhere(
    gateway: GatewayClient, routes: Sequence[ProtectedRoute], key: str | None
) -> Exchange | None:
    """The answer to the body that management is asked with, at a path that nobody has; None where no route is
    asked by POST."""
    if all(route.method != "POST" for route in routes):
        return None
    return gateway.request("POST", f"/no-such-page-{secrets.token_hex(8)}", json_body=WRONG, key=key)


def is_refused_nowhere(answer: Exchange, nowhere: Exchange | None) -> bool:
    """Whether a POST was refused to the byte as it is at a path that nobody has."""
    if nowhere is None or answer.method != "POST" or nowhere.status not in JUDGED:
        return False
    return (answer.status, answer.body) == (nowhere.status, nowhere.body)
