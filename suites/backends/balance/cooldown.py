"""Shares that are not the declared ones, or a deployment that was cooling down?

A deployment that answered somebody else with an error is left out for a while (LiteLLM: 5 s), and the
others get its share: a sample of half a second then proves of a right gateway that its shares are wrong.
So nobody is accused by one sample. A second one is drawn once what cooled down must be back, and in
blocks that are each as long as a cooldown: what is left out in one block by chance serves in another.
Only what both samples show, in the same direction in every block, is no cooldown.
"""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field

from gateway_acceptance.balance.sequential import Trial
from gateway_acceptance.environment import ModelKind
from gateway_acceptance.plugin.counterexample import seed_of_the_run
from gateway_acceptance.plugin.targets import Target
from suites.backends.balance.evaluation import Judged, shown
from suites.backends.balance.probes import COMPANY, PARAMETER, STREAM, rounds
from suites.backends.balance.sample import MOST_UNKNOWN, Draw, drawn, little_evidence
from suites.backends.balance.witness import who_of

BLOCKS = 6
"""Of the second sample, where everybody served. A right gateway of which one deployment cools down at any
time is hardly ever off in the same direction in all six and rejected by the shares as well
(tests/unit/test_balance_cooldown)."""
BLOCKS_OF_SILENCE = 12
"""Where somebody never served: that one would have to cool down again at each of twelve moments."""
TIMES = 2
"""As many draws as the first sample: what one shows, the other shall not miss."""
SLACK = 1.2
"""Of the declared cooldown: a router takes what cooled down back a little later."""
LONGEST_S = 90.0
"""The second sample takes no longer; where the declared cooldown is too long for that, nobody is accused."""


@dataclass(frozen=True, slots=True)
class Second:
    """The second sample. blocks: who served in each, in the order of sending; unknown: why it cannot tell,
    empty where it can; seconds: how long it took."""

    blocks: list[list[str]] = field(default_factory=list)
    unknown: str = ""
    seconds: float = 0.0

    @property
    def served(self) -> list[str]:
        """Who served, all blocks one after the other."""
        return [one for block in self.blocks for one in block]


def explained(first: Judged, second: Second) -> str:
    """Why a cooldown may explain what the first sample shows, in words; empty where it does not."""
    if first.trial.unexpected:
        return ""  # who is not declared serves in nobody's stead
    if second.unknown:
        return second.unknown
    trial = Trial(first.null, first.trial.design)
    for one in second.served[: first.trial.design.most_draws]:
        trial.observe(one)
    counts = shown(Counter(second.served))
    if trial.unexpected:
        return ""
    if trial.rejected_at is None:
        return f"a second sample, drawn later over {second.seconds:.0f} s, does not show it: {counts}"
    if not constant(first, second.blocks):
        return f"in a second sample, over {second.seconds:.0f} s, it changes from block to block: {counts}"
    return ""


def constant(first: Judged, blocks: Sequence[Sequence[str]]) -> bool:
    """Whether the identity that is farthest off in the first sample is off in the same direction in every
    block."""
    counts, total = Counter(first.trial.counts), Counter(first.trial.counts).total()
    shares = first.null.shares

    def off(name: str) -> float:
        """Standard errors from the declared share; a share of zero that served is off without end."""
        error = math.sqrt(total * shares[name] * (1 - shares[name]))
        far = abs(counts[name] - shares[name] * total)
        return far / error if error else (math.inf if far else 0.0)

    name = max(shares, key=off)
    more = counts[name] > shares[name] * total
    seen = [(Counter(block)[name], shares[name] * len(block)) for block in blocks if block]
    return bool(seen) and all(served > expected if more else served < expected for served, expected in seen)


def second_sample(target: Target, alias: str, first: Judged) -> Second:
    """Drawn once per run, after what cooled down must be back; by requests one after the other."""
    found = target.once_per_run(f"second sample of {alias}", lambda: asdict(_drawn(target, alias, first)))
    return Second(**found)


def _drawn(target: Target, alias: str, first: Judged) -> Second:
    cooldown_s = target.environment.outage.cooldown_s * SLACK
    silent = any(share > 0 and not first.trial.counts[name] for name, share in first.null.shares.items())
    blocks = BLOCKS_OF_SILENCE if silent else BLOCKS
    if cooldown_s * (blocks + 1) > LONGEST_S:
        blocks = int(LONGEST_S / cooldown_s) - 1
    if blocks < BLOCKS:
        return Second(
            unknown=f"a cooldown of {target.environment.outage.cooldown_s:g} s is declared: a second sample "
            f"that tells it from wrong shares would take more than {LONGEST_S:g} s"
        )
    begun = time.monotonic()
    pause(cooldown_s)
    ask = _asking(target, alias, first.sample.mark)
    draws = min(TIMES * len(first.sample.draws), first.trial.design.most_draws)
    made: list[list[str]] = []
    with little_evidence(target):
        for number in range(blocks):
            starts = begun + cooldown_s * (number + 1)
            wanted = draws * (number + 1) // blocks - draws * number // blocks
            block: list[Draw] = []
            for place in range(wanted):
                pause(starts + cooldown_s * place / wanted - time.monotonic())
                block.append(ask())
                lost = [draw.refused for draw in block if not draw.served]
                if len(lost) >= MOST_UNKNOWN:
                    return Second(unknown=f"draws of a second sample had no answer: {lost[0]}")
            made.append([draw.served for draw in block if draw.served])
    return Second(made, seconds=time.monotonic() - begun)


def _asking(target: Target, alias: str, mark: str) -> Callable[[], Draw]:
    group = target.environment.group(alias)
    who = who_of(target, group)
    requests = (one for batch in rounds(seed_of_the_run() + 1) for one in batch)

    def ask() -> Draw:
        one = next(requests)
        features = one.features | {COMPANY: "no"}
        if group.kind is ModelKind.EMBEDDING:
            features |= {PARAMETER: None, STREAM: None}
            return drawn(target.gateway, one.embedding_body(alias, mark), features, who, agent=one.client)
        return drawn(target.gateway, one.body(alias, mark), features, who, agent=one.client)

    return ask


def pause(seconds: float) -> None:
    """Let time pass between draws, as the plan of the sample says; an interrupt ends it."""
    if seconds > 0:
        threading.Event().wait(seconds)


def in_words(second: Second) -> str:
    """What the second sample showed, for the message of a failure."""
    return (
        f"a second sample, later and over {second.seconds:.0f} s, shows the same in each of "
        f"{len(second.blocks)} blocks: {shown(Counter(second.served))}"
    )
