"""The record of one run of one environment. It is the authority: everything else that a run leaves is derived
from it. Its schema, schemas/tracker/record.json, is generated from here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from gateway_acceptance.record_model.accepted import Deviations, RecordedWaiver
from gateway_acceptance.record_model.base import LeftOut, RecordPart
from gateway_acceptance.record_model.basis import Basis
from gateway_acceptance.record_model.case import RecordedCase
from gateway_acceptance.record_model.check import RecordedCheck
from gateway_acceptance.record_model.claim import NotPart, RecordedClaim
from gateway_acceptance.record_model.declared import DeclaredEnvironment
from gateway_acceptance.record_model.run import RecordedRun
from gateway_acceptance.record_model.target import RecordedTarget
from gateway_acceptance.record_model.totals import Totals

FORMAT = 2
"""2: ``basis`` and the fingerprint are in it, so that the record can be judged again from itself."""
SHOWN = 3
"""Problems of one document that are named; the rest is counted."""

PLAINLY = {"extra_forbidden": "no field of a record", "missing": "is missing"}
"""Of pydantic's kinds of errors, the words that say it of a record."""


class NoRecord(ValueError):  # noqa: N818
    """What keeps a document from being a record, in one sentence."""


class Record(RecordPart):
    """record.json: every verdict of one run of one environment; the authority."""

    format: Literal[2] = 2
    run: RecordedRun
    target: RecordedTarget
    environment: DeclaredEnvironment
    checks: Sequence[RecordedCheck]
    claims: Sequence[RecordedClaim]
    not_part: Annotated[
        Sequence[NotPart],
        Field(
            description="statements of the tracker that are none of this deployment, and what its "
            "environment does not declare"
        ),
    ] = ()
    waivers: Sequence[RecordedWaiver]
    deviations: Annotated[
        LeftOut[Deviations],
        Field(description="what the product's release does by itself; left out where nothing of it is known"),
    ] = None
    basis: Basis
    totals: Totals

    def cases(self) -> Iterator[tuple[RecordedCheck, RecordedCase]]:
        """Every case with its check, in the record's order."""
        for check in self.checks:
            for case in check.cases:
                yield check, case


def record_of(document: object) -> Record:
    """A record.json's content as a record. Raises NoRecord."""
    number = document.get("format") if isinstance(document, Mapping) else None
    if number != FORMAT or isinstance(number, bool):
        raise NoRecord(f"is of format {number!r}; only format {FORMAT} can be judged again")
    try:
        return Record.model_validate(document)
    except ValidationError as error:
        raise NoRecord(f"is no whole record ({_problems(error)})") from None


def document_of(record: Record) -> dict[str, Any]:
    """A record as record.json holds it: what was left out stays so."""
    return record.model_dump(mode="python", by_alias=True, exclude_unset=True)


def _problems(error: ValidationError) -> str:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    problems = [f"{place_of(one['loc'])}: {_words(one['type'], one['msg'])}" for one in found[:SHOWN]]
    more = len(found) - len(problems)
    return "; ".join(problems) + (f"; and {more} problems more" if more > 0 else "")


def place_of(location: Sequence[int | str]) -> str:
    """``checks[3].cases[0].verdict``"""
    text = ""
    for step in location:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else str(step)
    return text[:200]


def _words(kind: str, message: str) -> str:
    return PLAINLY.get(kind) or message.removeprefix("Value error, ")[:200]
