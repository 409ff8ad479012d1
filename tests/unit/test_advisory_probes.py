"""Probes of published holes: what an answer tells, and what a right gateway may answer without alarm."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from gateway_acceptance.wire.exchange import Exchange
from suites.api.advisories import probes

JSON = (("content-type", "application/json"),)
PAGE = (("content-type", "text/html"),)


def answer(status: int | None, text: str = "{}", headers: Any = JSON) -> Exchange:
    return Exchange("GET", "http://127.0.0.1/x", (), b"", status, headers, ((0.0, text.encode()),))


class Gateway:
    """Answers every stranger the same, but for those whose Host hides the path."""

    url = "http://127.0.0.1:4000"

    def __init__(self, plain: Exchange, hidden: Exchange | None = None) -> None:
        self.plain, self.hidden, self.asked = plain, hidden or plain, list[Mapping[str, Any]]()

    def without_key(self, method: str, target: str, **options: Any) -> Exchange:
        self.asked.append({"method": method, "target": target, **options})
        return self.hidden if options.get("hosts") else self.plain


def ran(gateway: Gateway, name: str) -> str:
    return probes.run(gateway, name)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        (answer(401), probes.REFUSED),
        (answer(403), probes.REFUSED),
        (answer(500), probes.REFUSED),
        (answer(400), probes.REFUSED),
        (answer(307), probes.REFUSED),
        (answer(404), probes.ABSENT),
        (answer(405), probes.ABSENT),
        (answer(422), probes.OPEN),
        (answer(200), probes.OPEN),
        (answer(200, "<p>console", PAGE), probes.UNDECIDED),
        (answer(None), probes.UNDECIDED),
    ],
)
@pytest.mark.parametrize("name", ["mcp-preview", "prompts-test", "transform-request", "skills"])
def test_a_route_that_has_to_ask_for_a_key_first(name: str, seen: Exchange, told: str) -> None:
    assert ran(Gateway(seen), name) == told


@pytest.mark.parametrize(
    ("plain", "hidden", "told"),
    [
        (answer(401), answer(401), probes.REFUSED),
        (answer(500), answer(400), probes.REFUSED),
        (answer(401), answer(200), probes.OPEN),
        (answer(401), answer(200, "<p>", PAGE), probes.UNDECIDED),
        (answer(200), answer(200), probes.UNDECIDED),
        (answer(404), answer(404), probes.UNDECIDED),
    ],
)
def test_a_host_that_hides_the_path(plain: Exchange, hidden: Exchange, told: str) -> None:
    assert ran(Gateway(plain, hidden), "host-path") == told


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        (answer(200, '{"result": {"protocolVersion": "x"}}'), probes.OPEN),
        (answer(200, "{}"), probes.UNDECIDED),
        (answer(401), probes.REFUSED),
        (answer(404), probes.ABSENT),
    ],
)
def test_a_made_up_token_at_mcp(seen: Exchange, told: str) -> None:
    assert ran(Gateway(seen), "mcp-identity") == told


@pytest.mark.parametrize("status", [200, 302, 400, 401, 404, 500])
@pytest.mark.parametrize("name", ["sso-debug", "file-responses"])
def test_a_way_to_a_hole_is_never_the_hole(name: str, status: int) -> None:
    assert ran(Gateway(answer(status)), name) != probes.OPEN


def test_example_keys_are_tried_and_nothing_else() -> None:
    gateway = Gateway(answer(401))
    assert ran(gateway, "example-keys") == probes.REFUSED
    assert [one["headers"][0][1] for one in gateway.asked] == [f"Bearer {k}" for k in probes.EXAMPLE_KEYS]
    assert ran(Gateway(answer(200)), "example-keys") == probes.OPEN


@pytest.mark.parametrize("name", list(probes.PROBES))
def test_no_probe_carries_the_environments_key(name: str) -> None:
    """All go through ``without_key``, which adds none; a client without it could not be asked."""
    gateway = SimpleNamespace(url=Gateway.url, without_key=Gateway(answer(401)).without_key)
    assert probes.run(gateway, name) in (probes.REFUSED, probes.ABSENT, probes.REACHABLE)  # type: ignore[arg-type]
