"""How many open doors are noticed that no check was written for: in nightly, and in smoke.

One real gateway, an address for each door, as in ``lab.mutation_matrix``; in batches, for the family asks
each of them some 1300 requests. A door counts as noticed where a check of access, keys or exposure failed on
it that is green on the healthy control.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway_acceptance.usage import UsageProblem
from gateway_acceptance.verdict import Verdict
from lab.doors import DOORS
from lab.faults import Fault
from lab.mutation_matrix import CONTROL, run_checks, standing

FAMILY = ("API-ACCESS-", "API-AUTH-", "API-EXPO-")
SUITES = "suites/api/access suites/api/auth suites/api/exposure"
PROFILES = ("nightly", "smoke")
BATCH = 16
"""Addresses that one pytest run judges."""
BUDGET_S = 1800
"""For one batch."""


@dataclass(frozen=True, slots=True)
class Opened:
    """One door. by: profile -> the checks that failed on it and not on the healthy control."""

    door: str
    by: Mapping[str, Sequence[str]]


@dataclass
class Doors:
    """The result. alarms: checks of the family that failed on the healthy control."""

    found: list[Opened] = field(default_factory=list)
    alarms: list[str] = field(default_factory=list)

    def noticed(self, profile: str) -> int:
        """How many doors a profile noticed."""
        return sum(bool(one.by[profile]) for one in self.found)

    @property
    def complete(self) -> bool:
        """Nightly noticed every door, and nothing that is shut."""
        return bool(self.found) and self.noticed("nightly") == len(self.found) and not self.alarms


def run_doors(root: Path, only: Sequence[str], litellm: str, say: Callable[[str], None]) -> Doors:
    """Open the doors (all where ``only`` is empty), in batches. Raises UsageProblem, NotStarted."""
    strange = [name for name in only if name not in DOORS]
    if strange:
        raise UsageProblem([f"--only {name}: there is no such door" for name in strange])
    doors = [DOORS[name] for name in only] or list(DOORS.values())
    result = Doors()
    with standing(root, doors, litellm, say) as lab:
        by_name = {environment.name: environment for environment in lab.environments}
        for start in range(0, len(doors), BATCH):
            batch = doors[start : start + BATCH]
            say(f"doors {start + 1} to {start + len(batch)} of {len(doors)} ...")
            environments = [by_name[CONTROL], *(by_name[door.name] for door in batch)]
            runs = {
                profile: run_checks(
                    root,
                    lab.folder,
                    environments,
                    [],
                    lab.variables,
                    suite=f"{SUITES} -m {profile}",
                    budget_s=BUDGET_S,
                )
                for profile in PROFILES
            }
            judge(batch, runs, result)
    return result


def judge(doors: Sequence[Fault], runs: Mapping[str, Mapping[str, Mapping[str, Any]]], result: Doors) -> None:
    """Add what the records of a batch say. runs: profile -> environment -> record."""
    shut = {profile: failed(records[CONTROL]) for profile, records in runs.items()}
    result.alarms += sorted({check for checks in shut.values() for check in checks} - {*result.alarms})
    for door in doors:
        by = {
            profile: sorted(failed(records.get(door.name, {"checks": []})) - shut[profile])
            for profile, records in runs.items()
        }
        result.found.append(Opened(door.name, by))


def failed(record: Mapping[str, Any]) -> set[str]:
    """The checks of the family that failed in a record."""
    return {
        check["id"]
        for check in record["checks"]
        if check["id"].startswith(FAMILY)
        and any(case["verdict"] == Verdict.FAILED for case in check["cases"])
    }


def text(result: Doors) -> str:
    """The result for people: each door with the checks that noticed it, and how many of all."""
    lines = []
    for one in result.found:
        said = ", ".join(one.by["nightly"]) or "NOT NOTICED"
        smoke = f"; in smoke {', '.join(one.by['smoke'])}" if one.by["smoke"] else ""
        lines.append(f"{one.door:<40} {said}{smoke}")
    lines += [f"FALSE ALARM on the healthy control: {alarm}" for alarm in result.alarms]
    counted = [f"{profile} {result.noticed(profile)}" for profile in PROFILES]
    lines.append(f"of {len(result.found)} open doors are noticed: {', '.join(counted)}")
    return "\n".join(lines)
