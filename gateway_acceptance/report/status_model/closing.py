"""What a terminal says when a run has ended: made from its record, a line each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway_acceptance.causes import ALIKE
from gateway_acceptance.judgement import NEEDLESS_DAYS, needless
from gateway_acceptance.record_model import Record
from gateway_acceptance.report.assess import named
from gateway_acceptance.report.next_steps import next_steps
from gateway_acceptance.report.status_model.deviations import not_kept
from gateway_acceptance.verdict import Verdict

SHOWN_WAIVERS = 6
"""Up to so many are shown in full at the end of a run."""
QUIET = (Verdict.UNTESTABLE, Verdict.INCONCLUSIVE)
"""Red without having failed."""


@dataclass(frozen=True, slots=True)
class Closing:
    """heading: the environment and its state; untested: (which checks, why); deviations: what the product
    does not keep, and notes; ending: waivers that end, or are no longer needed; waived: those in use;
    headline: how it ended, with what it cost; steps: what to do next."""

    heading: str
    good: bool
    untested: Sequence[tuple[str, str]]
    reasons: Sequence[str]
    deviations: Sequence[str]
    ending: Sequence[str]
    waived: Sequence[str]
    headline: str
    steps: Sequence[str]


def closing_of(record: Record, typed: str) -> Closing:
    """typed: the environment as it is typed behind ``--env``."""
    run, totals = record.run, record.totals
    heading = f"{run.environment}: {run.state}"
    cost = f"({totals.requests} requests, {totals.tokens} tokens)"
    return Closing(
        heading=heading,
        good=run.exit_code == 0,
        untested=_untested(record),
        reasons=run.reasons,
        deviations=_deviations(record),
        ending=_ending(record),
        waived=_waived(record),
        headline=f"{heading}: {run.headline} {cost}",
        steps=next_steps(record, typed),
    )


def _untested(record: Record) -> list[tuple[str, str]]:
    """Cases that are red without having failed: once per reason, with the checks that it keeps from green."""
    because: dict[str, dict[str, None]] = {}
    for check, case in record.cases():
        if case.verdict in QUIET:
            because.setdefault(case.message, {})[check.id] = None
    return [
        (" ".join(ids) if len(ids) < ALIKE else f"{len(ids)} checks:", message)
        for message, ids in because.items()
    ]


def _deviations(record: Record) -> list[str]:
    known = not_kept(record)
    ids = [one.check for one in known.lines]
    shown = [f"{known.release} does not keep, by itself: {named(ids)} (STATUS.md)"] if ids else []
    return [*shown, *(f"note: {note}" for note in known.notes)]


def _ending(record: Record) -> list[str]:
    found = []
    for waiver in record.waivers:
        if waiver.expires_soon:
            found.append(
                f"the waiver {waiver.id} ends with {waiver.expires}; renew it, or fix what it covers"
            )
        if waiver.stale and (sentence := needless(waiver, record)) not in record.run.reasons:
            found.append(f"{sentence}; red {NEEDLESS_DAYS} days after the run that first saw it")
    return found


def _waived(record: Record) -> list[str]:
    used = [waiver for waiver in record.waivers if waiver.used]
    if len(used) > SHOWN_WAIVERS:
        ids = ", ".join(dict.fromkeys(waiver.check for waiver in used))
        return [f"waived, each with its reason in STATUS.md: {ids}"]
    return [f"waived: {waiver.check} {waiver.reason} ({waiver.link})" for waiver in used]
