"""How the views read a record (its shape: docs/architecture.md, "The record")."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from gateway_acceptance.claims import NOT_VERIFIED
from gateway_acceptance.verdict import EXECUTED, RED, Verdict

if TYPE_CHECKING:
    from gateway_acceptance.record_model import Record, RecordedCase, RecordedCheck

SYMBOLS: Mapping[str, str] = {
    Verdict.PASSED: "✅",
    Verdict.DEVIATION: "🟡",
    Verdict.WAIVED: "☑️",
    Verdict.NOT_APPLICABLE: "➖",
    Verdict.NOT_PERMITTED: "🚫",
    Verdict.INCONCLUSIVE: "❔",
    Verdict.UNTESTABLE: "⚠️",
    Verdict.FAILED: "❌",
    Verdict.HARNESS_ERROR: "💥",
    NOT_VERIFIED: "⬜",
    "proven earlier": "🕓",
    "stale": "⌛",
}
"""One symbol per verdict, and per standing of a claim that only earlier runs proved; always shown with the
word."""

ILLEGAL_IN_XML = {
    **dict.fromkeys([*range(9), 0x0B, 0x0C, *range(0x0E, 0x20)], "\ufffd"),
    **dict.fromkeys([*range(0x7F, 0xA0), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF], "\ufffd"),
}
REORDERING = dict.fromkeys(
    [0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x061C, 0x2028, 0x2029], "\ufffd"
)


def printable(value: object) -> str:
    """Text without control characters, terminal escapes, lone surrogates and text-direction overrides.

    Newlines and tabs stay. What remains is legal XML 1.0 and legal UTF-8.
    """
    text = str(value).replace("\r\n", "\n").replace("\r", "\n")
    return text.translate(ILLEGAL_IN_XML).translate(REORDERING)


def is_red(verdict: str) -> bool:
    """True for a verdict that keeps a run from being green."""
    return verdict in RED


def is_executed(verdict: str) -> bool:
    """True for a verdict that is a statement about the target."""
    return verdict in EXECUTED


def severity(verdict: str) -> int:
    """The verdict's rank, 0 is best; unknown words rank worst; not applicable says least."""
    if verdict == Verdict.NOT_APPLICABLE:
        return -1
    return Verdict(verdict).rank if verdict in set(Verdict) else len(Verdict)


def parameters(record: Record, case: RecordedCase) -> dict[str, str]:
    """The case's parameters as text, without the environment: a record has only one."""
    environment = record.run.environment
    return {
        str(name): str(value)
        for name, value in case.parameters.items()
        if not (name == "environment" and value == environment)
    }


def case_name(record: Record, check: RecordedCheck, case: RecordedCase) -> str:
    """``a stream ends with one finish_reason [hx-chat]``"""
    values = ", ".join(parameters(record, case).values())
    return f"{check.title} [{values}]" if values else check.title


def last_curl(case: RecordedCase) -> str:
    """The last request of the case as a curl command (already redacted), or nothing."""
    return next((str(seen.curl) for seen in reversed(case.evidence) if seen.curl), "")


def first_line(text: object, limit: int = 240) -> str:
    """The first line that says something, cut."""
    lines = [line.strip() for line in printable(text or "").splitlines() if line.strip()]
    line = lines[0] if lines else ""
    return line if len(line) <= limit else line[: limit - 1] + "…"


def cut(text: object, limit: int) -> str:
    """The text, or its beginning with a word about the rest."""
    full = str(text or "")
    return full if len(full) <= limit else f"{full[:limit]} … (the rest is in record.json)"


def utc(instant: str | None) -> str:
    """``2026-03-01 10:00:05 UTC`` of the record's ISO time; empty for none."""
    if not instant:
        return ""
    return datetime.fromisoformat(instant).strftime("%Y-%m-%d %H:%M:%S UTC")


def milliseconds(instant: str) -> int:
    """Unix time in milliseconds, as Allure wants it."""
    return round(datetime.fromisoformat(instant).timestamp() * 1000)
