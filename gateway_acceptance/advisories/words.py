"""Findings in words: what it is, how bad, what happens, what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gateway_acceptance.advisories.base import Base
from gateway_acceptance.advisories.evaluate import AdvisoryFinding, clear_from, fixed_in
from gateway_acceptance.check import Level
from gateway_acceptance.problem import Problem

DECLARED_ABSENT = "its precondition is declared absent"
"""Only a finding that says so may be waived (gateway_acceptance.waivers)."""


def rating(finding: AdvisoryFinding) -> str:
    """``CVSS 9.5, critical, exploited since 2026-05-08``."""
    one = finding.advisory
    words = [f"CVSS {one.score:.1f}" if one.score is not None else "", one.rating.lower()]
    words.append(f"known exploited (listed {one.exploited})" if one.exploited else "")
    return ", ".join(word for word in words if word) or "not rated"


def sentence(finding: AdvisoryFinding, probes: Mapping[str, str] | None = None, fix: str = "") -> str:
    """One finding, what to do (fix) first. probes: name of a probe -> what it showed."""
    one = finding.advisory
    fixed = fixed_in(one, finding.version)
    head = f"{one.name}, {rating(finding)}"
    parts = [f"{head}; fix: {fix}" if fix else head, one.summary.rstrip(".")]
    parts.append(f"fixed in {fixed}" if fixed else "no fixed version is known")
    if one.probe and probes and one.probe in probes:
        parts.append(f"probe {one.probe}: {probes[one.probe]}")
    if finding.absent:
        parts.append(f"{DECLARED_ABSENT}: {', '.join(finding.absent)}")
    elif one.needs:
        parts.append(f"needs: {one.needs.rstrip('.')}")
    if finding.informs:
        parts.append(f"told only: {finding.informs}")
    return "; ".join(parts)


def fix_for(base: Base, finding: AdvisoryFinding) -> str:
    """What to do about a package, in an imperative sentence."""
    one = finding.advisory
    if one.compromised:
        return (
            f"take {one.package} {finding.version} away, and change every secret that this machine could read"
        )
    to = clear_from(base, one.ecosystem, one.package)
    if not to:
        return f"upgrade {one.package} to the newest release"
    return f"upgrade {one.package} to a release {to}" if " " in to else f"upgrade {one.package} to >= {to}"


def problems(
    base: Base,
    where: str,
    findings: Sequence[AdvisoryFinding],
    level: Level,
    probes: Mapping[str, str] | None = None,
) -> list[Problem]:
    """One problem per judged finding of a level: MUST for what is exploited or critical, SHOULD for the rest.
    where: what has the version, with its verb: ``the gateway is``."""
    chosen = [
        one for one in findings if one.judged and one.advisory.heavy == (level is Level.MUST)
    ]  # fmt: skip
    return [
        Problem(
            "",
            f"{where} {one.advisory.package} {one.version}: {sentence(one, probes, fix_for(base, one))}",
            level=level,
            source=one.advisory.links[0] if one.advisory.links else "",
        )
        for one in chosen
    ]


def alarm(base: Base, where: str, findings: Sequence[AdvisoryFinding]) -> str:
    """The one sentence that comes first where something exploited or critical runs; else empty."""
    heavy = [one for one in findings if one.judged and one.advisory.heavy and not one.absent]
    if not heavy:
        return ""
    first, more = heavy[0], len(heavy) - 1
    others = f" and {more} more" if more else ""
    return (
        f"{where} {first.advisory.package} {first.version}, which has {first.advisory.name} "
        f"({rating(first)}){others}: {fix_for(base, first)}"
    )
