"""A run is held against the suite of its commit: lists, claims, checks, cases, waivers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway_acceptance.record_model import record_of
from gateway_acceptance.run_directory import record_at
from gateway_acceptance.signoff.commit import of_another_commit, of_another_list, of_another_suite
from gateway_acceptance.signoff.refusals import unsound_waivers
from tests.unit import records
from tests.unit.desk import Desk, at_a_desk
from tests.unit.signing import SIGNED, WAIVER


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Desk:
    return at_a_desk(tmp_path, monkeypatch, capsys)


@pytest.mark.parametrize(
    ("here", "words"),
    [
        ({"commit": "a" * 40, "dirty": False}, None),
        ({"commit": "a" * 40, "dirty": True}, "the suite at hand is changed since its commit"),
        ({"commit": None, "dirty": None}, "neither a git checkout nor a package"),
    ],
)
def test_the_suite_at_hand_must_be_the_one_that_judged(here: dict[str, Any], words: str | None) -> None:
    suite = {"version": "0.1.0", "commit": "a" * 40, "dirty": False}
    found = of_another_suite(record_of(records.record(suite=suite)), here)
    assert len(found) == (words is not None)
    assert words is None or words in found[0]


def test_a_run_that_brings_shorter_lists_along(desk: Desk) -> None:
    """A record made up whole holds one claim, and a list of the checks that it likes."""
    record = record_at(desk.ground.run())
    frozen = {"release": [check.id for check in record.checks]}
    claims = [claim.id for claim in record.claims]
    assert of_another_list(record, frozen, claims) == []
    (shorter,) = of_another_list(record, {"release": [*frozen["release"], "API-Z-009"]}, claims)
    assert "was held against a shorter list than this suite's: API-Z-009 are not in it" in shorter
    (silent,) = of_another_list(record, frozen, [*claims, "FUN-99"])
    assert "says nothing of 1 claims that this suite makes of it (FUN-99)" in silent


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({}, None),
        ({"observed": "."}, "'W-1': observed matches any failure whatever"),
        ({"expires": "9999-12-31"}, "'W-1' is accepted until 9999-12-31"),
        ({"opened": "2026-06-02"}, "'W-1' is opened on 2026-06-02, which is yet to come"),
        ({"reason": "TODO"}, "'W-1' is not complete"),
        ({"observed": ".", "used": False}, None),
    ],
)
def test_what_no_file_of_waivers_may_say_is_not_signed(changed: dict[str, Any], sentence: str | None) -> None:
    entry = records.waiver(**json.loads(WAIVER.model_dump_json()))
    found = unsound_waivers(record_of({**records.record(), "waivers": [{**entry, **changed}]}), SIGNED)
    assert len(found) == (sentence is not None)
    assert sentence is None or sentence in found[0]


def _first(record: dict[str, Any]) -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = record["checks"][0]["cases"]
    return cases


def _told(**fields: Any) -> Callable[[dict[str, Any]], object]:
    return lambda record: record["checks"][0].update(fields)


OTHERWISE: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "a title": (_told(title="it is fine"), "declares checks otherwise than this suite: API-A-001 (title)"),
    "a level": (_told(level="SHOULD"), "declares checks otherwise than this suite: API-A-001 (level)"),
    "an effect": (_told(effect="spend"), "declares checks otherwise than this suite: API-A-001 (effect)"),
    "a source": (_told(spec="nobody"), "declares checks otherwise than this suite: API-A-001 (spec)"),
    "a claim taken away": (_told(claims=[]), "checks otherwise than this suite: API-A-001 (claims)"),
    "a check nobody has": (
        lambda record: record["checks"].append({**record["checks"][0], "id": "API-X-001", "cases": []}),
        "has checks that this suite does not have: API-X-001",
    ),
    "a claim in other words": (
        lambda record: record["claims"][0].update(text="it begins"),
        "words 1 claims otherwise than this suite (FUN-01)",
    ),
    "a case taken away": (
        lambda record: record["checks"][1].update(cases=[]),
        "lacks 1 cases that this suite has of the environment, such as test[API-A-002]",
    ),
    "a case whose name is hidden, and one taken away": (
        lambda record: (
            record["checks"][1].update(cases=[]),
            record["checks"][2].update(cases=[]),
            record["checks"][0]["cases"].append(
                {**record["checks"][0]["cases"][0], "nodeid": "[redacted:x]"}
            ),
        ),
        "lacks 2 cases that this suite has of the environment",
    ),
    "a case of nobody": (
        lambda record: _first(record).append({**_first(record)[0], "nodeid": "test[more]"}),
        "has 1 cases that this suite does not have of the environment, such as test[more]",
    ),
    "a case of another check": (
        lambda record: record["checks"][0].update(
            cases=[*record["checks"][0]["cases"], record["checks"][1]["cases"].pop()]
        ),
        "tells test[API-A-002] of another check than this suite",
    ),
    "a waiver added since": (
        lambda record: record.update(waivers=[]),
        "the waivers W-1 are not those that the run 20260601T000000Z was judged by",
    ),
    "a waiver changed since": (
        lambda record: record["waivers"][0].update(observed="got .*"),
        "the waivers W-1 are not those that the run 20260601T000000Z was judged by",
    ),
    "nothing planted": (_told(), "planted no defects, and this suite knows some"),
}


@pytest.mark.parametrize("what", OTHERWISE)
def test_a_run_of_another_suite(desk: Desk, what: str) -> None:
    record = json.loads((desk.ground.run() / "record.json").read_text(encoding="utf-8"))
    suite = desk.ground.suite(waivers=(WAIVER,), planted=what == "nothing planted")
    if what != "nothing planted":
        assert of_another_commit(record_of(record), suite) == []
    change, sentence = OTHERWISE[what]
    change(record)
    (found,) = of_another_commit(record_of(record), suite)
    assert sentence in found


def test_what_each_exchange_must_keep_is_added_to_cases(desk: Desk) -> None:
    """A red case of the rules over every exchange is no case of the collection."""
    record = json.loads((desk.ground.run() / "record.json").read_text(encoding="utf-8"))
    case = {**record["checks"][0]["cases"][0], "nodeid": "every-exchange::API-A-001[mini]"}
    record["checks"][0]["cases"].append(case)
    assert of_another_commit(record_of(record), desk.ground.suite()) == []


def test_another_commit_refuses(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.ground.run()
    more = {**(desk.ground.suite().cases or {}), "test[API-A-001-more]": "API-A-001"}
    here = desk.ground.suite(cases=more)
    monkeypatch.setattr("gateway_acceptance.cli.signoff.suite_at_hand", lambda *_: here)
    code, _, err = desk.signoff()
    assert (code, "lacks 1 cases that this suite has of the environment" in err, desk.written) == (
        1,
        True,
        [],
    )
