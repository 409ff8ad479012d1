"""Evidence that is not there, of another time, or of another gateway."""

from __future__ import annotations

from typing import Any

import pytest

from gateway_acceptance.record_model import Record, record_of
from gateway_acceptance.run_directory import record_at
from gateway_acceptance.signoff.kept import of_another_gateway, of_another_time, without_evidence
from tests.live.conftest import ROOT
from tests.unit.records import case, check, exchange, record

GATEWAY = "http://127.0.0.1:4000"
OURS, THEIRS = f"{GATEWAY}/v1/models", "http://127.0.0.9:4000/v1/models"


def of(*cases: dict[str, Any], url: str = GATEWAY, **fields: Any) -> Record:
    """A run of one check with these cases."""
    whole = record(check("API-A-001", *cases, **fields))
    return record_of({**whole, "target": {**whole["target"], "gateway_url": url}})


def test_an_honest_run_has_all_of_it() -> None:
    told = record_at(ROOT / "docs" / "examples" / "signoff")
    assert (without_evidence(told), of_another_time(told), of_another_gateway(told)) == ([], [], [])


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        (of(case("x", requests=2)), "1 cases say that they asked and show no exchange, such as x"),
        (
            of(case("x", requests=0)),
            "1 checks pass by asking, and no case of them shows an exchange, such as",
        ),
        (of(case("x", requests=0), effect="probe"), "1 checks pass by asking"),
        (of(case("x", requests=0), effect="read"), ""),
        (of(case("x", "untestable", requests=0)), ""),
        (of(case("x", requests=0), case("y", evidence=[exchange(OURS)])), ""),
    ],
)
def test_evidence_that_is_not_there(told: Record, sentence: str) -> None:
    found = "\n".join(without_evidence(told))
    assert found.startswith(sentence)
    assert bool(found) == bool(sentence)


@pytest.mark.parametrize(
    ("told", "another"),
    [
        (of(case("x", evidence=[exchange(THEIRS)])), True),
        (of(case("x", evidence=[exchange(THEIRS), exchange(OURS)])), False),
        (of(case("x", evidence=[exchange("http://admin:no@127.0.0.1:4000/")])), False),
        (of(case("x", evidence=[exchange("https://gw.example/v1")]), url="https://GW.example:443"), False),
        (
            of(
                case("x", evidence=[exchange("https://xn--gtwy-loac.example/")]), url="https://gätwäy.example"
            ),
            False,
        ),
        (of(case("x", evidence=[exchange("https://gw.example:444/v1")]), url="https://gw.example"), True),
        (of(case("x", evidence=[exchange("http://[")])), True),
        (of(case("x")), False),
    ],
)
def test_evidence_of_another_gateway(told: Record, another: bool) -> None:
    found = of_another_gateway(told)
    assert len(found) == another
    assert not another or found[0].startswith("1 cases hold no exchange with http")


def test_a_made_up_url_is_not_the_gateway_s() -> None:
    (sentence,) = of_another_gateway(of(case("x", evidence=[exchange(THEIRS)])))
    assert sentence == (
        "1 cases hold no exchange with http://127.0.0.1:4000, such as x: they are of another gateway"
    )
