"""The evidence in a record is judged again: what contradicts a verdict is told, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway_acceptance.check import MUST, READ, Check
from gateway_acceptance.environment import Environment
from gateway_acceptance.record_model import Record, record_of
from gateway_acceptance.redaction import Redactor
from gateway_acceptance.signoff.again import contradicted, exchange_of
from gateway_acceptance.signoff.suite import Suite
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.seen import seen_exchange
from suites.every_exchange import RULES
from tests.unit import records
from tests.unit import test_every_exchange as told
from tests.unit.declared import environment

REDACTOR = Redactor({"key of mini": told.KEY})
SUITE = Suite(
    {rule.check: Check(rule.check, "it holds", MUST, READ, (), ()) for rule in RULES}, {}, (), rules=RULES
)
ALONE = {name: owner for name, (owner, exchanges) in told.BROKEN.items() if len(exchanges) == 1}
NOT_KEPT = ("a stream that breaks", "the key")
"""What broke off cannot be judged again, and what was redacted is not what came."""


def record(*exchanges: Exchange, effect: str = "read", **fields: Any) -> Record:
    """One case that kept them and passed."""
    evidence = [json.loads(json.dumps(one.evidence(REDACTOR))) for one in exchanges]
    case = records.case("suites/x.py::test_x[mini]", evidence=evidence)
    whole = records.record(records.check("API-A-001", case, effect=effect))
    return record_of({**whole, "target": {**whole["target"], "product_version": "1.0.0"}, **fields})


@pytest.mark.parametrize("name", [name for name in ALONE if name not in NOT_KEPT])
def test_what_an_exchange_breaks_contradicts_its_verdict(name: str) -> None:
    owner, exchanges = told.BROKEN[name]
    found = "\n".join(contradicted(record(*exchanges), environment(), SUITE))
    assert "the evidence of suites/x.py::test_x[mini] contradicts its verdict: " in found
    assert owner in found


@pytest.mark.parametrize("name", told.QUIET)
def test_what_is_right_in_its_own_way_contradicts_nothing(name: str) -> None:
    assert contradicted(record(*told.QUIET[name]), environment(), SUITE) == []


def test_an_exchange_is_read_from_its_evidence_as_it_was() -> None:
    declared: Environment = environment()
    for one in (told.chat(), told.stream(told.CHUNKS), told.embedding("a b", [[0.1] * 8])):
        (entry,) = record(one).checks[0].cases[0].evidence
        assert entry.own_key is True
        again = exchange_of(entry, declared)
        assert again is not None
        assert (again.body, again.status, again.sent_at) == (one.body, one.status, one.sent_at)
        was, now = seen_exchange(one, declared, told.KEY), seen_exchange(again, declared, "own-key")
        assert was is not None
        assert now is not None
        assert (was.kinds, was.alias) == (now.kinds, now.alias)


BENT = told.chat(lambda answer: answer.update(model="gpt-4o"))
LEFT = {
    "cut": told.chat(lambda answer: answer.update(model="gpt-4o", more="x" * 5000)),
    "with another key": Exchange(
        **{**{name: getattr(BENT, name) for name in BENT.__slots__}, "request_headers": told.OWN[1:]}
    ),
    "with a header of its own": Exchange(
        **{
            **{name: getattr(BENT, name) for name in BENT.__slots__},
            "request_headers": (*told.OWN, ("x-mode", "odd")),
        }
    ),
    "not read to its end": BENT.answered(whole=False),
}


@pytest.mark.parametrize("what", LEFT)
def test_what_cannot_be_judged_again_is_left(what: str) -> None:
    assert contradicted(record(LEFT[what]), environment(), SUITE) == []


def deviations(note: str) -> dict[str, Any]:
    """Both breaches of ``BENT``, called deviations of the release."""
    one = {"level": "MUST", "title": "it holds", "link": "", "cases": 1, "absent": False}
    known = [{"check": check, **one} for check in ("API-CHAT-005", "API-CHAT-006")]
    release = {"product": "litellm", "version": "1.0.0", "variant": "", "judged_by": []}
    return {**release, "note": note, "known": known}


def test_what_is_known_or_accepted_contradicts_nothing() -> None:
    assert contradicted(record(BENT, effect="disrupt"), environment(), SUITE) == []
    waiver = records.waiver(check="API-CHAT-005", observed="got 'gpt-4o'", reason="a provider's name")
    exact = {**waiver, "id": "V", "check": "API-CHAT-006"}
    assert len(contradicted(record(BENT), environment(), SUITE)) == 2
    assert contradicted(record(BENT, waivers=[waiver, exact]), environment(), SUITE) == []
    known = deviations("learned by its twin, the same release, started beside this run")
    assert contradicted(record(BENT, deviations=known), environment(), SUITE) == []


def test_a_release_is_known_by_the_suite_and_not_by_the_record() -> None:
    """A record may call anything a deviation of its release."""
    known = deviations("")
    assert len(contradicted(record(BENT, deviations=known), environment(), SUITE)) == 2
