"""What browsers ask before they let a page call, and what they read of the answer."""

from __future__ import annotations

from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.wire.exchange import Exchange

FOREIGN_ORIGIN = "https://stranger.example"
"""An origin that nobody declares: the name is reserved (RFC 2606)."""


def preflight(target: Target, origin: str) -> Exchange:
    """A browser's question whether a page of this origin may ask for a chat completion."""
    headers = [
        ("origin", origin),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "authorization,content-type"),
    ]
    gateway = target.gateway
    return target.once(
        ("preflight", origin),
        lambda: gateway.request("OPTIONS", "/v1/chat/completions", headers=headers, key=None),
    )


def with_origin(target: Target, origin: str) -> Exchange:
    """The list of models, asked by a page of this origin."""
    gateway = target.gateway
    return target.once(("origin", origin), lambda: gateway.models(headers=[("origin", origin)]))


def allowed_origin(answer: Exchange) -> str:
    """The origin that may read the answer; empty where there is none."""
    return (answer.header("access-control-allow-origin") or "").strip()
