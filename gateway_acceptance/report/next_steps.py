"""The last lines of a run, which fit one screen: the first cause, who is to blame, and what to type next."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Iterator

from gateway_acceptance.check import RELEASE
from gateway_acceptance.record_model import Record
from gateway_acceptance.redaction import printable
from gateway_acceptance.report.assess import most_important, next_action
from gateway_acceptance.report.fixes import fixes_of
from gateway_acceptance.report.reading import is_red
from gateway_acceptance.verdict import Verdict

LONGEST = 300
"""Characters of a line."""
VERSION = "VERSION"


def next_steps(record: Record, environment: str) -> list[str]:
    """At most four lines, none longer than ``LONGEST``. environment: as it is typed behind ``--env``."""
    return [_line(title, words) for title, words in _lines(record, shlex.quote(environment))]


def _lines(record: Record, environment: str) -> Iterator[tuple[str, str]]:
    run = record.run
    if not run.exit_code:
        if run.profile == RELEASE and not run.selection.narrowed:
            yield "next", f"gateway-acceptance signoff --env {environment} --version {VERSION} --key FILE"
        return
    red = [(check, case) for check, case in record.cases() if is_red(case.verdict)]
    if run.reasons and not any(case.alarm for _, case in red):  # that stands in the headline
        yield "first", _first_reason(record)
    blamed = Counter(_who(case.blame) for _, case in red if case.verdict == Verdict.FAILED)
    if blamed:
        yield "blame", ", ".join(f"{who} ({count})" for who, count in blamed.most_common())
    action = next_action(record, fixes_of(record, record.claims))
    yield "next", action.text
    typed = [line for line in action.command.splitlines() if line.strip() and not line.startswith("#")]
    again = _again(record, environment)
    if typed or again:
        yield "type", (typed or [again])[0].replace("--env NAME", f"--env {environment}")


def _who(blame: str | None) -> str:
    """``gateway``, ``backend`` …, without the evidence that stands behind it."""
    return str(blame or "unknown").split(":", 1)[0]


def _first_reason(record: Record) -> str:
    """The reason that tells of the case that ``next`` names; the first where none does."""
    found = most_important(record)
    names_it = re.compile(rf"(?<![\w-]){re.escape(found[0].id)}(?![\w-])") if found else None
    return next(
        (one for one in record.run.reasons if names_it and names_it.search(one)), record.run.reasons[0]
    )


def _again(record: Record, environment: str) -> str:
    """The command that asks the check of the most important red case alone: the one that ``next`` names."""
    found = most_important(record)
    if found is None:
        return ""
    test = re.sub(r"\[.*", "", found[1].nodeid.rsplit("::", 1)[-1])
    return f"pytest --env {environment} -k {test}" if test.isidentifier() else ""


def _line(title: str, words: str) -> str:
    text = " ".join(printable(words).split())
    return f"{title:<8}{text if len(text) <= LONGEST else text[: LONGEST - 1] + '…'}"
