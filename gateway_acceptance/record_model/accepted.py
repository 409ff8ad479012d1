"""What was accepted: the operator's waivers, and what the product's release does by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import Field

from gateway_acceptance.check import Level
from gateway_acceptance.record_model.base import CheckId, Count, Day, RecordPart, Texts


class RecordedScope(RecordPart):
    """Where a waiver holds."""

    environments: Texts
    product: str | None
    versions: str | None


class RecordedWaiver(RecordPart):
    """A waiver as declared (docs/waivers.md), and from ``in_scope`` on what the run says of it."""

    id: str
    check: CheckId
    parameters: Mapping[str, str]
    scope: RecordedScope
    observed: str
    reason: str
    link: str
    owner: str
    opened: Day
    expires: Day
    renewals: Count
    verdict: Literal["failed", "untestable", "inconclusive"] = "failed"
    in_scope: bool
    used: bool
    stale: bool
    needless_since: Day | None = None
    expired: bool
    expires_soon: bool


class KnownDeviation(RecordPart):
    """cases: how many showed it; absent: all of them passed."""

    check: str
    level: Annotated[Level, Field(strict=False)]
    title: str
    link: str
    cases: Count
    absent: bool


class Deviations(RecordPart):
    """What the product's release does by itself."""

    product: str
    version: str
    variant: str
    judged_by: Texts
    note: str
    known: Sequence[KnownDeviation]
