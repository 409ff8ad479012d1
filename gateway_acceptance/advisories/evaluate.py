"""What concerns a version: pure over the base."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from gateway_acceptance.advisories.base import Advisory, Base, Range
from gateway_acceptance.advisories.versions import PYPI, SemVer, comparable, order

HIGH, LOW = "high", "low"
"""What is said of an advisory's confidence; ``medium`` lies between."""


@dataclass(frozen=True, slots=True)
class AdvisoryFinding:
    """An advisory that a version falls under. informs: why it is told and not judged, or empty; absent: its
    preconditions that the environment declares it does not have."""

    advisory: Advisory
    version: str
    informs: str = ""
    absent: tuple[str, ...] = ()

    @property
    def judged(self) -> bool:
        """Whether it can be red."""
        return not self.informs


def concerning(
    base: Base, ecosystem: str, package: str, version: str, without: Collection[str] = ()
) -> list[AdvisoryFinding]:
    """Every advisory that a version falls under: judged ones first, exploited and critical ones before the
    others. without: preconditions declared absent. Raises NotComparable."""
    found = [
        AdvisoryFinding(
            one, version, informs(one, version), tuple(w for w in one.preconditions if w in without)
        )
        for one in base.of(ecosystem, package)
        if affects(one, version)
    ]
    return sorted(found, key=_weight)


def _weight(finding: AdvisoryFinding) -> tuple[bool, bool, bool, bool, float, str]:
    """The worst first; what sources agree on before what they do not."""
    one = finding.advisory
    doubted = one.confidence != HIGH
    return (not finding.judged, not one.heavy, bool(finding.absent), doubted, -(one.score or 0.0), one.id)


def affects(advisory: Advisory, version: str) -> bool:
    """Whether a version is among those listed or in a range. Raises NotComparable."""
    seen = comparable(advisory.ecosystem, version)
    if version in advisory.versions:
        return True
    return any(_inside(advisory.ecosystem, one, seen) for one in advisory.ranges)


def _inside(ecosystem: str, limits: Range, seen: Version | SemVer) -> bool:
    if seen < order(ecosystem, limits.introduced):  # type: ignore[operator]
        return False
    if limits.fixed:
        return seen < order(ecosystem, limits.fixed)  # type: ignore[operator]
    if limits.last_affected:
        return seen <= order(ecosystem, limits.last_affected)  # type: ignore[operator]
    return True


def informs(advisory: Advisory, version: str) -> str:
    """Why an advisory that a version falls under is told and never red; empty where it is judged."""
    if advisory.informs:
        return advisory.informs
    if advisory.confidence == LOW:
        return "of low confidence"
    if advisory.path_absent and advisory.ecosystem == PYPI:
        seen = comparable(PYPI, version)
        if isinstance(seen, Version) and SpecifierSet(advisory.path_absent).contains(seen, prereleases=True):
            return "this release does not have the code"
    return ""


def fixed_in(advisory: Advisory, version: str) -> str:
    """The first version after this one that fixes it, as far as it is known; else empty."""
    seen = comparable(advisory.ecosystem, version)
    for one in advisory.ranges:
        if _inside(advisory.ecosystem, one, seen):
            return one.fixed
    return ""


def clear_from(base: Base, ecosystem: str, package: str) -> str:
    """What to upgrade to: the version from which on no judged advisory of the base concerns a package any
    more. Empty where one has no end that is known; ``after X`` where only the last affected version is."""
    ends: list[tuple[Version | SemVer, str]] = []
    for advisory in base.of(ecosystem, package):
        if advisory.informs or advisory.confidence == LOW:
            continue
        for one in advisory.ranges:
            end = one.fixed or one.last_affected
            if not end:
                return ""
            text = _release(ecosystem, one.fixed) if one.fixed else f"after {end}"
            ends.append((order(ecosystem, text.removeprefix("after ")), text))
    return max(ends, key=lambda pair: pair[0])[1] if ends else ""


def _release(ecosystem: str, version: str) -> str:
    """The release that a pre-release leads to: nobody is sent to a release candidate."""
    seen = order(ecosystem, version)
    return seen.base_version if isinstance(seen, Version) and seen.is_prerelease else version
