"""A deployment that is taken out again as soon as it is back accuses no right gateway, whatever the weights
and orders; shares that are wrong in every piece do."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from gateway_acceptance.balance.cooled import Cooling, cooling_of, outs
from gateway_acceptance.balance.dependence import Dependence
from gateway_acceptance.balance.expected_shares import ExpectedShares, UndefinedSharesError, WitnessResolution
from gateway_acceptance.balance.plan import design_of
from gateway_acceptance.balance.second_look import BLOCKS, SLACK, second_draws
from gateway_acceptance.balance.sequential import SequentialDecision, Trial
from gateway_acceptance.environment import Balance
from gateway_acceptance.verdict import Inconclusive
from suites.backends.balance import recurring, test_shares
from suites.backends.balance.cooldown import Second, explained, too_seldom
from suites.backends.balance.evaluation import Evaluation
from suites.backends.balance.recurring import comes_back, pieces, recurrence, unexplained
from suites.backends.balance.sample import Draw, Sample
from tests.unit.declared import environment

COOLDOWN_S, DRAW_S = 5.0, 0.01
LONG = {"alpha": 1e-4, "tolerance": 0.15, "most_draws": 700}


def cooling_of_shares(null: ExpectedShares) -> Cooling:
    """Of a group whose every identity is one deployment, with its share for a weight."""
    shares, left = list(null.shares.values()), {}
    for out in outs(len(shares)):
        rest = [0.0 if place in out else share for place, share in enumerate(shares)]
        if not sum(rest):
            rest = [float(place not in out) for place in range(len(shares))]
        left[out] = tuple(share / sum(rest) for share in rest)
    return Cooling(tuple(null.shares), left)


class Router:
    """Draws by the shares among what is not cooling down, or by order; another client's request fails every
    so many seconds, and takes out whom it drew."""

    def __init__(
        self, seed: int, shares: Mapping[str, float], every_s: float, *, ordered: bool = False
    ) -> None:
        self._chance, self._shares, self._ordered = random.Random(seed), shares, ordered
        self._every_s, self._until = every_s, dict[str, float]()
        self._next = self._chance.random() * every_s

    def __call__(self, at: float) -> str:
        while self._next <= at:
            self._until[self._drawn(self._next)] = self._next + COOLDOWN_S
            self._next += self._every_s
        return self._drawn(at)

    def _drawn(self, at: float) -> str:
        left = [name for name in self._shares if self._until.get(name, 0.0) <= at] or list(self._shares)
        if self._ordered:
            return left[0]
        return self._chance.choices(left, [self._shares[name] for name in left])[0]


def accused(null: ExpectedShares, router: Any, balance: Mapping[str, Any]) -> tuple[bool, bool]:
    """Whether the first sample alone calls it unbalanced, and whether all looks together do; at the moments
    at which the suite makes them."""
    design, now = design_of(null, Balance(**balance), 1), 30.0
    trial, draws = Trial(null, design), list[Draw]()
    while len(draws) < design.most_draws and (trial.outcome is None or len(draws) < 120):
        draws.append(Draw({}, router(now)))
        trial.observe(draws[-1].served)
        now += DRAW_S
    if trial.outcome is not SequentialDecision.FAILED:
        return False, False
    first = Evaluation(Sample(draws), trial, Dependence(null, design.alpha))
    second = later(router, now, second_draws(len(draws), design.most_draws))
    missing = too_seldom(null, Counter(trial.counts))
    again = comes_back(missing, cooling_of_shares(null), second)
    return True, not (explained(first, second) or again)


def later(router: Any, begins: float, draws: int) -> Second:
    length, blocks = COOLDOWN_S * SLACK, []
    each = draws // BLOCKS
    for block in range(BLOCKS):
        starts = begins + length * (block + 1)
        blocks.append([router(starts + length * place / each) for place in range(each)])
    return Second(blocks)


GROUPS = {
    "90/10": {"one": 0.9, "two": 0.1},
    "5/1/1": {"one": 5 / 7, "two": 1 / 7, "three": 1 / 7},
    "two to one": {"one": 2 / 3, "two": 1 / 3},
    "halves": {"one": 0.5, "two": 0.5},
    "four": {"one": 0.55, "two": 0.15, "three": 0.15, "four": 0.15},
}


@pytest.mark.parametrize("every_s", [3.0, 5.0, 5.3, 6.0])
@pytest.mark.parametrize("name", GROUPS)
def test_another_client_that_fails_makes_no_right_gateway_fail_whatever_its_weights(
    name: str, every_s: float
) -> None:
    null = ExpectedShares("g", GROUPS[name], "")
    found = [accused(null, Router(seed, null.shares, every_s), {}) for seed in range(25)]
    assert [both for _, both in found] == [False] * 25


@pytest.mark.parametrize("every_s", [5.0, 5.3, 6.0])
def test_nor_where_the_second_serves_only_for_the_first(every_s: float) -> None:
    """An infinite e-value at the first draw, and again in the second sample: a share of zero serves."""
    null = ExpectedShares("g", {"one": 1.0, "two": 0.0}, "")
    found = [accused(null, Router(seed, null.shares, every_s, ordered=True), {}) for seed in range(25)]
    assert sum(alone for alone, _ in found) >= 20
    assert sum(both for _, both in found) == 0


@pytest.mark.parametrize(
    ("declared", "actual", "balance", "least"),
    [
        ((0.9, 0.1), (0.5, 0.5), {}, 18),
        ((0.9, 0.1), (0.3, 0.7), {}, 18),
        ((1.0, 0.0), (0.5, 0.5), {}, 17),
        ((5 / 7, 1 / 7, 1 / 7), (1, 1, 1), LONG, 17),
        ((0.1, 0.45, 0.45), (4, 3, 3), LONG, 17),
        ((2 / 3, 1 / 3), (0, 1), {}, 18),
        ((1 / 3, 1 / 3, 1 / 3), (0, 1, 1), {}, 18),
    ],
)
def test_what_is_wrong_in_every_piece_fails(
    declared: tuple[float, ...], actual: tuple[float, ...], balance: Mapping[str, Any], least: int
) -> None:
    null = ExpectedShares("g", {f"d{place}": share for place, share in enumerate(declared)}, "")
    failed = 0
    for seed in range(20):
        chance = random.Random(seed)
        failed += accused(null, lambda _, c=chance: c.choices(list(null.shares), actual)[0], balance)[1]
    assert failed >= least


def test_who_is_nearly_always_drawn_may_be_missing_all_the_time() -> None:
    """Of an order, and of nine in ten, nothing but a witness tells it from a gateway that skips them."""
    for shares in ({"one": 1.0, "two": 0.0}, {"one": 0.9, "two": 0.1}):
        assert accused(ExpectedShares("g", shares, ""), lambda _: "two", {}) == (True, False)


def test_the_chance_of_being_taken_out_counts_hits_one_after_the_other() -> None:
    cooling = cooling_of_shares(ExpectedShares("g", {"a": 0.5, "b": 0.3, "c": 0.2}, ""))
    assert cooling.chance(["a"]) == pytest.approx(0.5)
    assert cooling.chance(["a", "b"]) == pytest.approx(0.5 * 0.3 / 0.5 + 0.3 * 0.5 / 0.7)
    assert cooling.chance([]) == cooling.chance(["z"]) == 0
    standby = cooling_of_shares(ExpectedShares("g", {"a": 1.0, "b": 0.0}, ""))
    assert standby.chance(["a"]) == 1
    assert standby.chance(["b"]) == 0  # who does not serve cannot be missing


def declared(*members: Mapping[str, Any], version: str = "1.106.2") -> Any:
    return environment(
        gateway={
            "url": "http://127.0.0.1:4000", "key_variable": "K", "product": "litellm", "version": version
        },
        groups=[{"alias": "g", "deployments": [{"upstream": "t", **member} for member in members]}],
    )  # fmt: skip


def cooling(
    *members: Mapping[str, Any], witness: WitnessResolution = WitnessResolution.BACKEND, **given: str
) -> Cooling:
    made = declared(*members, **given)
    return cooling_of(made.group("g"), made.gateway, made.gateway.version, witness)


def test_what_is_left_is_read_as_the_router_reads_it() -> None:
    """Deployments that the witness takes for one cool down each for itself; orders and weights begin anew."""
    alike = cooling({"backend": "one"}, {"backend": "two"}, {"backend": "two", "upstream": "u"})
    assert alike.identities == ("one", "two", "two")
    assert alike.left[frozenset({1})] == pytest.approx((0.5, 0, 0.5))
    assert alike.chance(["two"]) == pytest.approx(1 / 3)
    fine = cooling({"backend": "one"}, {"backend": "two"}, witness=WitnessResolution.DEPLOYMENT)
    assert fine.identities == ("one/t", "two/t")
    ordered = cooling({"backend": "one", "order": 1}, {"backend": "two", "order": 2})
    assert ordered.left == {frozenset(): (1, 0), frozenset({0}): (0, 1), frozenset({1}): (1, 0)}
    zero = cooling({"backend": "one", "weight": 1}, {"backend": "two", "weight": 0})
    assert zero.left[frozenset({0})] == (0, 1)
    with pytest.raises(UndefinedSharesError):
        cooling({"backend": "one", "order": 1}, {"backend": "two"}, version="1.90.0")


def test_of_many_deployments_one_at_a_time_is_out() -> None:
    ten = cooling_of_shares(ExpectedShares("g", {f"d{place}": 0.1 for place in range(10)}, ""))
    assert len(ten.left) == 11
    assert ten.chance(["d1"]) == pytest.approx(0.1)


def test_pieces_tell_whether_somebody_comes_and_goes() -> None:
    """Wrong in all pieces alike; or in for a piece and out for the next ones; or hardly there at all."""
    router = cooling_of_shares(ExpectedShares("g", {"a": 0.9, "b": 0.1}, ""))
    for block, apart in (("ab" * 10, True), ("aaaaa" + "b" * 15, False), ("b" * 19 + "a", False)):
        second = Second([list(block)] * 12)
        assert unexplained({"a"}, router, second) is apart
        assert bool(comes_back({"a"}, router, second)) is not apart
    assert [len(one) for one in pieces("abcdefghij")] == [3, 3, 3, 1]
    seldom = cooling_of_shares(ExpectedShares("g", {"a": 0.3, "b": 0.7}, ""))
    assert comes_back({"a"}, seldom, Second([["b"] * 20] * 12)) == ""


def test_what_the_router_reads_is_asked_of_the_declaration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recurring, "witness_of", lambda _: WitnessResolution.BACKEND)
    for weight, said in (
        (1, ""),
        (9, "a failing request hits one with a probability of 90%, and may"),
    ):
        made = declared({"backend": "one", "weight": weight}, {"backend": "two", "weight": 1})
        null = ExpectedShares("g", {"one": weight / (weight + 1), "two": 1 / (weight + 1)}, "")
        first = Evaluation(Sample([]), Trial(null, design_of(null, Balance(), 1)), Dependence(null, 0.1))
        here: Any = SimpleNamespace(environment=made, preflight=lambda: SimpleNamespace(version="1.106.2"))
        told = recurrence(here, "g", first, {"two": 64}, Second([["two"] * 20] * 12, seconds=78))
        assert told.startswith(said)
        assert bool(told) == bool(said)
    assert told.endswith("a second sample, over 78 s, is what that may leave: two 240")


def test_one_backend_alone_may_stand_in_for_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(test_shares, "traced", lambda *_: SimpleNamespace(words="nobody tells"))
    made = declared({"backend": "one", "weight": 9}, {"backend": "two", "weight": 1})
    here: Any = SimpleNamespace(environment=made, preflight=lambda: SimpleNamespace(version=""))
    with pytest.raises(
        Inconclusive, match=r"served by two; a failing request hits one .*90%.*; nobody tells"
    ):
        test_shares._require_no_recurrence(here, "g", Counter(two=268), {"one"}, 72.0)
    test_shares._require_no_recurrence(here, "g", Counter(one=268), {"two"}, 72.0)
