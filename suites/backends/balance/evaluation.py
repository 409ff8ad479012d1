"""What a sample proves: pure, from the draws. Premises first; where one does not hold, nothing is judged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway_acceptance.balance.dependence import Dependence
from gateway_acceptance.balance.expected_shares import ExpectedShares
from gateway_acceptance.balance.ledger import PART_OF_GENERATED
from gateway_acceptance.balance.sequential import Design, SequentialDecision, Trial
from gateway_acceptance.problem import Problem
from gateway_acceptance.verdict import CheckFailed, Inconclusive, Untestable
from suites.backends.balance.probes import CONCURRENCY, KEYS
from suites.backends.balance.sample import Draw, Sample

SHOWN = 3
"""Examples that a message gives."""
LIMIT_S = 65.0
"""Within so long an rpm may be reached: a minute, and what lies between sending and the gateway's count."""


@dataclass(frozen=True)
class Evaluation:
    """A sample with both tests over it."""

    sample: Sample
    trial: Trial
    dependence: Dependence

    @property
    def null(self) -> ExpectedShares:
        """What both are held against."""
        return self.trial.null

    @property
    def dependent(self) -> dict[str, int]:
        """Pattern -> the number of draws after which it was proven. The bets against the declared shares
        count where these are not shown to be others."""
        if self.trial.outcome is SequentialDecision.FAILED:
            return self.dependence.found
        return {**self.dependence.tied, **self.dependence.found}


def judged(sample: Sample, null: ExpectedShares, design: Design) -> Evaluation:
    """The same judgement whoever asks. Raises what ``require_premises`` does."""
    require_premises(sample, null)
    trial = Trial(null, design)
    dependence = Dependence(null, design.alpha * (1 - PART_OF_GENERATED), KEYS)
    for draw in sample.draws:
        trial.observe(draw.served)
        dependence.observe(draw.served, draw.features, alone=draw.features[CONCURRENCY] != "yes")
    dependence.end()
    return Evaluation(sample, trial, dependence)


def require_premises(sample: Sample, null: ExpectedShares) -> None:
    """Raises CheckFailed where nobody serves, Untestable where it is not told who did, Inconclusive where a
    premise does not hold."""
    refused = [draw.refused for draw in sample.draws if draw.refused]
    if len(refused) == len(sample.draws):
        raise CheckFailed(f"{null.alias} is not balanced: nobody serves it; {refused[0]}")
    if refused:
        raise Inconclusive(
            f"{len(refused)} of {len(sample.draws)} draws had no answer: nobody knows who was drawn, and a "
            f"deployment may be cooling down; {refused[0]}"
        )
    require_witness(sample, null.alias)
    broken = [*tried_again(sample), *from_a_cache(sample)]
    if broken:
        raise Inconclusive(
            f"a premise does not hold, so who was drawn is not known: {broken[0].message}; "
            "see BACKEND-BAL-010 and 011"
        )
    reached = at_their_limits(sample, null)
    if reached:
        raise Inconclusive(
            f"a premise does not hold: {reached[0].message}; raise its rpm, or lower balance.most_draws"
        )


def require_witness(sample: Sample, alias: str) -> None:
    """Raises Untestable where it is not told who served, or where witnesses contradict each other."""
    silent = sum(not draw.served for draw in sample.draws)
    if silent:
        raise Untestable(
            f"no witness says who served {alias}: the header is absent from {silent} of {len(sample.draws)} "
            "answers",
            "let the gateway send it (BACKEND-WITNESS-005), or declare gateway.served_by_header",
        )
    contradiction = next((draw.contradiction for draw in sample.draws if draw.contradiction), "")
    if contradiction:
        raise Untestable(
            f"the gateway's headers contradict each other: {contradiction}", "see BACKEND-ROUTE-008"
        )
    if sample.counted is None:
        return
    header = Counter(draw.served for draw in sample.draws)
    lacking = sorted(name for name, said in header.items() if sample.counted.get(name, 0) < said)
    enough = sum(sample.counted.values()) >= len(sample.draws)
    if enough and lacking:
        raise Untestable(
            f"the witnesses disagree: the headers say {counts_text(header)}, the backends counted "
            f"{counts_text(sample.counted)}",
            "see BACKEND-WITNESS-001: a header that lies says nothing of balance",
        )


def tried_again(sample: Sample) -> list[Problem]:
    """Draws that the gateway made more than once, as its headers or the backends' counts say."""
    problems = []
    retried = sum(draw.retries > 0 for draw in sample.draws)
    handed = sum(draw.fallbacks > 0 for draw in sample.draws)
    if retried:
        problems.append(Problem("", f"the gateway says of {retried} answers that it tried more than once"))
    if handed:
        problems.append(Problem("", f"the gateway says of {handed} answers that another alias gave them"))
    if sample.counted is not None and sample.exact and _answered(sample) == len(sample.draws):
        own = sum(sample.counted.values())
        if own > len(sample.draws):
            problems.append(
                Problem("", f"{len(sample.draws)} requests were sent, the backends counted {own}: retries")
            )
    return problems


def at_their_limits(sample: Sample, null: ExpectedShares) -> list[Problem]:
    """Deployments that served as often within a minute as their rpm allows: pre-call checks leave them out
    then, and the others get their share."""
    problems = []
    for name, most in null.limits.items():
        times = sorted(draw.at for draw in sample.draws if draw.served == name)
        spans = [late - early for early, late in zip(times, times[max(0, most - 1) :], strict=False)]
        if most == 0 or any(span <= LIMIT_S for span in spans):
            problems.append(
                Problem("", f"{name} served {most} requests within a minute, its rpm: it was left out then")
            )
    return problems


def from_a_cache(sample: Sample) -> list[Problem]:
    """Answers for which nobody was drawn."""
    problems = []
    cached = [draw.cached for draw in sample.draws if draw.cached]
    if cached:
        problems.append(Problem("", f"{len(cached)} answers came from a cache, they say: {cached[0]}"))
    ids = Counter(draw.id for draw in sample.draws if draw.id)
    again = [name for name, times in ids.items() if times > 1]
    if again:
        problems.append(Problem("", f"{len(again)} answers came more than once, such as {again[0]}"))
    if sample.counted is not None:
        own, answered = sum(sample.counted.values()), _answered(sample)
        if own < answered:
            problems.append(
                Problem("", f"{answered} requests were answered, the backends counted {own}: a cache")
            )
    return problems


def _answered(sample: Sample) -> int:
    return sum(not draw.refused for draw in sample.draws)


def tells_of_caches(sample: Sample) -> bool:
    """Whether anything in the sample could tell of a cache: counts, headers or ids."""
    return sample.counted is not None or any(draw.cached or draw.id for draw in sample.draws)


def tells_of_tries(sample: Sample) -> bool:
    """Whether anything in the sample could tell of another try: counts of these alone, or headers."""
    return (sample.counted is not None and sample.exact) or any(draw.tells_tries for draw in sample.draws)


def require_answers(sample: Sample) -> None:
    """Raises Untestable where no draw was answered: nothing is said of answers then."""
    if not _answered(sample):
        refused = next((draw.refused for draw in sample.draws if draw.refused), "none was made")
        raise Untestable(f"no draw was answered: {refused}", "see BACKEND-BAL-002")


def by_value(draws: Sequence[Draw], key: str) -> dict[str, Counter[str]]:
    """Value of a key -> who served the draws with it."""
    found: dict[str, Counter[str]] = {}
    for draw in draws:
        value = draw.features.get(key)
        if value is not None:
            found.setdefault(value, Counter())[draw.served] += 1
    return found


def counts_text(counts: Mapping[str, int]) -> str:
    """``a 3, b 2``."""
    return ", ".join(f"{name} {number}" for name, number in sorted(counts.items())) or "nothing"


def table(found: Mapping[str, Mapping[str, int]]) -> str:
    """The values of a key and who served them, for people."""
    return "; ".join(f"{value}: {counts_text(counts)}" for value, counts in sorted(found.items()))
