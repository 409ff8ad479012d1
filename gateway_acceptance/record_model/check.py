"""A check and the cases that it had in the run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from gateway_acceptance.check import Effect, Level
from gateway_acceptance.record_model.base import CheckId, ClaimId, RecordPart
from gateway_acceptance.record_model.case import RecordedCase, VerdictWord
from gateway_acceptance.record_model.run import ProfileName


class RecordedCheck(RecordPart):
    """verdict: the worst of its cases; null where it had none."""

    id: CheckId
    title: str
    level: Annotated[Level, Field(strict=False)]
    effect: Annotated[Effect, Field(strict=False)]
    suite: Literal["api", "host", "backends"]
    claims: Sequence[ClaimId]
    profiles: Annotated[Sequence[ProfileName], Field(min_length=1)]
    spec: str
    verdict: VerdictWord | None
    cases: Sequence[RecordedCase]
