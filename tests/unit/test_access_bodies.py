"""The forms of a body, first frames of WebSockets, and the route that keys are tried on."""

from __future__ import annotations

import gzip
import json
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from gateway_acceptance.environment import Environment, load_environment
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.problem import Problem
from gateway_acceptance.verdict import CheckFailed, Untestable
from gateway_acceptance.wire.exchange import Exchange, Notebook
from gateway_acceptance.wire.gateway import GatewayClient
from gateway_acceptance.wire.raw import RawRequest
from suites.api.access import test_ways as ways
from suites.api.access.bodies import BEYOND_A_BUFFER, chunked, forms
from suites.api.auth import test_keys as keys
from suites.api.auth.served import OPENED, grants_access, refused_in_frames
from suites.api.auth.test_refusal import test_known_default_key as known_key
from suites.api.auth.test_refusal import test_no_key as no_key
from suites.api.auth.tried import (
    OWN,
    PLAIN,
    is_catalogue,
    on_the_list,
    open_catalogue,
    refused_plainly,
    require_refused,
    served,
    tried_route,
)
from tests.unit.bodies import CHAT

ROOT = Path(__file__).parents[2]
ASKED = {"model": "m", "messages": [{"role": "user", "content": "hä"}]}
REFUSAL = {"type": "error", "error": {"type": "invalid_request_error", "code": "invalid_api_key"}}


def test_every_form_holds_what_was_asked() -> None:
    """Read as its form says, the body is the same."""
    found = {form.name: form for form in forms(ASKED)}
    assert len(found) == len(forms(ASKED))
    assert json.loads(gzip.decompress(found["packed by gzip"].body)) == ASKED
    assert json.loads(found["in UTF-16"].body.decode("utf-16")) == ASKED
    assert json.loads(found["in an array"].body) == [ASKED]
    assert json.loads(found["with every member twice"].body) == ASKED
    assert json.loads(found["with a mark of its byte order"].body.decode("utf-8-sig")) == ASKED
    assert json.loads(found["with spaces before it"].body) == ASKED
    assert len(found["beyond a buffer"].body) > BEYOND_A_BUFFER
    assert all(json.loads(form.body) == ASKED for name, form in found.items() if name.startswith("called "))
    assert found["without a media type"].headers == ()


def test_chunks_have_no_length_beside_them() -> None:
    body = chunked(b"0123456789")
    assert body == b"8\r\n01234567\r\n2\r\n89\r\n0\r\n\r\n"
    written = RawRequest("POST", "/", [("host", "x"), ("Transfer-Encoding", "chunked")], body).written()
    assert b"content-length" not in written
    assert written.endswith(body)


def frame(event: object, length: int | None = None) -> bytes:
    payload = json.dumps(event).encode()
    size = len(payload) if length is None else length
    if size < 126:
        return bytes([0x81, size]) + payload
    return bytes([0x81, 126]) + size.to_bytes(2, "big") + payload


@pytest.mark.parametrize(
    ("said", "refused"),
    [
        (b"\x88\x02\x03\xf0", True),
        (frame(REFUSAL) + b"\x88\x02\x0b\xb8", True),
        (frame({**REFUSAL, "more": "x" * 300}), True),
        (frame({"error": "no key"}), True),
        (frame({"type": "session.created"}), False),
        (frame("error"), False),
        (frame({"type": "error"}, length=3), False),
        (b"\x81", False),
        (b"\x82\x02{}", False),
        (b"", False),
    ],
)
def test_a_socket_that_tells_of_an_error_is_shut(said: bytes, refused: bool) -> None:
    """As OpenAI's realtime API tells a wrong key: an event, then the close."""
    assert refused_in_frames(said) is refused
    answer = Exchange("GET", "u", (), b"", status=101, chunks=((0.0, said),) if said else ())
    assert grants_access(answer) is not refused


@pytest.fixture
def environment() -> Environment:
    return load_environment("local", ROOT, {})


def opening(environment: Environment, *paths: str) -> Environment:
    public = (*environment.gateway.public_paths, *paths)
    return environment.model_copy(
        update={"gateway": environment.gateway.model_copy(update={"public_paths": public})}
    )


def target(environment: Environment, *, unlisted: bool = False) -> Target:
    """unlisted: whether its gateway's first look found no list of models."""
    return cast(
        Target,
        SimpleNamespace(
            environment=environment,
            unlisted=unlisted,
            once=lambda *_: Exchange("GET", "u", (), b"", status=401),
        ),
    )


def test_keys_are_tried_on_what_is_not_declared_open(environment: Environment) -> None:
    assert str(tried_route(target(environment))) == "GET /v1/models"
    catalogue = target(opening(environment, "/v1/models"))
    assert str(tried_route(catalogue)) == "POST /v1/chat/completions"
    assert not on_the_list(catalogue)
    chats = opening(environment, "/v1/models", "/v1/chat/*")
    assert str(tried_route(target(chats))) == "POST /v1/embeddings"


def test_keys_are_tried_on_what_is_there(environment: Environment) -> None:
    """A gateway without a list of models refuses and serves keys all the same."""
    without = target(environment, unlisted=True)
    assert str(tried_route(without)) == "POST /v1/chat/completions"
    assert not on_the_list(without)
    chats = opening(environment, "/v1/chat/*")
    assert str(tried_route(target(chats, unlisted=True))) == "POST /v1/embeddings"


def test_a_gateway_without_a_list_that_declares_all_else_open(environment: Environment) -> None:
    """Nothing is left that could refuse: the checks say so, and do not fall over."""
    completions = ("/v1/chat/*", "/v1/embeddings", "/v1/completions", "/v1/responses")
    assert str(tried_route(target(opening(environment, *completions), unlisted=True))) == "GET /v1/models"


def test_what_counts_as_served_is_of_that_route(environment: Environment) -> None:
    blank = Exchange("GET", "u", (), b"", status=200, headers=(("content-type", "application/json"),))
    listed = replace(blank, chunks=((0.0, b'{"object": "list", "data": []}'),))
    spoken = replace(blank, chunks=((0.0, b'{"object": "chat.completion", "choices": []}'),))
    assert served(target(environment), listed)
    assert not served(target(environment), spoken)
    assert served(target(opening(environment, "/v1/models")), spoken)
    assert served(target(environment, unlisted=True), spoken)


LISTED = b'{"object": "list", "data": []}'


SPOKEN = b'{"object": "chat.completion", "choices": []}'


def catalogue(environment: Environment, chat: int, own: int = 200) -> Target:
    """Whose gateway lists its models to everybody. chat: its answer without a key; own: with it."""
    headers = (("content-type", "application/json"),)
    answers = {
        (*PLAIN, "/v1/chat/completions"): Exchange(
            "POST", "u", (), b"", status=chat, headers=headers, chunks=((0.0, SPOKEN),)
        ),
        PLAIN: Exchange("GET", "u", (), b"", status=200, headers=headers, chunks=((0.0, LISTED),)),
        OWN: Exchange("POST", "u", (), b"", status=own, headers=headers, chunks=((0.0, SPOKEN),)),
    }
    gateway = SimpleNamespace(without_key=lambda *_: answers[PLAIN])
    return cast(
        Target,
        SimpleNamespace(
            environment=environment,
            unlisted=False,
            gateway=gateway,
            notebook=Notebook([*answers.values()]),
            once=lambda name, _: answers[name],
        ),
    )


@pytest.mark.parametrize("refusal", [401, 403, 500])
def test_an_open_list_says_nothing_of_keys(environment: Environment, refusal: int) -> None:
    """The Shepherd Model Gateway lists its models to everybody, and serves them to its key alone: thirty
    checks were red for the list, and its doors were not looked at."""
    one = catalogue(environment, refusal)
    assert str(tried_route(one)) == "POST /v1/chat/completions"
    assert is_catalogue(one)
    assert refused_plainly(one).status == refusal
    with pytest.raises(CheckFailed, match=r"close it, or declare it in gateway\.public_paths") as failed:
        no_key(one, cast(GatewayClient, None))
    assert failed.value.alarm == "anybody gets the list of models without a key"


@pytest.mark.parametrize(("chat", "own"), [(200, 200), (404, 404), (500, 500)])
def test_a_gateway_whose_chat_refuses_nobody_is_open(environment: Environment, chat: int, own: int) -> None:
    one = catalogue(environment, chat, own)
    assert on_the_list(one)
    assert not is_catalogue(one)
    with pytest.raises(CheckFailed) as failed:
        no_key(one, cast(GatewayClient, None))
    assert failed.value.alarm == OPENED
    shown = one.notebook.exchanges[-1]
    assert shown.method == "GET", "the request to ask again is the one that the finding tells of"
    assert len(one.notebook.exchanges) == 3, "and stands there once"


def test_an_open_list_that_is_declared_is_the_environments_will(environment: Environment) -> None:
    declared = opening(environment, "/v1/models")
    assert is_catalogue(target(declared))
    assert not open_catalogue(catalogue(declared, 401))


@pytest.mark.parametrize(
    ("status", "said", "alarm"),
    [
        (200, LISTED, OPENED),
        (200, b"<html>sign in</html>", ""),
        (403, b"no", ""),
    ],
)
def test_what_is_served_without_a_key_is_the_headline(
    environment: Environment, status: int, said: bytes, alarm: str
) -> None:
    answer = Exchange("GET", "u", (), b"", status=status, chunks=((0.0, said),))
    one = cast(
        Target,
        SimpleNamespace(environment=environment, unlisted=False, notebook=Notebook(), once=lambda *_: answer),
    )
    with pytest.raises(CheckFailed) as failed:
        no_key(one, cast(GatewayClient, None))
    assert failed.value.alarm == alarm


@pytest.mark.parametrize(
    ("without_key", "own", "verdict"),
    [
        (500, 500, Untestable),
        (404, 404, Untestable),
        (404, 200, CheckFailed),
        (500, 200, CheckFailed),
        (403, 500, CheckFailed),
    ],
)
def test_a_chat_that_fails_whoever_asks_says_nothing_of_keys(
    environment: Environment, without_key: int, own: int, verdict: type[Exception]
) -> None:
    """As a server without a list of models whose model is broken."""
    answers = {
        place: Exchange("POST", "u", (), b"", status=status, chunks=((0.0, b"Internal Server Error"),))
        for place, status in ((PLAIN, without_key), (OWN, own))
    }
    one = SimpleNamespace(
        environment=environment,
        unlisted=True,
        notebook=Notebook(),
        once=lambda place, _: answers[place],
    )
    with pytest.raises(verdict) as told:
        no_key(cast(Target, one), cast(GatewayClient, None))
    if isinstance(told.value, Untestable):
        assert told.value.root == "API-CHAT-001"
        said = f"answers {own} to the environment's key as well: Internal Server Error"
        assert said in told.value.missing


@pytest.mark.parametrize(("status", "refusals"), [(200, 0), (401, 2)])
def test_two_answers_of_a_model_tell_nothing_of_keys(
    environment: Environment, monkeypatch: pytest.MonkeyPatch, status: int, refusals: int
) -> None:
    """Where everybody is served, each answer has an id of its own; a refusal that differs tells."""
    said = iter((b'{"id": "chatcmpl-bed8b3"}', b'{"id": "chatcmpl-0f"}'))
    counts: list[int] = []
    monkeypatch.setattr(keys, "judged", lambda **found: counts.extend(found.values()))
    monkeypatch.setattr(
        keys,
        "tried",
        lambda *_, **__: Exchange("POST", "u", (), b"", status=status, chunks=((0.0, next(said)),)),
    )
    one = cast(Target, SimpleNamespace(environment=environment, key="sk-right-0123456789"))
    with pytest.raises(CheckFailed) if refusals else nullcontext():
        keys.test_prefix_is_not_revealed(one, cast(GatewayClient, None))
    assert counts == [refusals]


@pytest.mark.parametrize(
    ("plain", "refusing", "verdict"),
    [
        (200, {}, Untestable),
        (200, {"/key/list": 401}, None),
        (401, {}, CheckFailed),
    ],
)
def test_a_host_header_opens_nothing_that_is_open_anyway(
    environment: Environment,
    monkeypatch: pytest.MonkeyPatch,
    plain: int,
    refusing: dict[str, int],
    verdict: type[Exception] | None,
) -> None:
    """vLLM's router asks nobody for a key: its list of models was "served where Host is …"."""

    def answer(status: int) -> Exchange:
        return Exchange("GET", "u", (), b"", status=status, chunks=((0.0, LISTED),))

    monkeypatch.setattr(ways, "decoys_of", lambda _: ())
    kept = {
        PLAIN: answer(plain),
        (*PLAIN, "/v1/chat/completions"): answer(plain),
        ("access", "refusing"): {path: answer(401) for path in refusing},
    }
    one = SimpleNamespace(environment=environment, unlisted=False, once=lambda place, _: kept[place])
    hidden = SimpleNamespace(without_key=lambda _, path, **__: answer(refusing.get(path, 200)))
    noted: list[object] = []
    with pytest.raises(verdict) if verdict else nullcontext():
        ways.test_every_route(
            cast(Target, one), cast(GatewayClient, hidden), lambda _, value: noted.append(value)
        )
    assert noted == ([] if verdict is Untestable else [1])


@pytest.mark.parametrize(("hidden", "opens"), [(401, False), (200, True)])
def test_where_no_route_is_known_to_refuse_the_one_that_is_tried_is_looked_at(
    monkeypatch: pytest.MonkeyPatch, environment: Environment, hidden: int, opens: bool
) -> None:
    """MLflow's gateway has neither a list of models nor routes of management."""

    def answer(status: int) -> Exchange:
        body = json.dumps(CHAT).encode()
        return Exchange("POST", "u", (), b"", status=status, chunks=((0.0, body),))

    monkeypatch.setattr(ways, "decoys_of", lambda _: ())
    kept = {PLAIN: answer(401), ("access", "refusing"): {}, ("access", "hidden path"): answer(hidden)}
    one = SimpleNamespace(environment=environment, unlisted=True, once=lambda place, _: kept[place])
    with pytest.raises(CheckFailed, match="POST /v1/chat/completions is served") if opens else nullcontext():
        ways.test_every_route(cast(Target, one), cast(GatewayClient, None), lambda *_: None)


@pytest.mark.parametrize(("plain", "verdict"), [(200, Untestable), (401, CheckFailed)])
def test_no_known_key_opens_what_is_open_anyway(
    environment: Environment, plain: int, verdict: type[Exception]
) -> None:
    """A gateway without keys has no known one: "set a key of your own" was the advice (mock-llm)."""

    def answer(status: int) -> Exchange:
        return Exchange("GET", "u", (), b"", status=status, chunks=((0.0, LISTED),))

    asked = SimpleNamespace(request=lambda *_, **__: answer(200))
    one = SimpleNamespace(
        environment=environment,
        unlisted=False,
        gateway=asked,
        notebook=Notebook(),
        once=lambda *_: answer(plain),
    )
    with pytest.raises(verdict) as told:
        known_key(cast(Target, one), cast(GatewayClient, None), "sk-1234")
    assert ("see API-AUTH-002" in str(told.value)) is (verdict is Untestable)


@pytest.mark.parametrize(
    ("plain", "said", "verdict"),
    [
        (200, ["half of the key: expected 401 from u, got 200: it was served"], Untestable),
        (401, ["half of the key: expected 401 from u, got 200: it was served"], CheckFailed),
        (200, ["SQL: expected 401 from u, got 500: oops", "null: got 200: it was served"], CheckFailed),
        (200, [], None),
    ],
)
def test_a_gateway_that_asks_for_no_key_has_no_wrong_ones(
    environment: Environment, plain: int, said: list[str], verdict: type[Exception] | None
) -> None:
    """One cause is one finding: fifteen checks were red for what API-AUTH-002 says."""
    answer = Exchange("GET", "u", (), b"", status=plain, chunks=((0.0, LISTED),))
    one = SimpleNamespace(environment=environment, unlisted=False, once=lambda *_: answer)
    with pytest.raises(verdict) if verdict else nullcontext():
        require_refused(cast(Target, one), [Problem("", text) for text in said])
