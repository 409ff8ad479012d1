"""The gateway's faults before models that talk and do not obey: what is still detected, and what is not.

The same faults and patterns of checks as in the mutation matrix; no model declares an ability. A fault counts
that the checks of at least one promise without an ability could find.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomli_w

from gateway_acceptance.environment import Ability, Environment, load_environment
from lab.backend_factory import WEAK
from lab.faults import Fault, Layer
from lab.faults.found_as import FOUND_AS
from lab.mutation_matrix import CONTROL, FOUND, GREEN, chosen, judge, run_checks, standing

ABILITIES = "(models.abilities)"
"""How the message of a check ends that is not applicable for want of an ability."""
DEMANDED = 0.95
BASIC = (
    "API-CHAT-008", "API-CHAT-009", "API-CHAT-010", "API-CHAT-011", "API-CHAT-012", "API-CHAT-013",
    "API-CHAT-014", "API-CHAT-015", "API-CHAT-016", "API-CHAT-017", "API-CHAT-018", "API-CHAT-052",
    "API-CHAT-053", "API-STREAM-057", "API-STREAM-083",
)  # fmt: skip
"""Promises that hang on no ability: limits, ends, counts. No check of them may be not applicable."""
SHOWN_BY: Mapping[tuple[str, str], Ability] = {("sdk-arguments-object", "API-CHAT-001"): Ability.TOOLS}
"""(fault, check) -> the ability without which no answer shows it to a check that judges them all."""


@dataclass(frozen=True, slots=True)
class Weak:
    """The result. detected, missed: faults that need no ability; able: those whose checks all need one;
    absent: basic checks that were not applicable on the healthy control; alarms: every red there; said: by
    missed fault, what the checks that it names came to."""

    detected: Sequence[str]
    missed: Sequence[str]
    able: Sequence[str]
    absent: Sequence[str]
    alarms: Sequence[str]
    said: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def share(self) -> float:
        """Of the faults that need no ability: how many are detected."""
        return len(self.detected) / max(1, len(self.detected) + len(self.missed))

    @property
    def complete(self) -> bool:
        """Enough is detected, nothing basic hangs on an ability, and the healthy control has no red."""
        return bool(self.detected) and self.share >= DEMANDED and not (self.absent or self.alarms)


def run_weak(root: Path, only: Sequence[str], litellm: str, say: Callable[[str], None]) -> Weak:
    """Run the gateway's faults (all where ``only`` is empty). Raises UsageProblem, NotStarted."""
    faults = [fault for fault in chosen(only) if fault.layer is Layer.GATEWAY]
    with standing(root, faults, litellm, say, rewritten=weakened) as lab:
        say(f"running {len(faults)} faults before models that do not obey ...")
        runs = run_checks(
            root, lab.folder, lab.environments, faults, lab.variables, control=control_of(faults)
        )
    return evaluate(faults, runs)


def control_of(faults: Sequence[Fault]) -> list[str]:
    """The checks that the healthy control is asked: the basic ones, and those of the faults."""
    return sorted({*BASIC, *(check for fault in faults for check in fault.detected_by)})


def weakened(environment: Environment) -> Environment:
    """The same environment: its models obey nobody, and nothing is declared of them."""
    document = tomllib.loads(environment.source.read_text(encoding="utf-8"))
    if "embedded" in document:
        document["embedded"].setdefault("options", {})[WEAK] = True
    for entry in document["models"]:
        if entry["kind"] == "chat":
            entry["abilities"] = []
    environment.source.write_text(tomli_w.dumps(document), encoding="utf-8")
    return load_environment(str(environment.source), environment.source.parent, {})


def evaluate(faults: Sequence[Fault], runs: Mapping[str, Mapping[str, Any]]) -> Weak:
    """From records by environment. A fault is detected where a check that it names, and that is green on the
    healthy control, fails."""
    control = {check["id"]: check for check in runs[CONTROL]["checks"] if check["verdict"]}
    detected, missed, able, said = [], [], [], {}
    for fault in faults:
        needs = [
            check
            for check in fault.detected_by
            if (fault.name, check) not in SHOWN_BY and not _needs_ability(control.get(check))
        ]
        seen = {check["id"]: check for check in runs.get(fault.name, {"checks": []})["checks"]}
        cells = judge([fault], runs, complete=False).cells
        otherwise = {cell.check for cell in cells if cell.detected and (fault.name, cell.check) in FOUND_AS}
        if not needs:
            able.append(fault.name)
        elif any(
            seen.get(check, {}).get("verdict") == FOUND or check in otherwise
            for check in needs
            if control.get(check, {}).get("verdict") in GREEN
        ):
            detected.append(fault.name)
        else:
            missed.append(fault.name)
            said[fault.name] = [line for check in needs for line in _said(check, seen.get(check))]
    absent = [check for check in BASIC if _needs_ability(control.get(check))]
    alarms = [
        line
        for check, verdict in judge([], runs, complete=False).control.items()
        if verdict not in GREEN
        for line in _said(check, control[check], red=True)
    ]
    return Weak(detected, missed, able, absent, alarms, said)


def _needs_ability(check: Mapping[str, Any] | None) -> bool:
    return check is not None and all(case["message"].endswith(ABILITIES) for case in check["cases"])


def _said(check: str, entry: Mapping[str, Any] | None, *, red: bool = False) -> list[str]:
    """What its cases came to, a line each. red: those alone that are not green."""
    cases = entry["cases"] if entry else []
    lines = [
        f"{check} {case['verdict']}: {(case['message'].splitlines() or ['no word'])[0]}"
        for case in cases
        if not red or case["verdict"] not in GREEN
    ]
    return lines or [f"{check}: it did not run"]


def text(found: Weak) -> str:
    """The result for people."""
    lines = [f"MISSED {name}: {line}" for name in found.missed for line in found.said.get(name, ("",))]
    lines += [f"NOT APPLICABLE without an ability, and must not be: {check}" for check in found.absent]
    lines += [f"FALSE ALARM on the healthy control: {alarm}" for alarm in found.alarms]
    lines.append(f"need an ability in every check: {len(found.able)}: {', '.join(found.able)}")
    total = len(found.detected) + len(found.missed)
    lines.append(
        f"{len(found.detected)} of {total} faults that need no ability are detected ({found.share:.1%})"
    )
    return "\n".join(lines)
