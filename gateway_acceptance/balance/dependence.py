"""Does who serves depend on anything? Routing may be wrong although its proportions are right.

The null hypothesis: whatever the shares are, they are the same for every draw. Against it stands, pattern by
pattern, that each *context* has shares of its own: who served last (sticky, or in turns), some turns ago
(round-robin), before or after a moment (drift), or a key that the caller names (the content, the connection).

Each is a Dirichlet-multinomial mixture for every context, divided by the likelihood of the shares that fit
all draws best (universal inference: Wasserman, Ramdas and Balakrishnan, PNAS 2020). The best fit is at least
as likely as the true shares, so this is never more than a test martingale: it reaches 1/alpha with a
probability of at most alpha, at any time. Shares that are not the declared ones raise no alarm here: they are
the business of the other test.

Beside it stands a bet against the declared shares: who served last, or a favourite of each value of a key,
serves in so many of the requests in any case (``favourites``, one parameter); until a moment the declared
shares hold, and others after it. It finds the same in fewer draws; it counts where the shares are not shown
to be others. At the sample's end two things are looked at once: the number of neighbours alike
(``fixed.runs_test``, exact given the counts), and who has not served for how many draws (exact under the
declared shares). The tests of a pattern share its alpha in equal parts.

Keys must come by chance, several times each: in turns they would make keyed routing look like round-robin.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Hashable, Iterable, Mapping, Sequence

from gateway_acceptance.balance.expected_shares import ExpectedShares
from gateway_acceptance.balance.favourites import Favourites
from gateway_acceptance.balance.fixed import runs_test

LONGEST_CYCLE = 12
"""Turns after which a round-robin begins anew, at most: 12 covers weights such as 3:2:1 (6) and 5:4:3."""
TESTS_OF_A_PATTERN = 3
"""Two bets, and for order and time a look at the sample's end."""
MOMENTS = 10
"""Draws between the moments at which routing may have changed."""
PRIOR = 0.5
"""Of each share in the mixture (Jeffreys): any is valid, this one is near to "all or nothing" as well."""

ORDER = "order"
DRIFT = "time"
SERIAL = (ORDER, DRIFT)
"""The patterns that need no key."""
STICKY, ROUND_ROBIN = "sticky", "in turns"
"""The two ways to depend on the order."""


class _Contexts:
    """Draws by context. Only draws that have one are counted, in every part of the quotient."""

    def __init__(self, kinds: int) -> None:
        self._kinds = kinds
        self._seen: dict[Hashable, list[int]] = {}
        self._pooled = [0] * kinds
        self._log_mixture = 0.0

    def observe(self, context: Hashable, place: int) -> None:
        counts = self._seen.setdefault(context, [0] * self._kinds)
        self._log_mixture += math.log((counts[place] + PRIOR) / (sum(counts) + PRIOR * self._kinds))
        counts[place] += 1
        self._pooled[place] += 1

    @property
    def log_e(self) -> float:
        return self._log_mixture - _best_fit(self._pooled)


class _Moments:
    """Draws before and after each moment; the earlier the moment, the more is bet on it."""

    def __init__(self, shares: Sequence[float]) -> None:
        self._logs, self._drawn = [math.log(share) for share in shares], 0
        self._all, self._declared = _Mixture(len(shares)), 0.0
        # of all before the moment: the log of the mixture, and of the declared shares
        self._after: list[tuple[float, float, _Mixture]] = []

    def observe(self, place: int) -> None:
        if self._drawn and self._drawn % MOMENTS == 0:
            self._after.append((self._all.log, self._declared, _Mixture(len(self._logs))))
        for *_, mixture in self._after:
            mixture.observe(place)
        self._all.observe(place)
        self._declared += self._logs[place]
        self._drawn += 1

    @property
    def log_e(self) -> float:
        bets = [
            before + mixture.log - math.log(number * (number + 1))
            for number, (before, _, mixture) in enumerate(self._after, 1)
        ]
        rest = self._all.log - math.log(len(self._after) + 1)
        return _log_sum([*bets, rest]) - _best_fit(self._all.counts)

    @property
    def log_tied(self) -> float:
        """The bet against the declared shares: they hold until a moment, any others after it."""
        bets = [
            before + mixture.log - self._declared - math.log(number * (number + 1))
            for number, (_, before, mixture) in enumerate(self._after, 1)
        ]
        return _log_sum([*bets, -math.log(len(self._after) + 1)])


class _Mixture:
    """The Dirichlet-multinomial probability of a sequence, its logarithm."""

    def __init__(self, kinds: int) -> None:
        self.counts, self.log = [0] * kinds, 0.0

    def observe(self, place: int) -> None:
        self.log += math.log((self.counts[place] + PRIOR) / (sum(self.counts) + PRIOR * len(self.counts)))
        self.counts[place] += 1


class Dependence:
    """A test under way: tell it who served each request, in the order in which they were sent.

    alpha: of all patterns together, shared by them in equal parts; keys: the names of what requests are keyed
    by, known before the first; serial: whether order and time are looked at. found: pattern -> the number of
    draws after which it was proven, whatever the shares are; tied: the same by the tests against the declared
    shares, which prove something only where these hold; silent: who has served none of so many last draws,
    where that proves it.
    """

    def __init__(
        self, null: ExpectedShares, alpha: float, keys: Sequence[str] = (), *, serial: bool = True
    ) -> None:
        self.null, self.alpha, self._keys = null, alpha, tuple(keys)
        self.patterns = (*(SERIAL if serial else ()), *keys)
        self._place = {name: place for place, (name, share) in enumerate(_serving(null))}
        kinds = len(self._place)
        shares = [share for _, share in _serving(null)]
        self._favourites = {name: Favourites(shares) for name in keys}
        if serial and len(shares) > 1:
            self._favourites[ORDER] = Favourites(shares, fixed={place: place for place in range(kinds)})
        self.row: list[str] = []
        self._keyed = {name: _Contexts(kinds) for name in keys}
        self._turns = [_Contexts(kinds) for _ in range(LONGEST_CYCLE)]
        self._moments = _Moments(shares)
        self._last = dict.fromkeys(self._place, 0)
        self.history: list[str] = []
        self.draws = 0
        self.found: dict[str, int] = {}
        self.tied: dict[str, int] = {}
        self.silent: dict[str, int] = {}
        self.largest = dict.fromkeys(self.patterns, 0.0)
        self.largest_tied = dict.fromkeys(self.patterns, 0.0)

    @property
    def alpha_of_each(self) -> float:
        """Of one pattern, over its tests."""
        return self.alpha / len(self.patterns)

    @property
    def threshold(self) -> float:
        """What the logarithm of an e-value of a pattern must reach (natural): a third of its alpha for
        each of two bets, and a third for the look at the end."""
        return math.log(TESTS_OF_A_PATTERN / self.alpha_of_each)

    def observe(
        self, identity: str, keys: Mapping[str, Hashable] | None = None, *, alone: bool = True
    ) -> None:
        """One more draw. A key of None: it has none, and the pattern lets it pass. alone: no other
        request was under way, so that it has a place in the order.

        Identities with a share of zero, or none, are the business of the other test, and pass by here.
        Raises ValueError where a key is missing.
        """
        given = keys or {}
        if set(given) != set(self._keys):
            raise ValueError(f"each draw needs the keys {self._keys}, got {tuple(given)}")
        place = self._place.get(identity)
        if place is None:
            return
        for name, value in given.items():
            if value is not None:
                self._keyed[name].observe(value, place)
                self._favourites[name].observe(value, place)
        if not alone:
            self.interrupt()
        if self.history and ORDER in self._favourites:
            last = self._place[self.history[-1]]
            self._favourites[ORDER].observe(last, place)
        for turns, contexts in enumerate(self._turns, 1):
            if len(self.history) >= turns:
                contexts.observe(self.history[-turns], place)
        self._moments.observe(place)
        if alone:
            self.history.append(identity)
            self.row.append(identity)
        else:
            self.interrupt()
        self.draws += 1
        self._last[identity] = self.draws
        for pattern in self.patterns:
            value, tied = self.log_e(pattern), self.log_tied(pattern)
            self.largest[pattern] = max(self.largest[pattern], value)
            self.largest_tied[pattern] = max(self.largest_tied[pattern], tied)
            if value >= self.threshold:
                self.found.setdefault(pattern, self.draws)
            if tied >= self.threshold:
                self.tied.setdefault(pattern, self.draws)

    def end(self) -> None:
        """The sample is complete: neighbours alike, and who has not served for long, are looked at once."""
        if DRIFT in self.patterns:
            self._check_silence()
        if ORDER not in self.patterns or len(set(self.row)) < 2:
            return
        few, many = runs_test(self.row)
        if 2 * min(few, many) <= self.alpha_of_each / TESTS_OF_A_PATTERN:
            self.found.setdefault(ORDER, self.draws)

    def _check_silence(self) -> None:
        """By chance somebody serves none of the last n draws with a probability of (1 - share)^n."""
        shares = dict(_serving(self.null))
        level = self.alpha_of_each / TESTS_OF_A_PATTERN / max(1, len(shares))
        for name, last in self._last.items():
            gap = self.draws - last
            if gap and (1 - shares[name]) ** gap <= level:
                self.silent[name] = gap
                self.tied.setdefault(DRIFT, self.draws)

    def interrupt(self) -> None:
        """The next draw does not follow the last one: others came between, in an order nobody knows."""
        self.history.clear()

    def log_e(self, pattern: str) -> float:
        """Evidence for a pattern at this draw: the natural logarithm of its e-value."""
        if pattern == ORDER:
            last, *earlier = (contexts.log_e for contexts in self._turns)
            return _log_sum([last, _log_sum(earlier) - math.log(len(earlier))]) - math.log(2)
        if pattern == DRIFT:
            return self._moments.log_e
        return self._keyed[pattern].log_e

    def log_tied(self, pattern: str) -> float:
        """The same of the bet against the declared shares; 0 where there is none."""
        if pattern == DRIFT:
            return self._moments.log_tied
        bet = self._favourites.get(pattern)
        return bet.log_e if bet is not None else 0.0


def way_of(sequence: Sequence[str]) -> str:
    """Draws that depend on their order: more or fewer neighbours alike than by chance."""
    drawn = len(sequence)
    alike = sum(one == other for one, other in itertools.pairwise(sequence))
    pairs = drawn * (drawn - 1) / 2
    chance = sum(math.comb(sequence.count(name), 2) for name in set(sequence)) / pairs if pairs else 1.0
    return STICKY if alike > chance * max(0, drawn - 1) else ROUND_ROBIN


def _serving(null: ExpectedShares) -> list[tuple[str, float]]:
    return [(name, share) for name, share in null.shares.items() if share > 0]


def _best_fit(counts: Iterable[int]) -> float:
    """The log likelihood of the shares that fit best."""
    present = [count for count in counts if count]
    drawn = sum(present)
    return sum(count * math.log(count / drawn) for count in present)


def _log_sum(logs: Sequence[float]) -> float:
    highest = max(logs)
    return highest + math.log(math.fsum(math.exp(one - highest) for one in logs))
