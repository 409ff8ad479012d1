"""What became of one case of a check, and the exchanges that show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import Field

from gateway_acceptance.record_model.base import Count, Instant, LeftOut, Number, RecordPart, Texts, Words
from gateway_acceptance.verdict import Verdict

VerdictWord = Annotated[Verdict, Field(strict=False)]


class RecordedExchange(RecordPart):
    """One request and its answer, redacted and cut. status: null where no answer came; error: why; sent_at:
    Unix seconds, left out in records of earlier suites; own_key: it carried the environment's key; bent: its
    headers that ordinary requests do not have; whole: false where it was not read to its end."""

    method: str
    url: str
    status: int | None
    error: str | None
    elapsed_s: Number
    first_byte_s: Number | None
    served_by: str | None
    curl: str
    request: str | None
    response: str | None
    headers: Mapping[str, str]
    sent_at: LeftOut[Number] = None
    own_key: LeftOut[Literal[True]] = None
    bent: LeftOut[Texts] = None
    whole: LeftOut[Literal[False]] = None


class RecordedCase(RecordPart):
    """One parametrised run of a check."""

    nodeid: Words
    parameters: Mapping[str, str]
    verdict: VerdictWord
    message: str
    blame: str
    alarm: Annotated[
        str,
        Field(
            description="what outweighs everything else, one sentence; absent in records of earlier suites"
        ),
    ] = ""
    waiver: str | None
    started: Instant
    duration_s: Annotated[
        Number, Field(description="negative where the clock ran backwards; the run is void then")
    ]
    requests: Count
    evidence: Sequence[RecordedExchange]
    subjects: Annotated[
        Mapping[str, Count],
        Field(
            description="what the case judged: the kind in the plural, and how many; absent in older records"
        ),
    ] = Field(default_factory=dict)
    facts: Mapping[str, str]
    pictures: Mapping[str, str]
    detail: str
