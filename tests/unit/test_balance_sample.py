"""What a sample proves and what forbids to judge it; what is asked, and who is believed to have served it."""

from __future__ import annotations

import itertools
import json
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import pytest

from gateway_acceptance.balance.expected_shares import ExpectedShares
from gateway_acceptance.balance.sequential import Design, SequentialDecision
from gateway_acceptance.verdict import CheckFailed, Inconclusive, Untestable
from gateway_acceptance.wire.deployments import Listed
from gateway_acceptance.wire.exchange import Exchange
from suites.backends.balance.account import account, in_words
from suites.backends.balance.evaluation import (
    at_their_limits,
    by_value,
    from_a_cache,
    judged,
    require_answers,
    require_premises,
    table,
    tells_of_caches,
    tells_of_tries,
    tried_again,
)
from suites.backends.balance.probes import (
    ALONE,
    BATCHES,
    CONCURRENCY,
    CONNECTION,
    KEYS,
    LENGTH,
    STREAM,
    TEXT,
    TEXTS,
    TOGETHER,
    USER,
    BalanceQuestion,
    rounds,
)
from suites.backends.balance.sample import Draw, Sample
from suites.backends.balance.witness import deployment_named, identity
from tests.unit.declared import environment

NULL = ExpectedShares("both", {"one": 0.5, "two": 0.5}, "halves")
DESIGN = Design((0.5, 0.5), 0.001, 0.9, 0.2, 400)
NO_KEYS = dict.fromkeys(KEYS)
ID = "chatcmpl-0123456789abcdef"
Route = Callable[[BalanceQuestion, int, random.Random], str]


def sampled(route: Route, draws: int = 150, seed: int = 4) -> Sample:
    """Requests as a run makes them, served by a route."""
    chance = random.Random(seed)
    asked = itertools.islice(itertools.chain.from_iterable(rounds(seed)), draws)
    return Sample([Draw(one.features, route(one, number, chance)) for number, one in enumerate(asked)])


def by_chance(asked: BalanceQuestion, number: int, chance: random.Random) -> str:
    return chance.choice(("one", "two"))


def seen(*served: str, counted: dict[str, int] | None = None, exact: bool = True, **more: Any) -> Sample:
    return Sample([Draw(NO_KEYS, one, **more) for one in served], counted, exact)


def test_what_is_asked_is_the_same_for_the_same_seed() -> None:
    one, same, other = (
        [batch for batch, _ in zip(rounds(seed), range(60), strict=False)] for seed in (1, 1, 2)
    )
    assert one == same != other


def test_a_round_has_requests_alone_and_at_the_same_time() -> None:
    sizes = [len(batch) for batch, _ in zip(rounds(1), range(ALONE + BATCHES), strict=False)]
    assert sizes == [1] * ALONE + [TOGETHER] * BATCHES
    batch = next(batch for batch in rounds(1) if len(batch) > 1)
    assert {one.features[CONCURRENCY] for one in batch} == {"yes"}
    assert {one.features[CONNECTION] for one in batch} == {None}


def test_every_key_is_varied_and_the_body_is_as_its_features_say() -> None:
    asked = list(itertools.islice(itertools.chain.from_iterable(rounds(1)), 200))
    for key in KEYS:
        assert len({one.features[key] for one in asked} - {None}) >= 2, key
    for one in asked:
        body = one.body("g", "mark-1")
        assert body["messages"][0]["content"] == f"mark-1 {TEXTS[one.text]}"
        assert body["max_tokens"] == 1
        assert (body.get("stream") is True) == (one.features[STREAM] == "streamed")
        assert body.get("user", "none") == one.features[USER]
    embedding = asked[0].embedding_body("e", "mark-1")
    assert set(embedding) - {"user"} == {"model", "input", "encoding_format"}


def test_a_right_gateway_passes_and_depends_on_nothing() -> None:
    for seed in range(20):
        found = judged(sampled(by_chance, seed=seed), NULL, DESIGN)
        assert found.trial.outcome is SequentialDecision.PASSED
        assert found.dependence.found == {}


LIMITED = replace(NULL, limits={"one": 600, "two": 10})


def limited(seed: int, *, every_s: float) -> Sample:
    """What a right gateway with pre-call checks does: whoever reached its rpm within a minute is left out."""
    chance, draws = random.Random(seed), list[Draw]()
    for number, asked in enumerate(itertools.islice(itertools.chain.from_iterable(rounds(seed)), 60)):
        now = number * every_s
        last = Counter(draw.served for draw in draws if draw.at > now - 60)
        left = [name for name, most in LIMITED.limits.items() if last[name] < most]
        draws.append(Draw(asked.features, chance.choice(left), at=now))
    return Sample(draws)


def test_a_deployment_at_its_limit_decides_nothing() -> None:
    """It is left out for the rest of the minute: what is seen then are not the shares."""
    alarms = 0
    for seed in range(20):
        quick = limited(seed, every_s=0.1)
        with pytest.raises(Inconclusive, match="two served 10 requests within a minute, its rpm"):
            judged(quick, LIMITED, DESIGN)
        alarms += judged(quick, NULL, DESIGN).trial.outcome is SequentialDecision.FAILED
    assert alarms > 2  # as often a right gateway was blamed


def test_a_limit_that_is_not_reached_forbids_nothing() -> None:
    """Ten in a minute are none in ten minutes; with an rpm of 0 nobody is ever drawn."""
    slow = limited(1, every_s=20.0)
    assert at_their_limits(slow, LIMITED) == []
    require_premises(slow, LIMITED)
    assert len(at_their_limits(slow, replace(NULL, limits={"one": 0, "two": 1}))) == 2


def test_wrong_shares_are_no_dependence() -> None:
    found = judged(sampled(lambda *given: given[2].choice(("one",) * 4 + ("two",))), NULL, DESIGN)
    assert found.trial.outcome is SequentialDecision.FAILED
    assert found.dependence.found == {}


@pytest.mark.parametrize("key", [key for key in KEYS if key != TEXT])
def test_the_key_that_decides_is_found(key: str) -> None:
    """Its first value goes to one; of a text also its length would tell."""

    def decided(asked: BalanceQuestion, number: int, chance: random.Random) -> str:
        value = asked.features[key]
        return (
            "one"
            if value in (None, "long", "none", "streamed", "anna", "curl/8.5.0", "first", "yes")
            else "two"
        )

    found = judged(sampled(decided), NULL, DESIGN)
    assert key in found.dependence.found
    assert max(found.dependence.found, key=found.dependence.log_e) == key


def test_who_served_is_leaks_of_answer_value() -> None:
    sample = sampled(lambda asked, *_: "one" if asked.features[LENGTH] == "long" else "two")
    told = by_value(sample.draws, LENGTH)
    assert set(told["long"]) == {"one"}
    assert table(told).startswith("long: one ")
    assert sum(by_value(sample.draws, CONNECTION)["first"].values()) < 150


def test_nothing_between_is_no_problem() -> None:
    for right in (seen("one", "two", counted={"one": 1, "two": 1}), seen("one", "two", id="")):
        assert tried_again(right) == from_a_cache(right) == []
        require_premises(right, NULL)


@pytest.mark.parametrize(
    ("sample", "said"),
    [
        (seen("one", "one", counted={"one": 3}), "2 requests were sent, the backends counted 3: retries"),
        (seen("one", retries=1), "the gateway says of 1 answers that it tried more than once"),
        (seen("one", fallbacks=2), "the gateway says of 1 answers that another alias gave them"),
        (seen("one", "one", counted={"one": 1}), "2 requests were answered, the backends counted 1: a cache"),
        (seen("one", "two", id=ID), f"1 answers came more than once, such as {ID}"),
        (seen("one", cached="x-cache: HIT"), "1 answers came from a cache, they say: x-cache: HIT"),
    ],
)
def test_a_premise_that_does_not_hold_forbids_to_judge(sample: Sample, said: str) -> None:
    assert said in [problem.message for problem in (*tried_again(sample), *from_a_cache(sample))]
    with pytest.raises(Inconclusive, match="a premise does not hold"):
        require_premises(sample, NULL)


def test_other_requests_in_a_count_are_no_retries() -> None:
    assert tried_again(seen("one", counted={"one": 9}, exact=False)) == []


def test_draws_without_an_answer() -> None:
    refused = Draw(NO_KEYS, refused="got 503: busy")
    with pytest.raises(Inconclusive, match=r"1 of 2 draws had no answer: .*cooling down; got 503: busy"):
        require_premises(Sample([Draw(NO_KEYS, "one"), refused]), NULL)
    with pytest.raises(CheckFailed, match="both is not balanced: nobody serves it; got 503: busy"):
        require_premises(Sample([refused, refused]), NULL)


def test_a_witness_that_is_silent_or_lies_is_not_believed() -> None:
    with pytest.raises(Untestable, match=r"no witness says who served both: .* absent from 1 of 2"):
        require_premises(seen("one", ""), NULL)
    with pytest.raises(
        Untestable, match="the witnesses disagree: the headers say one 2, the backends counted two 2"
    ):
        require_premises(seen("one", "one", counted={"two": 2}), NULL)
    with pytest.raises(Untestable, match="headers contradict each other: x means y"):
        require_premises(seen("one", contradiction="x means y"), NULL)


def test_the_deployment_is_named_by_its_id_and_the_list() -> None:
    group = environment().group("both")
    entries = {"1": Listed("both", "one", "tiny:latest", "1"), "2": Listed("other", "two", "tiny:2b", "2")}

    def named(number: str, served_by: str = "") -> tuple[str, str]:
        headers = (("x-id", number),) if number else ()
        answer = Exchange("POST", "u", (), b"", 200, headers, served_by=served_by)
        return deployment_named(answer, "x-id", entries, group)

    assert named("1", "one") == ("one/tiny", "")
    assert named("2", "two") == ("two/tiny:2b", "")
    assert named("") == ("", "")
    assert named("3") == ("the unknown deployment 3", "")
    assert named("1", "two") == ("one/tiny", "x-id means one, the other header two")
    assert identity(group, "two", "vast") == "two/vast"


def test_what_is_told_of_a_judgement() -> None:
    found = judged(sampled(by_chance), NULL, DESIGN)
    facts = account(found, environment())
    assert facts["null hypothesis"] == "halves"
    assert facts["alpha"].startswith(
        "0.001 for these shares; all statistical tests of a run together: 0.00031"
    )
    assert facts["draws"].startswith("150, all of them judged")
    undecided = judged(Sample(sampled(by_chance).draws[:5]), NULL, DESIGN)
    assert "raise balance.most_draws" in in_words(undecided, environment())


def test_what_workers_hand_each_other_is_the_same_sample() -> None:
    kept = Sample([Draw(NO_KEYS, "one", id=ID)], {"one": 1}, exact=True)
    document = json.loads(json.dumps(asdict(kept)))
    assert Sample(**{**document, "draws": [Draw(**draw) for draw in document["draws"]]}) == kept


def test_what_was_never_answered_is_no_green() -> None:
    """Of caches and other tries nothing is seen then, whatever was counted."""
    with pytest.raises(Untestable, match=r"no draw was answered: got 503: busy; see BACKEND-BAL-002"):
        require_answers(Sample([Draw(NO_KEYS, refused="got 503: busy")] * 3, {"one": 9}, exact=True))
    require_answers(Sample([Draw(NO_KEYS, "one"), Draw(NO_KEYS, refused="x")]))


@pytest.mark.parametrize(
    ("sample", "caches", "tries"),
    [
        (Sample([Draw(NO_KEYS, "one")]), False, False),
        (Sample([Draw(NO_KEYS, "one", id=ID)]), True, False),
        (Sample([Draw(NO_KEYS, "one", cached="x-cache: hit")]), True, False),
        (Sample([Draw(NO_KEYS, "one", tells_tries=True)]), False, True),
        (Sample([Draw(NO_KEYS, "one")], {"one": 1}, exact=True), True, True),
        (Sample([Draw(NO_KEYS, "one")], {"one": 4}, exact=False), True, False),
    ],
)
def test_what_could_tell_of_a_cache_or_of_another_try(sample: Sample, caches: bool, tries: bool) -> None:
    assert (tells_of_caches(sample), tells_of_tries(sample)) == (caches, tries)
