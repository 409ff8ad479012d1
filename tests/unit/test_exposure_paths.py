"""What is open and what is declared, where a gateway is led astray, and how one sees it."""

from __future__ import annotations

import http.client
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from gateway_acceptance.environment import load_environment
from gateway_acceptance.environment.gateway_section import is_declared
from suites.api.exposure.listener import NOWHERE, elsewhere, on_loopback
from suites.api.exposure.parameters import Steered, followed, improper_refusal, telling
from suites.api.exposure.paths import (
    FILES,
    MOST_ROUTES,
    WELL_KNOWN,
    described_routes,
    gives_away,
    revealed,
    undeclared,
)
from tests.unit.test_exposure_auth import ENVELOPE, answer

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("path", "declared"),
    [
        ("/", True),
        ("/ui/", True),
        ("/ui/login", True),
        ("/health/readiness/", True),
        ("/health", False),
        ("/health/readiness/details", False),
        ("/uix", False),
        ("/metrics", False),
    ],
)
def test_declared_paths(path: str, declared: bool) -> None:
    assert is_declared(path, ("/", "/ui/*", "/health/readiness")) is declared


def test_only_what_answers_is_open() -> None:
    found = [replace(answer(status, ""), url=f"http://h{path}") for status, path in
             ((200, "/metrics"), (404, "/docs"), (200, "/"), (307, "/ui"))]  # fmt: skip
    assert undeclared(found, ("/",)) == ["/metrics"]


def test_description_names_open_routes_first_and_no_well_known_ones() -> None:
    closed: dict[str, object] = {"security": [{"key": []}]}
    paths: dict[str, object] = {f"/closed/{number:03}": {"get": closed} for number in range(100)}
    paths |= {
        "/open": {"get": {}},
        "/open/{id}": {"get": {}},
        "/needs": {"get": {"parameters": [{"required": True}]}},
        "/posted": {"post": {}},
        WELL_KNOWN[0]: {"get": {}},
    }
    routes = described_routes({"paths": paths})
    assert routes[0] == "/open"
    assert len(routes) == MOST_ROUTES
    assert not {"/open/{id}", "/needs", "/posted", WELL_KNOWN[0]} & set(routes)


@pytest.mark.parametrize("document", [None, [], {}, {"paths": []}, {"paths": {"/x": None}}])
def test_a_description_of_nothing(document: object) -> None:
    assert described_routes(document) == []


def test_a_file_is_known_by_its_content() -> None:
    assert gives_away("/.env", "A=1\nMASTER_KEY=sk-1\n")
    assert gives_away("/..%2f..%2f..%2f..%2fetc/passwd", "root:x:0:0:root:/root:/bin/sh")
    assert not any(gives_away(path, "<!doctype html><title>Console</title>") for path in FILES)


def test_addresses_and_secrets_are_found_in_open_pages() -> None:
    backends = load_environment("local", ROOT, {}).backends
    page = answer(200, f"api_base: {backends[0].url}", "text/plain")
    assert revealed(page, backends, {"the key": "sk-x"}) == [f"the address of {backends[0].name}"]
    assert revealed(answer(200, "sk-x", "text/plain"), (), {"the key": "sk-x"}) == ["the key"]


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("http://127.40.0.39:4000", True),
        ("http://localhost:4000", True),
        ("http://[::1]:4000", True),
        ("http://192.0.2.39:4000", False),
        ("https://gateway.example", False),
    ],
)
def test_where_the_gateway_is(url: str, loopback: bool) -> None:
    assert on_loopback(url) is loopback


def test_the_listener_counts_and_answers() -> None:
    with elsewhere("http://127.0.0.1:1") as place:
        parts = urlsplit(place.url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)
        connection.request("POST", "/v1/chat", b"{}")
        assert connection.getresponse().status == 503
        connection.close()
        assert place.watched
        assert place.taken() == ["POST /v1/chat"]
        assert place.taken() == []


def test_a_gateway_elsewhere_is_pointed_to_nowhere() -> None:
    with elsewhere("https://gateway.example") as place:
        assert (place.url, place.watched) == (NOWHERE, False)


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (Steered("x", answer(401, ENVELOPE), ("GET /",)), "called it, GET / arrived"),
        (Steered("x", None, (), 30.0, "no answer within 30 s"), "no answer came within 30 s, as of somebody"),
        (Steered("x", answer(500, "APIConnectionError: Connection error."), ()), "tells of a call"),
        (Steered("x", answer(408, "Request timed out"), ()), "tells of a call"),
    ],
)
def test_signs_of_a_call(seen: Steered, words: str) -> None:
    (problem,) = followed(seen)
    assert words in problem.message


def test_a_connection_that_breaks_at_once_is_nobody_who_waits() -> None:
    (problem,) = followed(Steered("x", None, (), 0.005, "the connection broke: reset by peer"))
    assert "after 0.005 s: the connection broke: reset by peer; whether the address is called" in str(problem)
    assert "waits" not in str(problem)


@pytest.mark.parametrize("status", [200, 400, 401, 500])
def test_no_sign_of_a_call(status: int) -> None:
    assert followed(Steered("x", answer(status, "api_base is not allowed in a request"), ())) == []


def test_an_address_tells_something_where_the_same_is_served_without_it() -> None:
    told = [Steered("x", answer(status, {}), ()) for status in (200, 400, 500, 501)]
    untold = [
        Steered("x", answer(500, {}), (), served_without=False),
        Steered("x", answer(429, ENVELOPE), ()),
        Steered("x", None, ()),
        Steered("x", answer(200, {}), (), served_without=False),
        Steered("x", answer(400, ENVELOPE), (), served_without=False),
    ]
    assert telling([*told, *untold]) == len(told)


def test_a_parameter_is_ignored_or_refused() -> None:
    assert improper_refusal("x", answer(200, {})) == []
    assert improper_refusal("x", answer(400, ENVELOPE)) == []
    (problem,) = improper_refusal("x", answer(500, "Internal Server Error", "text/plain"))
    assert "got 500" in problem.message
    assert improper_refusal("x", answer(400, "no", "text/plain"))
