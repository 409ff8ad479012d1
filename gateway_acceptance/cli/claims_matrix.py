"""Claims over environments: what the newest runs prove, side by side. Pure but for ``column_of``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from gateway_acceptance.audit import findings
from gateway_acceptance.claims import NOT_VERIFIED, Claim, Template
from gateway_acceptance.documents import json_of
from gateway_acceptance.record_model import Record, RecordedClaim, record_of
from gateway_acceptance.report.ages import age_in_words
from gateway_acceptance.report.badge import STALE
from gateway_acceptance.report.reading import first_line, printable
from gateway_acceptance.run_directory import LATEST, RECORD
from gateway_acceptance.usage import EXIT_READY

HOUR = 3600.0
NO_RUN = "no run yet"
UNRELIABLE = "not reliable"
PARTIAL = "PARTIAL RUN"
NOT_PART = "not part"
"""What a claim is of a deployment that declares nothing of it."""
SHOWN_FINDINGS = 3


@dataclass(frozen=True, slots=True)
class Column:
    """One environment's newest run. state: of the record, or why there is none; ended: UTC, or empty; age: in
    words; stale: whether it is older than a proof counts; verdicts: claim id -> verdict in words; texts: its
    statement there; notes: what is wrong with it, in sentences; exit_code: of the run, None without
    one."""

    environment: str
    state: str
    profile: str = ""
    product: str = ""
    run: str = ""
    ended: str = ""
    age: str = ""
    stale: bool = False
    exit_code: int | None = None
    verdicts: Mapping[str, str] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        """Whether a whole profile was green, lately, and can be relied on."""
        return self.exit_code == EXIT_READY and not self.stale and not self.notes and self.state != PARTIAL


@dataclass(frozen=True, slots=True)
class Row:
    """One claim. cells: a verdict for each column; differs: whether the environments that have runs do not
    agree."""

    id: str
    text: str
    cells: tuple[str, ...]
    differs: bool


def column_of(
    runs: Path,
    environment: str,
    fresh_h: float,
    now: datetime,
    doubts: Callable[[Record], Sequence[str]] = lambda _: (),
) -> Column:
    """The newest run of an environment, read and audited. now: with a time zone; fresh_h: hours that a proof
    counts; doubts: what else speaks against a record, in sentences."""
    directory = runs / environment / LATEST
    if not directory.exists():
        return Column(environment, NO_RUN, notes=(f"{environment} has no run in {runs}",))
    wrong = findings(directory.resolve())
    try:
        record = record_of(json_of(directory / RECORD))
        return column(record, environment, fresh_h, now, [*wrong, *doubts(record)])
    except (OSError, ValueError):
        return Column(environment, UNRELIABLE, notes=_shown(environment, wrong or ["no record can be read"]))


def column(record: Record, environment: str, fresh_h: float, now: datetime, wrong: Sequence[str]) -> Column:
    """The same of a record. wrong: what the audit of its directory found. Raises KeyError, ValueError for
    what is no record."""
    run, target = record.run, record.target
    notes = list(wrong)
    if run.environment != environment:
        notes.insert(0, f"the run is of the environment {run.environment}")
    ended = datetime.fromisoformat(run.ended)
    age_s = (now - ended).total_seconds()
    if age_s < -1:
        notes.append(f"the run ended in the future, at {run.ended}")
    stale = age_s > fresh_h * HOUR
    return Column(
        environment,
        UNRELIABLE if wrong else run.state,
        str(run.profile or "a selection"),
        f"{target.product} {target.product_version}".strip(),
        run.id,
        run.ended,
        age_in_words(age_s),
        stale,
        run.exit_code,
        {one.id: NOT_PART for one in record.not_part}
        | {claim.id: _spoken(claim, stale=stale or bool(wrong)) for claim in record.claims},
        {claim.id: claim.text for claim in record.claims},
        _shown(environment, notes),
    )


def rows(claims: Sequence[Claim | Template], columns: Sequence[Column]) -> list[Row]:
    """Every declared claim, in the file's order, then those that only environments have. Where environments
    do not say the same by one id, its template stands for what they say."""
    declared = {claim.id: claim.text for claim in claims}
    found = []
    for name in dict.fromkeys([*declared, *(name for each in columns for name in each.verdicts)]):
        cells = tuple(each.verdicts.get(name, _silent(each, name in declared)) for each in columns)
        executed = {cell for cell, each in zip(cells, columns, strict=True) if each.run}
        texts = list(dict.fromkeys(each.texts[name] for each in columns if name in each.texts))
        text = texts[0] if len(texts) == 1 else declared.get(name, " / ".join(texts))
        found.append(Row(name, text, cells, len(executed) > 1))
    return found


def _silent(column: Column, declared: bool) -> str:
    """Of a claim that a run does not have: one that only other environments have is none of it."""
    return NOT_PART if column.texts and not declared else NOT_VERIFIED


def table(columns: Sequence[Column], lines: Sequence[Row]) -> str:
    """For a terminal: a line for each claim; ``≠`` before those that differ between environments."""
    heads = [
        ["", "", *(each.environment for each in columns)],
        ["", "state", *(each.state for each in columns)],
        ["", "profile", *(each.profile for each in columns)],
        ["", "product", *(each.product for each in columns)],
        ["", "ended", *(f"{each.age}{', stale' if each.stale else ''}" for each in columns)],
    ]
    body = [["≠" if line.differs else "", line.id, *line.cells] for line in lines]
    widths = [max(len(_cell(row[place])) for row in [*heads, *body]) for place in range(len(heads[0]))]
    rule = ["-" * width for width in widths]
    shown = [_line(row, widths) for row in [*heads, rule, *body]]
    if len(columns) > 1:
        shown.append(f"{sum(line.differs for line in lines)} of {len(lines)} claims differ (≠)")
    return "\n".join([*shown, *(note for each in columns for note in each.notes)])


def document(columns: Sequence[Column], lines: Sequence[Row]) -> dict[str, Any]:
    """The same for machines."""
    return {
        "format": 1,
        "environments": [
            {
                "environment": each.environment,
                "good": each.good,
                "state": each.state,
                "profile": each.profile,
                "product": each.product,
                "run": each.run,
                "ended": each.ended,
                "stale": each.stale,
                "notes": list(each.notes),
            }
            for each in columns
        ],
        "claims": [
            {
                "id": line.id,
                "text": line.text,
                "differs": line.differs,
                "verdicts": dict(zip((each.environment for each in columns), line.cells, strict=True)),
            }
            for line in lines
        ],
    }


def _spoken(claim: RecordedClaim, *, stale: bool) -> str:
    """An old proof, or one that cannot be relied on, is none; what was found wrong stays wrong."""
    proof = claim.verdict in ("passed", "deviation", "waived")
    return STALE if stale and proof else str(claim.verdict)


def _shown(environment: str, notes: Sequence[str]) -> tuple[str, ...]:
    more = len(notes) - SHOWN_FINDINGS
    kept = [f"{environment}: {first_line(note)}" for note in notes[:SHOWN_FINDINGS]]
    return (*kept, f"{environment}: and {more} findings more") if more > 0 else tuple(kept)


def _cell(text: str) -> str:
    """On one line: what a record says begins no row of its own."""
    return " ".join(printable(text).splitlines())


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (_cell(cell).ljust(width) for cell, width in zip(cells, widths, strict=True))
    return "  ".join(padded).rstrip()
