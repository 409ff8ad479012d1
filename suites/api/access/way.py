"""One way in: a request of somebody without the environment's key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

LIST = "/v1/models"
"""The route that ways in are tried on: it changes nothing, costs nothing, and every gateway has it."""

LONGEST_SHOWN = 24
"""Characters of a header's value that name a way; made-up keys are longer, and differ from run to run."""

WEBSOCKET = (
    ("connection", "Upgrade"),
    ("upgrade", "websocket"),
    ("sec-websocket-version", "13"),
    ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
)
"""The headers of a WebSocket handshake, with the key of RFC 6455's example."""


@dataclass(frozen=True, slots=True)
class WayIn:
    """One request. hosts: the values of Host, one header each, None for the right one; version: of HTTP;
    body: more members of the JSON body, where the route has one."""

    name: str
    target: str = LIST
    hosts: Sequence[str] | None = None
    headers: Sequence[tuple[str, str]] = field(default=())
    method: str = "GET"
    version: str = "1.1"
    body: tuple[tuple[str, object], ...] = ()

    def at(self, method: str, path: str) -> WayIn:
        """The same way to another route."""
        return replace(self, method=method, target=self.target.replace(LIST, path))

    def one_by_one(self) -> list[WayIn]:
        """Each of its headers for itself: what a bundle that opens something is taken apart into."""
        return [
            replace(
                self, name=name if len(value) > LONGEST_SHOWN else f"{name}: {value}", headers=[(name, value)]
            )
            for name, value in self.headers
        ]
