"""Is a group balanced as declared? A test that may stop early, over every draw that was made, with three
outcomes.

Failed: at any draw the Dirichlet-multinomial mixture e-process against the declared shares reached the
threshold (Lindon and Malek, NeurIPS 2022, arXiv 2011.03567), or somebody served who is not declared or
has a share of zero. By Ville's inequality a right gateway ever gets to 1/alpha with a probability of at
most alpha, however often one looks; where the possible counts are few, ``calibration`` computes the
smallest threshold that keeps this promise.

Passed: at the sample's end every share is shown to be nearer to its declared value than its tolerance.
The draws that are made in any case (``paid``) are looked at once they are all there, never before. Where
these are all draws, the test is exact: the counts that a share out of tolerance reaches with a
probability of at most 1 - power. Where the sample may go on, Wald's likelihood ratio of the declared
share against the nearest share out of tolerance must stand at 1/(1 - power) or more, which holds at any
draw. All shares must be shown, so a gateway with any share out of tolerance passes with a probability of
at most 1 - power (intersection-union test). A deployment that should serve and never did is out of every
tolerance.

Inconclusive: neither within the most draws.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from gateway_acceptance.balance.expected_shares import ExpectedShares
from gateway_acceptance.balance.interval import interval

WEAKEST_PRIOR, STRONGEST_PRIOR = 1.0, 1000.0
"""Bounds of the mixture's concentration: from "any shares" to "very near to the declared ones"."""


class SequentialDecision(StrEnum):
    """What the draws so far prove."""

    PASSED = "passed"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True)
class Design:
    """A test before its first draw. shares: declared probabilities, sum 1; alpha: of this group alone;
    power, tolerance, most_draws: as in ``[balance]``; paid: draws that are made whatever they show,
    looked at all together; relative: the tolerance of a share is no more than this part of it, None for
    no such limit; threshold: of the e-process (natural logarithm), ``-log(alpha)`` where None is given.
    Raises ValueError for shares that are none."""

    shares: tuple[float, ...]
    alpha: float
    power: float
    tolerance: float
    most_draws: int
    paid: int = 0
    relative: float | None = None
    threshold: float | None = None
    concentration: float = field(init=False)
    slopes: tuple[tuple[int, float, float], ...] = field(init=False)

    def __post_init__(self) -> None:
        if not self.shares or min(self.shares) < 0 or not math.isclose(sum(self.shares), 1, abs_tol=1e-9):
            raise ValueError(f"shares must be probabilities that sum to 1, got {self.shares}")
        # the mixture's typical deviation from the declared shares is the tolerance
        variance = sum(share * (1 - share) for share in self.shares) / len(self.shares)
        wanted = variance / self.tolerance**2 - 1
        object.__setattr__(self, "concentration", min(max(wanted, WEAKEST_PRIOR), STRONGEST_PRIOR))
        object.__setattr__(self, "slopes", tuple(_slopes(self.shares, self.tolerances)))

    @property
    def tolerances(self) -> tuple[float, ...]:
        """Of each share: the absolute one, or the relative one where that is smaller. A share of zero
        keeps the absolute one."""
        if self.relative is None:
            return (self.tolerance,) * len(self.shares)
        return tuple(
            min(self.tolerance, self.relative * share) if share else self.tolerance for share in self.shares
        )

    @property
    def promise(self) -> str:
        """What a pass says, in words."""
        part = "" if self.relative is None else f", or by {self.relative:.0%} of itself,"
        return f"no share is off by {self.tolerance:g}{part} or more"

    @property
    def limit(self) -> float:
        """What the e-process (natural logarithm) must reach to fail."""
        return -math.log(self.alpha) if self.threshold is None else self.threshold

    @property
    def is_fixed(self) -> bool:
        """Whether all draws are made whatever they show, so that passing is looked at once."""
        return self.paid >= self.most_draws

    def log_e(self, counts: Sequence[int]) -> float:
        """The e-process after these counts (one per share), natural logarithm; infinite where a share of
        zero was drawn."""
        total = math.lgamma(self.concentration) - math.lgamma(self.concentration + sum(counts))
        for share, count in zip(self.shares, counts, strict=True):
            if count and share == 0:
                return math.inf
            if count:
                prior = self.concentration * share
                total += math.lgamma(prior + count) - math.lgamma(prior) - count * math.log(share)
        return total

    def factor(self, count: int, drawn: int, share: float) -> float:
        """By how much one more draw of a share multiplies the e-process. count: its draws before; drawn: all
        draws before."""
        if share == 0:
            return math.inf
        return (self.concentration * share + count) / ((self.concentration + drawn) * share)

    def bounds(self, drawn: int) -> list[tuple[float, float]]:
        """For each share the counts (least, most) that show it within its tolerance after so many draws."""
        if self.is_fixed and drawn >= self.most_draws:
            return [
                exact_bounds(share, tolerance, drawn, 1 - self.power)
                for share, tolerance in zip(self.shares, self.tolerances, strict=True)
            ]
        enough = -math.log(1 - self.power)
        found = [(0.0, float(drawn)) for _ in self.shares]
        for place, hit, miss in self.slopes:
            least, most = found[place]
            if math.isinf(hit):
                least = max(least, 1.0)  # one draw proves that it serves at all
            elif hit > miss:
                least = max(least, (enough - drawn * miss) / (hit - miss))
            else:
                most = min(most, (drawn * miss - enough) / (miss - hit))
            found[place] = (least, most)
        return found

    def within(self, counts: Sequence[int]) -> bool:
        """Whether these counts show that every share is within the tolerance."""
        bounds = self.bounds(sum(counts))
        return all(least <= count <= most for count, (least, most) in zip(counts, bounds, strict=True))

    def decision(self, counts: Sequence[int]) -> SequentialDecision | None:
        """What these counts prove; None: draw again. Failed wins where both hold. Before the paid draws are
        there, nothing passes."""
        if self.log_e(counts) >= self.limit:
            return SequentialDecision.FAILED
        drawn = sum(counts)
        if drawn >= self.paid and self.within(counts):
            return SequentialDecision.PASSED
        return SequentialDecision.INCONCLUSIVE if drawn >= self.most_draws else None


def exact_bounds(share: float, tolerance: float, drawn: int, error: float) -> tuple[float, float]:
    """The counts (least, most) that a share out of tolerance reaches with a probability of at most ``error``,
    looked at once, after so many draws (exact binomial). A share that should serve must have served."""
    high, low = share + tolerance, share - tolerance
    least, most = (1.0 if share > 0 else 0.0), float(drawn)
    if low > 0:
        fewest = next((n for n in range(drawn + 1) if tail(n, drawn, low) <= error), drawn + 1)
        least = max(least, float(fewest))
    if high < 1:
        # P(count <= most) at the upper edge of the tolerance
        largest = next((n for n in range(drawn, -1, -1) if 1 - tail(n + 1, drawn, high) <= error), -1)
        most = float(largest)
    return least, most


def tail(count: int, drawn: int, share: float) -> float:
    """The probability of at least ``count`` of so many draws at this share (exact binomial)."""
    if count <= 0:
        return 1.0
    return math.fsum(
        math.comb(drawn, number) * share**number * (1 - share) ** (drawn - number)
        for number in range(count, drawn + 1)
    )


def _slopes(shares: Sequence[float], tolerances: Sequence[float]) -> list[tuple[int, float, float]]:
    """(place, gain of a draw of it, gain of another draw) of the log likelihood ratio, for each side that
    must be excluded. An infinite gain: one such draw excludes the side for good. A share of 1 instead of less
    is no side of its own: the others would have none, and that is one of theirs."""
    found = []
    for place, (share, tolerance) in enumerate(zip(shares, tolerances, strict=True)):
        high, low = share + tolerance, max(share - tolerance, 0.0)
        if high < 1:
            hit = math.log(share / high) if share else 0.0  # a draw of a zero share has failed already
            found.append((place, hit, math.log((1 - share) / (1 - high))))
        if share > 0:
            hit = math.log(share / low) if low else math.inf
            found.append((place, hit, math.log((1 - share) / (1 - low)) if share < 1 else 0.0))
    return found


@dataclass
class Trial:
    """A test under way: tell it who served each request, in order, until it has an outcome. What is drawn
    after that counts as well: a failure stays one, a pass must hold at the end.

    path: the logarithm of the e-process after each draw; rejected_at: the number of draws after which it had
    failed, None where it had not.
    """

    null: ExpectedShares
    design: Design
    counts: dict[str, int] = field(init=False)
    path: list[float] = field(init=False, default_factory=list)
    unexpected: list[str] = field(init=False, default_factory=list)
    rejected_at: int | None = field(init=False, default=None)
    _intervals: dict[str, tuple[float, float]] = field(init=False, repr=False)
    _unseen: list[tuple[int, ...]] = field(init=False, repr=False, default_factory=list)

    def __post_init__(self) -> None:
        if tuple(self.null.shares.values()) != self.design.shares:
            raise ValueError("the design is of other shares than the null hypothesis")
        self.counts = dict.fromkeys(self.null.shares, 0)
        self._intervals = dict.fromkeys(self.null.shares, (0.0, 1.0))

    @property
    def draws(self) -> int:
        """Draws that were evaluated, unexpected ones included."""
        return len(self.path)

    @property
    def outcome(self) -> SequentialDecision | None:
        """What all draws so far prove; None: draw again."""
        if self.rejected_at is not None:
            return SequentialDecision.FAILED
        return self.design.decision(list(self.counts.values())) if self.path else None

    def observe(self, identity: str) -> SequentialDecision | None:
        """One more draw: who served it. An identity that is not declared is a failure at once. Raises
        ValueError beyond the most draws: a test that goes on until it passes proves nothing."""
        if self.draws >= self.design.most_draws:
            raise ValueError(f"the test has had its {self.design.most_draws} draws; more do not count")
        if identity not in self.counts:
            self.unexpected.append(identity)
            self._rejected(math.inf)
            return self.outcome
        self.counts[identity] += 1
        counts = list(self.counts.values())
        log_e = self.design.log_e(counts)
        self._unseen.append(tuple(counts))
        if log_e >= self.design.limit:
            self._rejected(log_e)
        else:
            self.path.append(log_e)
        return self.outcome

    @property
    def intervals(self) -> dict[str, tuple[float, float]]:
        """Identity -> (low, high), a confidence sequence: all of them hold all the time together with a
        probability of at least 1 - alpha. What a draw excludes stays excluded."""
        level, found = self.design.alpha / len(self.counts), self._intervals
        for counts in self._unseen:
            for (name, share), count in zip(self.null.shares.items(), counts, strict=True):
                low, high = interval(count, sum(counts), share, level, self.design.concentration)
                found[name] = (max(low, found[name][0]), min(high, found[name][1]))
        self._unseen.clear()
        return found

    def _rejected(self, log_e: float) -> None:
        self.path.append(log_e)
        if self.rejected_at is None:
            self.rejected_at = len(self.path)

    @property
    def largest(self) -> float:
        """The e-process at its highest (natural logarithm)."""
        return max(self.path, default=0.0)

    def sentence(self) -> str:
        """What the draws prove, for people."""
        seen = ", ".join(
            f"{name} {count} (declared {share:.1%}, {self.intervals[name][0]:.1%} to "
            f"{self.intervals[name][1]:.1%})"
            for (name, count), share in zip(self.counts.items(), self.null.shares.values(), strict=True)
        )
        after = f"after {self.draws} draws: {seen}"
        if self.unexpected:
            first = self.unexpected[0]
            times = self.unexpected.count(first)
            return f"{first} served, which is not declared ({times} of {self.draws} draws); {after}"
        if self.rejected_at is not None:
            proven = "" if self.rejected_at == self.draws else f", proven after {self.rejected_at}"
            e_value = power_of_ten(self.largest)
            return f"the shares are not the declared ones (e-value {e_value}{proven}); {after}"
        if self.outcome is SequentialDecision.PASSED:
            own = "" if self.design.relative is None else f", and within {self.design.relative:.0%} of it"
            return (
                f"every share is within {self.design.tolerance:.0%} points of its declared one{own}; {after}"
            )
        return f"the declared shares are neither excluded nor shown {after}"


def power_of_ten(log_e: float) -> str:
    """An e-value from its natural logarithm."""
    return "infinite" if math.isinf(log_e) else f"10^{log_e / math.log(10):.1f}"
