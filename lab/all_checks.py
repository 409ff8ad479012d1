"""A sample of ordinary faults against all checks of their suite: what stays green or turns red beside the
check that is named. Every red companion is looked at and declared (``lab.faults.companions``), with why
it is right; one that is declared and stays green, or that is red and not declared, is said. docs/lab.md,
"Beside the named check".
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from gateway_acceptance.places import data_root
from gateway_acceptance.profiles import load_profiles
from gateway_acceptance.usage import UsageProblem
from gateway_acceptance.verdict import Verdict
from lab.faults import FAULTS, Fault, Layer
from lab.faults.companions import COMPANIONS, OF_THE_LAB, SAMPLE
from lab.faults.stream_mutators import anonymous
from lab.mutation_matrix import CONTROL, GREEN, judge, run_checks, standing

CHECK_ID = re.compile(r"\b(?:API|BACKEND|HOST)-[A-Z]+-\d{3}\b")
RED = (
    Verdict.FAILED.value,
    Verdict.UNTESTABLE.value,
    Verdict.INCONCLUSIVE.value,
    Verdict.HARNESS_ERROR.value,
)
SUITE_BUDGET_S = 3000
"""Of one suite with all its faults, on an idle machine."""


@dataclass(frozen=True, slots=True)
class Beside:
    """One fault. named: its own checks that found it; missed: those that did not; red: other checks of
    the suite that are red on it and green on the control, with what they said; unexpected: of these, what
    nobody declared; green: checks of the suite that judged it and stayed green; silent: companions that
    are declared and green."""

    fault: str
    named: Sequence[str]
    missed: Sequence[str]
    red: Mapping[str, str]
    unexpected: Sequence[str]
    green: Sequence[str]
    silent: Sequence[str]

    @property
    def settled(self) -> bool:
        """Whether everything is as declared."""
        return bool(self.named) and not (self.missed or self.unexpected or self.silent)


@dataclass
class AllChecks:
    """The result. alarms: red on the healthy control."""

    faults: list[Beside] = field(default_factory=list)
    alarms: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Every fault is settled, and the control is green."""
        return bool(self.faults) and all(one.settled for one in self.faults) and not self.alarms


def chosen_of(only: Sequence[str], layers: Sequence[Layer]) -> list[Fault]:
    """The faults of these layers, of the sample where none are named. Raises UsageProblem."""
    known = {name for name, fault in FAULTS.items() if fault.layer in layers}
    strange = [name for name in only if name not in known]
    if strange:
        kinds = ", ".join(layer.value for layer in layers)
        raise UsageProblem([f"--only {name}: there is no such fault of {kinds}" for name in strange])
    return [FAULTS[name] for name in only or SAMPLE if name in known]


def suites_of(root: Path) -> dict[str, str]:
    """The folder of each check's test file, relative to the root: ``suites/api/streams``. A check of a
    list is found by its id in the file."""
    known = set(load_profiles(data_root() / "suites" / "profiles.toml")["release"])
    found: dict[str, str] = {}
    for path in sorted((root / "suites").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in known:
                found.setdefault(node.value, str(path.parent.relative_to(root)))
    return found


def run_all_checks(root: Path, only: Sequence[str], litellm: str, say: Callable[[str], None]) -> AllChecks:
    """Run the sample's faults of gateway and backends. Raises UsageProblem, NotStarted."""
    faults = chosen_of(only, (Layer.GATEWAY, Layer.BACKEND))
    folders = suites_of(root)
    by_suite: dict[str, list[Fault]] = {}
    for fault in faults:
        by_suite.setdefault(folders[next(iter(fault.detected_by))], []).append(fault)
    result = AllChecks()
    with standing(root, faults, litellm, say) as lab:
        views = {environment.name: environment for environment in lab.environments}
        for suite, members in sorted(by_suite.items()):
            say(f"{suite}: {len(members)} faults against all of its checks ...")
            ids = sorted(check for check, folder in folders.items() if folder == suite)
            extended = [replace(fault, detected_by=dict.fromkeys(ids, "")) for fault in members]
            records = run_checks(
                root,
                lab.folder,
                [views[CONTROL], *(views[fault.name] for fault in members)],
                extended,
                lab.variables,
                suite=suite,
                control=ids,
                budget_s=SUITE_BUDGET_S,
            )
            add(result, members, records)
    return result


def add(result: AllChecks, faults: Sequence[Fault], records: Mapping[str, Mapping[str, Any]]) -> None:
    """What one run says of its faults, and of the control."""
    control = verdicts_of(records[CONTROL])
    result.alarms += [f"{check} {verdict}" for check, (verdict, _) in control.items() if verdict in RED]
    result.faults += [beside(fault, control, records.get(fault.name, {"checks": []})) for fault in faults]


def verdicts_of(record: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Verdict and message by check: of its worst case."""
    found = {}
    for check in record["checks"]:
        if check["verdict"]:
            messages = [case["message"] for case in check["cases"] if case["verdict"] == check["verdict"]]
            found[check["id"]] = (str(check["verdict"]), messages[0] if messages else "")
    return found


def beside(fault: Fault, control: Mapping[str, tuple[str, str]], record: Mapping[str, Any]) -> Beside:
    """Pure: what a record says of a fault. control: verdicts of the healthy gateway.

    A fault that hides which product the gateway is takes the product's own deviations for nobody's: what is a
    deviation on the control may be red beside it.
    """
    cells = judge([fault], {CONTROL: {"checks": []}, fault.name: record}, complete=False).cells
    seen = verdicts_of(record)
    in_suite = {check for check in fault.detected_by if check in seen}
    named = [cell.check for cell in cells if cell.detected]
    missed = [cell.check for cell in cells if not cell.detected and cell.check in in_suite]
    red = {
        check: message
        for check, (verdict, message) in seen.items()
        if verdict in RED and check not in fault.detected_by and control.get(check, ("", ""))[0] in GREEN
    }
    green = [
        check
        for check, (verdict, _) in seen.items()
        if verdict in GREEN and verdict != Verdict.NOT_APPLICABLE and check not in fault.detected_by
    ]
    expected = COMPANIONS.get(fault.name, {})
    allowed = {**expected, **(OF_THE_LAB if fault.after else {})}
    own = [check for check, (verdict, _) in control.items() if verdict == Verdict.DEVIATION]
    hidden = own if fault.before is anonymous else []
    explained = explained_by_others(seen, {*red, *named})
    settled = {*hidden, *explained}
    unexpected = [check for check in red if check not in settled and not _any(allowed, check)]
    silent = [check for check in expected if not any(re.fullmatch(check, one) for one in red)]
    return Beside(fault.name, named, missed, red, unexpected, green, silent)


def explained_by_others(seen: Mapping[str, tuple[str, str]], red: Collection[str]) -> list[str]:
    """The checks that are untestable and name another one, which is red and says why. seen: verdict and
    message by check."""
    return [
        check
        for check, (verdict, message) in seen.items()
        if verdict == Verdict.UNTESTABLE and (set(CHECK_ID.findall(message)) - {check}) & set(red)
    ]


def _any(patterns: Mapping[str, str], check: str) -> bool:
    return any(re.fullmatch(pattern, check) for pattern in patterns)


def text(found: AllChecks) -> str:
    """The result for people."""
    lines = []
    for one in found.faults:
        lines.append(
            f"{one.fault:<40} found by {', '.join(one.named) or 'NONE'}; "
            f"{len(one.red)} red beside it, {len(one.green)} green"
        )
        lines += [f"    NOT FOUND by {check}" for check in one.missed]
        lines += [f"    RED, NOT DECLARED {check}: {_first(one.red[check])}" for check in one.unexpected]
        lines += [f"    DECLARED RED, AND GREEN {check}" for check in one.silent]
    lines += [f"FALSE ALARM on the healthy control: {alarm}" for alarm in found.alarms]
    settled = sum(one.settled for one in found.faults)
    lines.append(f"{settled} of {len(found.faults)} faults are seen as declared by all checks of their suite")
    return "\n".join(lines)


def _first(message: str) -> str:
    line = message.splitlines()[0] if message else ""
    return line if len(line) <= 160 else line[:159] + "…"
