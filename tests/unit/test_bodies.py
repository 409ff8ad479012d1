"""The validators of bodies and the strict JSON parser: one broken body for every rule."""

from __future__ import annotations

import base64
import struct

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway_acceptance.check import Level
from gateway_acceptance.problem import Problem, at_level
from gateway_acceptance.wire import strict_json
from gateway_acceptance.wire.schema import (
    BODY_RULES,
    chat_completion_problems,
    embedding_problems,
    embedding_vector,
    error_problems,
    model_list_problems,
    parse_json,
)
from tests.unit.bodies import CALL, CHAT, CHAT_FULL, CHAT_OLD, EMBEDDINGS, MODEL, MODELS, changed

JSON_TYPE = [("Content-Type", "application/json; charset=utf-8")]
ENVELOPE = b'{"error": {"message": "no", "type": "auth_error", "param": "None", "code": "401"}}'


def chat(pointer: str, value: object, body: object = CHAT) -> list[Problem]:
    return chat_completion_problems(changed(body, pointer, value))


def embeddings(pointer: str, value: object) -> list[Problem]:
    return embedding_problems(changed(EMBEDDINGS, pointer, value), inputs=2, dimensions=2)


def packed(*numbers: float) -> str:
    return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()


OTHER = {**CALL, "id": "call_2"}
TOLD = "/choices/0/message/tool_calls"
BODIES: dict[str, list[Problem]] = {
    "chat_completion.choices.count": chat_completion_problems(CHAT, expected_choices=2),
    "chat_completion.choices.index": chat("/choices/0/index", 1),
    "chat_completion.usage.missing": chat("/usage", ...),
    "chat_completion.usage.sum": chat("/usage/total_tokens", 6),
    "chat_completion.created": chat_completion_problems(CHAT, now=1795387583 + 90_000),
    "chat_completion.finish.no_call": chat(TOLD, [], CHAT_FULL),
    "chat_completion.finish.call_unsaid": chat("/choices/0/finish_reason", "stop", CHAT_FULL),
    "chat_completion.content.missing": chat("/choices/0/message/content", None),
    "chat_completion.tool_calls.id": chat(TOLD, [CALL, CALL], CHAT_FULL),
    "chat_completion.tool_calls.arguments": chat(f"{TOLD}/0/function/arguments", "{", CHAT_FULL),
    "embedding.count": embedding_problems(EMBEDDINGS, inputs=3, dimensions=2),
    "embedding.index": embeddings("/data/1/index", 0),
    "embedding.base64": embeddings("/data/1/embedding", "AAA="),
    "embedding.dimensions": embedding_problems(EMBEDDINGS, inputs=2, dimensions=3),
    "embedding.finite": embeddings("/data/1/embedding", packed(1, float("inf"))),
    "embedding.zero": embeddings("/data/1/embedding", [0.0, 0]),
    "embedding.same": embeddings("/data/1/embedding", [0.1, 0.2]),
    "model_list.id.unique": model_list_problems({**MODELS, "data": [MODEL, MODEL]}),
    "error.status": error_problems(500, JSON_TYPE, ENVELOPE),
    "error.content_type": error_problems(400, [("content-type", "text/plain")], ENVELOPE),
}


@pytest.mark.parametrize("rule", BODY_RULES)
def test_each_rule_of_bodies_is_reported_and_nothing_else(rule: str) -> None:
    found = [problem for problem in BODIES[rule] if not problem.rule.startswith("schema.")]
    assert {problem.rule for problem in found} == {rule}
    assert {(problem.level, problem.source) for problem in found} == {
        (BODY_RULES[rule].level, BODY_RULES[rule].source)
    }


def test_healthy_bodies() -> None:
    for body in (CHAT, CHAT_OLD, CHAT_FULL):
        assert at_level(chat_completion_problems(body, now=1795387600.5), Level.MUST) == []
    both = changed(CHAT_FULL, TOLD, [CALL, OTHER])
    assert chat_completion_problems(both) == []
    assert embedding_problems(EMBEDDINGS, inputs=2, dimensions=None) == []
    alike = changed(EMBEDDINGS, "/data/1/embedding", [0.1, 0.2])
    assert embedding_problems(alike, inputs=2, dimensions=2, distinct=False) == []
    assert model_list_problems(MODELS) == []
    assert error_problems(401, JSON_TYPE, ENVELOPE) == []


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content", "refusal"])
def test_what_was_thought_or_refused_stands_for_the_text(field: str) -> None:
    said = {"role": "assistant", "content": None, "refusal": None}
    told = [problem.rule for problem in chat("/choices/0/message", {**said, field: "I had to"})]
    assert "chat_completion.content.missing" not in told
    silent = [problem.rule for problem in chat("/choices/0/message", {**said, field: ""})]
    assert "chat_completion.content.missing" in silent


def test_base64_is_a_vector() -> None:
    assert embedding_vector(packed(0.5, -1)) == [0.5, -1.0]
    assert embeddings("/data/0/embedding", packed(0.5, -1)) == []
    assert [embedding_vector(value) for value in (None, "?", "AAA=", [True], [10**400])] == [None] * 5


def test_an_error_that_is_no_json() -> None:
    found = error_problems(500, [("content-type", "text/plain")], b"Internal Server Error")
    assert [problem.rule for problem in found] == ["error.status", "error.content_type", "json.invalid"]
    assert [
        problem.where for problem in error_problems(404, [("content-type", "application/json")], b"null")
    ] == [""]


@pytest.mark.parametrize(
    ("raw", "rule"),
    [
        (b"\xff", "json.utf8"),
        (b"\xef\xbb\xbf{}", "json.invalid"),
        (b"", "json.invalid"),
        (b"{'a': 1}", "json.invalid"),
        (b"[NaN]", "json.nonfinite"),
        (b"[-Infinity]", "json.nonfinite"),
        (b"[1e999]", "json.nonfinite"),
        (b"9" * 5000, "json.nonfinite"),
        (b"[" * 100_000, "json.depth"),
        (b"[" * 70 + b"]" * 70, "json.depth"),
        (b'{"a": {"b": 1, "b": 2}}', "json.duplicate_key"),
        (rb'["\ud83d"]', "json.surrogate"),
    ],
)
def test_parse_json_refuses(raw: bytes, rule: str) -> None:
    value, problems = parse_json(raw)
    assert [problem.rule for problem in problems] == [rule]
    assert rule in strict_json.RULES
    refused = rule not in ("json.duplicate_key", "json.surrogate")
    assert (value is None) == refused


def test_parse_json_reads() -> None:
    assert parse_json(b'{"a": [1, 2.5, null, "\\ud83d\\ude00"]}') == ({"a": [1, 2.5, None, "😀"]}, [])
    assert parse_json(b"[" * 64 + b"]" * 64)[1] == []
    assert parse_json(b"null") == (None, [])


ANY = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from([*CHAT, *EMBEDDINGS, "message"]), inner),
)

calmly = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""A busy machine is no failure."""


@calmly
@given(st.binary(), ANY)
def test_nothing_raises(raw: bytes, body: object) -> None:
    parse_json(raw)
    error_problems(400, [], raw)
    chat_completion_problems(body, now=0)
    embedding_problems(body, inputs=2, dimensions=3)
    model_list_problems(body)
