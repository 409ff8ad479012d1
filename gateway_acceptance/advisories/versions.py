"""Versions in the order of their ecosystem: PEP 440 for PyPI, semantic versioning for Go. Pure."""

from __future__ import annotations

import re
from functools import total_ordering

from packaging.version import InvalidVersion, Version

PYPI, GO = "PyPI", "Go"
LONGEST = 64
"""Characters; what is longer is no version, whatever it says."""
TAG = re.compile(r"^v?(\d+(?:\.\d+)*)-(?:stable|nightly)(?:\.patch\.\d+)?$")
"""How LiteLLM's images name the release that they are made of: ``v1.83.14-stable.patch.2``."""
SEMVER = re.compile(r"^v?(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?$")
UNNUMBERED = "0.0.0"
"""What a build says of itself that nobody gave a version (Ollama's own default)."""


class NotComparable(ValueError):  # noqa: N818  (a finding about a text, no error)
    """A text that is no version of its ecosystem."""


@total_ordering
class SemVer:
    """Semver 2.0.0, section 11: a pre-release comes before its release; build metadata counts for nothing."""

    def __init__(self, text: str) -> None:
        """Raises NotComparable. A missing third number is none."""
        match = SEMVER.match(text if text.lstrip("v").count(".") != 1 else f"{text}.0")
        if match is None:
            match = SEMVER.match(f"{text}.0.0") if text.lstrip("v").isdigit() else None
        if match is None:
            raise NotComparable(text)
        self._numbers = tuple(int(part) for part in match.groups()[:3])
        words = match[4].split(".") if match[4] else []
        self._before = tuple((0, int(word), "") if word.isdigit() else (1, 0, word) for word in words)

    def _key(self) -> tuple[object, ...]:
        return (self._numbers, not self._before, self._before)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SemVer) and self._key() == other._key()

    def __lt__(self, other: SemVer) -> bool:
        return (self._numbers, not self._before, self._before) < (
            other._numbers,
            not other._before,
            other._before,
        )

    def __hash__(self) -> int:
        return hash(self._key())


def comparable(ecosystem: str, text: str) -> Version | SemVer:
    """A version that can be compared with others of its ecosystem. Raises NotComparable, also for the
    version of a build without one."""
    if len(text) > LONGEST or text == UNNUMBERED:
        raise NotComparable(text[:LONGEST])
    if ecosystem == GO:
        return SemVer(text)
    tag = TAG.match(text)
    try:
        return Version(tag[1] if tag else text)
    except InvalidVersion:
        raise NotComparable(text) from None


def order(ecosystem: str, text: str) -> Version | SemVer:
    """The same for the ends of ranges, where OSV's ``0`` comes before all."""
    if ecosystem == GO:
        return SemVer("0.0.0-0" if text == "0" else text)
    return comparable(ecosystem, "0.dev0" if text == "0" else text)
