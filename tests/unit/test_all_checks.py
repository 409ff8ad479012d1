"""A sample of faults against all checks of their suite: companions are declared, and seen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway_acceptance.profiles import load_profiles
from gateway_acceptance.usage import UsageProblem
from lab import all_checks
from lab.all_checks import AllChecks, Beside, beside, chosen_of, suites_of, text, verdicts_of
from lab.commands import faults_page, in_a_cell
from lab.faults import FAULTS, Layer
from lab.faults.companions import COMPANIONS, SAMPLE
from lab.faults.model import Fault
from lab.faults.stream_mutators import anonymous

ROOT = Path(__file__).parents[2]
FAULT = Fault("some-fault", Layer.GATEWAY, "something", {"API-A-001": "lost"})


def record(**verdicts: str) -> dict[str, Any]:
    """By the last two digits of an id: ``c1="failed"``."""
    return {
        "checks": [
            {
                "id": f"API-A-00{name[1:]}",
                "verdict": verdict,
                "cases": [{"verdict": verdict, "message": "it is lost" if verdict == "failed" else ""}],
            }
            for name, verdict in verdicts.items()
        ]
    }


def seen(control: dict[str, Any], on_the_fault: dict[str, Any]) -> Beside:
    return beside(FAULT, verdicts_of(control), on_the_fault)


HEALTHY = record(c1="passed", c2="passed", c3="passed", c4="failed")


def test_what_is_red_beside_the_named_check_is_told() -> None:
    one = seen(HEALTHY, record(c1="failed", c2="failed", c3="passed", c4="failed"))
    assert (one.named, one.missed) == (["API-A-001"], [])
    assert list(one.red) == one.unexpected == ["API-A-002"]
    assert one.green == ["API-A-003"]
    assert not one.settled
    assert "RED, NOT DECLARED API-A-002: it is lost" in text(AllChecks([one]))


def test_what_is_red_on_the_control_is_no_companion() -> None:
    assert seen(HEALTHY, record(c1="failed", c4="failed")).settled


def test_a_declared_companion_is_settled_and_one_that_stays_green_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        all_checks, "COMPANIONS", {"some-fault": {"API-A-00[23]": "it is lost there as well"}}
    )
    assert seen(HEALTHY, record(c1="failed", c2="untestable", c3="passed")).settled
    one = seen(HEALTHY, record(c1="failed", c2="passed", c3="passed"))
    assert one.silent == ["API-A-00[23]"]
    assert "DECLARED RED, AND GREEN" in text(AllChecks([one]))


def test_what_names_the_red_check_that_says_why_is_settled() -> None:
    def on_the_fault(message: str, verdict: str = "untestable") -> Beside:
        document = record(c1="failed", c2=verdict, c3="passed")
        document["checks"][1]["cases"][0]["message"] = message
        return seen(HEALTHY, document)

    assert on_the_fault("there is no file (see API-A-001)").settled
    assert on_the_fault("there is no file (see API-A-003)").unexpected == ["API-A-002"], "that one is green"
    assert on_the_fault("API-A-002 has no file").unexpected == ["API-A-002"]
    assert on_the_fault("see API-A-001", "failed").unexpected == ["API-A-002"]


def test_what_the_lab_does_to_every_changed_stream_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(all_checks, "OF_THE_LAB", {"API-A-00[23]": "it buffers"})
    on_the_fault = record(c1="failed", c2="failed", c3="passed")
    changing = replace(FAULT, after=lambda _, reply: reply)
    assert beside(changing, verdicts_of(HEALTHY), on_the_fault).settled
    assert beside(changing, verdicts_of(HEALTHY), record(c1="failed", c2="passed")).settled
    assert seen(HEALTHY, on_the_fault).unexpected == ["API-A-002"]


def test_what_a_product_does_by_itself_is_red_where_a_fault_hides_the_product() -> None:
    control = verdicts_of(record(c1="passed", c2="deviation", c3="passed"))
    on_the_fault = record(c1="failed", c2="failed", c3="passed")
    assert beside(replace(FAULT, before=anonymous), control, on_the_fault).settled
    assert beside(FAULT, control, on_the_fault).unexpected == ["API-A-002"]
    assert beside(replace(FAULT, before=anonymous), verdicts_of(HEALTHY), on_the_fault).unexpected == [
        "API-A-002"
    ]


def test_a_fault_that_its_own_check_does_not_see_is_not_settled() -> None:
    one = seen(HEALTHY, record(c1="passed"))
    assert (one.named, one.missed) == ([], ["API-A-001"])
    assert not one.settled


def test_the_sample_is_of_known_ordinary_faults_of_many_kinds() -> None:
    assert len(SAMPLE) == len(set(SAMPLE)) >= 60
    layers = {FAULTS[name].layer for name in SAMPLE}
    assert layers == {Layer.GATEWAY, Layer.BACKEND, Layer.HOST}
    assert set(COMPANIONS) <= set(SAMPLE)


def test_every_check_has_a_suite() -> None:
    known = load_profiles(ROOT / "suites" / "profiles.toml")["release"]
    assert set(suites_of(ROOT)) == set(known)


def test_companions_stand_in_the_page_of_faults() -> None:
    page = faults_page()
    for name, companions in COMPANIONS.items():
        row = next(line for line in page.splitlines() if line.startswith(f"| `{name}` "))
        assert "beside it" in row
        assert all(f"`{in_a_cell(check)}`" in row for check in companions)


def test_a_fault_of_another_kind_is_refused() -> None:
    with pytest.raises(UsageProblem, match="no such fault of host"):
        chosen_of(["gateway-down"], (Layer.HOST,))
    assert [fault.name for fault in chosen_of([], (Layer.BACKEND,))]
