"""Who was served: right gateways in all their ways of refusing, and the ways in."""

from __future__ import annotations

import json

import pytest

from gateway_acceptance.wire.exchange import Exchange
from suites.api.auth.served import grants_access, is_an_answer, judged_the_body, lists_models

LISTED = {"object": "list", "data": [{"id": "a", "object": "model"}]}
PAGE = "<!doctype html><title>console</title>"


def answer(status: int | None, body: object = "", kind: str = "application/json") -> Exchange:
    content = body.encode("latin-1") if isinstance(body, str) else json.dumps(body).encode()
    return Exchange(
        "GET",
        "http://127.0.0.1/v1/models",
        (),
        b"",
        status=status,
        headers=(("content-type", kind),),
        chunks=((0.0, content),),
    )


RIGHT = {
    "401": answer(401, {"error": {"message": "no"}}),
    "400": answer(400, {"error": {"message": "bad host"}}),
    "421": answer(421, "misdirected", "text/plain"),
    "501": answer(501, "", "text/plain"),
    "a redirect": answer(307, "", "text/plain"),
    "a closed connection": answer(None),
    "a console that answers everything": answer(200, PAGE, "text/html"),
    "a console without a type": answer(200, PAGE, ""),
    "an error with 200": answer(200, {"error": {"message": "no"}}),
    "nothing": answer(204),
    "a WebSocket that is closed at once": answer(101, "\x88\x02\x03\xf0"),
    "a word": answer(200, '"I am alive"'),
}


@pytest.mark.parametrize("what", list(RIGHT))
def test_a_right_gateway_has_served_nobody(what: str) -> None:
    assert not grants_access(RIGHT[what])
    assert not lists_models(RIGHT[what])


def test_the_page_that_the_request_named_is_not_the_route() -> None:
    alive = answer(200, {"status": "healthy"})
    assert not grants_access(answer(200, {"status": "fine"}), [alive])
    assert grants_access(answer(200, LISTED), [alive])
    assert not lists_models(alive)


@pytest.mark.parametrize(
    "opened",
    [
        answer(200, LISTED),
        answer(200, {"object": "list", "data": []}),
        answer(206, [{"id": 1}]),
        answer(200, {"error": None, "data": []}),
        answer(200, "data: {}", "text/event-stream; charset=utf-8"),
        answer(101),
    ],
    ids=["models", "an empty list", "an array", "a null error", "events", "a WebSocket"],
)
def test_a_way_in_is_seen(opened: Exchange) -> None:
    assert grants_access(opened)


def test_an_empty_list_of_models_is_one() -> None:
    assert lists_models(answer(200, {"object": "list", "data": []}))


def test_who_cannot_read_a_body_let_nobody_in() -> None:
    """FastAPI judges a body before any key is looked for where it is not called JSON."""
    refusal = Exchange("POST", "http://gateway/v1/chat/completions", (), b"", 403)
    said = b'{"detail": [{"loc": ["body"], "msg": "Input should be a valid dictionary"}]}'

    def judged(kind: str) -> bool:
        asked = (("content-type", kind),)
        answer = Exchange(
            "POST", "http://gateway/v1/chat/completions", asked, b"{}", 422, chunks=((0.0, said),)
        )
        return judged_the_body(answer, (refusal,))

    assert judged("application/json")
    assert not judged("text/plain")
    assert not judged("multipart/form-data; boundary=x")


def test_what_a_route_says_of_itself_is_no_answer() -> None:
    assert not is_an_answer(answer(200, {"allowed": ["GET", "POST"], "path": "/v1/chat/completions"}))
    assert not is_an_answer(answer(200, {"message": "use POST"}))
    assert is_an_answer(answer(200, {"object": "chat.completion", "choices": []}))
    assert is_an_answer(answer(200, LISTED))
    assert is_an_answer(answer(200, "data: {}", "text/event-stream"))
