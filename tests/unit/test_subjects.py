"""What a case judged is counted, and nothing judged is told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway_acceptance.plugin.outcome import Outcome, unless_vacuous
from gateway_acceptance.subjects import Subjects, most_of, singular, summary
from gateway_acceptance.verdict import Verdict
from gateway_acceptance.wire.exchange import Exchange, Headers
from gateway_acceptance.wire.subject import answers_among, is_subject

PASSED = Outcome(Verdict.PASSED)
JSON = (("content-type", "application/json"),)
STREAM = (("content-type", "text/event-stream; charset=utf-8"),)


def answer(
    status: int | None = 200, body: bytes = b"{}", method: str = "POST", headers: Headers = JSON
) -> Exchange:
    return Exchange(
        method,
        "http://x/v1",
        (),
        b"",
        status,
        headers,
        ((0.1, body),) if body else (),
    )


@pytest.mark.parametrize(
    "seen",
    [
        answer(),
        answer(404, b""),
        answer(401, b"no"),
        answer(204, b""),
        answer(302, b""),
        answer(200, b"", "HEAD"),
        answer(501, b"Unsupported method", "TRACE"),
        answer(501, b"Unsupported method", "PUT"),
        answer(200, b'data: {"a": 1}\n\ndata: [DONE]\n\n', headers=STREAM),
    ],
)
def test_what_says_something_is_a_subject(seen: Exchange) -> None:
    assert is_subject(seen)


@pytest.mark.parametrize(
    "seen",
    [
        answer(None, b""),
        answer(500),
        answer(503, b"busy"),
        answer(501, b"not today"),
        answer(501, b"not today", "GET"),
        answer(200, b""),
        answer(200, b" \n"),
        answer(200, b"", "GET"),
        answer(200, b"", headers=STREAM),
        answer(200, b"data: [DONE]\n\n", headers=STREAM),
        answer(200, b": ping\n\ndata:\n\n", headers=STREAM),
    ],
)
def test_what_says_nothing_is_none(seen: Exchange) -> None:
    assert not is_subject(seen)
    assert answers_among([seen, answer(), seen]) == 1


def test_what_was_stated_stands_for_what_was_observed() -> None:
    subjects = Subjects()
    subjects.observe("answers", 3)
    assert subjects.counts == {"answers": 3}
    subjects.state({"chunks": 200, "streams": 4})
    subjects.state({"chunks": 14})
    assert subjects.counts == {"chunks": 214, "streams": 4}
    assert subjects.missing() == ""
    assert summary(subjects.counts) == "214 chunks of 4 streams"


def test_a_kind_with_none_of_it_is_missing() -> None:
    subjects = Subjects()
    subjects.state({"chunks": 0, "streams": 4})
    assert subjects.missing() == "nothing judged: no chunk (4 streams)"


def test_what_is_observed_and_absent_is_missing_too() -> None:
    subjects = Subjects()
    subjects.observe("files with secrets of gateway", 0)
    subjects.state({"unit files": 2})
    assert subjects.missing() == "nothing judged: no file with secrets of gateway (2 unit files)"


def test_an_address_that_refuses_is_a_subject_where_the_check_says_so() -> None:
    subjects = Subjects()
    subjects.state({"addresses": 1})
    assert unless_vacuous(PASSED, subjects, [answer(None, b"")]) is PASSED


def test_a_case_that_looked_at_nothing_is_untestable() -> None:
    found = unless_vacuous(PASSED, Subjects(), [])
    assert found.verdict is Verdict.UNTESTABLE
    assert "looked at no answer and no fact" in found.message


def test_a_case_whose_every_answer_was_absent_is_untestable() -> None:
    found = unless_vacuous(PASSED, Subjects(), [answer(500), answer(200, b"")])
    assert (found.verdict, found.message) == (
        Verdict.UNTESTABLE,
        "Untestable: nothing judged: no answer",
    )
    assert unless_vacuous(PASSED, Subjects(), [answer(500), answer()]) is PASSED


def test_a_failure_has_a_subject_by_itself() -> None:
    failed = Outcome(Verdict.FAILED, "no usage")
    assert unless_vacuous(failed, Subjects(), [answer(500)]) is failed


def test_what_cannot_be_counted_is_refused() -> None:
    with pytest.raises(ValueError, match="-1 chunks"):
        Subjects().state({"chunks": -1})


@pytest.mark.parametrize(
    ("many", "one"),
    [
        ("chunks", "chunk"),
        ("replies", "reply"),
        ("entries of the tree", "entry of the tree"),
        ("files with secrets of gateway", "file with secrets of gateway"),
        ("addresses", "address"),
        ("processes of gateway", "process of gateway"),
        ("streams with an id", "stream with an id"),
        ("lines in the journal", "line in the journal"),
    ],
)
def test_one_of_a_kind(many: str, one: str) -> None:
    assert singular(many) == one


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ({}, ""),
        ({"streams": 0}, ""),
        ({"streams": 1, "chunks": 214}, "214 chunks, 1 stream"),
        ({"a": 4, "b": 3, "c": 2, "d": 1}, "4 a, 3 b, 2 c and 1 other kind"),
        ({"a": 5, "b": 4, "c": 3, "d": 2, "e": 1}, "5 a, 4 b, 3 c and 2 other kinds"),
    ],
)
def test_sums_of_many_checks(counts: dict[str, int], words: str) -> None:
    assert most_of(counts) == words


def of_a_model(body: str, path: str = "/v1/chat/completions", headers: Headers = JSON) -> Exchange:
    return Exchange("POST", f"http://x{path}", (), b"", 200, headers, ((0.1, body.encode()),))


SPENT = '"usage": {"completion_tokens": 3}'


@pytest.mark.parametrize(
    "seen",
    [
        of_a_model('{"choices": [{"message": {"content": "a"}}]}'),
        of_a_model('{"choices": [{"message": {"content": null, "tool_calls": [{}]}}]}'),
        of_a_model('{"choices": [{"message": {"content": "", "reasoning": "so"}}]}'),
        of_a_model(f'{{"choices": [{{"message": {{"content": ""}}}}], {SPENT}}}'),
        of_a_model('{"choices": [{"text": "a"}]}', "/v1/completions"),
        of_a_model('{"data": [{"embedding": [0.1]}]}', "/v1/embeddings"),
        of_a_model('{"data": [{"embedding": "AAAA"}]}', "/v1/embeddings?x=1"),
        of_a_model('{"output": [{"type": "message", "content": [{}]}]}', "/v1/responses"),
        of_a_model('{"error": ', "/v1/chat/completions"),
        of_a_model("{}", "/v1/models"),
    ],
)
def test_what_a_model_says_is_a_subject(seen: Exchange) -> None:
    assert is_subject(seen)


@pytest.mark.parametrize(
    "seen",
    [
        of_a_model("{}"),
        of_a_model("null"),
        of_a_model('{"choices": []}'),
        of_a_model(f'{{"choices": [{{"index": 0}}], {SPENT}}}'),
        of_a_model('{"choices": [{"message": {"content": ""}}], "usage": {"completion_tokens": 0}}'),
        of_a_model('{"data": [{"embedding": []}]}', "/v1/embeddings"),
        of_a_model('{"choices": [{"text": ""}]}', "/v1/completions"),
        of_a_model('{"output": []}', "/v1/responses"),
    ],
)
def test_a_model_that_says_nothing_is_none(seen: Exchange) -> None:
    assert not is_subject(seen)


def test_what_was_one_too_many_was_not_looked_at_whoever_asked() -> None:
    asked = replace(answer(429), url="http://x/v1/embeddings?trace=1")
    assert not is_subject(asked)
    assert not is_subject(replace(asked, url="http://x/v1/models", method="GET"))
    assert is_subject(replace(asked, status=400))
