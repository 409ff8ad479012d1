"""Streams of /v1/completions and /v1/responses, and what an endpoint that nobody promised may answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from gateway_acceptance.wire.schema import problems_of
from lab.faults.responses import MESSAGE, RESPONSE
from suites.api.completions.probes import DONE, read_text_stream
from suites.api.endpoints import malformed_refusal
from suites.api.responses.probes import output_text, read_response_stream
from tests.unit.bodies import changed
from tests.unit.test_exposure_auth import ENVELOPE, answer

SSE = (("content-type", "text/event-stream; charset=utf-8"),)
Json = dict[str, Any]


def frames(*events: object) -> list[tuple[float, bytes]]:
    texts = [event if isinstance(event, str) else json.dumps(event) for event in events]
    return [(float(number), f"data: {text}\n\n".encode()) for number, text in enumerate(texts)]


def piece(text: str | None, reason: str | None = None, **more: object) -> Json:
    choice = {"index": 0, "text": text, "finish_reason": reason}
    return {"id": "cmpl-1", "object": "text_completion", "choices": [choice], **more}


def test_a_whole_text_stream() -> None:
    stream = read_text_stream(200, SSE, frames(piece("HX-"), piece("OK"), piece(None, "stop"), DONE))
    assert (stream.text, stream.ids, stream.problems) == ("HX-OK", ("cmpl-1",) * 3, [])


@pytest.mark.parametrize("without", [{"id": None}, {"id": 7}])
def test_a_chunk_without_id_is_told_from_one_with_another(without: Json) -> None:
    events = (piece("a"), piece("b", **without), piece("", "stop", id="cmpl-2"), DONE)
    assert read_text_stream(200, SSE, frames(*events)).ids == ("cmpl-1", "", "cmpl-2")


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ((piece("a", "stop"),), "does not end with [DONE]"),
        ((piece("a"), DONE), "expected one finish_reason"),
        ((piece("a", "stop"), piece("", "stop"), DONE), "expected one finish_reason"),
        ((piece("a", "stop", object="chat.completion.chunk"), DONE), "expected the object"),
        (({"error": {"message": "no"}}, DONE), "expected a chunk"),
        (("{", DONE), "no JSON"),
        ((), "does not end with [DONE]"),
    ],
)
def test_broken_text_streams(events: tuple[object, ...], words: str) -> None:
    problems = read_text_stream(200, SSE, frames(*events)).problems
    assert any(words in problem.message for problem in problems)


@pytest.mark.parametrize("read", [read_text_stream, read_response_stream])
def test_an_error_is_no_stream(read: Callable[..., Any]) -> None:
    (problem,) = read(500, (("content-type", "text/plain"),), [(0.0, b"no")]).problems
    assert "got 500 text/plain" in problem.message


CREATED = {"type": "response.created", "response": {**RESPONSE, "output": []}}
ADDED = {"type": "response.output_item.added", "output_index": 0, "item": {**MESSAGE, "content": []}}
DELTAS = [{"type": "response.output_text.delta", "delta": text} for text in ("HX", "-OK")]
COMPLETED = {"type": "response.completed", "response": RESPONSE}


def test_a_whole_response_stream() -> None:
    stream = read_response_stream(200, SSE, frames(CREATED, ADDED, *DELTAS, COMPLETED))
    assert (stream.text, output_text(stream.final), stream.problems) == ("HX-OK", "HX-OK", [])


def test_a_response_stream_may_end_with_done() -> None:
    assert not read_response_stream(200, SSE, frames(CREATED, ADDED, *DELTAS, COMPLETED, DONE)).problems


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ((ADDED, *DELTAS, COMPLETED), "response.created as the first event"),
        ((CREATED, ADDED, *DELTAS), "response.completed as the last event"),
        ((CREATED, *DELTAS, COMPLETED), "text comes before its item"),
        ((CREATED, {"delta": "x"}, COMPLETED), "an event with a type"),
        ((CREATED, "{", COMPLETED), "no JSON"),
        ((), "got nothing"),
    ],
)
def test_broken_response_streams(events: tuple[object, ...], words: str) -> None:
    problems = read_response_stream(200, SSE, frames(*events)).problems
    assert any(words in problem.message for problem in problems)


def test_a_healthy_response() -> None:
    assert problems_of(RESPONSE, "response") == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("/object", "chat.completion"),
        ("/status", "stop"),
        ("/created_at", None),
        ("/output", []),
        ("/output/0/status", "stop"),
        ("/output/0/role", "user"),
        ("/output/0/content/0/type", "text"),
        ("/usage/total_tokens", 1.5),
    ],
)
def test_responses_that_are_none(path: str, value: object) -> None:
    assert problems_of(changed(RESPONSE, path, value), "response")


@pytest.mark.parametrize("body", [{}, {"output": None}, {"output": [{"type": "reasoning"}, "x"]}])
def test_a_response_without_text(body: Json) -> None:
    assert output_text(body) == ""


@pytest.mark.parametrize(
    "seen",
    [answer(200, {}), answer(404, "Not Found", "text/plain"), answer(400, ENVELOPE), answer(500, ENVELOPE)],
)
def test_honest_endpoints(seen: Any) -> None:
    assert malformed_refusal(seen) == []


@pytest.mark.parametrize(
    "seen", [answer(500, "Internal Server Error", "text/plain"), answer(200, "[]"), answer(502, "{}")]
)
def test_malformed_refusals(seen: Any) -> None:
    assert malformed_refusal(seen)
