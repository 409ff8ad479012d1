"""What a plan says of requests whose number chance or time decides."""

from __future__ import annotations

import pytest

from gateway_acceptance.costs import Priced
from gateway_acceptance.plan import PlanLine
from gateway_acceptance.plan_ranges import between
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.ledger import tokens_served
from gateway_acceptance.wire.meter import Chance, Meter
from tests.unit.declared import environment


@pytest.mark.parametrize(
    ("decides", "told", "expected"),
    [
        (Chance.SOAK, 0, (2, 200)),
        (Chance.SAMPLE, 0, (150, 500)),
        (Chance.GENERATED, 0, (160, 160)),
        (Chance.SECOND_BACKEND, 0, (0, 18)),  # two of the same share: 2 * 0.5 ** 18 < 1e-5
        (Chance.WAIT, 17, (0, 17)),
    ],
)
def test_bounds_are_of_the_environment(decides: Chance, told: int, expected: tuple[int, int]) -> None:
    there = environment(
        soak={"requests": 200, "failing": 50}, balance={"most_draws": 500, "independence_draws": 150}
    )
    assert between(decides, told, there) == expected


def test_a_line_tells_what_is_certain_and_what_is_not() -> None:
    there = environment(balance={"most_draws": 500, "independence_draws": 150})
    line = PlanLine()
    line.add(Priced(10, 100, 50), "plain", there)
    line.add(
        Priced(203, 2030, 406, drawn={Chance.SAMPLE: 200}, most={}), "sample of balanced", there
    )  # three others beside
    assert (line.requests, line.most) == (10 + 153, 10 + 503)
    assert (line.tokens, line.most_tokens, line.served) == (100 + 1530, 100 + 5030, 50 + 406)
    assert line.drawn == [("sample of balanced", 150, 500)]


def test_the_meter_tells_them_apart() -> None:
    meter = Meter()
    meter.sent(5)
    with meter.sharing("it"):
        meter.sent(5)
        with meter.chance(Chance.WAIT, 9):
            meter.sent(5)
            with meter.chance(Chance.SAMPLE, 7):  # within another: the outer one counts
                meter.sent(5)
        meter.sent(5)
        with meter.chance(Chance.WAIT, 9):
            pass
    cost = meter.shared["it"]
    assert (cost.requests, cost.drawn, cost.most) == (4, {Chance.WAIT: 2}, {Chance.WAIT: 18})
    assert (meter.case.requests, meter.case.drawn) == (1, {})


def test_what_was_not_made_is_of_who_asked() -> None:
    meter = Meter()

    def break_off() -> None:
        with meter.sharing("it"), meter.chance(Chance.WAIT, 4):
            meter.sent(1)
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        break_off()
    assert (meter.case.requests, meter.case.drawn, meter.case.most) == (
        1,
        {Chance.WAIT: 1},
        {Chance.WAIT: 4},
    )


def test_a_stream_took_the_words_of_its_tools_too() -> None:
    asked = b'{"messages": [{"content": "Go."}], "tools": [{"name": "look_up"}]}'
    exchange = Exchange("POST", "http://a/v1/chat/completions", (), asked)
    body = b'data: {"choices": [{"delta": {"tool_calls": [{"function": {"arguments": "{"}}]}}]}\n\n'
    answer = exchange.answered(status=200, headers=(), chunks=((0.0, body),), elapsed_s=1.0)
    assert tokens_served(answer, 500) == 1 + 2 + 11


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"usage": {"total_tokens": 7}}', 7),
        (b'{"choices": []}', 500),  # it does not tell: all that was reserved
        (b'data: {"choices": [{"delta": {"content": "a"}}]}\n\n' * 4 + b"data: [DONE]\n\n", 4 + 3),
        (b'data: {"choices": [{"delta": {"content": ""}}]}\n\n', 500),
        (b'data: {"choices": [{"delta": {"content": "a"}}]}\n\n' * 900, 500),
    ],
)
def test_what_an_answer_took(body: bytes, expected: int) -> None:
    asked = b'{"messages": [{"role": "user", "content": "Say it."}], "stream": true}'
    exchange = Exchange("POST", "http://a/v1/chat/completions", (), asked)
    answer = exchange.answered(status=200, headers=(), chunks=((0.0, body),), elapsed_s=1.0)
    assert tokens_served(answer, 500) == expected
