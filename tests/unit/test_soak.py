"""Load that is held: what is asked, how it is judged, what it costs at the most."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from gateway_acceptance.costs import Priced
from gateway_acceptance.environment.soak import Soak
from gateway_acceptance.plan import PlanLine, held_there
from gateway_acceptance.plugin.limited import LIMITED as LIMITED_CAUSE
from gateway_acceptance.plugin.limited import unless_limited
from gateway_acceptance.plugin.outcome import outcome_of
from gateway_acceptance.verdict import CheckFailed, NoAnswer, NotPermitted, Verdict, require
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.meter import Chance
from lab.controls.warming import warming_up
from lab.message import Reply, Request
from lab.patience import patient
from suites.api.soak import test_soak as soak_checks
from suites.api.soak.hold import HeldAnswer, halves, held, held_answer, shown
from suites.api.soak.rules import failing, lost, refused_otherwise, slower
from suites.host.soak.rules import grows, more_memory, more_open_files, restarted, still_busy
from tests.unit.declared import environment

UNIT = "hx.service"
SERVED = HeldAnswer(200, 0.1, "")
REFUSED = HeldAnswer(404, 0.1, "no such model")
FAILED = HeldAnswer(500, 0.1, "boom")
LIMITED = HeldAnswer(429, 0.1, "slower")
SILENT = HeldAnswer(None, 3.0, "no answer within 3 s")
MUTE = HeldAnswer(200, 0.1, "{}", empty=True)


def exchange(status: int = 200) -> Exchange:
    return Exchange("POST", "http://h", (), b"", status, (), ((0.0, b"{}"),))


def test_every_place_has_a_request_under_way_and_no_more_are_sent_than_declared() -> None:
    under_way, most, lock = [0], [0], threading.Lock()
    together = threading.Barrier(4, timeout=patient(30))

    def ask() -> Exchange:
        with lock:
            under_way[0] += 1
            most[0] = max(most[0], under_way[0])
        together.wait()
        with lock:
            under_way[0] -= 1
        return exchange()

    with ThreadPoolExecutor(4) as pool:
        answers = held(pool, 4, (lambda: held_answer(ask),), 40)
    assert (len(answers), most[0]) == (40, 4)


def test_kinds_take_turns_and_answers_are_in_the_order_of_their_beginning() -> None:
    kinds = (lambda: HeldAnswer(400, 0.1, "", "one"), lambda: HeldAnswer(400, 0.1, "", "two"))
    with ThreadPoolExecutor(3) as pool:
        assert [one.kind for one in held(pool, 3, kinds, 5)] == ["one", "two", "one", "two", "one"]


def test_the_last_of_each_kind_are_evidence() -> None:
    served, refused = [exchange() for _ in range(5)], [exchange(400) for _ in range(3)]
    assert shown([*refused, *served]) == (*refused[-2:], *served[-2:])
    assert shown([*served, *refused]) == (refused[0], *refused[-2:])
    assert shown([]) == ()
    limited = exchange(429)
    assert shown([limited, *refused, *served]) == (limited, *refused[-2:], *served[-2:])


def test_none_is_begun_when_the_time_is_over() -> None:
    with ThreadPoolExecutor(2) as pool:
        assert held(pool, 2, (lambda: held_answer(exchange),), 40, until=0.0) == ()


def test_silence_is_an_answer_and_a_spent_budget_is_none() -> None:
    def silent() -> Exchange:
        raise NoAnswer("no answer within 1 s")

    def spent() -> Exchange:
        raise NotPermitted("the budget is used up")

    with ThreadPoolExecutor(2) as pool:
        assert {one.status for one in held(pool, 2, (lambda: held_answer(silent),), 4)} == {None}
        with pytest.raises(NotPermitted):
            held(pool, 2, (lambda: held_answer(spent),), 4)


def test_the_load_is_halved_whole() -> None:
    assert (halves(10), halves(11)) == ((5, 5), (6, 5))


def test_lost_requests_are_counted_by_kind() -> None:
    assert lost([SERVED] * 9, "requests") == []
    (problem,) = lost([SERVED, FAILED, FAILED, SILENT], "requests")
    assert "of 4 requests, 3 were not answered with 200: 2 times 500: boom; 1 times no answer" in str(problem)


@pytest.mark.parametrize(
    ("answers", "verdict"),
    [
        ([SERVED, LIMITED, LIMITED], Verdict.INCONCLUSIVE),
        ([SERVED, LIMITED, FAILED], Verdict.FAILED),
        ([SERVED, LIMITED, SILENT], Verdict.FAILED),
    ],
)
def test_a_limit_that_nobody_declared_is_one_inconclusive_cause_and_hides_none(
    answers: list[HeldAnswer], verdict: Verdict
) -> None:
    with pytest.raises(CheckFailed) as failure:
        require(lost(answers, "requests"), blame="gateway", judged={"requests": len(answers)})
    seen = shown([exchange(429), *[exchange(404)] * 9, *[exchange()] * 9])
    for judge in (soak_checks.test_none_fails, soak_checks.test_failing_requests_do_no_harm):
        check = next(mark.args[0] for mark in getattr(judge, "pytestmark", ()) if mark.name == "check")
        found = unless_limited(outcome_of(failure.value, "call"), seen, "http://h", check)
        assert (found.verdict, found.message == LIMITED_CAUSE) == (verdict, verdict is Verdict.INCONCLUSIVE)


def of_kind(kind: str, *statuses: int | None) -> list[HeldAnswer]:
    return [HeldAnswer(status, 0.1, "", kind) for status in statuses]


def test_a_refusal_stays_what_it_was_or_says_that_they_are_too_many() -> None:
    first = [*of_kind("model", 404, 400), *of_kind("json", 422)]
    assert refused_otherwise(first, [*of_kind("model", 404, 400, 429), *of_kind("json", 422)]) == []
    for wrong in (200, 500, 422, None):
        (problem,) = refused_otherwise(first, [*of_kind("model", 404, wrong), *of_kind("json", 422)])
        assert "of 2 requests of model, 1 were not answered with 400 or 404, as at first" in str(problem)
    assert len(refused_otherwise(of_kind("model", None), of_kind("model", None))) == 1


def test_what_was_served_is_no_failing_request() -> None:
    assert failing(of_kind("model", 200, 200)) == 0
    assert failing(of_kind("model", 200, 404, None)) == 2


@pytest.mark.parametrize(
    ("was", "now", "found"),
    [
        (0.1, 0.1, False),
        (0.1, 0.39, False),
        (0.1, 0.5, True),
        (1.0, 2.9, False),
        (1.0, 3.1, True),
        (2.0, 0.1, False),
    ],
)
def test_slower_by_the_medians(was: float, now: float, found: bool) -> None:
    first = [HeldAnswer(200, was, "")] * 6 + [HeldAnswer(200, 99.0, "")]
    then = [HeldAnswer(200, now, "")] * 6 + [FAILED]
    assert bool(slower(first, then, 3, "after")) is found
    assert slower([FAILED], then, 3, "after") == []
    assert slower([MUTE], then, 3, "after") == []


def test_a_success_without_an_answer_is_lost_and_no_measure() -> None:
    (problem,) = lost([SERVED, MUTE, SERVED], "requests under load")
    assert (
        "of 3 requests under load, 1 were answered without a word of a model: 1 times 200: {}"
        in problem.message
    )
    assert held_answer(exchange).empty, "{} holds no answer"
    assert not held_answer(lambda: exchange(500)).empty
    assert (SERVED.served, MUTE.served, FAILED.served, SILENT.served) == (True, False, False, False)


def snapshot(
    pid: int = 7, rss_mb: float = 300, files: int = 40, cpu_s: float = 10, at_s: float = 100
) -> dict[str, Any]:
    usage = {"rss_kb": int(rss_mb * 1024), "cpu_s": cpu_s, "at_s": at_s}
    return {"pid": pid, "open_files": files, "usage": usage}


def snapshots(half: dict[str, Any] | None = None, **last: Any) -> tuple[dict[str, Any], ...]:
    """At rest, half-way, busy, and at rest again, but for what is said of half-way and its end."""
    pid = last.get("pid", 7)
    middle: dict[str, Any] = {"cpu_s": 20.0, "at_s": 120.0, **(half or {})}
    end: dict[str, Any] = {"cpu_s": 30.1, "at_s": 142.0, **last}
    busy = snapshot(pid, cpu_s=30.0, at_s=140.0)
    return (snapshot(), snapshot(cpu_s=10.1, at_s=102), snapshot(**middle), busy, snapshot(**end))


def test_a_service_at_rest_is_as_it_was() -> None:
    seen, soak = snapshots({"rss_mb": 320, "files": 43}, rss_mb=340, files=45), Soak()
    assert restarted(seen, UNIT) == []
    assert more_memory(seen, soak, UNIT) == []
    assert more_open_files(seen, soak, UNIT) == []
    assert still_busy(seen, soak, UNIT) == []


def test_what_is_left_of_load_is_found() -> None:
    soak = Soak()
    memory = more_memory(snapshots({"rss_mb": 350}, rss_mb=400), soak, UNIT)
    assert "has 400 MiB after load and 100 refused requests, 350 half-way, 300 before" in str(memory[0])
    files = more_open_files(snapshots({"files": 90}, files=140), soak, UNIT)
    assert "has 140 after load and 100 refused requests, 90 half-way, 40 before" in str(files[0])
    assert "has 1.00 processors in use" in str(still_busy(snapshots(cpu_s=32.0), soak, UNIT)[0])
    assert "has 8, expected 7, as before the load" in str(restarted(snapshots(pid=8), UNIT)[0])
    assert "has 0, expected 7, as before the load" in str(restarted(snapshots(pid=0), UNIT)[0])


def test_what_warms_up_once_is_no_leak() -> None:
    """Of a right gateway: pools, caches and a model that a backend loads, before half of the load is over."""
    seen, soak = snapshots({"rss_mb": 1300, "files": 100}, rss_mb=1320, files=104), Soak()
    assert more_memory(seen, soak, UNIT) == []
    assert more_open_files(seen, soak, UNIT) == []


@pytest.mark.parametrize("warmed_by", [20, 60, 150, 340])
@pytest.mark.parametrize("size", [70.0, 300.0, 2_000.0])
def test_however_long_it_warms_up_it_is_no_leak_and_however_large_a_leak_is_one(
    warmed_by: int, size: float
) -> None:
    """700 requests, the look half-way after 350 of them: what is made by the first so many of them, each
    as much; and what every one of them leaves behind."""
    was, middle, now = (300 + size * min(1.0, done / warmed_by) for done in (0, 350, 700))
    assert not grows(was, middle, now, Soak().memory_mb)
    was, middle, now = (300 + size * done / 700 for done in (0, 350, 700))
    assert grows(was, middle, now, Soak().memory_mb)


def test_a_gateway_that_warms_up_is_slow_at_first_alone_and_one_after_the_other() -> None:
    hook, asks = (
        warming_up(lambda: 0.0),
        Request("POST", "/v1/chat/completions", (), b'{"max_tokens": 1}', True),
    )
    delays = [hook(asks, Reply(200, (), (b"{}",))).delay_s for _ in range(40)]
    assert delays[0] > 1.5 > delays[1]
    assert delays[39] == pytest.approx(40 * 0.01 + 1.5 * 0.9**39)
    other = replace(asks, body=b'{"max_tokens": 16}')
    assert hook(other, Reply(200, (), (b"{}",))).delay_s == 0


@pytest.mark.parametrize(
    ("was", "middle", "now", "found"),
    [
        (100, 150, 200, True),  # as much by each half
        (100, 180, 200, False),  # it warms up
        (100, 130, 164, False),  # within what is declared
        (100, 100, 165, True),
        (200, 150, 100, False),
    ],
)
def test_growth_goes_on(was: float, middle: float, now: float, found: bool) -> None:
    assert grows(was, middle, now, 64) is found


def test_a_plan_knows_the_bounds_of_a_soak() -> None:
    there = environment(soak={"requests": 200, "failing": 50, "concurrency": 4, "seconds": 20})
    most = 200 + 50 + 3 * 4 + 2 * 7
    assert there.soak.most_requests(8) == most
    price = held_there(Priced(136, 1360, seconds=5.0, drawn={Chance.SOAK: 60}), there)
    assert (price.requests, price.seconds) == (most - 200 + 60, 20)
    line = PlanLine()
    line.add(price, "soak", there)
    assert (line.requests, line.most, line.seconds) == (most - 200 + 2, most, 20)
    assert line.drawn == [("soak", 2, 200)]
