"""The advisory base: OSV records in one JSON file, with the day up to which it knows.

Shape: ``{"dated": "2026-11-26", "credits": "...", "advisories": [OSV record]}``. OSV's own schema:
https://ossf.github.io/osv-schema/. What we know beside it stands in ``database_specific``
(docs/advisories.md).
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from gateway_acceptance.advisories.versions import GO, PYPI, NotComparable, order
from gateway_acceptance.usage import UsageProblem

SHIPPED = Path(__file__).resolve().parents[1] / "products" / "advisories.json"
ECOSYSTEMS = (PYPI, GO)
RANGES = {"ECOSYSTEM", "SEMVER"}
LARGEST_BASE = 256 * 1024**2  # bytes: all of PyPI's advisories without their prose are a tenth of it
CVE = re.compile(r"^CVE-\d{4}-\d+$")
CRITICAL = "CRITICAL"
SHOWN = 200


@dataclass(frozen=True, slots=True)
class Range:
    """Versions from ``introduced`` on; up to and without ``fixed``, or up to and with ``last_affected``; with
    neither, all. ``introduced`` ``"0"`` is the beginning."""

    introduced: str
    fixed: str = ""
    last_affected: str = ""


@dataclass(frozen=True, slots=True)
class Advisory:
    """One published hole of one package.

    rating: ``CRITICAL``, ``HIGH``, ``MODERATE``, ``LOW`` or empty where nobody rated it; score: CVSS' base
    score, or None; exploited: the day that it was listed as known exploited, or empty; preconditions: words
    of ``environment.advisories.Precondition``, all of which it needs; informs: why it is told and never red;
    path_absent: a PEP 440 range of releases that do not have the code; compromised: the release itself is
    the attack; probe: the name of a harmless one.
    """

    id: str
    aliases: tuple[str, ...]
    ecosystem: str
    package: str
    ranges: tuple[Range, ...]
    versions: frozenset[str]
    summary: str
    rating: str = ""
    score: float | None = None
    exploited: str = ""
    confidence: str = "high"
    needs: str = ""
    preconditions: tuple[str, ...] = ()
    informs: str = ""
    path_absent: str = ""
    compromised: bool = False
    probe: str = ""
    note: str = ""
    links: tuple[str, ...] = ()

    @property
    def heavy(self) -> bool:
        """Known exploited or critical: what must not run, be it never so well guarded."""
        return bool(self.exploited) or self.rating == CRITICAL

    @property
    def name(self) -> str:
        """``CVE-2026-49468 (GHSA-4xpc-pv4p-pm3w)``: the CVE first, as people search for it."""
        ids = (self.id, *self.aliases)
        known = next((one for one in ids if CVE.match(one)), "")
        if not known or known == self.id:
            other = next((one for one in self.aliases if one.startswith("GHSA-")), "")
            return f"{self.id} ({other})" if other else self.id
        return f"{known} ({self.id})"


@dataclass(frozen=True, slots=True)
class Base:
    """What is known, up to a day. origin: ``shipped`` with the suite, or the file that it was read from."""

    dated: date
    advisories: tuple[Advisory, ...]
    origin: str
    _by_package: dict[tuple[str, str], tuple[Advisory, ...]] = field(default_factory=dict, repr=False)

    def of(self, ecosystem: str, package: str) -> tuple[Advisory, ...]:
        """The advisories of one package; its name as written or normalised."""
        if not self._by_package:
            for one in self.advisories:
                key = (one.ecosystem, normalised(one.ecosystem, one.package))
                self._by_package[key] = (*self._by_package.get(key, ()), one)
        return self._by_package.get((ecosystem, normalised(ecosystem, package)), ())

    @property
    def summary(self) -> dict[str, object]:
        """{dated, count, origin}, for records and reports."""
        return {"dated": self.dated.isoformat(), "count": len(self.advisories), "origin": self.origin}

    @property
    def packages(self) -> set[tuple[str, str]]:
        """(ecosystem, package) of all that it speaks of."""
        return {(one.ecosystem, one.package) for one in self.advisories}


def normalised(ecosystem: str, package: str) -> str:
    """PEP 503 for PyPI; Go's names as they are."""
    return re.sub(r"[-_.]+", "-", package).lower() if ecosystem == PYPI else package


def users_base() -> Path:
    """Where ``advisories update`` writes: below XDG_DATA_HOME."""
    home = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(home) / "gateway-acceptance" / "advisories.json"


def load_base(named: Path | None = None) -> Base:
    """The base that a file names, else the user's own where it is newer than the shipped one, else that.

    Raises UsageProblem, in one sentence, for a file that is none.
    """
    if named is not None:
        return _read(named, named.name)
    shipped = _read(SHIPPED, "shipped with the suite")
    own = users_base()
    if not own.is_file():
        return shipped
    updated = _read(own, "updated by this user")
    return updated if updated.dated >= shipped.dated else shipped


def _read(path: Path, origin: str) -> Base:
    try:
        stamp = path.stat()
    except OSError as error:
        raise UsageProblem(
            [f"{path}: the advisory base cannot be read ({error.strerror}); correct advisories.base"]
        ) from None
    return _parsed(path, origin, stamp.st_mtime_ns, stamp.st_size)


@lru_cache(maxsize=4)
def _parsed(path: Path, origin: str, _changed: int, size: int) -> Base:
    """The file's content; the arguments beside path make a changed file a new one."""
    fix = "take another file, or run: gateway-acceptance advisories update FILE"
    if size > LARGEST_BASE:
        raise UsageProblem([f"{path}: the advisory base has {size} bytes, at most {LARGEST_BASE}; {fix}"])
    try:
        return base_of(json.loads(path.read_text(encoding="utf-8")), origin)
    except (OSError, ValueError, RecursionError) as error:
        raise UsageProblem([f"{path}: is no advisory base ({str(error)[:SHOWN]}); {fix}"]) from None


def base_of(document: Any, origin: str) -> Base:
    """A base from its JSON. Raises ValueError."""
    if not isinstance(document, Mapping) or not isinstance(document.get("advisories"), list):
        raise ValueError('expected {"dated": ..., "advisories": [...]}')  # noqa: TRY004  (of the file)
    dated = date.fromisoformat(str(document.get("dated")))
    advisories = [one for record in document["advisories"] for one in advisories_of(record)]
    return Base(dated, tuple(advisories), origin)


def advisories_of(record: Any) -> list[Advisory]:
    """What an OSV record says of the packages of our ecosystems, one entry for each; nothing where it was
    withdrawn. Raises ValueError for one that is not well-formed."""
    if not isinstance(record, Mapping) or not isinstance(record.get("id"), str) or not record["id"]:
        raise ValueError("an advisory without an id")
    try:
        return _advisories_of(record)
    except (TypeError, AttributeError, KeyError, ValueError) as error:
        raise ValueError(f"the advisory {record['id'][:80]} is not well-formed: {error}") from None


def _advisories_of(record: Mapping[str, Any]) -> list[Advisory]:
    if record.get("withdrawn"):
        return []
    own: Mapping[str, Any] = record.get("database_specific") or {}
    informs, absent = str(own.get("informs") or ""), str(own.get("path_absent") or "")
    _specifier(absent)
    found = []
    for package, affected in _affected(record).items():
        ecosystem, name = package
        ranges = tuple(one for entry in affected for one in _ranges(ecosystem, entry))
        versions = frozenset(str(one) for entry in affected for one in entry.get("versions") or ())
        if not ranges and not versions:
            continue
        found.append(
            Advisory(
                id=record["id"],
                aliases=tuple(str(alias) for alias in record.get("aliases") or ()),
                ecosystem=ecosystem,
                package=name,
                ranges=ranges,
                versions=versions,
                summary=" ".join(str(record.get("summary") or record.get("details") or "").split())[:400],
                rating=str(own.get("severity") or "").upper().replace("MEDIUM", "MODERATE"),
                score=None if own.get("score") is None else float(own["score"]),
                exploited=str(own.get("exploited") or ""),
                confidence=str(own.get("confidence") or "high"),
                needs=str(own.get("needs") or ""),
                preconditions=tuple(str(word) for word in own.get("preconditions") or ()),
                informs=informs,
                path_absent=absent,
                compromised=own.get("compromised") is True or record["id"].startswith("MAL-"),
                probe=str(own.get("probe") or ""),
                note=str(own.get("note") or ""),
                links=tuple(str(one["url"]) for one in record.get("references") or ()),
            )
        )
    return found


def _affected(record: Mapping[str, Any]) -> dict[tuple[str, str], list[Mapping[str, Any]]]:
    by_package: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for entry in record.get("affected") or ():
        package = entry.get("package") or {}
        ecosystem, name = str(package.get("ecosystem", "")), str(package.get("name", ""))
        if ecosystem in ECOSYSTEMS and name:
            by_package.setdefault((ecosystem, name), []).append(entry)
    return by_package


def _ranges(ecosystem: str, entry: Mapping[str, Any]) -> list[Range]:
    """OSV's events, in their order, as ranges. Ends that cannot be compared are an error of the file."""
    found: list[Range] = []
    for one in entry.get("ranges") or ():
        if one.get("type") not in RANGES:
            continue
        begun = ""
        for event in one.get("events") or ():
            (kind, version), *_ = event.items()
            if kind == "limit":
                continue
            try:
                order(ecosystem, str(version))
            except NotComparable:
                raise ValueError(f"{version!r} is no version of {ecosystem}") from None
            if kind == "introduced":
                if begun:
                    found.append(Range(begun))
                begun = str(version)
            elif kind in ("fixed", "last_affected") and begun:
                found.append(Range(begun, **{kind: str(version)}))
                begun = ""
        if begun:
            found.append(Range(begun))
    return found


def _specifier(text: str) -> SpecifierSet:
    try:
        return SpecifierSet(text)
    except InvalidSpecifier:
        raise ValueError(f"{text!r} is no range such as '<=1.74.15'") from None
