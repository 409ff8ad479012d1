"""How the answer to a bad request is judged."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from gateway_acceptance.check import MUST, SHOULD
from gateway_acceptance.environment import load_environment
from gateway_acceptance.verdict import NotApplicable
from gateway_acceptance.wire.exchange import Exchange
from suites.api.errors.leaks import LeakKind
from suites.api.errors.probes import (
    ALL,
    BY_NAME,
    EMBEDDINGS,
    MISSING,
    NO_MODEL,
    BadRequest,
    chat,
    embedding,
    offered,
)
from suites.api.errors.rules import (
    envelope_problems,
    helpful_problems,
    leak_problems,
    message_of,
    refusal_problems,
    status_problems,
)
from tests.unit.declared import environment

ROOT = Path(__file__).parents[2]
ENVIRONMENT = load_environment("production", ROOT, {})
BAD = BY_NAME["temperature a string"]
KEY = "sk-0123456789abcdef"


def answer(status: int, body: object, kind: str = "application/json") -> Exchange:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Exchange(
        "POST", "http://g", (), b"", status=status, headers=(("content-type", kind),), chunks=((0.1, data),)
    )


def envelope(message: object, **others: object) -> dict[str, object]:
    return {"error": {"message": message, "type": "t", "param": None, "code": None, **others}}


GOOD = answer(400, envelope("temperature is no number"))


def test_a_right_refusal_has_no_problem() -> None:
    assert refusal_problems(BAD, GOOD) == []
    assert envelope_problems(BAD, answer(400, envelope("x", code="400", param="p")), SHOULD) == []
    assert helpful_problems(BAD, GOOD) == []


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 503])
def test_other_statuses_blame_somebody_else(status: int) -> None:
    (problem,) = refusal_problems(BAD, answer(status, envelope("no")))
    assert problem.rule == "refusal.status"
    assert f"temperature a string: expected 400 or 422, got {status}" in problem.message


@pytest.mark.parametrize("name", ["an unknown model, streamed", "an unknown model at embeddings"])
@pytest.mark.parametrize(
    ("status", "message", "right"),
    [
        (403, f"model '{NO_MODEL}' not allowed by policy", True),
        (403, "forbidden", False),  # of whom, nobody can tell: a key, an address, a front
        (401, f"key may not use {NO_MODEL}", False),
        (500, f"no deployment of {NO_MODEL}", False),
    ],
)
def test_a_key_with_models_of_its_own_forbids_others_by_name(
    name: str, status: int, message: str, right: bool
) -> None:
    """LiteLLM answers so to a key with ``models``, mini-apigw to any: which others there are is not told."""
    assert (status_problems(BY_NAME[name], answer(status, envelope(message))) == []) == right


def test_a_served_request_is_one_problem() -> None:
    (problem,) = refusal_problems(BAD, answer(200, {"choices": []}))
    assert problem.message.endswith("got 200: it was served")


def test_no_status_at_all_is_a_problem() -> None:
    assert status_problems(BAD, Exchange("POST", "http://g", (), b""))


@pytest.mark.parametrize(
    ("body", "kind", "rule"),
    [
        (b"Bad Request", "application/json", "json.invalid"),
        (envelope("no"), "text/html", "error.content_type"),
        ({"detail": "no"}, "application/json", "error-envelope"),
        (envelope(""), "application/json", "error-envelope"),
    ],
)
def test_the_form_is_judged_beside_the_status(body: object, kind: str, rule: str) -> None:
    problems = refusal_problems(BAD, answer(400, body, kind))
    assert any(rule in problem.rule for problem in problems)
    assert all("temperature a string: " in problem.message for problem in problems)


def test_the_literal_contract_is_a_should() -> None:
    bare = answer(400, {"error": {"message": "no"}})
    assert envelope_problems(BAD, bare, MUST) == []
    assert envelope_problems(BAD, bare, SHOULD)


def test_a_message_helps_where_it_names_the_field_or_the_problem() -> None:
    (problem,) = helpful_problems(BAD, answer(400, envelope("Bad Request")))
    assert "expected a message with one of: temperature" in problem.message
    assert helpful_problems(BAD, answer(200, envelope("x"))) == []
    assert helpful_problems(BAD, answer(400, {"detail": "x"})) == []


def test_leaks_are_found_in_body_and_headers_and_leaks_of_answer_kind() -> None:
    told = answer(400, envelope("see /opt/gateway/main.py"), "application/json")
    assert leak_problems(BAD, told, ENVIRONMENT, KEY, LeakKind.TRACE) == []
    (path,) = leak_problems(BAD, told, ENVIRONMENT, KEY, LeakKind.PATH)
    assert path.rule == "leak.file_path"
    assert "temperature a string: file path in the answer (400): /opt/gateway/main.py" in path.message
    header = Exchange("POST", "http://g", (), b"", status=400, headers=(("x-backend", "10.0.0.1:11434"),))
    (address,) = leak_problems(BAD, header, ENVIRONMENT, KEY, LeakKind.ADDRESS)
    assert address.rule == "leak.internal_address"
    served = answer(200, envelope("10.0.0.1"))
    assert leak_problems(BAD, served, ENVIRONMENT, KEY, LeakKind.ADDRESS) == []


@pytest.mark.parametrize("body", [b"", b"[]", b'"x"', b'{"error": "x"}', b'{"error": {"message": 5}}'])
def test_no_envelope_has_no_message(body: bytes) -> None:
    assert message_of(answer(400, body)) is None


def test_bad_requests_have_names_of_their_own_words_in_lower_case_and_bodies() -> None:
    assert max(Counter(bad.name for bad in ALL).values()) == 1
    for bad in ALL:
        assert isinstance(bad.body(ENVIRONMENT), bytes)
        assert all(word == word.lower() for word in bad.words)
        assert all(400 <= status < 500 and status not in (401, 403, 429) for status in bad.statuses)


def test_changed_bodies() -> None:
    document = json.loads(chat(messages=MISSING, stream=True)(ENVIRONMENT))
    assert set(document) == {"model", "max_tokens", "stream"}
    assert json.loads(embedding(input=5)(ENVIRONMENT))["input"] == 5


def test_a_bad_request_is_not_valid_by_accident() -> None:
    """Each body differs from the valid request that it is made of."""
    valid = {chat()(ENVIRONMENT), embedding()(ENVIRONMENT)}
    assert not [bad.name for bad in ALL if isinstance(bad, BadRequest) and bad.body(ENVIRONMENT) in valid]


def test_nothing_is_asked_of_embeddings_that_nobody_declares() -> None:
    chat_alone = environment(models=[{"alias": "chatty", "kind": "chat"}], backends=[], groups=[])
    assert {bad.path for bad in offered(ALL, environment())} > {EMBEDDINGS}
    left = offered(ALL, chat_alone)
    assert left
    assert EMBEDDINGS not in {bad.path for bad in left}
    with pytest.raises(NotApplicable, match="no embedding model"):
        offered([BY_NAME["a chat model at embeddings"]], chat_alone)
