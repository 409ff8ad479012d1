"""The run itself: which, when, by which suite, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from gateway_acceptance.record_model.base import Instant, RecordPart, Texts, Words

State = Literal[
    "SMOKE PASSED",
    "SMOKE FAILED",
    "NIGHTLY PASSED",
    "NIGHTLY FAILED",
    "READY",
    "PRODUCTION READY",
    "NOT READY",
    "PARTIAL RUN",
    "VOID",
]
ProfileName = Literal["smoke", "nightly", "release"]


class Selection(RecordPart):
    """What of the suite the run set out to execute. narrowed: the options that made it smaller than its
    profile; arguments: of the command line, redacted."""

    marker: str
    narrowed: Texts
    arguments: Texts


class RecordedSuite(RecordPart):
    """The suite that judged; commit and dirty are null where no git tells."""

    version: str
    commit: str | None
    dirty: bool | None


class RecordedRun(RecordPart):
    """state, headline, reasons and exit_code are computed from the rest of the record (``judgement``)."""

    id: Words
    environment: Words
    kind: Literal["embedded", "staging", "production"]
    profile: ProfileName | None
    selection: Selection
    started: Instant
    ended: Instant
    suite: RecordedSuite
    tools: Mapping[str, str]
    nonce: Annotated[str, Field(min_length=1, description="a word that somebody gave the run beforehand")] = (
        ""
    )
    state: Annotated[State, Field(description="docs/verdicts.md")]
    headline: Words
    reasons: Texts
    exit_code: Annotated[
        Literal[0, 1, 2, 3, 4],
        Field(
            description="docs/verdicts.md: 0 good, 1 not good, 2 interrupted or void, 3 error of the suite, "
            "4 bad input"
        ),
    ]
