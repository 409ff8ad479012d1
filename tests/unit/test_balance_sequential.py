"""The sequential test: its arithmetic, its outcomes, and that it keeps its promises over many runs."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterable

import pytest

from bench.balance_draws import CLEAR, MOST_OF_FIXED, rows
from gateway_acceptance.balance.expected_shares import ExpectedShares
from gateway_acceptance.balance.interval import interval
from gateway_acceptance.balance.operating import Simulator, operating, simulated
from gateway_acceptance.balance.plan import imbalanced
from gateway_acceptance.balance.sequential import Design, SequentialDecision, Trial
from tests.unit.balance_reference import SCIPY

THIRDS = (1 / 3, 1 / 3, 1 / 3)
TWO = (1 / 3, 2 / 3)
RUNS = 10_000


def design(shares: tuple[float, ...] = THIRDS, **given: float) -> Design:
    values = {"alpha": 0.01, "power": 0.9, "tolerance": 0.15, "most_draws": 200, **given}
    return Design(shares, values["alpha"], values["power"], values["tolerance"], int(values["most_draws"]))


def trial(drawn: Iterable[str], shares: tuple[float, ...] = THIRDS, **given: float) -> Trial:
    null = ExpectedShares("g", dict(zip("abc", shares, strict=False)), "")
    found = Trial(null, design(shares, **given))
    for identity in drawn:
        if found.observe(identity) is not None:
            break
    return found


def test_the_e_process_is_scipys() -> None:
    for counts, shares, concentration, expected in SCIPY["log_e"]:
        made = design(tuple(shares))
        object.__setattr__(made, "concentration", concentration)
        assert made.log_e(counts) == pytest.approx(expected, rel=1e-7, abs=1e-7)


def test_the_e_process_is_a_martingale() -> None:
    """Its mean over every possible sequence is 1, at any number of draws."""
    made = design((0.5, 0.3, 0.2))
    for draws in (1, 2, 6):
        mean = sum(
            math.prod(made.shares[place] for place in drawn)
            * math.exp(made.log_e([drawn.count(place) for place in range(3)]))
            for drawn in itertools.product(range(3), repeat=draws)
        )
        assert mean == pytest.approx(1)


def test_a_factor_is_the_step_of_the_e_process() -> None:
    made = design((0.5, 0.3, 0.2))
    step = math.log(made.factor(4, 9, 0.3))
    assert step == pytest.approx(made.log_e([3, 5, 2]) - made.log_e([3, 4, 2]))


def test_an_interval_ends_where_scipys_mixture_reaches_the_level() -> None:
    """At each share SciPy says whether the mixture martingale has reached 1/level; so must the interval."""
    for count, draws, one, other, share, log_e in SCIPY["log_beta_e"]:
        low, high = interval(count, draws, one / (one + other), 0.01, one + other)
        assert (low <= share <= high) == (log_e < math.log(100))
    assert interval(0, 0, 0.5, 0.01, 2) == (0, 1)


def test_an_interval_ends_where_a_flat_mixture_reaches_the_level() -> None:
    """The mean of q^x (1-q)^(n-x) over all q is x! (n-x)! / (n+1)!."""
    count, draws, level = 7, 20, 0.02
    mixture = 1 / ((draws + 1) * math.comb(draws, count))
    for end in interval(count, draws, 0.5, level, 2.0):
        assert end**count * (1 - end) ** (draws - count) == pytest.approx(mixture * level)


def test_an_interval_covers_the_truth_at_all_draws_together() -> None:
    chance, missed, runs = random.Random(8), 0, 400
    for _ in range(runs):
        count = 0
        for drawn in range(1, 41):
            count += chance.random() < 0.3
            low, high = interval(count, drawn, 0.3, 0.25, 2.0)
            if not low <= 0.3 <= high:
                missed += 1
                break
    assert 10 < missed <= 0.25 * runs


def test_the_intervals_of_a_trial_share_alpha() -> None:
    found = trial("a")
    made = found.design
    assert found.intervals["a"] == pytest.approx(interval(1, 1, 1 / 3, made.alpha / 3, made.concentration))


def test_the_intervals_of_a_trial_only_shrink() -> None:
    found, before = trial([]), 1.0
    for identity in "abcabcabbccaabc":
        found.observe(identity)
        low, high = found.intervals["a"]
        assert high - low <= before
        before = high - low
    assert 0.2 < before < 0.8


def test_shares_that_are_none() -> None:
    for shares in ((0.5, 0.4), (1.5, -0.5), ()):
        with pytest.raises(ValueError, match="probabilities that sum to 1"):
            design(shares)
    with pytest.raises(ValueError, match="other shares than the null"):
        Trial(ExpectedShares("g", {"a": 0.5, "b": 0.5}, ""), design())


def test_the_three_outcomes_in_words() -> None:
    passed = trial(itertools.cycle("abc"))
    assert passed.outcome is SequentialDecision.PASSED
    assert passed.sentence().startswith(
        f"every share is within 15% points of its declared one; after {passed.draws}"
    )
    failed = trial(itertools.cycle("a"))
    assert failed.outcome is SequentialDecision.FAILED
    assert "a 11 (declared 33.3%, 3" in failed.sentence()
    undecided = trial(["a", "b", "c"] * 10, most_draws=30)
    assert undecided.outcome is SequentialDecision.INCONCLUSIVE
    assert undecided.sentence().startswith(
        "the declared shares are neither excluded nor shown after 30 draws"
    )


def test_who_is_not_declared_or_has_no_share_fails_at_once() -> None:
    ghost = trial(["a", "ghost"])
    assert (ghost.outcome, ghost.draws) == (SequentialDecision.FAILED, 2)
    assert ghost.sentence().startswith("ghost served, which is not declared")
    none = trial(["a", "a", "b"], (1.0, 0.0))
    assert (none.outcome, none.draws, none.path[-1]) == (SequentialDecision.FAILED, 3, math.inf)
    assert "e-value infinite" in none.sentence()


def test_every_draw_counts_up_to_the_last_one() -> None:
    """A failure stays one; who serves late is seen; a pass must hold at the end."""
    failed = trial(itertools.cycle("a"))
    assert failed.rejected_at == 11
    for identity in "bc" * 30:
        failed.observe(identity)
    assert (failed.outcome, failed.draws) == (SequentialDecision.FAILED, 71)
    assert "proven after 11" in failed.sentence()

    late = trial(itertools.cycle("abc"))
    assert late.outcome is SequentialDecision.PASSED
    assert late.observe("ghost") is SequentialDecision.FAILED
    assert "ghost served, which is not declared (1 of" in late.sentence()

    drifted = trial(itertools.cycle("abc"), most_draws=400)
    for _ in range(30):
        drifted.observe("a")
    assert drifted.outcome is not SequentialDecision.PASSED


def test_beyond_its_draws_a_test_does_not_go_on() -> None:
    ended = trial(["a", "b", "c"] * 10, most_draws=30)
    with pytest.raises(ValueError, match="has had its 30 draws"):
        ended.observe("a")


@pytest.mark.parametrize(("shares", "tolerance"), [(TWO, 0.2), ((0.1, 0.9), 0.3), (THIRDS, 0.25)])
def test_within_is_walds_ratio_on_every_side(shares: tuple[float, ...], tolerance: float) -> None:
    made = design(shares, tolerance=tolerance, power=0.95)
    drawn, verdicts = 45, []
    for count in range(drawn + 1):
        rest = drawn - count
        counts = [count, rest] if len(shares) == 2 else [count, rest // 2, rest - rest // 2]
        expected = all(
            seen * math.log(share) + (drawn - seen) * math.log(1 - share) + math.log(0.05)
            >= log_likelihood(seen, drawn, wrong)
            for seen, share in zip(counts, shares, strict=True)
            for wrong in (min(share + tolerance, 1), max(share - tolerance, 0))
        )
        assert made.within(counts) == expected, counts
        verdicts.append(expected)
    assert set(verdicts) == {True, False}


def log_likelihood(count: int, drawn: int, share: float) -> float:
    """Of a share that may be 0 or 1: those are excluded for good by a single draw that they forbid."""
    if share in (0, 1):
        return math.inf if count == drawn * share else -math.inf
    return count * math.log(share) + (drawn - count) * math.log(1 - share)


def test_who_never_served_is_never_within_the_tolerance() -> None:
    """A tolerance above the share itself would let a dead backend pass."""
    made = design((0.1, 0.9), tolerance=0.3, most_draws=10_000)
    assert not made.within([0, 500])
    assert made.within([50, 450])
    assert not design((0.9, 0.1), tolerance=0.3).within([500, 0])


def test_a_simulated_run_decides_as_a_trial() -> None:
    made = design()
    simulator = Simulator(made)
    for seed in range(40):
        outcome, draws = simulator.run((0.5, 0.3, 0.2), random.Random(seed))
        drawn = random.Random(seed).choices("abc", weights=(0.5, 0.3, 0.2), k=200)
        found = trial(drawn)
        assert (outcome, draws) == (found.outcome, found.draws)


def test_computed_and_simulated_agree() -> None:
    made = design(TWO, tolerance=0.3, most_draws=60)
    computed, seen = operating(made, (0.6, 0.4)), simulated(made, (0.6, 0.4), runs=RUNS, seed=2)
    assert computed.exact
    assert not seen.exact
    assert computed.passed + computed.failed + computed.inconclusive == pytest.approx(1)
    assert seen.failed == pytest.approx(computed.failed, abs=0.015)
    assert seen.passed == pytest.approx(computed.passed, abs=0.015)
    assert seen.mean_draws == pytest.approx(computed.mean_draws, abs=0.6)


@pytest.mark.parametrize("shares", [THIRDS, (0.7, 0.2, 0.1)])
def test_false_alarms_stay_below_alpha(shares: tuple[float, ...]) -> None:
    """Passing is put out of reach, so that every run may raise an alarm up to its last draw."""
    made = design(shares, alpha=0.05, power=1 - 1e-12, most_draws=150)
    seen = simulated(made, shares, runs=RUNS, seed=1)
    assert seen.passed == 0
    assert 0.005 < seen.failed <= 0.05


@pytest.mark.parametrize("by", [0.15, -0.15])
def test_what_is_out_of_tolerance_passes_at_most_as_declared(by: float) -> None:
    """Failing is put out of reach, so that every run may pass up to its last draw."""
    made = design(alpha=1e-12, power=0.9, most_draws=300)
    seen = simulated(made, imbalanced(THIRDS, 0, by), runs=RUNS, seed=4)
    assert 0.01 < seen.passed <= 0.1


@pytest.mark.parametrize(
    ("declared", "actual"),
    [(THIRDS, (0.6, 0.2, 0.2)), ((1 / 3, 2 / 3), (0.6, 0.4)), ((2 / 3, 1 / 3), (0.4, 0.6))],
    ids=["three told apart", "two of them on one backend", "the other way round"],
)
def test_60_20_20_is_found_within_200_draws(declared: tuple[float, ...], actual: tuple[float, ...]) -> None:
    """Whether the witness tells all three apart or sees two of them as one."""
    made = design(declared, alpha=0.001, most_draws=200)
    seen = simulated(made, actual, runs=RUNS, seed=6)
    assert seen.failed >= 0.95
    assert seen.mean_draws < 100


def test_clear_faults_take_a_part_of_a_fixed_tests_draws() -> None:
    table = {row.fault: row for row in rows(runs=400)}
    assert {fault for fault in CLEAR if table[fault].part > MOST_OF_FIXED} == set()
    assert all(table[fault].failed == 1 for fault in CLEAR)
    assert table["at the tolerance"].failed >= 0.9
    assert table["healthy"].failed <= 0.005
