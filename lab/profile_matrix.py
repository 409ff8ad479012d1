"""How much a profile sees: each of the gateway's faults against all checks of the profile, and the share that
is noticed, each by its own check's id and for the stated reason.

One real gateway and one address per fault, as in ``lab.mutation_matrix``; the checks run in batches of
addresses, and only the files of checks of the profile are collected.
"""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway_acceptance.environment import Environment
from gateway_acceptance.places import data_root
from gateway_acceptance.profiles import load_profiles
from gateway_acceptance.usage import UsageProblem
from gateway_acceptance.verdict import Verdict
from lab.faults import FAULTS, Fault, Layer
from lab.faults.found_as import tells
from lab.mutation_matrix import CONTROL, GREEN, run_checks, standing
from lab.profile_plugin import WANTED_VARIABLE

BATCH = 32
"""Addresses that one pytest run judges: it builds the profile's cases for each of them."""
SHARE = 0.7
"""Of the gateway's faults that smoke is to notice."""
OPEN_RUN_BUDGET_S = 1800
"""For one batch: a fault that makes everything late makes its smoke long."""


@dataclass(frozen=True, slots=True)
class Noticed:
    """One fault. by: its own checks that told it, for the stated reason; otherwise: other checks that were
    red."""

    fault: str
    by: Sequence[str]
    otherwise: Sequence[str]


@dataclass
class ProfileMatrix:
    """The result. alarms: what was red on the healthy control, in each batch."""

    profile: str
    faults: list[Noticed] = field(default_factory=list)
    alarms: list[str] = field(default_factory=list)

    @property
    def share(self) -> float:
        """Of the faults that were noticed by their own checks."""
        return sum(bool(one.by) for one in self.faults) / len(self.faults) if self.faults else 0.0

    @property
    def complete(self) -> bool:
        """Enough is noticed, and nothing else is red."""
        return self.share >= SHARE and not self.alarms


def chosen(only: Sequence[str]) -> list[Fault]:
    """The gateway's faults to run, all where none are named. Raises UsageProblem."""
    strange = [name for name in only if name not in FAULTS or FAULTS[name].layer is not Layer.GATEWAY]
    if strange:
        raise UsageProblem([f"--only {name}: there is no such fault of the gateway" for name in strange])
    return [FAULTS[name] for name in only] or [
        fault for fault in FAULTS.values() if fault.layer is Layer.GATEWAY
    ]


def files_of(checks: Sequence[str], root: Path) -> list[str]:
    """The test files that declare any of these checks, relative to the root. A list of checks that a
    factory declares is found by the ids that stand in the file."""
    wanted = set(checks)
    found = []
    for path in sorted((root / "suites").rglob("test_*.py")):
        words = {
            node.value
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
        if words & wanted:
            found.append(str(path.relative_to(root)))
    return found


def run_profile(
    root: Path, profile: str, only: Sequence[str], litellm: str, say: Callable[[str], None]
) -> ProfileMatrix:
    """Run a profile against the faults. Raises UsageProblem, NotStarted."""
    faults = chosen(only)
    lists = load_profiles(data_root() / "suites" / "profiles.toml")
    if profile not in lists:
        raise UsageProblem([f"--profile {profile}: there is none; there are {', '.join(lists)}"])
    suite = f"{' '.join(files_of(lists[profile], root))} -m {profile} -p lab.profile_plugin"
    result = ProfileMatrix(profile)
    with standing(root, faults, litellm, say) as lab:
        by_name = {environment.name: environment for environment in lab.environments}
        for start in range(0, len(faults), BATCH):
            batch = faults[start : start + BATCH]
            wanted = {fault.name: dict(fault.detected_by) for fault in batch}
            say(f"faults {start + 1} to {start + len(batch)} of {len(faults)} ...")
            environments: list[Environment] = [by_name[CONTROL], *(by_name[fault.name] for fault in batch)]
            records = run_checks(
                root,
                lab.folder,
                environments,
                [],
                {**lab.variables, WANTED_VARIABLE: json.dumps(wanted)},
                suite=suite,
                budget_s=OPEN_RUN_BUDGET_S,
            )
            result.faults += [noticed(fault, records.get(fault.name, {"checks": []})) for fault in batch]
            result.alarms += alarms(records[CONTROL])
    return result


def noticed(fault: Fault, record: Mapping[str, Any]) -> Noticed:
    """What a record says of a fault: pure."""
    red = [
        (check["id"], case["message"])
        for check in record["checks"]
        for case in check["cases"]
        if tells(fault.name, check["id"], case["verdict"])
    ]
    own = {
        check
        for check, message in red
        if check in fault.detected_by and re.search(fault.detected_by[check], message)
    }
    return Noticed(fault.name, sorted(own), sorted({check for check, _ in red} - own))


def alarms(record: Mapping[str, Any]) -> list[str]:
    """What is red on a healthy gateway."""
    return [
        f"{check['id']} {check['verdict']}: {'; '.join(case['message'] for case in check['cases'])}"
        for check in record["checks"]
        if check["verdict"] is not None and check["verdict"] not in (*GREEN, Verdict.NOT_PERMITTED)
    ]


def text(found: ProfileMatrix) -> str:
    """The result for people: what was not noticed, shares by the kind of check, and the share of all."""
    lines = []
    for one in found.faults:
        if not one.by:
            seen = f"seen otherwise by {', '.join(one.otherwise)}" if one.otherwise else "not seen"
            lines.append(f"{one.fault:<32} {', '.join(FAULTS[one.fault].detected_by)}: {seen}")
    counted, known = (
        Counter(_kind(one) for one in found.faults),
        Counter(_kind(one) for one in found.faults if one.by),
    )
    lines += [f"{kind:<16} {known[kind]:>3} of {count:>3}" for kind, count in sorted(counted.items())]
    lines += [f"FALSE ALARM on the healthy control: {alarm}" for alarm in found.alarms]
    sure = sum(bool(one.by) for one in found.faults)
    more = sum(bool(one.otherwise) and not one.by for one in found.faults)
    lines.append(
        f"{found.profile} notices {sure} of {len(found.faults)} faults of the gateway "
        f"({100 * found.share:.0f} %) by their own checks, {more} more by others; "
        f"wanted are {100 * SHARE:.0f} %"
    )
    return "\n".join(lines)


def _kind(one: Noticed) -> str:
    return next(iter(FAULTS[one.fault].detected_by)).rsplit("-", 1)[0]
