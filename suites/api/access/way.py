"""One way in: a request of somebody without the environment's key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from suites.api.auth.tried import LIST

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
    body: more members of the JSON body, where the route has one; parts: ways that are asked in one request
    here."""

    name: str
    target: str = LIST
    hosts: Sequence[str] | None = None
    headers: Sequence[tuple[str, str]] = field(default=())
    method: str = "GET"
    version: str = "1.1"
    body: tuple[tuple[str, object], ...] = ()
    parts: tuple[WayIn, ...] = ()

    def at(self, method: str, path: str) -> WayIn:
        """The same way to another route, which headers may name as well."""
        parts = tuple(part.at(method, path) for part in self.parts)
        headers = [(name, path if value == LIST else value) for name, value in self.headers]
        target = self.target.replace(LIST, path)
        return replace(self, method=method, target=target, headers=headers, parts=parts)

    def one_by_one(self) -> list[WayIn]:
        """What a bundle that opens something is taken apart into: its parts, and of each part, as of a way
        that has none, each header for itself."""
        if self.parts:
            return [one for part in self.parts for one in (part.one_by_one() or [part])]
        if len(self.headers) < 2:
            return []
        return [
            replace(
                self, name=name if len(value) > LONGEST_SHOWN else f"{name}: {value}", headers=[(name, value)]
            )
            for name, value in self.headers
        ]


def together(name: str, ways: Sequence[WayIn]) -> WayIn:
    """Ways to the same route in one request: all of their headers, one's target and one's Host."""
    targets = [way.target for way in ways if way.target != LIST]
    hosts = [way.hosts for way in ways if way.hosts is not None]
    if len(targets) > 1 or len(hosts) > 1:
        raise ValueError(f"{name}: a request has one target and one Host")
    return WayIn(
        name,
        target=targets[0] if targets else LIST,
        hosts=hosts[0] if hosts else None,
        headers=[pair for way in ways for pair in way.headers],
        parts=tuple(ways),
    )
