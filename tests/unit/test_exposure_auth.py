"""Keys that are wrong by a little, and how a refusal is judged."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from gateway_acceptance.environment import load_environment
from gateway_acceptance.redaction import Redactor
from gateway_acceptance.wire.exchange import Exchange
from suites.api.auth.nowhere import is_refused_nowhere
from suites.api.auth.places import Refusals, let_in, read
from suites.api.auth.probes import MANAGEMENT, WRONG, contract_routes
from suites.api.auth.rules import (
    basic,
    beside_a_slash,
    halved,
    made_up,
    not_refused,
    refusal_shape,
    served_problems,
    sibling,
)
from suites.api.exposure.printed import printed_forms

ROOT = Path(__file__).parents[2]
KEY = "sk-" + "0123456789abcdef" * 3
ENVELOPE = {"error": {"message": "no", "type": "auth_error", "param": None, "code": "401"}}


def answer(status: int, body: object, kind: str = "application/json") -> Exchange:
    content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    headers = (("content-type", kind),)
    return Exchange(
        "GET", "http://127.0.0.1/v1/models", (), b"", status=status, headers=headers, chunks=((0.0, content),)
    )


@pytest.mark.parametrize(
    ("there", "nowhere", "same"),
    [
        ((400, b"no model"), (400, b"no model"), True),
        ((400, b"duration is no type"), (400, b"no model"), False),
        ((400, b"no model"), (404, b"no model"), False),
        ((200, b"ok"), (200, b"ok"), False),
    ],
)
def test_a_post_that_is_refused_everywhere_alike_opens_nothing(
    there: tuple[int, bytes], nowhere: tuple[int, bytes], same: bool
) -> None:
    def said(status: int, body: bytes, method: str = "POST") -> Exchange:
        return Exchange(method, "http://g/x", (), b"", status=status, chunks=((0.0, body),))

    assert is_refused_nowhere(said(*there), said(*nowhere)) is same
    assert not is_refused_nowhere(said(*there), None)
    assert not is_refused_nowhere(said(*there, "GET"), said(*nowhere))


@pytest.mark.parametrize(
    ("status", "location", "other"),
    [
        (307, "/gateway/metrics/", "/metrics/"),
        (308, "http://127.0.0.1/gateway/metrics/?x=1", "/metrics/"),
        (307, "http://elsewhere/gateway/metrics/", ""),
        (302, "/login", ""),
        (302, "/gateway/metrics", ""),
        (200, "/gateway/metrics/", ""),
    ],
)
def test_a_slash_more_is_the_same_route(status: int, location: str, other: str) -> None:
    """Starlette redirects before a key is asked for: who is behind the slash decides, not the redirect."""
    url, headers = "http://127.0.0.1/gateway/metrics", (("location", location),)
    moved = Exchange("GET", url, (), b"", status=status, headers=headers)
    assert beside_a_slash(moved, "/metrics") == other
    back = Exchange("GET", f"{url}/", (), b"", status=307, headers=(("location", "/gateway/metrics"),))
    assert beside_a_slash(back, "/metrics/") == "/metrics"


def test_a_refusal_is_a_refusal() -> None:
    assert not_refused(answer(401, ENVELOPE), "x") == []


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (answer(200, {}), "got 200: it was served"),
        (answer(500, "Internal Server Error", "text/plain"), "got 500: Internal Server Error"),
        (answer(401, "<h1>no</h1>", "text/html"), "expected application/json"),
    ],
)
def test_what_is_no_refusal(seen: Exchange, words: str) -> None:
    assert any(words in problem.message for problem in not_refused(seen, "x"))


@pytest.mark.parametrize("status", [401, 403, 404, 405])
def test_a_route_that_is_closed_or_not_there(status: int) -> None:
    assert served_problems(answer(status, ""), "GET /x") == []


@pytest.mark.parametrize("status", [200, 307, 400, 422, 500])
def test_a_route_that_judged_the_request_first(status: int) -> None:
    (problem,) = served_problems(answer(status, "text"), "GET /x")
    assert f"got {status}" in problem.message


def test_variants_of_a_key_are_wrong_and_alike() -> None:
    assert KEY.startswith(halved(KEY))
    assert halved(KEY) != KEY
    other = sibling(KEY)
    assert other != KEY
    assert len(other) == len(KEY)
    assert other.startswith(halved(KEY))
    assert made_up() != made_up()


def test_basic_credentials_hold_the_key_and_are_redacted() -> None:
    scheme, _, value = basic(KEY).partition(" ")
    assert scheme == "Basic"
    assert base64.b64decode(value) == f"hx:{KEY}".encode()
    assert base64.b64encode(KEY.encode()).decode().rstrip("=") not in Redactor({"key": KEY})(value)


def test_an_answer_tells_the_same_whatever_the_key_and_the_request_id() -> None:
    first, second = "sk-" + "a" * 40, "sk-" + "b" * 40
    ids = ("6ab033ab-f759-4a96-8eb5-e97e290c5e09", "8e5ac850-b633-4bcf-ae87-2b23f7f3240f")
    one, two = (
        refusal_shape(answer(401, f"no {key} {printed_forms(key)['the key']} {number}", "text/plain"), key)
        for key, number in zip((first, second), ids, strict=True)
    )
    assert one == two
    assert refusal_shape(answer(401, "no such key", "text/plain"), first) != refusal_shape(
        answer(401, "no", "text/plain"), first
    )


def test_management_is_asked_with_nothing_that_it_could_do() -> None:
    assert all(route.body in (None, WRONG) for route in MANAGEMENT)
    assert len({str(route) for route in MANAGEMENT}) == len(MANAGEMENT)


def test_contract_routes_name_declared_models() -> None:
    environment = load_environment("local", ROOT, {})
    routes = contract_routes(environment)
    assert all(route.body["model"] in environment.aliases for route in routes if route.body)
    assert routes[1].path == "/v1/chat/completions"


WRONG_KEY = {"error": {**ENVELOPE["error"], "message": "Incorrect API key"}}
NO_KEY = {"error": {**ENVELOPE["error"], "message": "No API key"}}


def test_a_key_that_is_refused_as_a_wrong_one_is_read() -> None:
    refusals = Refusals(answer(401, NO_KEY), answer(401, WRONG_KEY), "sk-x")
    assert read("?key=", answer(401, NO_KEY), "sk-y", refusals) == []
    (problem,) = read("?key=", answer(401, WRONG_KEY), "sk-y", refusals)
    assert "so it is read there" in problem.message


def test_a_gateway_that_says_the_same_to_both_tells_nothing() -> None:
    refusals = Refusals(answer(401, NO_KEY), answer(401, NO_KEY), "sk-x")
    assert read("?key=", answer(401, NO_KEY), "sk-y", refusals) == []


def test_the_right_key_is_served_or_not() -> None:
    assert let_in({"a cookie": answer(500, "", "text/plain")}) == []
    assert "the right key is served there" in let_in({"a cookie": answer(200, {})})[0].message
