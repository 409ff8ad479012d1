"""Candidates for waivers: what a run found red, written as entries that a person has yet to complete.

Pure: from a record to text. The design: docs/waivers.md, "Candidates".
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from gateway_acceptance.deviations import ADDRESS, IDENTIFIER, NUMBER, STATUSES, Harm, about, forbidden
from gateway_acceptance.record_model import Record, RecordedCase
from gateway_acceptance.subjects import NOTHING
from gateway_acceptance.verdict import Verdict
from gateway_acceptance.waivers import UNFINISHED, quoted

WAIVABLE = (Verdict.FAILED, Verdict.UNTESTABLE, Verdict.INCONCLUSIVE)
SPECIAL = re.compile(r"([.^$*+?{}\[\]\\|()])")
CUT = re.compile(r"\s*… \(cut\)$")
REDACTED = re.compile(r"\[redacted[^\]]*\]")
PLACEHOLDER = re.compile(f"{REDACTED.pattern}|{ADDRESS.pattern}|{IDENTIFIER.pattern}|{NUMBER.pattern}")
SEEN_AT_MOST = 160
ENVIRONMENT = "environment"
"""The parameter that each case has and no waiver needs: its scope says it."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One entry to be completed. seen: lines of what was seen, whole; harm: what it would accept, or
    nothing."""

    check: str
    title: str
    level: str
    verdict: Verdict
    parameters: Mapping[str, str]
    seen: tuple[str, ...]
    cases: int
    harm: str

    @property
    def observed(self) -> str:
        """A regular expression that describes just what was seen, with other numbers and ids."""
        patterns = list(dict.fromkeys(pattern_of(line) for line in self.seen))
        return f"(?m)^{patterns[0]}" if len(patterns) == 1 else f"(?m)^(?:{'|'.join(patterns)})"


def pattern_of(line: str) -> str:
    """One line of a problem as a regular expression: numbers but HTTP statuses, ids and what was redacted may
    be others; open at the end where the line was cut."""
    text = CUT.sub("", line)
    found, at = "", 0
    for match in PLACEHOLDER.finditer(text):
        found += _escaped(text[at : match.start()]) + _general(match[0])
        at = match.end()
    return found + _escaped(text[at:]) + ("$" if text == line else "")


def candidates(record: Record, harms: Collection[Harm]) -> tuple[list[Candidate], list[str]]:
    """What may be accepted of a record's red cases, and a sentence for each check of which nothing may be."""
    found: list[Candidate] = []
    refused: list[str] = []
    for check in record.checks:
        red = [case for case in check.cases if case.verdict.red]
        groups: dict[tuple[Verdict, tuple[str, ...]], list[RecordedCase]] = {}
        for case in red:
            verdict = case.verdict
            why = _refused(check.id, verdict, case.message, harms)
            if why:
                refused.append(f"{check.id} is {verdict}: {why}")
            else:
                groups.setdefault((verdict, _seen(verdict, case.message)), []).append(case)
        for (verdict, seen), cases in groups.items():
            harm = next((reason for line in seen if (reason := forbidden(harms, check.id, line))), "")
            for parameters in _parameters(cases, check.cases):
                found.append(
                    Candidate(
                        check.id,
                        check.title,
                        check.level,
                        verdict,
                        parameters,
                        seen,
                        len(cases),
                        harm,
                    )
                )
    return found, list(dict.fromkeys(refused))


def proposal(record: Record, harms: Collection[Harm], today: date) -> str:
    """The candidates of a record as TOML, with comments; refused by the loader until each is completed."""
    name, run = record.run.environment, record.run
    found, refused = candidates(record, harms)
    lines = [
        f"# Candidates from the run {run.id} of {name} ({run.state}): keep what you accept,",
        f"# complete each {UNFINISHED}, remove the rest. No file with a {UNFINISHED} is read.",
    ]
    for number, one in enumerate(found, start=1):
        lines += ["", *_entry(one, number, name, today)]
    lines += ["", *(f"# not to be accepted: {_shown(sentence)}" for sentence in refused)] if refused else []
    return "\n".join(lines) + "\n"


def _entry(one: Candidate, number: int, environment: str, today: date) -> list[str]:
    given = ", ".join(f"{quoted(name)} = {quoted(value)}" for name, value in one.parameters.items())
    verdict = [] if one.verdict is Verdict.FAILED else [f"verdict = {quoted(one.verdict.value)}"]
    return [
        f"# {one.level} {_shown(one.title)}: {one.cases} {one.verdict}",
        *([f"# This {one.harm}: fix it; accept it only where nobody can reach it."] if one.harm else []),
        *(f"# seen: {_shown(line)}" for line in one.seen),
        "[[waiver]]",
        f"id = {quoted(f'{one.check}-{number}')}",
        f"check = {quoted(one.check)}",
        *([f"parameters = {{ {given} }}"] if given else []),
        *verdict,
        f"scope = {{ environments = [{quoted(environment)}] }}",
        f"observed = {quoted(one.observed)}",
        f'reason = "{UNFINISHED}: why it is accepted"',
        f'link = "{UNFINISHED}: where it is tracked, https://..."',
        f'owner = "{UNFINISHED}: who answers for it"',
        f"opened = {today}",
        f'expires = "{UNFINISHED}: its last day, such as 2027-01-31, at most 183 days from now"',
    ]


def _refused(check: str, verdict: Verdict, message: str, harms: Collection[Harm]) -> str:
    if verdict not in WAIVABLE:
        return "the suite's own fault, to be reported"
    if verdict is Verdict.FAILED:
        return ""
    if message.startswith(f"Untestable: {NOTHING}"):
        return "it had nothing to judge"
    harm = about(harms, check)
    return f"it looks for what {harm}; make it possible to look" if harm else ""


def _seen(verdict: Verdict, message: str) -> tuple[str, ...]:
    """The lines that a waiver has to describe: of a failure all, else the first."""
    lines = [line for line in message.splitlines() if line.strip()] or ["failed"]
    return tuple(dict.fromkeys(lines)) if verdict is Verdict.FAILED else tuple(lines[:1])


def _parameters(cases: Sequence[RecordedCase], of_check: Sequence[RecordedCase]) -> list[dict[str, str]]:
    """What tells these cases from the others of their check: nothing where they are all there are, what they
    have in common, else each by itself."""
    if len(cases) == len(of_check):
        return [{}]
    own = [{n: v for n, v in case.parameters.items() if n != ENVIRONMENT} for case in cases]
    common = {name: value for name, value in own[0].items() if all(one.get(name) == value for one in own)}
    return [common] if common or not all(own) else own


def _general(found: str) -> str:
    if REDACTED.fullmatch(found):
        return r"\S+"
    if ADDRESS.fullmatch(found):
        return r"[\d.:]+"
    if found.isdecimal() and int(found) in STATUSES:
        return found
    return r"-?\d+(?:\.\d+)?" if NUMBER.fullmatch(found) else r"[\w-]+"


def _escaped(text: str) -> str:
    return SPECIAL.sub(r"\\\1", text)


def _shown(text: str) -> str:
    """On one line of a comment, whatever a target said."""
    plain = "".join(character if character.isprintable() else " " for character in text)
    return plain if len(plain) <= SEEN_AT_MOST else f"{plain[:SEEN_AT_MOST]}…"
