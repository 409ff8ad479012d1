"""Shares that are not the declared ones, or a deployment that was cooling down?

A deployment that answered somebody else with an error is left out for a while (LiteLLM: 5 s), and the
others get its share: a sample of half a second then proves of a right gateway that its shares are wrong,
that they changed, or that neighbours are alike more often than by chance. So nobody is accused by one
sample. A second one is drawn once what cooled down must be back, and in blocks that are each as long as a
cooldown: what is left out in one block by chance serves in another. Only what both samples show, in the
same direction in every block, is no cooldown. For the order of the draws the blocks are bursts, each
shorter than a cooldown and judged by its own counts (``order``).
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field

from gateway_acceptance.balance.expected_shares import ExpectedShares
from gateway_acceptance.balance.fixed import chi2_sf
from gateway_acceptance.balance.second_look import LEAST_BLOCKS, LONGEST_S, SLACK, blocks_in, second_draws
from gateway_acceptance.balance.sequential import Design
from gateway_acceptance.environment import ModelKind
from gateway_acceptance.plugin.counterexample import seed_of_the_run
from gateway_acceptance.plugin.targets import Target
from suites.backends.balance.evaluation import Evaluation, counts_text
from suites.backends.balance.probes import CONCURRENCY, PARAMETER, STREAM, rounds
from suites.backends.balance.sample import MOST_UNKNOWN, Draw, drawn, little_evidence, pause
from suites.backends.balance.witness import who_of

EXCEPTIONS = 1
"""Blocks that may be off in the other direction by chance."""
CONFIRMS = 0.01
"""How improbable the second sample must be of a right gateway. The first one has had its alpha."""
VARIES = 0.001
"""Blocks that differ so improbably from each other are those of a cooldown: wrong shares stay the same."""


@dataclass(frozen=True, slots=True)
class Second:
    """The second sample. blocks: who served in each, in the order of sending; unknown: why it cannot tell,
    empty where it can; seconds: how long it took; refused: what draws got instead of an answer; spans: how
    many seconds each block took, where that is known."""

    blocks: list[list[str]] = field(default_factory=list)
    unknown: str = ""
    seconds: float = 0.0
    refused: list[str] = field(default_factory=list)
    spans: list[float] = field(default_factory=list)

    @property
    def served(self) -> list[str]:
        """Who served, all blocks one after the other."""
        return [one for block in self.blocks for one in block]


def explained(first: Evaluation, second: Second) -> str:
    """Why a cooldown may explain the shares of the first sample, in words; empty where it does not. One that
    comes back again and again is another question (``recurring``)."""
    if first.trial.unexpected:
        return ""  # who is not declared serves in nobody's stead
    return _explained(first, Counter(first.trial.counts), second)


def explained_change(first: Evaluation, second: Second) -> str:
    """Why a cooldown may explain that shares changed within the first sample: what came later did not
    stay. Empty where the second sample shows it still."""
    return _explained(first, later_half(first), second)


def later_half(first: Evaluation) -> Counter[str]:
    """Who served in the second half of a sample that changed; nobody whose absence is the change."""
    draws = first.sample.draws
    later = Counter(draw.served for draw in draws[len(draws) // 2 :])
    if first.dependence.silent:
        later = Counter({name: n for name, n in later.items() if name not in first.dependence.silent})
    return later


def _explained(first: Evaluation, counts: Counter[str], second: Second) -> str:
    if second.unknown:
        return second.unknown
    served = second.served
    seen = counts_text(Counter(served))
    proven = shown_by(first.null, first.trial.design, served)
    if proven is None:
        return ""  # now somebody serves who is not declared
    if not proven:
        return f"a second sample, drawn later over {second.seconds:.0f} s, does not show it: {seen}"
    if not constant(first.null, counts, second.blocks):
        return f"in a second sample, over {second.seconds:.0f} s, it changes from block to block: {seen}"
    return ""


def too_seldom(null: ExpectedShares, counts: Counter[str]) -> set[str]:
    """Who must be out for the identity that is farthest off: itself, or all that serve less than declared."""
    name, more = farthest(null, counts)
    total = counts.total()
    return {name} if not more else {one for one, share in null.shares.items() if counts[one] < share * total}


def shown_by(null: ExpectedShares, design: Design, served: Sequence[str]) -> bool | None:
    """Whether these draws show that the shares are not the declared ones, with an error of ``CONFIRMS``;
    None where somebody served who is not declared."""
    counts, proven = dict.fromkeys(null.shares, 0), False
    for one in served:
        if one not in counts:
            return None
        counts[one] += 1
        proven = proven or design.log_e(list(counts.values())) >= -math.log(CONFIRMS)
    return proven


def constant(null: ExpectedShares, counts: Counter[str], blocks: Sequence[Sequence[str]]) -> bool:
    """Whether the identity that is farthest off by these counts is off in the same direction in every
    block but one, and the blocks do not differ from each other."""
    name, more = farthest(null, counts)
    seen = [(Counter(block)[name], null.shares[name] * len(block)) for block in blocks if block]
    same = sum(served > expected if more else served < expected for served, expected in seen)
    return bool(seen) and same >= len(seen) - EXCEPTIONS and alike(blocks) > VARIES


def farthest(null: ExpectedShares, counts: Counter[str]) -> tuple[str, bool]:
    """The identity that is farthest off by these counts, and whether it serves more than declared."""
    total, shares = counts.total(), null.shares

    def off(name: str) -> float:
        """Standard errors from the declared share; a share of zero that served is off without end."""
        error = math.sqrt(total * shares[name] * (1 - shares[name]))
        far = abs(counts[name] - shares[name] * total)
        return far / error if error else (math.inf if far else 0.0)

    name = max(shares, key=off)
    return name, counts[name] > shares[name] * total


def alike(blocks: Sequence[Sequence[str]]) -> float:
    """How probable it is that blocks of the same shares differ so much or more (chi-square). Who serves less
    than once in a block on average is counted with others like that, or not at all."""
    total = Counter(one for block in blocks for one in block)
    rare = {name for name, number in total.items() if number < len(blocks)}
    few = sum(total[name] for name in rare) < len(blocks)
    rows = [
        Counter("" if one in rare else one for one in block if one not in rare or not few)
        for block in blocks
        if block
    ]
    pooled = sum(rows, Counter[str]())
    if len(pooled) < 2:
        return 1.0
    drawn, statistic = pooled.total(), 0.0
    for row in rows:
        for name, number in pooled.items():
            expected = row.total() * number / drawn
            statistic += (row[name] - expected) ** 2 / expected
    return chi2_sf(statistic, (len(rows) - 1) * (len(pooled) - 1))


def second_sample(target: Target, alias: str, first: Evaluation) -> Second:
    """Drawn once per run, after what cooled down must be back; by requests one after the other."""
    wanted = Wanted(second_draws(len(first.sample.draws), first.trial.design.most_draws))
    return drawn_once(target, alias, first, "second sample", wanted)


@dataclass(frozen=True, slots=True)
class Wanted:
    """draws: of all blocks together; paced: spread over each block, or all at its beginning."""

    draws: int
    paced: bool = True


def drawn_once(target: Target, alias: str, first: Evaluation, name: str, wanted: Wanted) -> Second:
    """Blocks of draws, made once per run under this name. Raises NotPermitted."""
    found = target.once_per_run(f"{name} of {alias}", lambda: asdict(_drawn(target, alias, first, wanted)))
    return Second(**found)


def too_long(target: Target) -> str:
    """Why nothing can be told where too few blocks fit."""
    return (
        f"a cooldown of {target.environment.outage.cooldown_s:g} s is declared: a second sample "
        f"that tells it from wrong shares would take more than {LONGEST_S:g} s"
    )


def _drawn(target: Target, alias: str, first: Evaluation, wanted: Wanted) -> Second:
    cooldown_s = target.environment.outage.cooldown_s * SLACK
    blocks = blocks_in(cooldown_s)
    if blocks < LEAST_BLOCKS:
        return Second(unknown=too_long(target))
    begun = time.monotonic()
    pause(cooldown_s)
    ask = _asking(target, alias, first.sample.mark)
    made: list[list[str]] = []
    refused: list[str] = []
    spans: list[float] = []
    with little_evidence(target):
        for number in range(blocks):
            starts = begun + cooldown_s * (number + 1)
            share = wanted.draws * (number + 1) // blocks - wanted.draws * number // blocks
            block: list[Draw] = []
            opened = max(starts, time.monotonic())
            for place in range(share):
                later = cooldown_s * place / share if wanted.paced else 0.0
                pause(starts + later - time.monotonic())
                block.append(ask())
                lost = [draw.refused for draw in block if not draw.served]
                if len(lost) >= MOST_UNKNOWN:
                    return Second(unknown=f"draws of a second sample had no answer: {lost[0]}")
            spans.append(time.monotonic() - opened)
            refused += [draw.refused for draw in block if draw.refused]
            made.append([draw.served for draw in block if draw.served])
    return Second(made, seconds=time.monotonic() - begun, refused=refused, spans=spans)


def _asking(target: Target, alias: str, mark: str) -> Callable[[], Draw]:
    group = target.environment.group(alias)
    who = who_of(target, group)
    requests = (one for batch in rounds(seed_of_the_run() + 1) for one in batch)

    def ask() -> Draw:
        one = next(requests)
        features = one.features | {CONCURRENCY: "no"}
        if group.kind is ModelKind.EMBEDDING:
            features |= {PARAMETER: None, STREAM: None}
            return drawn(target.gateway, one.embedding_body(alias, mark), features, who, agent=one.client)
        return drawn(target.gateway, one.body(alias, mark), features, who, agent=one.client)

    return ask


def in_words(second: Second) -> str:
    """What the second sample showed, for the message of a failure."""
    return (
        f"a second sample, later and in {len(second.blocks)} blocks over {second.seconds:.0f} s, shows the "
        f"same: {counts_text(Counter(second.served))}"
    )
