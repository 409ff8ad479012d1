"""No check of a host passes on what the machine does not have: every one, on machines that lack something."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from gateway_acceptance.host.facts import NoFacts, unpacked
from gateway_acceptance.plugin.outcome import outcome_of, unless_vacuous
from gateway_acceptance.subjects import SUBJECTS
from gateway_acceptance.verdict import Verdict
from tests.unit.host_absent import ABSENT, Asked, Sections, asked, host_checks

CHECKS = dict(host_checks())


def judged(function: Callable[..., None], changed: Sections) -> tuple[Verdict, set[str]]:
    """What becomes of a check, as in a run, and the sections that it read."""
    SUBJECTS.begin()
    error: BaseException | None = None
    try:
        read = asked(function, changed)
    except Asked as raised:
        error, read = raised.__cause__, raised.read
    return unless_vacuous(outcome_of(error, "call"), SUBJECTS, []).verdict, read


def test_the_machine_that_lacks_nothing_is_judged() -> None:
    """Else what follows would hold for want of a machine."""
    counted = Counter(judged(function, {})[0] for function in CHECKS.values())
    assert counted[Verdict.PASSED] > 0.75 * len(CHECKS)
    assert not counted[Verdict.HARNESS_ERROR]
    assert not counted[Verdict.UNTESTABLE]


@pytest.mark.parametrize("absent", ["nothing", *ABSENT])
def test_not_applicable_is_said_before_the_machine_is_looked_at(absent: str) -> None:
    """It comes of what is declared alone, so nothing that was seen may have led to it."""
    found = {check.id: judged(function, ABSENT.get(absent, {})) for check, function in CHECKS.items()}
    away = {name: read for name, (verdict, read) in found.items() if verdict is Verdict.NOT_APPLICABLE}
    assert away, "else this holds for want of a check that does not apply"
    assert {name: read for name, read in away.items() if read} == {}


@pytest.mark.parametrize("absent", ABSENT)
def test_no_check_passes_on_what_is_absent(absent: str) -> None:
    changed = ABSENT[absent]
    found = {check.id: judged(function, changed) for check, function in CHECKS.items()}
    concerned = {name: verdict for name, (verdict, read) in found.items() if read & set(changed)}
    assert concerned
    assert [name for name, verdict in concerned.items() if verdict is Verdict.PASSED] == []
    assert [name for name, verdict in concerned.items() if verdict is Verdict.HARNESS_ERROR] == []


@pytest.mark.parametrize(
    "text", ["", "<<<facts eJyrVkrOyS9N", "Connection to gateway closed.", "<<<facts facts>>>x"]
)
def test_a_look_that_was_cut_off_brings_no_facts(text: str) -> None:
    with pytest.raises(NoFacts):
        unpacked(text)
