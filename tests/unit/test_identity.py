"""The fingerprint of machines: what is taken of a look, and what is not."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest

from gateway_acceptance.fingerprint import NOT_ASKED, UNKNOWN, compared
from gateway_acceptance.host.facts import NoFacts
from gateway_acceptance.plugin.identity import SECTIONS, identities
from gateway_acceptance.plugin.preflight import Preflight
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.wire.exchange import Notebook
from gateway_acceptance.wire.ledger import Conduct
from lab.patience import patient
from tests.json_server import Answer, Asked, serving_json
from tests.unit.declared import document, environment

HOST = {
    "uri": "ssh://gateway",
    "unit": "hx.service",
    "user": "hx",
    "tree": "/opt/hx",
    "configuration": "config.yaml",
    "virtual_environment": "venv",
}
MACHINES = environment(
    host=HOST,
    backends=[
        {**entry, "direct": False, "host": {"uri": f"ssh://{entry['name']}"}}
        for entry in document()["backends"]
    ],
)


def sections(pid: str = "7", **changed: Any) -> dict[str, Any]:
    unit = {
        "properties": {"MainPID": pid, "NRestarts": "0"},
        "files": [{"path": "/etc/systemd/system/hx.service", "sha256": "sha256:1"}],
    }
    found = {
        "unit": unit,
        "files": {"config.yaml": {"sha256": "sha256:2"}},
        "python": {"packages": {"litellm": "1.74.15"}},
        "ollama": {"version": "0.12.6"},
        **changed,
    }
    return {name: {"value": value} for name, value in found.items()}


class Machines:
    """Looks that were made up."""

    def __init__(self, first: Mapping[str, Any] | None, later: Mapping[str, Any] | None) -> None:
        self.first, self.later = first, later
        self.asked_again: list[str] = []

    def facts(self, name: str) -> Any:
        if self.first is None:
            raise NoFacts(f"{name} cannot be reached", "")
        return SimpleNamespace(sections=self.first)

    def refresh(self, name: str, wanted: Sequence[str]) -> Mapping[str, Any]:
        assert wanted == SECTIONS
        self.asked_again.append(name)
        if self.later is None:
            raise NoFacts(f"{name} cannot be reached", "")
        return self.later


def taken(machines: Machines, *, looked: bool = True, short: bool = False) -> dict[str, dict[str, str]]:
    """Start and end."""
    preflight = Preflight(version="1.74.15", models="chat-one")
    target = SimpleNamespace(
        environment=MACHINES,
        machines=machines,
        gateway=SimpleNamespace(product=SimpleNamespace(version_key="v")),
        preflight=lambda: preflight,
        probe=lambda version: preflight if version else Preflight(models="chat-one"),
        breaker=SimpleNamespace(trouble=lambda: None),
    )
    targets = [(cast("Target", target), looked)]
    start = identities(targets)
    return {"start": start["mini"], "end": identities(targets, start, short=short)["mini"]}


def test_what_is_taken_of_machines() -> None:
    both = taken(Machines(sections(), sections()))
    assert both["start"] == both["end"]
    assert sorted(both["start"]) == [
        "backend.one.host.unit",
        "backend.one.host.version",
        "backend.two.host.unit",
        "backend.two.host.version",
        "gateway.models",
        "gateway.version",
        *["host.MainPID", "host.NRestarts", "host.configuration", "host.packages", "host.unit"],
    ]
    assert both["start"]["host.MainPID"] == "7"


def test_the_end_of_a_short_run_asks_for_no_version() -> None:
    both = taken(Machines(sections(), sections()), looked=False, short=True)
    assert both["end"] == {"gateway.models": "chat-one", "gateway.version": NOT_ASKED}
    assert compared(**both) == ([], [])


def test_machines_are_left_alone_where_no_check_concerns_them() -> None:
    machines = Machines(sections(), sections())
    assert sorted(taken(machines, looked=False)["start"]) == ["gateway.models", "gateway.version"]
    assert machines.asked_again == []


@pytest.mark.parametrize(
    ("later", "names"),
    [
        (sections(pid="8"), ["host.MainPID"]),
        (sections(files={"config.yaml": {"sha256": "sha256:3"}}), ["host.configuration"]),
        (sections(python={"packages": {"litellm": "1.74.15", "new": "1"}}), ["host.packages"]),
        (sections(ollama={"version": "0.12.7"}), ["backend.one.host.version", "backend.two.host.version"]),
        (
            sections(unit={"properties": {"MainPID": "7", "NRestarts": "1"}, "files": []}),
            ["host.NRestarts"],
        ),
    ],
)
def test_what_moved_is_a_change(later: Mapping[str, Any], names: list[str]) -> None:
    """A restart of the gateway is one; a backend's process is no part of it."""
    changed, _ = compared(**taken(Machines(sections(), later)))
    assert [sentence.split(" ", 1)[0] for sentence in changed] == names


def test_a_machine_that_falls_silent_is_unknown_not_changed() -> None:
    changed, unknown = compared(**taken(Machines(sections(), None)))
    assert changed == []
    assert len(unknown) == 9, "five of the gateway's machine, two of each backend's"
    assert any("host.unit was sha256:" in sentence for sentence in unknown)


def test_a_machine_that_was_silent_is_not_asked_again() -> None:
    machines = Machines(None, sections())
    both = taken(machines)
    assert machines.asked_again == []
    assert both["start"]["host.unit"] == both["end"]["host.unit"] == UNKNOWN
    assert compared(**both) == ([], [])


def test_gateway_and_backends_are_asked_at_once() -> None:
    """Of a host that says nothing one silence is waited for: each answers here when the other was asked."""
    both = threading.Barrier(2)
    enough_s = patient(10)

    def looked() -> Preflight:
        both.wait(enough_s)
        return Preflight(version="1.74.15", models="chat-one")

    def answer(asked: Asked) -> Answer:
        if asked.path == "/api/version":
            both.wait(enough_s)
        return 200, {"version": "0.12.6", "models": [{"name": "tiny:latest", "digest": "sha256:1"}]}, {}

    with serving_json(answer) as url:
        there = environment(
            backends=[{"name": "one", "url": url}, {"name": "two", "url": url, "direct": False}]
        )
        target = SimpleNamespace(
            environment=there,
            gateway=SimpleNamespace(product=SimpleNamespace(version_key="v")),
            preflight=looked,
            notebook=Notebook(),
            conduct=Conduct(),
            budget=None,
            kept=lambda _, ask: ask(),
        )
        (found,) = identities([(cast("Target", target), False)]).values()
    assert found["gateway.version"] == "1.74.15"
    assert found["backend.one.version"] == "0.12.6"
