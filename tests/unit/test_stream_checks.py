"""The stream checks without a network: every rule has its check, and pace is measured as it should be."""

from __future__ import annotations

import json
import re
from collections import Counter
from types import SimpleNamespace

import pytest

import suites.api.streams.test_rules  # noqa: F401 - declares the checks
from gateway_acceptance.verdict import CheckFailed, NotApplicable, Untestable
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.stream import RULES, read_chat_stream
from lab.faults.streams import STREAM_FAULTS
from suites.api.streams import test_text as streamed
from suites.api.streams.pace import (
    ArrivalTimes,
    buffers,
    bursts,
    largest_within,
    times_of_stream,
)
from suites.api.streams.probes import (
    CUT_TOKENS,
    Observed,
    StreamKind,
    require_unbroken,
    require_unfailed,
)
from suites.api.streams.rules import JUDGED, broken, stream_rule, subjects
from tests.unit.test_stream import BROKEN, FIRST, SSE, STOP, TEXT, body

EXCLUDED: dict[str, str] = {}
"""Rule -> why no check of its own judges it."""

ASKED = Exchange("POST", "http://127.0.0.1/v1/chat/completions", (), b"", status=200)


def seen(raw: bytes, status: int = 200, **options: object) -> Observed:
    stream = read_chat_stream(status, SSE, [(0.0, raw)], **options)  # type: ignore[arg-type]
    return Observed(StreamKind.PLAIN, Exchange("POST", "http://x", (), b"", status=status), stream)


def test_every_rule_has_exactly_one_check() -> None:
    judged = Counter(name for names in JUDGED.values() for name in names)
    assert {name: count for name, count in judged.items() if count > 1} == {}
    assert judged.keys() | EXCLUDED.keys() == RULES.keys()
    assert not judged.keys() & EXCLUDED.keys()
    assert all(EXCLUDED.values())


@pytest.mark.parametrize("rule", RULES)
def test_a_broken_rule_is_leaks_of_answer_its_check_alone(rule: str) -> None:
    case = BROKEN[rule]
    stream = read_chat_stream(case.status, case.headers, [(0.0, case.raw)], **case.options)
    observed = Observed(StreamKind.CUT, ASKED, stream)
    telling = {name for name, names in JUDGED.items() if broken([observed], names)}
    allowed = {name for name, names in JUDGED.items() if {rule, *case.also} & set(names)}
    assert telling == allowed
    problem = next(
        problem for names in JUDGED.values() for problem in broken([observed], names) if problem.rule == rule
    )
    assert problem.where.startswith("max_tokens stream, ")


def test_every_check_of_a_rule_has_a_fault_that_names_the_rule() -> None:
    kills = {check: pattern for fault in STREAM_FAULTS for check, pattern in fault.detected_by.items()}
    for check, names in JUDGED.items():
        assert all(name.replace(".", r"\.") in kills[check] for name in names)


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        (("stream.content.string",), "texts"),
        (("stream.data.surrogate", "stream.text.replacement"), "texts"),
        (("stream.data.json",), "chunks"),
        (("stream.finish.enum",), "finishes"),
    ],
)
def test_what_a_rule_judges_is_counted(names: tuple[str, ...], kind: str) -> None:
    speaking, silent = seen(body(FIRST, TEXT, STOP)), seen(body(FIRST, STOP))
    assert subjects([speaking], names)[kind] > 0
    assert (subjects([silent], names)[kind] == 0) == (kind == "texts")


def test_a_malformed_declaration_is_refused() -> None:
    with pytest.raises(ValueError, match="declared twice"):
        stream_rule("API-STREAM-002", "stream.status")
    with pytest.raises(ValueError, match="not of one level"):
        stream_rule("API-STREAM-999", "stream.status", "stream.event.unnamed")
    assert "API-STREAM-999" not in JUDGED


def test_what_did_not_come_whole_is_not_judged() -> None:
    require_unbroken(seen(body(FIRST, STOP)))
    require_unfailed(seen(body(FIRST, STOP)))
    with pytest.raises(Untestable, match="answered with 500; see API-STREAM-002"):
        require_unbroken(seen(b"{}", status=500))
    broke = Exchange("POST", "http://x", (), b"", status=200, error="the connection broke")
    with pytest.raises(Untestable, match=r"broke off .*; see API-STREAM-004"):
        require_unbroken(Observed(StreamKind.PLAIN, broke, read_chat_stream(200, SSE, [])))
    with pytest.raises(Untestable, match=r"gone.*; see API-STREAM-005"):
        require_unfailed(seen(body(FIRST, {"error": {"message": "gone"}}, done=False)))


@pytest.mark.parametrize(
    ("times", "window_s", "largest"),
    [((), 1.0, 0), ((1.0,), 0.0, 1), ((0.0, 0.5, 1.0, 1.1, 1.2), 0.2, 3), ((0.0, 1.0, 2.0), 5.0, 3)],
)
def test_the_largest_burst(times: tuple[float, ...], window_s: float, largest: int) -> None:
    assert largest_within(times, window_s) == largest


def pace(*times: float) -> ArrivalTimes:
    return ArrivalTimes(times, ASKED)


STEADY = pace(*(number / 50 for number in range(60)))


@pytest.mark.parametrize(
    ("gateway", "buffered", "in_a_burst"),
    [
        (STEADY, False, False),
        (pace(*(0.4 + number / 100 for number in range(60))), False, False),
        (pace(*(0.0 for _ in range(60))), True, True),
        (pace(0.0, *(1.2 for _ in range(59))), False, True),
        (pace(*(number // 15 * 0.3 for number in range(60))), False, False),
        (pace(), True, True),
    ],
)
def test_buffers_are_told_from_streams(gateway: ArrivalTimes, buffered: bool, in_a_burst: bool) -> None:
    assert (buffers(gateway, STEADY), bursts(gateway, STEADY)) == (buffered, in_a_burst)


def test_times_of_what_brings_text() -> None:
    frames = [body(item, done=False) for item in (FIRST, TEXT, TEXT, STOP)]
    chunks = [(float(at), frame) for at, frame in enumerate(frames)]
    stream = read_chat_stream(200, SSE, [*chunks, (9.0, b"data: [DONE]\n\ndata: [1]\n\n")])
    assert times_of_stream(stream) == (1.0, 2.0)


@pytest.mark.parametrize(
    ("whole", "tokens", "asked"),
    [
        ("HX-OK", 2, None),
        ("Hm, well, no.", 6, 3),
        ("Hm, well, no.", None, None),
        ("1 2 3 4 5 6 7 8 9", 9, 8),
    ],
)
def test_a_model_that_says_little_is_cut_where_it_can_be(
    whole: str, tokens: int | None, asked: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stream that ends with stop because the answer is over is no breach; half of it is asked for."""
    usage = {"usage": {"completion_tokens": tokens}} if tokens is not None else {}
    told = {"choices": [{"message": {"content": whole}, "finish_reason": "stop"}], **usage}
    twin = Exchange("POST", "http://x", (), b"", status=200, chunks=[(0.0, json.dumps(told).encode())])
    chunk = {"id": "1", "choices": [{"index": 0, "delta": {"content": whole}, "finish_reason": "stop"}]}
    first = seen(body(chunk))
    limits: list[int] = []

    def cut_at(_: object, limit: int) -> Observed:
        limits.append(limit)
        return first

    monkeypatch.setattr(streamed, "_seen", lambda *_: first)
    monkeypatch.setattr(streamed, "_twin", lambda _: twin)
    monkeypatch.setattr(streamed, "cut_at", cut_at)
    monkeypatch.setattr(streamed, "single_chat", lambda _: SimpleNamespace(alias="terse"))
    target = SimpleNamespace(environment=None)
    if isinstance(asked, int):
        assert streamed._cut(target) is first  # type: ignore[arg-type]
        assert limits == ([] if asked == CUT_TOKENS else [asked])
        return
    with pytest.raises(Untestable, match=r"terse says only .*: too little to be cut"):
        streamed._cut(target)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("streamed_text", "reason", "whole", "outcome", "words"),
    [
        ("Hm, w", "stop", "Hm, w", None, ""),
        (
            "Hm",
            "stop",
            "Hm, w",
            CheckFailed,
            "it goes on with ', w': a stream that was cut",
        ),
        ("Hm, w", "length", "Hm, w", Untestable, "not even by one of the stop strings"),
        ("No", "stop", "Hm, w", NotApplicable, "says something else each time"),
    ],
)
def test_a_model_that_talks_on_is_ended_by_a_stop_string(
    streamed_text: str,
    reason: str,
    whole: str,
    outcome: type[Exception] | None,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A stream at its limit is no breach of who is not declared to count; one that ends is asked for."""

    def one(text: str, why: str) -> Observed:
        return seen(
            body({"id": "1", "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": why}]})
        )

    told = {"choices": [{"message": {"content": whole}, "finish_reason": "stop"}]}
    twin = Exchange("POST", "http://x", (), b"", status=200, chunks=[(0.0, json.dumps(told).encode())])
    model = SimpleNamespace(alias="talker")
    environment = SimpleNamespace(can=lambda *_: False, abilities_of=lambda _: frozenset())
    monkeypatch.setattr(streamed, "_seen", lambda *_: one("Hm, well, and so on", "length"))
    monkeypatch.setattr(streamed, "_ended", lambda _: one(streamed_text, reason))
    monkeypatch.setattr(streamed, "_ended_twin", lambda _: twin)
    monkeypatch.setattr(streamed, "single_chat", lambda _: model)
    target = SimpleNamespace(environment=environment)
    if outcome is None:
        streamed.test_stop_is_not_in_text(target, None)  # type: ignore[arg-type]
        return
    with pytest.raises(outcome, match=re.escape(words)):
        streamed.test_stop_is_not_in_text(target, None)  # type: ignore[arg-type]


def test_who_is_declared_to_count_comes_to_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """By itself: no other stream is asked for."""
    chunk = {"id": "1", "choices": [{"index": 0, "delta": {"content": "1 2"}, "finish_reason": "length"}]}
    monkeypatch.setattr(streamed, "_seen", lambda *_: seen(body(chunk)))
    monkeypatch.setattr(streamed, "single_chat", lambda _: SimpleNamespace(alias="counter"))
    target = SimpleNamespace(environment=SimpleNamespace(can=lambda *_: True))
    with pytest.raises(Untestable, match=r"did not finish with stop, but \{0: 'length'\}.*API-STREAM-052"):
        streamed.test_stop_is_not_in_text(target, None)  # type: ignore[arg-type]
