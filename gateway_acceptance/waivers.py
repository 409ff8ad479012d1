"""Accepted deviations: who accepted what, why, until when, and exactly what was seen.

A waiver covers a failing case only where its scope fits and the failure's message matches ``observed``: it
can never hide another failure of the same check.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version
from pydantic import Field, TypeAdapter, ValidationError, field_validator

from gateway_acceptance.advisories.words import DECLARED_ABSENT
from gateway_acceptance.check import ID_PATTERN
from gateway_acceptance.deviations import Harm, about
from gateway_acceptance.environment import Environment
from gateway_acceptance.environment.load import describe
from gateway_acceptance.environment.table import Table
from gateway_acceptance.places import environments_of, waivers_file
from gateway_acceptance.usage import UsageProblem

WARNED_DAYS = 14
"""So many days before a waiver ends, every run and ``gateway-acceptance waivers`` warn of it."""

LIFETIME_DAYS = 183
"""Half a year: for so long a waiver may be accepted at a time. Each renewal accepts it anew for as long."""
ADVISORY_LIFETIME_DAYS = 30
"""A published hole is lived with for a month at most, and only where what it needs is declared absent."""
ADVISORY_FAMILY = re.compile(r"^[A-Z]+-ADV-")
"""Checks of published holes (docs/advisories.md)."""
MOST_RENEWALS = 3
"""What was accepted for two years is no deviation any more: change the deployment, or the check."""

OLD_BASE = re.compile(r"the advisory base ")
"""How the failure begins that is about what is known of holes, and about none itself."""

UNRELATED = (
    "got 418",
    "missing field 'usage'",
    "port 22/tcp listens at ::",
    "[DONE] came twice: 2 > 1",
    "owned by root, mode 0777",
    '{"a": null}',
    "日本語のみ",
    "- - -",
)
"""What failures with nothing in common may look like: no description of one of them fits many."""
UNRELATED_AT_MOST = 3
UNFINISHED = "TODO"
"""How a word begins that a person has yet to complete (``waivers propose``)."""

Words = Annotated[str, Field(min_length=1, pattern=r"\S")]


class Scope(Table):
    """Where a waiver holds: all that is given must fit. versions: a PEP 440 range (``>=1.80,<1.110``)."""

    environments: tuple[str, ...] = ()
    product: str | None = None
    versions: str | None = None

    @field_validator("versions")
    @classmethod
    def _is_a_range(cls, value: str | None) -> str | None:
        try:
            SpecifierSet(value or "")
        except InvalidSpecifier:
            raise ValueError(f"{value!r} is no version range such as '>=1.80,<2'") from None
        return value


class Waiver(Table):
    """One accepted deviation. observed: a regular expression that the failure's message must match;
    verdict: what the case is without it."""

    id: Words
    check: Annotated[str, Field(pattern=ID_PATTERN.pattern)]
    parameters: dict[str, str] = Field(default_factory=dict)
    scope: Scope
    observed: Words
    reason: Words
    link: Annotated[str, Field(pattern=r"^https?://\S+$")]
    owner: Words
    opened: date
    expires: date
    renewals: int = Field(default=0, ge=0)
    verdict: Literal["failed", "untestable", "inconclusive"] = "failed"

    @field_validator("observed")
    @classmethod
    def _is_a_pattern(cls, value: str) -> str:
        try:
            matches_nothing_said = re.search(value, "") is not None
        except re.error as error:
            raise ValueError(f"is no regular expression: {error}") from None
        if matches_nothing_said:
            raise ValueError("matches any failure whatever; describe what was seen")
        return value

    @field_validator("scope")
    @classmethod
    def _says_where(cls, value: Scope) -> Scope:
        if not value.environments and value.product is None:
            raise ValueError("must name environments, or a product with its versions")
        if value.versions is not None and value.product is None:
            raise ValueError("versions need the product that they are of")
        return value

    def in_scope(self, environment: str, product: str, version: str | None) -> bool:
        """Whether the waiver speaks of this environment, product and version at all."""
        if self.scope.environments and environment not in self.scope.environments:
            return False
        if self.scope.product is not None and product != self.scope.product:
            return False
        if self.scope.versions is None:
            return True
        try:
            return version is not None and Version(version) in SpecifierSet(
                self.scope.versions, prereleases=True
            )
        except InvalidVersion:
            return False

    def concerns(self, check_id: str, parameters: Mapping[str, str]) -> bool:
        """Whether the waiver speaks of this case of this check."""
        return check_id == self.check and all(
            parameters.get(name) == value for name, value in self.parameters.items()
        )

    def covers(self, problem: str) -> bool:
        """Whether a problem that was seen is the one that was accepted; a failure with several problems is
        covered only where each of them is. A published hole only where it says that what it needs is declared
        absent (or that a base is old, which is no hole)."""
        if self.of_advisories and DECLARED_ABSENT not in problem and not OLD_BASE.match(problem):
            return False
        return re.search(self.observed, problem) is not None

    @property
    def of_advisories(self) -> bool:
        """Whether it accepts a published hole."""
        return ADVISORY_FAMILY.match(self.check) is not None

    @property
    def too_long(self) -> bool:
        """Whether it accepts a published hole for longer than that may be; no renewal makes it longer."""
        return self.of_advisories and (self.expires - self.opened).days > ADVISORY_LIFETIME_DAYS

    def expired(self, today: date) -> bool:
        """True from the day after ``expires``."""
        return today > self.expires

    def expires_soon(self, today: date) -> bool:
        """True from WARNED_DAYS before ``expires`` up to that day."""
        return not self.expired(today) and self.expires - today <= timedelta(days=WARNED_DAYS)


_ENTRIES = TypeAdapter(tuple[Waiver, ...])


def waivers_path(environment: Environment, folder: Path) -> Path | None:
    """The file that holds an environment's waivers: the one that it names, else that of the folder's own
    environments. None for an environment from elsewhere that names none: what others accept is not its."""
    if environment.waivers is not None:
        return environment.source.parent / environment.waivers
    homes = {place.resolve() for place in environments_of(folder)}
    return waivers_file(folder) if environment.source.resolve().parent in homes else None


def waivers_for(environment: Environment, folder: Path, harms: Collection[Harm] = ()) -> tuple[Waiver, ...]:
    """What the operators of an environment accept. harms: what must be looked at. Raises UsageProblem, also
    where the file that it names is not there."""
    path = waivers_path(environment, folder)
    if path is None:
        return ()
    if environment.waivers is not None and not path.is_file():
        said = (
            f"{environment.source}: waivers names {path}, which is not there; write it, or take the key out"
        )
        raise UsageProblem([said])
    waivers = load_waivers(path)
    if wrong := untouchable(waivers, harms):
        raise UsageProblem([f"{path}: {sentence}" for sentence in wrong])
    return waivers


def load_waivers(path: Path, today: date | None = None) -> tuple[Waiver, ...]:
    """Read a file of waivers; an absent one holds none. today: by default, in UTC. Raises UsageProblem."""
    if not path.exists():
        return ()
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageProblem([f"{path}: cannot be read: {error}; correct the file"]) from None
    if unfinished := _unfinished(document.get("waiver")):
        raise UsageProblem([f"{path}: {sentence}" for sentence in unfinished])
    sentences = [f"{path}: unknown key {key}; known is: waiver" for key in document if key != "waiver"]
    try:
        waivers = _ENTRIES.validate_json(json.dumps(document.get("waiver", []), default=str))
    except ValidationError as error:
        found = describe(path, document, error, table=Waiver, prefix=("waiver",))
        raise UsageProblem([*sentences, *found]) from None
    ids = [waiver.id for waiver in waivers]
    sentences += [
        f"{path}: the waiver {name!r} is written more than once; give each its own id"
        for name in sorted({name for name in ids if ids.count(name) > 1})
    ]
    sentences += [
        f"{path}: the waiver {waiver.id!r} expires before it is opened; correct its dates"
        for waiver in waivers
        if waiver.expires < waiver.opened
    ]
    day = today or datetime.now(UTC).date()
    sentences += [f"{path}: {sentence}" for waiver in waivers for sentence in unsound(waiver, day)]
    if sentences:
        raise UsageProblem(sentences)
    return waivers


def _unfinished(entries: object) -> list[str]:
    """A sentence for each entry that a person has not completed yet, with what is still to be written."""
    found = []
    for number, entry in enumerate(entries if isinstance(entries, list) else (), start=1):
        values = entry if isinstance(entry, dict) else {}
        open_yet = [
            key
            for key, value in values.items()
            if isinstance(value, str) and value.lstrip().startswith(UNFINISHED)
        ]
        if open_yet:
            name = f"the waiver {values['id']!r}" if "id" in values else f"waiver[{number}]"
            found.append(f"{name} is not complete: write {', '.join(open_yet)} in place of {UNFINISHED}")
    return found


def unsound(waiver: Waiver, today: date) -> list[str]:
    """Why no file may hold it and no run may be signed by it, a sentence each; not that it has expired."""
    name, found = f"the waiver {waiver.id!r}", []
    words = (waiver.reason, waiver.owner, waiver.id)
    if any(word.lstrip().startswith(UNFINISHED) for word in words):
        found.append(f"{name} is not complete: give it a reason and an owner in place of {UNFINISHED}")
    if sum(re.search(waiver.observed, text) is not None for text in UNRELATED) > UNRELATED_AT_MOST:
        found.append(f"{name}: observed matches any failure whatever; describe what was seen")
    if waiver.opened > today:
        found.append(f"{name} is opened on {waiver.opened}, which is yet to come; correct it")
    if waiver.too_long:
        latest = waiver.opened + timedelta(days=ADVISORY_LIFETIME_DAYS)
        return [
            *found,
            f"{name} accepts a published hole until {waiver.expires}; {latest} is the latest: "
            "upgrade, or decide anew then",
        ]
    allowed = LIFETIME_DAYS * (min(waiver.renewals, MOST_RENEWALS) + 1)
    if (waiver.expires - waiver.opened).days > allowed:
        latest = waiver.opened + timedelta(days=allowed)
        found.append(
            f"{name} is accepted until {waiver.expires}; with {waiver.renewals} renewals {latest} is the "
            f"latest ({LIFETIME_DAYS} days at a time)"
        )
    return found


def untouchable(waivers: Sequence[Waiver], harms: Collection[Harm]) -> list[str]:
    """A sentence for each waiver that would leave unlooked at what no operator may leave so."""
    return [
        f"the waiver {waiver.id!r} accepts that {waiver.check} is {waiver.verdict}, a check of what "
        f"{about(harms, waiver.check)}; take it out, and make it possible to look"
        for waiver in waivers
        if waiver.verdict != "failed" and about(harms, waiver.check)
    ]


def unknown_checks(waivers: Sequence[Waiver], check_ids: Sequence[str]) -> list[str]:
    """A sentence for each waiver of a check that does not exist: it protects nothing and hides a rename."""
    return [
        f"the waiver {waiver.id!r} names the check {waiver.check}, which does not exist; remove or correct it"
        for waiver in waivers
        if waiver.check not in check_ids
    ]


class WaiverState(StrEnum):
    """What a waiver is worth on a day."""

    IN_FORCE = "in force"
    EXPIRES_SOON = "expires soon"
    EXPIRED = "expired"
    UNKNOWN_CHECK = "unknown check"


def state_of(waiver: Waiver, check_ids: Collection[str], today: date) -> WaiverState:
    """The worst that is to be said of it."""
    if waiver.check not in check_ids:
        return WaiverState.UNKNOWN_CHECK
    if waiver.expired(today):
        return WaiverState.EXPIRED
    return WaiverState.EXPIRES_SOON if waiver.expires_soon(today) else WaiverState.IN_FORCE


def unfit(waiver: Waiver, version: str) -> str:
    """Why it is of no use to an environment or nothing. version: empty where nobody told it yet."""
    product = waiver.scope.product
    if product is None or waiver.scope.versions is None:
        return ""
    if not version:
        return f"fits {waiver.scope.versions}; the version is not known yet"
    here = waiver.scope.environments[0] if waiver.scope.environments else ""
    return "" if waiver.in_scope(here, product, version) else f"does not fit version {version}"


def complaints(waivers: Sequence[Waiver], check_ids: Sequence[str], today: date) -> list[str]:
    """What ``waivers check`` says: unknown checks, expired, repeated, opened in the future, accepted for too
    long or too often; one sentence each. Whether one is still needed only a run can say."""
    found = unknown_checks(waivers, check_ids)
    seen: dict[tuple[str, str, str], str] = {}
    for waiver in waivers:
        name = f"the waiver {waiver.id!r}"
        if waiver.expired(today):
            found.append(f"{name} expired on {waiver.expires}: renew it or remove it")
        found += unsound(waiver, today)
        if waiver.renewals > MOST_RENEWALS:
            found.append(f"{name} was renewed {waiver.renewals} times; after {MOST_RENEWALS} decide for good")
        what = (waiver.check, waiver.observed, json.dumps([waiver.parameters, waiver.scope.model_dump()]))
        first = seen.setdefault(what, waiver.id)
        if first != waiver.id:
            found.append(f"{name} says the same as {first!r}; remove one of them")
    return found


def entry_text(waiver: Waiver) -> str:
    """The waiver as it stands in the file: one ``[[waiver]]`` entry."""
    scope = waiver.scope
    parts = []
    if scope.environments:
        parts.append(f"environments = [{', '.join(map(quoted, scope.environments))}]")
    if scope.product is not None:
        parts.append(f"product = {quoted(scope.product)}")
    if scope.versions is not None:
        parts.append(f"versions = {quoted(scope.versions)}")
    given = ", ".join(f"{quoted(name)} = {quoted(value)}" for name, value in waiver.parameters.items())
    lines = [
        "[[waiver]]",
        f"id = {quoted(waiver.id)}",
        f"check = {quoted(waiver.check)}",
        *([f"parameters = {{ {given} }}"] if given else []),
        f"scope = {{ {', '.join(parts)} }}",
        *(f"{name} = {quoted(getattr(waiver, name))}" for name in ("observed", "reason", "link", "owner")),
        f"opened = {waiver.opened}",
        f"expires = {waiver.expires}",
        *([f"renewals = {waiver.renewals}"] if waiver.renewals else []),
        *([f"verdict = {quoted(waiver.verdict)}"] if waiver.verdict != "failed" else []),
    ]
    return "\n".join(lines) + "\n"


def add_waiver(path: Path, waiver: Waiver) -> None:
    """Append an entry; what stands in the file stays as it is, comments included. Raises UsageProblem, with
    nothing changed, where the file would not be well-formed with it."""
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    gap = "" if not before else "\n" if before.endswith("\n") else "\n\n"
    temporary = path.with_name(f".{path.name}.part")
    temporary.write_text(before + gap + entry_text(waiver), encoding="utf-8")
    try:
        load_waivers(temporary)
    except UsageProblem as problem:
        said = [sentence.replace(str(temporary), str(path)) for sentence in problem.sentences]
        raise UsageProblem(said) from None
    else:
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def quoted(text: str) -> str:
    """A TOML string: as it stands where it can, so that patterns stay readable; else with escapes."""
    if not any(character == "'" or not character.isprintable() for character in text):
        return f'"{text}"' if "\\" not in text and '"' not in text else f"'{text}'"
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
