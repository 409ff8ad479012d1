"""Accepted deviations: who accepted what, why, until when, and exactly what was seen.

A waiver covers a failing case only where its scope fits and the failure's message matches ``observed``: it
can never hide another failure of the same check.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version
from pydantic import Field, TypeAdapter, ValidationError, field_validator

from gateway_acceptance.check import ID_PATTERN
from gateway_acceptance.environment.load import describe
from gateway_acceptance.environment.table import Table
from gateway_acceptance.usage import UsageProblem

WARNED_DAYS = 14
"""So many days before a waiver ends, every run and ``gateway-acceptance waivers`` warn of it."""

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
    """One accepted deviation. observed: a regular expression that the failure's message must match."""

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

    def concerns(self, check_id: str, parameters: dict[str, str]) -> bool:
        """Whether the waiver speaks of this case of this check."""
        return check_id == self.check and all(
            parameters.get(name) == value for name, value in self.parameters.items()
        )

    def covers(self, problem: str) -> bool:
        """Whether a problem that was seen is the one that was accepted; a failure with several problems is
        covered only where each of them is."""
        return re.search(self.observed, problem) is not None

    def expired(self, today: date) -> bool:
        """True from the day after ``expires``."""
        return today > self.expires

    def expires_soon(self, today: date) -> bool:
        """True from WARNED_DAYS before ``expires`` up to that day."""
        return not self.expired(today) and self.expires - today <= timedelta(days=WARNED_DAYS)


_ENTRIES = TypeAdapter(tuple[Waiver, ...])


def load_waivers(path: Path) -> tuple[Waiver, ...]:
    """Read ``environments/waivers.toml``; an absent file holds none. Raises UsageProblem."""
    if not path.exists():
        return ()
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageProblem([f"{path}: cannot be read: {error}; mend the file"]) from None
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
    if sentences:
        raise UsageProblem(sentences)
    return waivers


def unknown_checks(waivers: Sequence[Waiver], check_ids: Sequence[str]) -> list[str]:
    """A sentence for each waiver of a check that does not exist: it protects nothing and hides a rename."""
    return [
        f"the waiver {waiver.id!r} names the check {waiver.check}, which does not exist; remove or correct it"
        for waiver in waivers
        if waiver.check not in check_ids
    ]
