"""How many open doors are noticed that no check was written for: in nightly, and in smoke.

One real gateway, an address for each door, as in ``lab.mutation_matrix``. Whether a door is noticed is asked
in stages, the cheap checks first, and of a door that was noticed nothing more: the whole family would ask
each of them two thousand requests. A door counts as noticed where a check of access or keys failed on it
that is green on a guard without a hole.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from gateway_acceptance.profiles import load_profiles
from gateway_acceptance.usage import UsageProblem
from gateway_acceptance.verdict import Verdict
from lab.doors import DOORS
from lab.doors.guard import WITHOUT_A_HOLE
from lab.faults import Fault
from lab.mutation_matrix import CONTROL, run_checks, standing

FAMILY = ("API-ACCESS-", "API-AUTH-")
SUITES = "suites/api/access suites/api/auth"
PROFILES = ("nightly", "smoke")
LATE = (
    ("API-ACCESS-004",),
    ("API-ACCESS-006",),
    ("API-ACCESS-003", "API-ACCESS-005"),
    ("API-ACCESS-008", "API-ACCESS-012"),
    ("API-ACCESS-007", "API-ACCESS-010"),
)
"""Checks of more than fifty requests each: the last stages of nightly."""
BATCH = 64
"""Addresses that one pytest run judges."""
BUDGET_S = 1800
"""For one batch."""


@dataclass(frozen=True, slots=True)
class Opened:
    """One door. by: profile -> the checks of the first stage that noticed it."""

    door: str
    by: Mapping[str, Sequence[str]]


@dataclass
class Doors:
    """The result. alarms: checks of the family that failed on the guard without a hole."""

    found: list[Opened] = field(default_factory=list)
    alarms: list[str] = field(default_factory=list)

    def noticed(self, profile: str) -> int:
        """How many doors a profile noticed."""
        return sum(bool(one.by[profile]) for one in self.found)

    @property
    def complete(self) -> bool:
        """Nightly noticed every door, and nothing that is shut."""
        return bool(self.found) and self.noticed("nightly") == len(self.found) and not self.alarms


def stages_of(root: Path) -> list[tuple[str, tuple[str, ...]]]:
    """(profile, checks) of each stage: smoke's, then what nightly asks besides."""
    profiles = load_profiles(root / "suites" / "profiles.toml")
    of_smoke, of_nightly = (
        tuple(sorted(check for check in profiles[name] if check.startswith(FAMILY)))
        for name in ("smoke", "nightly")
    )
    late = {check for stage in LATE for check in stage}
    early = tuple(check for check in of_nightly if check not in {*of_smoke, *late})
    return [("smoke", of_smoke), ("nightly", early), *(("nightly", stage) for stage in LATE)]


def run_doors(root: Path, only: Sequence[str], litellm: str, say: Callable[[str], None]) -> Doors:
    """Open the doors (all where ``only`` is empty), in stages and batches. Raises UsageProblem,
    NotStarted."""
    strange = [name for name in only if name not in DOORS]
    if strange:
        raise UsageProblem([f"--only {name}: there is no such door" for name in strange])
    doors = [DOORS[name] for name in only] or list(DOORS.values())
    result = Doors()
    with standing(root, [WITHOUT_A_HOLE, *doors], litellm, say) as lab:
        by_name = {environment.name: environment for environment in lab.environments}

        def ask(batch: Sequence[Fault], checks: Collection[str]) -> Mapping[str, Mapping[str, Any]]:
            judged = [replace(one, detected_by=dict.fromkeys(checks, "")) for one in (WITHOUT_A_HOLE, *batch)]
            named = [by_name[CONTROL], *(by_name[one.name] for one in judged)]
            return run_checks(
                root,
                lab.folder,
                named,
                judged,
                lab.variables,
                suite=SUITES,
                control=("API-AUTH-001",),
                budget_s=BUDGET_S,
            )

        left = {door.name: door for door in doors}
        for profile, checks in stages_of(root):
            waiting = list(left.values())
            for start in range(0, len(waiting), BATCH):
                batch = waiting[start : start + BATCH]
                asked = f"{profile}, {checks[0]} and others" if len(checks) > 1 else f"{profile}, {checks[0]}"
                say(f"{asked}: {start + 1} to {start + len(batch)} of {len(waiting)} doors ...")
                for one in judge(batch, profile, ask(batch, checks), result):
                    del left[one]
        result.found += [Opened(name, {profile: [] for profile in PROFILES}) for name in left]
    return result


def judge(
    doors: Sequence[Fault], profile: str, records: Mapping[str, Mapping[str, Any]], result: Doors
) -> list[str]:
    """Add what the records of a batch say, and name the doors that were noticed. What smoke notices, nightly
    does: it asks the same."""
    shut = failed(records.get(WITHOUT_A_HOLE.name, {"checks": []}))
    result.alarms += sorted(shut - {*result.alarms})
    noticed = []
    for door in doors:
        by = sorted(failed(records.get(door.name, {"checks": []})) - shut)
        if by:
            noticed.append(door.name)
            result.found.append(Opened(door.name, {"nightly": by, "smoke": by if profile == "smoke" else []}))
    return noticed


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
    lines += [f"FALSE ALARM on a guard without a hole: {alarm}" for alarm in result.alarms]
    counted = [f"{profile} {result.noticed(profile)}" for profile in PROFILES]
    lines.append(f"of {len(result.found)} open doors are noticed: {', '.join(counted)}")
    return "\n".join(lines)
