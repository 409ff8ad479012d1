"""What gateways of others showed in a nightly run: kept beside their description, told in docs/products.md.

Files: ``products/others/<gateway>/<version>.json``, made of a record by ``gateway-acceptance products
--found``; ``about.toml`` beside it is written by hand. Nothing of it decides in a run: what these gateways
do not keep is red there. Pure but for the files.
"""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.version import Version

from gateway_acceptance.causes import cause_of
from gateway_acceptance.check import NIGHTLY, RELEASE
from gateway_acceptance.deviations import PRODUCTS, general_lines
from gateway_acceptance.judgement import VOID
from gateway_acceptance.record_model import Record
from gateway_acceptance.usage import UsageProblem
from gateway_acceptance.verdict import Verdict

OTHERS = PRODUCTS / "others"
ABOUT = "about.toml"
FORMAT = 1
MOST_PROBLEMS = 6
"""Of one check: the first of each kind are enough to know it by."""
LONGEST = 240
FULL_PROFILES = (NIGHTLY, RELEASE)
"""The profiles whose runs ask a gateway for all that is kept of it."""
MOST_ALIKE = 1 / 3
"""Of the checks that spoke: where more are red for one cause, something was broken, and not so many promises.
The worst gateway that is kept has one in ten so."""


@dataclass(frozen=True, slots=True)
class RedCheck:
    """A check that is red. verdict: its own; problems: what was seen, made general (docs/deviations.md)."""

    check: str
    level: str
    title: str
    verdict: str
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReleaseFindings:
    """One run of one release. learned: the UTC date; executed: ids of the checks that were."""

    gateway: str
    version: str
    learned: str
    executed: frozenset[str]
    red: tuple[RedCheck, ...]

    @property
    def name(self) -> str:
        """``lm-proxy-3.3.2``"""
        return f"{self.gateway}-{self.version}"


@dataclass(frozen=True, slots=True)
class About:
    """What people wrote of a gateway. home: its address; installed: how the lab has it; needs: what that
    needs; behind: what stands behind it in the lab; know: sentences for its users; why: id or pattern of
    checks -> why what they say is the gateway's own."""

    name: str
    home: str
    installed: str
    needs: str
    behind: str
    know: tuple[str, ...]
    why: Mapping[str, str]


def findings_in(record: Record, gateway: str, version: str) -> ReleaseFindings:
    """Every red check of a record of a complete run."""
    names = {}
    for backend in record.environment.backends:
        names[backend.name] = "<backend>"
    for model in record.environment.models:
        names |= {one: "<upstream>" for one in str(model.upstream or "").split(", ") if one}
    names |= {model.alias: "<model>" for model in record.environment.models}
    names = dict(sorted(names.items(), key=lambda pair: -len(pair[0])))
    executed, red = set(), []
    for check in record.checks:
        verdicts = [Verdict(case.verdict) for case in check.cases]
        if any(verdict.executed for verdict in verdicts):
            executed.add(check.id)
        if not any(verdict.red for verdict in verdicts):
            continue
        lines = [
            line
            for case, verdict in zip(check.cases, verdicts, strict=True)
            if verdict.red
            for line in general_lines(case.message, names)
        ]
        problems = tuple(dict.fromkeys(line[:LONGEST] for line in lines))[:MOST_PROBLEMS]
        red.append(RedCheck(check.id, check.level, check.title, str(check.verdict or ""), problems))
    return ReleaseFindings(gateway, version, record.run.started[:10], frozenset(executed), tuple(red))


def unfit(record: Record, found: ReleaseFindings) -> str:
    """Why a record says nothing of a gateway's release, with what to do; empty where it does. found: what
    ``findings_in`` makes of it."""
    run = record.run
    if run.state == VOID:
        return f"the run is void ({run.headline}); run again"
    if run.profile not in FULL_PROFILES or run.selection.narrowed:
        return "the run is no whole nightly; run -m nightly without options that narrow it"
    if record.basis.broken or any(one.verdict == Verdict.HARNESS_ERROR for one in found.red):
        return "the run has errors of the suite itself; fix them and run again"
    if not found.executed:
        return "no check was executed; see why in the run's STATUS.md"
    causes = Counter(cause for one in found.red for cause in dict.fromkeys(map(cause_of, one.problems)))
    cause, count = next(iter(causes.most_common(1)), ("", 0))
    spoke = len(found.executed | {one.check for one in found.red})
    if count > MOST_ALIKE * spoke:
        return f"{count} of {spoke} checks are red for one cause ({cause}); fix that and run again"
    return ""


def write_findings(found: ReleaseFindings, root: Path = OTHERS) -> Path:
    """Write the file of a gateway's release, the same for the same findings."""
    path = root / found.gateway / f"{found.version}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    red = [
        {
            "check": one.check,
            "level": one.level,
            "title": one.title,
            "verdict": one.verdict,
            "problems": list(one.problems),
        }
        for one in sorted(found.red, key=lambda one: one.check)
    ]
    document = {
        "format": FORMAT,
        "gateway": found.gateway,
        "version": found.version,
        "learned": found.learned,
        "executed": sorted(found.executed),
        "red": red,
    }
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def all_findings(root: Path = OTHERS) -> list[tuple[About, ReleaseFindings]]:
    """The newest findings of every gateway, by name. Raises UsageProblem where a file is none of ours."""
    folders = sorted(path.parent for path in root.glob(f"*/{ABOUT}"))
    return [(_about(folder / ABOUT), _newest(folder)) for folder in folders]


def _about(path: Path) -> About:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        texts = {name: str(document[name]) for name in ("name", "home", "installed", "needs", "behind")}
        return About(**texts, know=tuple(document["know"]), why=dict(document.get("why", {})))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageProblem([f"{path}: cannot be read: {error!r}; fix the file"]) from None


def _newest(folder: Path) -> ReleaseFindings:
    files = sorted(folder.glob("*.json"), key=lambda path: Version(path.stem))
    if not files:
        raise UsageProblem([f"{folder}: no findings; gateway-acceptance products --found RECORD makes them"])
    try:
        document = json.loads(files[-1].read_text(encoding="utf-8"))
        red = [
            RedCheck(one["check"], one["level"], one["title"], one["verdict"], tuple(one["problems"]))
            for one in document["red"]
        ]
        return ReleaseFindings(
            document["gateway"],
            document["version"],
            document["learned"],
            frozenset(document["executed"]),
            tuple(red),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageProblem([f"{files[-1]}: is no file of findings ({error!r})"]) from None
