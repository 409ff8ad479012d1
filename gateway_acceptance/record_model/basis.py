"""What is known of the run beside its cases; with them, all that its state is computed from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field

from gateway_acceptance.record_model.base import (
    CheckId,
    Count,
    Day,
    Digest,
    LeftOut,
    RecordPart,
    Seconds,
    Texts,
)


class Untrusted(RecordPart):
    """Why nothing that came out of the run can be trusted."""

    headline: str
    reasons: Texts


class Bound(RecordPart):
    """Some files, or distributions: the digest of their names and digests, and how many they are."""

    sha256: Digest
    count: Count


class BoundEnvironment(RecordPart):
    """The environment file, and what it was resolved to."""

    file: str
    sha256: str
    resolved_sha256: Digest


class Interpreter(RecordPart):
    """Of Python. flags: those that are set."""

    version: str
    flags: Mapping[str, Any]


class PytestOptions(RecordPart):
    """What decides in pytest's options."""

    assert_: Annotated[str, Field(alias="assert")]
    addopts: Texts
    plugins: Texts


class RecordedCheckout(RecordPart):
    """The checkout: its commit, and some files that are not as it holds them."""

    commit: str | None
    changed: Texts


class JudgedBy(RecordPart):
    """What judged, by content (docs/evidence.md). touched: some of the files that decide which were written,
    replaced, added or removed since the run began."""

    environment: BoundEnvironment
    files: Bound
    suite: LeftOut[RecordedCheckout] = None
    touched: Texts = ()
    distributions: Bound
    interpreter: Interpreter
    variables: Mapping[str, str]
    plugins: Texts
    options: PytestOptions
    problems: Texts


class BoundContent(RecordPart):
    """What digests of the start stand for. files: SHA-256 by name (0/ the project's, 1/ the package's data,
    2/ its code, own/ the operator's); environment: as it was resolved, secrets named by their variables."""

    files: Mapping[str, str]
    environment: Mapping[str, Any]


class RecordedBinding(RecordPart):
    """The account at the start of the run, and at its end; whole: of runs that could accept a release."""

    start: JudgedBy | None
    end: JudgedBy | None
    whole: LeftOut[BoundContent] = None


class PlantedResult(RecordPart):
    """One check, sent at what is known to be bad. expected: what it must say; said: what it did."""

    check: str
    expected: str
    verdict: str
    said: str
    took_s: Seconds


class RecordedPlanted(RecordPart):
    """Defects that were planted in the run: checks sent at what is known to be bad (docs/evidence.md)."""

    known: Count
    seeds: Texts
    took_s: Seconds
    results: Sequence[PlantedResult]


class Basis(RecordPart):
    """frozen: the ids of the profile's list; broken: errors that belong to no case; needless: waiver to the
    day since which runs found it so."""

    frozen: Sequence[CheckId] | None
    broken: Texts
    interrupted: str
    unfinished: bool
    untrusted: Untrusted | None
    elapsed_s: Seconds | None
    today: Day
    needless: LeftOut[Mapping[str, Day]] = None
    binding: LeftOut[RecordedBinding] = None
    blind_spots: Annotated[
        LeftOut[Mapping[str, Any]],
        Field(description="what the suite does not speak of: promises without a check, and its known limits"),
    ] = None
    planted: LeftOut[RecordedPlanted] = None
