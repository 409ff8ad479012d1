"""The absence matrix: faults that take a subject away, against all checks. None may pass on what is not
there. Held are the records: a case that passed and saw the absence in any answer of its evidence is a breach,
unless ``SETTLED`` says what else it judged. Design: docs/verdicts.md, "Subjects are counted".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway_acceptance.usage import UsageProblem
from gateway_acceptance.verdict import Verdict
from lab.faults import FAULTS, Layer
from lab.faults.absence import TOUCHED, Exchange
from lab.faults.settled import SETTLED
from lab.mutation_matrix import CONTROL, run_checks, standing

SUITES = "suites/api suites/backends/routing suites/backends/inventory suites/backends/reachability"
"""What runs: statistics over hundreds of draws say nothing that these do not."""
CONTROLS = ("API-OPS-001", "API-STREAM-002", "API-CHAT-001", "API-MODELS-001")
"""Must be green on the healthy control, so that what is red on a view is red for its fault."""
GREEN = (Verdict.PASSED.value, Verdict.WAIVED.value)
ABSENCE_BUDGET_S = 3600
ACCEPTED_ROOT = re.compile(r" \((deviations|waivers): [^()]+\)$")
"""How the message of a case ends whose root's failure is accepted."""


@dataclass(frozen=True, slots=True)
class VacuousPass:
    """A check that passed on what was not there. saw: exchanges of its evidence that show nothing else."""

    fault: str
    check: str
    saw: int
    evidence: int
    message: str

    def __str__(self) -> str:
        seen = f"{self.saw} of {self.evidence} answers that it saw are the absence itself"
        return f"{self.fault}: {self.check} passed ({seen}; {self.message or 'no word'})"


@dataclass(frozen=True, slots=True)
class Absences:
    """The result. verdicts: by fault, how many cases had which; control: check -> verdict; errors: checks
    that erred themselves on what was not there, in words; observed: cases that were not applicable because of
    what was seen, in words."""

    breaches: Sequence[VacuousPass]
    verdicts: Mapping[str, Mapping[str, int]]
    control: Mapping[str, str]
    errors: Sequence[str] = ()
    observed: Sequence[str] = ()

    @property
    def complete(self) -> bool:
        """No breach, no check that erred, nothing away for what was seen, every fault ran, and the control is
        green."""
        ran = all(sum(counts.values()) > 0 for counts in self.verdicts.values())
        wrong = [*self.breaches, *self.errors, *self.observed]
        return not wrong and ran and set(self.control.values()) <= set(GREEN)


def breaches_of(
    fault: str,
    record: Mapping[str, Any],
    touched: Callable[[Exchange], bool],
    settled: Mapping[tuple[str, str], str],
) -> list[VacuousPass]:
    """Cases of a record that passed and saw the absence. settled: (fault, check) -> what else it judged."""
    found = []
    for check in record["checks"]:
        for case in check["cases"]:
            saw = sum(1 for one in case["evidence"] if touched(one))
            excused = (fault, check["id"]) in settled or ("*", check["id"]) in settled
            if case["verdict"] in GREEN and saw and not excused:
                found.append(VacuousPass(fault, check["id"], saw, len(case["evidence"]), case["message"]))
    return found


def errors_of(fault: str, record: Mapping[str, Any]) -> list[str]:
    """Cases of a record that ended as errors of the suite: what a target lacks is never one."""
    return [
        f"{fault}: {check['id']}: {(case['message'].splitlines() or ['no word'])[0]}"
        for check in record["checks"]
        for case in check["cases"]
        if case["verdict"] == Verdict.HARNESS_ERROR.value
    ]


def observed_away(records: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Cases that are not applicable under one fault and judged under another. All faults stand in
    environments that declare the same, so what was seen decided. By the exception of docs/verdicts.md, a case
    may follow its root, whose failure is accepted. records: by fault."""
    away: dict[tuple[str, str], dict[str, str]] = {}
    judged: dict[tuple[str, str], str] = {}
    for fault, record in records.items():
        for check in record["checks"]:
            for case in check["cases"]:
                which = (check["id"], _parameters(case, fault))
                if case["verdict"] != Verdict.NOT_APPLICABLE.value:
                    judged.setdefault(which, f"{case['verdict']} under {fault}")
                elif not ACCEPTED_ROOT.search(case["message"]):
                    away.setdefault(which, {})[fault] = case["message"]
    return [
        f"{fault}: {which[0]} not applicable ({message}), and {judged[which]}"
        for which, said in away.items()
        if which in judged
        for fault, message in said.items()
    ]


def _parameters(case: Mapping[str, Any], fault: str) -> str:
    """What tells the cases of a check apart, without the name of the environment."""
    return str({name: value for name, value in case["parameters"].items() if value != fault})


def run_absence_matrix(root: Path, only: Sequence[str], litellm: str, say: Callable[[str], None]) -> Absences:
    """Run the faults of absence, all where ``only`` is empty. Raises UsageProblem, NotStarted."""
    known = {name: fault for name, fault in FAULTS.items() if fault.layer is Layer.ABSENCE}
    unknown = [name for name in only if name not in known]
    if unknown:
        listed = ", ".join(known)
        raise UsageProblem([f"--only {name}: no fault of absence; known are: {listed}" for name in unknown])
    faults = [known[name] for name in only] if only else list(known.values())
    with standing(root, faults, litellm, say) as lab:
        say(f"running all checks against {len(faults)} faults of absence ...")
        runs = run_checks(
            root,
            lab.folder,
            lab.environments,
            [],
            lab.variables,
            suite=SUITES,
            control=CONTROLS,
            budget_s=ABSENCE_BUDGET_S,
        )
    none: dict[str, Any] = {"checks": []}
    found = [
        breach
        for fault in faults
        for breach in breaches_of(fault.name, runs.get(fault.name, none), TOUCHED[fault.name], SETTLED)
    ]
    control = {one["id"]: one["verdict"] for one in runs[CONTROL]["checks"] if one["verdict"]}
    errors = [error for fault in faults for error in errors_of(fault.name, runs.get(fault.name, none))]
    verdicts = {fault.name: _verdicts(runs.get(fault.name, none)) for fault in faults}
    observed = observed_away({fault.name: runs.get(fault.name, none) for fault in faults})
    return Absences(found, verdicts, control, errors, observed)


def _verdicts(record: Mapping[str, Any]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for check in record["checks"]:
        for case in check["cases"]:
            counts[case["verdict"]] = counts.get(case["verdict"], 0) + 1
    return counts
