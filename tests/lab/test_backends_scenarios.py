"""Each defect of the backends shows, and nothing else with it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest

from lab.backends import SCENARIOS, Fixed, Listener, Scenario, register, scenario_named
from tests.lab.test_backends_client import ask, chat, fetch, make_backend, serve

EMBED = {"model": "all-minilm", "input": ["one", "two"]}


def said(scenario: str, content: str, **fields: Any) -> str:
    """The text a faulty backend answers with."""
    return str(ask("/api/chat", chat(content, **fields), scenario=scenario).json["message"]["content"])


@pytest.fixture
def extra() -> Iterator[None]:
    """Forget what a test registers."""
    before = dict(SCENARIOS)
    yield
    SCENARIOS.clear()
    SCENARIOS.update(before)


@pytest.mark.parametrize("path", ["/", "/api/tags", "/api/nope", "/api/chat"])
def test_backend_down(path: str) -> None:
    backend = make_backend()
    with pytest.raises(aiohttp.ClientConnectionError):  # POST: aiohttp's client silently repeats a GET
        ask(path, backend=backend, scenario="backend-down", method="POST")
    assert backend.counts.total(scenario="backend-down") == 1
    assert backend.in_flight == 0


def test_model_missing() -> None:
    names = [model["name"] for model in ask("/api/tags", scenario="model-missing").json["models"]]
    assert names == ["phi3:latest", "all-minilm:latest"]
    assert ask("/api/chat", chat("hello"), scenario="model-missing").status == 404
    assert ask("/api/chat", chat("hello", model="phi3"), scenario="model-missing").status == 200


def test_model_unlisted() -> None:
    assert len(ask("/api/tags", scenario="model-unlisted").json["models"]) == 2
    assert ask("/api/chat", chat("hello"), scenario="model-unlisted").status == 200


def test_embedding_defects() -> None:
    good = ask("/api/embed", EMBED).json["embeddings"]
    short, same, order, long = (
        ask("/api/embed", EMBED, scenario=f"embedding-{name}").json["embeddings"]
        for name in ("dimensions", "constant", "order", "not-normalised")
    )
    assert short == [vector[:-1] for vector in good]
    assert same[0] == same[1]
    assert order == good[::-1]
    assert sum(value * value for value in long[0]) == pytest.approx(4, abs=1e-5)


def test_embedding_nan() -> None:
    body = ask("/api/embed", EMBED, scenario="embedding-nan").body
    assert body.count(b"NaN") == 2

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    with pytest.raises(ValueError, match="NaN"):
        json.loads(body, parse_constant=refuse)


def test_nondeterministic() -> None:
    backend = make_backend()
    options = {"temperature": 0, "seed": 1}
    body = chat("Return exactly the text: A", options=options)
    texts = {
        ask("/api/chat", body, backend=backend, scenario="nondeterministic").json["message"]["content"]
        for _ in range(4)
    }
    assert len(texts) == 4
    wanted = chat("hello", format="json")
    answers = [
        ask("/api/chat", wanted, backend=backend, scenario="nondeterministic").json["message"]["content"]
        for _ in range(2)
    ]
    assert answers[0] != answers[1]
    assert json.loads(answers[0]) == json.loads(answers[1])


def test_ignored_instructions() -> None:
    count = "Count from 1 to 9"
    assert said("ignores-num-predict", count, options={"num_predict": 2, "stop": ["8"]}) == "1 2 3 4 5 6 7 "
    assert said("ignores-stop", count, options={"stop": ["4"], "num_predict": 5}) == "1 2 3 4 5"
    assert said("ignores-format", count, format="json") == "1 2 3 4 5 6 7 8 9"
    tool = {"type": "function", "function": {"name": "f", "parameters": {}}}
    assert said("ignores-tools", "Call the tool f with {}", tools=[tool])
    assert said("echo-disobeyed", "Return exactly the text: A") != "A"


def test_stop_string_refused() -> None:
    one, many = ({"stop": stop} for stop in ("4", ["4"]))
    assert said("", "Count from 1 to 9", options=one) == said(
        "stop-string-refused", "Count from 1 to 9", options=many
    )
    refused = ask("/api/chat", chat("hello", options=one), scenario="stop-string-refused")
    assert (refused.status, refused.json["error"]) == (500, 'option "stop" must be of type array')


def test_finish_stop_for_length() -> None:
    body = chat("Count from 1 to 9", options={"num_predict": 2})
    good, bad = (ask("/api/chat", body, scenario=name).json for name in (None, "finish-stop-for-length"))
    assert (good["done_reason"], bad["done_reason"]) == ("length", "stop")
    assert good["message"] == bad["message"]


def test_counts_missing() -> None:
    lines = ask("/api/chat", chat("hello", stream=True), scenario="counts-missing").lines
    assert lines[-1]["done"] is True
    assert not {"eval_count", "prompt_eval_count"} & set(lines[-1])
    assert "prompt_eval_count" not in ask("/api/embed", EMBED, scenario="counts-missing").json


def test_stream_dies() -> None:
    async def talk(listener: Listener) -> bytes:
        body = json.dumps(chat("Count from 1 to 9", stream=True))
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{listener.url}/api/chat", data=body) as response,
        ):
            line = await response.content.readline()
            with pytest.raises(aiohttp.ClientPayloadError):
                await response.content.read()
        return line

    assert json.loads(serve(make_backend(), talk, "stream-dies"))["message"]["content"] == "1"
    assert ask("/api/chat", chat("hello"), scenario="stream-dies").status == 200


def test_stream_ends() -> None:
    body = chat("Count from 1 to 9", stream=True)
    first, second = ask("/api/chat", body, scenario="stream-error-line").lines
    assert first["message"]["content"] == "1"
    assert "error" in second
    assert not any(line["done"] for line in ask("/api/chat", body, scenario="stream-without-done").lines)
    for scenario in ("stream-error-line", "stream-without-done"):
        assert ask("/api/chat", chat("hello"), scenario=scenario).json["done"] is True


@pytest.mark.parametrize(("scenario", "status"), [("error-500", 500), ("error-503", 503)])
def test_errors(scenario: str, status: int) -> None:
    for path, body in (("/api/chat", chat("hello")), ("/api/embed", EMBED)):
        reply = ask(path, body, scenario=scenario)
        assert reply.status == status
        assert set(reply.json) == {"error"}
    assert ask("/api/tags", scenario=scenario).status == 200


def test_wrong_version_path() -> None:
    reply = ask("/api/version", scenario="wrong-version-path")
    assert (reply.status, reply.body) == (404, b"404 page not found")
    assert ask("/api/tags", scenario="wrong-version-path").status == 200


def test_slow_tokens_delay_each_token() -> None:
    async def talk(listener: Listener) -> None:
        await fetch(f"{listener.url}/api/chat", "POST", chat("Return exactly the text: A"))

    backend = make_backend()
    serve(backend, talk, "slow-tokens")
    assert backend.counts.total(scenario="slow-tokens") == 1


@pytest.mark.usefixtures("extra")
@pytest.mark.parametrize("place", ["backends", "models", "endpoints"])
def test_a_defect_stays_in_its_place(place: str) -> None:
    here = {"backends": "llm-01", "models": "phi3:latest", "endpoints": "/api/chat"}[place]
    defect = Fixed(418, "teapot")
    register(
        Scenario(name="here", description="d", fixed=defect, **{place: frozenset({here})}),  # type: ignore[arg-type]
        Scenario(name="elsewhere", description="d", fixed=defect, **{place: frozenset({"x"})}),  # type: ignore[arg-type]
    )
    backend = make_backend()
    body = chat("hello", model="phi3")
    assert ask("/api/chat", body, backend=backend, scenario="here").status == 418
    assert ask("/api/chat", body, backend=backend, scenario="elsewhere").status == 200
    assert backend.counts.by_key() == {
        ("/api/chat", "phi3:latest", "here"): 1,
        ("/api/chat", "phi3:latest", ""): 1,
    }


@pytest.mark.usefixtures("extra")
def test_the_registry() -> None:
    with pytest.raises(ValueError, match="declared twice"):
        register(Scenario(name="error-500", description="again"))
    assert scenario_named("error-500").fixed is not None
