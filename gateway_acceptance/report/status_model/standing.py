"""How a run stands as a whole: counts, one sentence, the risk, and what to do next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway_acceptance.claims import NOT_VERIFIED
from gateway_acceptance.record_model import Record
from gateway_acceptance.report.assess import Action, Risk, next_action, risk, unjudged
from gateway_acceptance.report.proofs import EARLIER, STALE
from gateway_acceptance.report.reading import is_red
from gateway_acceptance.report.status_model.claims import ClaimLine
from gateway_acceptance.verdict import Verdict


@dataclass(frozen=True, slots=True)
class RunStanding:
    """totals: (verdict, cases, checks, claims); summary: in one sentence; unjudged: what no declared ability
    allows to be asked, or empty."""

    totals: Sequence[tuple[str, int, int, int]]
    summary: str
    risk: Risk
    action: Action
    unjudged: str = ""


def standing_of(record: Record, lines: Sequence[ClaimLine], fixes: Mapping[str, str]) -> RunStanding:
    """lines: all statements; fixes: claim id to the command that fixes it."""
    action = next_action(record, fixes)
    return RunStanding(_totals(record), _summary(record, lines), risk(record), action, unjudged(record))


def _totals(record: Record) -> list[tuple[str, int, int, int]]:
    """(verdict, cases, checks, claims), every verdict that occurs, in the order of the lattice."""
    of_checks = Counter(check.verdict for check in record.checks if check.cases)
    of_claims = Counter(claim.verdict for claim in record.claims)
    lines = [
        (word, record.totals.cases(word), of_checks[word], of_claims[word])
        for word in (*Verdict, NOT_VERIFIED)
    ]
    return [line for line in lines if any(line[1:])]


def _summary(record: Record, lines: Sequence[ClaimLine]) -> str:
    claims = record.claims
    of = Counter[str](claim.verdict for claim in claims)
    standing = Counter(line.proof.standing for line in lines if line.proof.run)
    red = sum(number for verdict, number in of.items() if is_red(verdict))
    aside = of[Verdict.NOT_APPLICABLE] + of[Verdict.NOT_PERMITTED]
    totals = record.totals
    parts = [f"{of[Verdict.PASSED]} of {len(claims)} claims proven"]
    deviating = of[Verdict.DEVIATION]
    parts += [f"{deviating} with deviations of the product"] if deviating else []
    parts += [f"{of[Verdict.WAIVED]} waived"] if of[Verdict.WAIVED] else []
    parts += [f"{red} red"] if red else []
    past = [f"{standing[word]} {word}" for word in (EARLIER, STALE) if standing[word]]
    unverified = f"{of[NOT_VERIFIED]} not verified" + (f" ({', '.join(past)})" if past else "")
    parts += [unverified] if of[NOT_VERIFIED] else []
    parts += [f"{aside} not applicable or not permitted"] if aside else []
    executed = f"{totals.checks_executed} of {totals.checks_selected} selected checks executed"
    return f"{', '.join(parts)}; {executed}; {totals.requests} requests, {totals.tokens} tokens"
