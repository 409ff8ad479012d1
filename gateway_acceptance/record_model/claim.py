"""The tracker's statements, and what the run says of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from gateway_acceptance.record_model.base import CheckId, ClaimId, Instant, RecordPart, Texts
from gateway_acceptance.record_model.case import VerdictWord


class RecordedClaim(RecordPart):
    """about: the alias or backend that it is about; checks: its evidence; proven: when it last was."""

    id: ClaimId
    section: str
    text: str
    fix: Annotated[str, Field(alias="mend", description="the command that makes it true, or empty")]
    fix_when: Annotated[
        str, Field(min_length=1, description="a pattern: the command helps only where the evidence says so")
    ] = ""
    about: str | None
    not_about: Annotated[
        Texts,
        Field(
            min_length=1,
            description="what the other claims of its kind are about; cases of these are no evidence",
        ),
    ] = ()
    verdict: VerdictWord | Literal["not verified"]
    checks: Sequence[CheckId]
    proven: Instant | None


class NotPart(RecordPart):
    """A statement of the tracker that is none of this deployment. why: what is not declared."""

    id: str
    section: str
    text: str
    why: str
