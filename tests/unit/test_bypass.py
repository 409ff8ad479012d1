"""What counts as an answer of a backend that is to answer nobody but the gateway."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway_acceptance.verdict import CheckFailed, NoAnswer
from gateway_acceptance.wire.exchange import Exchange
from suites.backends.reachability.bypass import PLACES, answered
from suites.backends.reachability.test_reachability import _require_ok


def asker(asked: list[str], told: Callable[[str], int | Exception]) -> Callable[[str], Exchange]:
    def ask(path: str) -> Exchange:
        asked.append(path)
        found = told(path)
        if isinstance(found, Exception):
            raise found
        return Exchange(
            "GET", path, (), b"", status=found, chunks=[(0.1, b"Ollama is running")], elapsed_s=0.1
        )

    return ask


@pytest.mark.parametrize("status", [401, 403])
def test_who_refuses_strangers_everywhere_is_closed(status: int) -> None:
    asked: list[str] = []
    assert answered(asker(asked, lambda _: status)) is None
    assert asked == list(PLACES)


@pytest.mark.parametrize("status", [200, 302, 400, 404, 421, 429, 500, 503])
def test_any_other_answer_is_one_too_many(status: int) -> None:
    assert answered(asker([], lambda _: status)) == f"GET /api/version is {status} Ollama is running"


@pytest.mark.parametrize("forgotten", PLACES)
def test_a_front_that_forgets_one_place_is_open(forgotten: str) -> None:
    told = answered(asker([], lambda path: 200 if path == forgotten else 403))
    assert told == f"GET {forgotten} is 200 Ollama is running"


def test_who_does_not_answer_is_closed_and_asked_once() -> None:
    asked: list[str] = []
    assert answered(asker(asked, lambda _: NoAnswer("refused"))) is None
    assert asked == [PLACES[0]]


def test_an_answer_that_cannot_be_read_is_an_answer() -> None:
    assert answered(asker([], lambda _: CheckFailed("it broke off"))) == "it broke off"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 429, 500])
def test_a_server_with_keys_of_its_own_is_closed_where_it_refuses_and_serves_nothing(status: int) -> None:
    """vLLM, a provider in the cloud: it says to strangers that a place is not there, or that it lives."""
    asked: list[str] = []
    ask = asker(asked, lambda path: {"/": 200, "/v1/models": 401}.get(path, status))
    assert answered(ask, has_keys=True) is None
    assert asked == list(PLACES)


@pytest.mark.parametrize("status", [400, 404, 405, 429, 500])
def test_such_a_server_that_refuses_nobody_is_open(status: int) -> None:
    told = answered(asker([], lambda path: 200 if path == "/" else status), has_keys=True)
    assert told == f"GET /api/version is {status} Ollama is running"


def test_such_a_server_that_falls_silent_is_judged_by_what_it_said() -> None:
    def told(first: int) -> str | None:
        return answered(
            asker([], lambda path: first if path == PLACES[0] else NoAnswer("reset")), has_keys=True
        )

    assert told(401) is None
    assert told(404) == "GET /api/version is 404 Ollama is running"


@pytest.mark.parametrize("place", [place for place in PLACES if place != "/"])
def test_such_a_server_that_tells_its_models_is_open(place: str) -> None:
    told = answered(asker([], lambda path: 200 if path == place else 401), has_keys=True)
    assert told == f"GET {place} is 200 Ollama is running"


@pytest.mark.parametrize(("status", "said"), [(401, True), (403, True), (500, False)])
def test_a_backend_that_demands_a_key_says_how_to_declare_it(status: int, said: bool) -> None:
    refused = Exchange("POST", "/v1/chat/completions", (), b"", status=status, chunks=[], elapsed_s=0.1)
    with pytest.raises(CheckFailed) as failed:
        _require_ok(refused)
    assert ("name the variable that holds it as backends.key_variable" in str(failed.value)) is said
