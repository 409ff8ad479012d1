"""The backends' endpoints, as Ollama's own source answers them."""

from __future__ import annotations

from typing import Any

import pytest

from lab.backends import BackendServer, ModelSpec
from lab.backends.answers import RAW_LENGTH
from lab.backends.models import digest, qualified
from tests.lab.test_backends_client import ask, chat, make_backend


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_root(method: str) -> None:
    reply = ask("/", method=method)
    assert (reply.status, reply.content_type) == (200, "text/plain; charset=utf-8")
    assert reply.body == (b"Ollama is running" if method == "GET" else b"")
    assert "Server" not in reply.headers


def test_version() -> None:
    assert ask("/api/version").json == {"version": "0.35.0"}
    assert ask("/api/version", backend=make_backend(version="0.13.0")).json == {"version": "0.13.0"}


def test_tags() -> None:
    models = ask("/api/tags").json["models"]
    assert [model["name"] for model in models] == ["llama3.2:3b", "phi3:latest", "all-minilm:latest"]
    assert models == ask("/api/tags").json["models"]
    assert {len(model["digest"]) for model in models} == {64}
    assert len({model["digest"] for model in models}) == 3
    assert models[1]["details"]["parameter_size"] == "3.8B"


def test_digests_do_not_depend_on_the_backend() -> None:
    spec = ModelSpec("chat")
    assert digest("phi3", spec) == digest("phi3:latest", ModelSpec("chat"))
    assert digest("phi3", spec) != digest("phi3", ModelSpec("chat", parameter_size="7B"))


def test_show() -> None:
    shown = ask("/api/show", {"model": "all-minilm"}).json
    assert shown["capabilities"] == ["embedding"]
    assert shown["model_info"]["bert.embedding_length"] == 384
    assert ask("/api/show", {"name": "phi3"}).json["capabilities"] == ["completion"]


def test_ps_lists_what_was_used() -> None:
    backend = make_backend()
    assert ask("/api/ps", backend=backend).json == {"models": []}
    ask("/api/chat", chat("hello", model="phi3"), backend=backend)
    ask("/api/embed", {"model": "all-minilm", "input": "a"}, backend=backend)
    names = [model["name"] for model in ask("/api/ps", backend=backend).json["models"]]
    assert names == ["all-minilm:latest", "phi3:latest"]
    unload = {"model": "phi3", "messages": [], "keep_alive": 0}
    assert ask("/api/chat", unload, backend=backend).json["done_reason"] == "unload"
    assert len(ask("/api/ps", backend=backend).json["models"]) == 1


def test_unknown_paths_and_methods() -> None:
    missing = ask("/v1/nope")
    assert (missing.status, missing.body) == (404, b"404 page not found")
    wrong = ask("/api/chat")
    assert (wrong.status, wrong.body, wrong.headers["Allow"]) == (405, b"405 method not allowed", "POST")
    assert ask("/api/ps", method="HEAD").status == 405
    assert ask("/api/tags", method="HEAD").status == 200


@pytest.mark.parametrize("path", ["/api/chat", "/api/generate", "/api/embed", "/api/show"])
def test_unknown_model(path: str) -> None:
    body = {"model": "nope", "messages": [], "prompt": "a", "input": "a"}
    reply = ask(path, body)
    assert (reply.status, reply.json) == (404, {"error": "model 'nope' not found"})


def test_unknown_model_of_the_older_endpoint() -> None:
    reply = ask("/api/embeddings", {"model": "nope", "prompt": "a"})
    assert (reply.status, reply.json) == (404, {"error": 'model "nope" not found, try pulling it first'})


@pytest.mark.parametrize("path", ["/api/chat", "/api/generate", "/api/embed", "/api/embeddings", "/api/show"])
@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "missing request body"),
        (b'{"messages": ' + b"[" * 50_000 + b"]" * 50_000 + b"}", "exceeded max depth"),
        (b"{", "unexpected EOF"),
        (b"nonsense", "invalid character 'n' looking for beginning of value"),
        (b'{"a": NaN}', "invalid character 'N' looking for beginning of value"),
        (b"{}", "model is required"),
        (b'{"model": 7}', "json: cannot unmarshal number into Go struct field"),
        (b"[]", "json: cannot unmarshal array into Go value of type"),
    ],
)
def test_bad_bodies(path: str, body: bytes, message: str) -> None:
    reply = ask(path, body)
    assert reply.status == 400
    assert reply.json["error"].startswith(message)


@pytest.mark.parametrize(
    ("fields", "status", "message"),
    [
        ({"messages": "hello"}, 400, "messages of type []api.Message"),
        ({"messages": ["hello"]}, 400, "messages of type api.Message"),
        ({"messages": [{"role": "user", "content": []}]}, 400, "messages.content of type string"),
        ({"stream": "yes"}, 400, "stream of type bool"),
        ({"tools": [{"function": 1}]}, 400, "tools.function"),
        ({"options": {"num_predict": "5"}}, 500, 'option "num_predict" must be of type integer'),
        ({"options": {"temperature": "hot"}}, 500, 'option "temperature" must be of type float32'),
        ({"options": {"stop": [1]}}, 500, "array of strings"),
        ({"format": "xml"}, 500, 'invalid format: "xml"'),
        ({"format": {"$ref": "#/nowhere"}}, 500, "leads nowhere"),
        ({"think": True}, 400, '"llama3.2:3b" does not support thinking'),
    ],
)
def test_bad_fields(fields: dict[str, Any], status: int, message: str) -> None:
    reply = ask("/api/chat", chat("hello", **fields))
    assert reply.status == status
    assert message in reply.json["error"]


def test_capabilities() -> None:
    tool = {"type": "function", "function": {"name": "f", "parameters": {}}}
    refused = ask("/api/chat", chat("hello", model="phi3", tools=[tool]))
    assert (refused.status, refused.json["error"]) == (
        400,
        "registry.ollama.ai/library/phi3:latest does not support tools",
    )
    assert qualified("someone/phi3:mini") == "registry.ollama.ai/someone/phi3:mini"
    embedding = ask("/api/chat", chat("hello", model="all-minilm"))
    assert (embedding.status, embedding.json["error"]) == (400, '"all-minilm" does not support chat')
    generate = ask("/api/generate", {"model": "all-minilm", "prompt": "a"})
    assert (generate.status, generate.json["error"]) == (400, '"all-minilm" does not support generate')
    for path, status in (("/api/embed", 501), ("/api/embeddings", 500)):
        embed = ask(path, {"model": "phi3", "input": "a", "prompt": "a"})
        assert (embed.status, embed.json["error"]) == (status, "this model does not support embeddings")


@pytest.mark.parametrize(
    "name", ["phi3", "phi3:latest", "PHI3", "library/phi3", "registry.ollama.ai/library/phi3"]
)
def test_names_of_one_model(name: str) -> None:
    reply = ask("/api/chat", chat("hello", model=name))
    assert (reply.status, reply.json["model"]) == (200, name)
    assert reply.json["message"] == ask("/api/chat", chat("hello", model="phi3")).json["message"]


def test_two_names_of_one_model_are_refused() -> None:
    with pytest.raises(ValueError, match="two names mean the same model"):
        BackendServer("llm-01", {"phi3": ModelSpec("chat"), "phi3:latest": ModelSpec("chat")})


def test_streaming_is_the_default() -> None:
    body = chat("hello")
    del body["stream"]
    reply = ask("/api/chat", body, headers={"Content-Type": "application/octet-stream"})
    assert reply.content_type == "application/x-ndjson"
    *pieces, last = reply.lines
    assert len(pieces) > 5
    assert all(piece["done"] is False and "done_reason" not in piece for piece in pieces)
    assert (last["done"], last["done_reason"], last["message"]["content"]) == (True, "stop", "")
    assert (
        last["total_duration"] == last["load_duration"] + last["prompt_eval_duration"] + last["eval_duration"]
    )
    assert last["eval_count"] == len(pieces)
    whole = ask("/api/chat", {**body, "stream": False})
    assert whole.content_type == "application/json; charset=utf-8"
    assert "".join(piece["message"]["content"] for piece in pieces) == whole.json["message"]["content"]
    assert whole.json["eval_count"] == last["eval_count"]
    assert whole.json["prompt_eval_count"] == last["prompt_eval_count"]


@pytest.mark.parametrize(
    "text",
    [
        "plain words, and more.",
        "Grüße 東京 🎉👩‍👩‍👧 naïve é",
        "a\u00a0b   c\ttab",
        '{"a": "\\"quoted\\""}',
        "x" * 200,
    ],
)
@pytest.mark.parametrize("stop", [[], ["ords, a"], ["zzz"]])
def test_a_stream_says_the_same_as_a_whole_answer(text: str, stop: list[str]) -> None:
    options = {"temperature": 0, "stop": stop}
    body = chat(f"Return exactly the text: {text}", options=options)
    streamed = ask("/api/chat", {**body, "stream": True}).lines
    said = "".join(line["message"]["content"] for line in streamed)
    assert said == ask("/api/chat", body).json["message"]["content"]
    assert said == (text.split(stop[0])[0] if stop else text)


def test_lone_surrogates_become_replacement_characters() -> None:
    body = (
        b'{"model":"phi3","stream":false,"messages":'
        b'[{"role":"user","content":"Reply with exactly: a\\ud800b \\ud83d\\ude00"}]}'
    )
    assert ask("/api/chat", body).json["message"]["content"] == "a\ufffdb 😀"


def test_generate() -> None:
    body = {"model": "phi3", "prompt": "Reply with exactly: HX-OK", "images": []}
    lines = ask("/api/generate", body).lines
    assert "".join(line["response"] for line in lines) == "HX-OK"
    assert ask("/api/generate", {**body, "stream": False}).json["response"] == "HX-OK"
    assert ask("/api/generate", {"model": "phi3"}).json["done_reason"] == "load"
    system = {**body, "prompt": "hello", "system": "Always answer with exactly: yes", "stream": False}
    assert ask("/api/generate", system).json["response"] == "yes"


def test_generate_understands_a_written_conversation() -> None:
    turns = ["### User:\nMy name is Ada", "### Assistant:\nHello", "### User:\nWhat is my name?"]
    body = {"model": "phi3", "prompt": "\n\n".join(turns) + "\n\n", "stream": False}
    assert ask("/api/generate", body).json["response"] == "Ada"


def test_what_a_gateway_sends_besides() -> None:
    body = chat("Return exactly the text: A", keep_alive="5m", unknown=1, options={"mirostat": 1, "seed": 3})
    body["messages"][0]["images"] = []
    assert ask("/api/chat", body).json["message"]["content"] == "A"


def test_no_messages_only_loads_the_model() -> None:
    reply = ask("/api/chat", {"model": "phi3"}).json
    assert (reply["done"], reply["done_reason"], reply["message"]["content"]) == (True, "load", "")


def test_tool_calls() -> None:
    parameters = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    tool = {"type": "function", "function": {"name": "get_weather", "parameters": parameters}}
    body = chat('Call the tool get_weather with {"city": "東京"}', tools=[tool])
    message = ask("/api/chat", body).json["message"]
    call = {"function": {"index": 0, "name": "get_weather", "arguments": {"city": "東京"}}}
    assert message == {"role": "assistant", "content": "", "tool_calls": [call]}
    first, last = ask("/api/chat", {**body, "stream": True}).lines
    assert (first["message"]["tool_calls"], first["done"], last["done"]) == ([call], False, True)


def test_embed() -> None:
    reply = ask("/api/embed", {"model": "all-minilm", "input": ["one", "two words"]}).json
    assert [len(vector) for vector in reply["embeddings"]] == [384, 384]
    assert (reply["model"], reply["prompt_eval_count"]) == ("all-minilm", 3)
    single = ask("/api/embed", {"model": "all-minilm", "input": "two words"}).json
    assert single["embeddings"] == reply["embeddings"][1:]
    older = ask("/api/embeddings", {"model": "all-minilm", "prompt": "two words"}).json
    assert older["embedding"] == [RAW_LENGTH * value for value in single["embeddings"][0]]


def test_embed_nothing() -> None:
    empty: list[object] = [[], "", None]
    for nothing in empty:
        reply = ask("/api/embed", {"model": "all-minilm", "input": nothing})
        assert (reply.status, reply.json) == (200, {"model": "all-minilm", "embeddings": []})
    assert ask("/api/embeddings", {"model": "all-minilm"}).json == {"embedding": []}
    tokens = ask("/api/embed", {"model": "all-minilm", "input": [[1, 2, 3]]})
    assert (tokens.status, tokens.json) == (400, {"error": "invalid input type"})


def test_embed_dimensions_and_truncation() -> None:
    reply = ask("/api/embed", {"model": "all-minilm", "input": "a", "dimensions": 8}).json
    assert len(reply["embeddings"][0]) == 8
    assert sum(value * value for value in reply["embeddings"][0]) == pytest.approx(1, abs=1e-6)
    long = "word " * 600
    cut = ask("/api/embed", {"model": "all-minilm", "input": long}).json
    assert cut["prompt_eval_count"] == 512
    refused = ask("/api/embed", {"model": "all-minilm", "input": long, "truncate": False})
    assert (refused.status, refused.json["error"]) == (400, "the input length exceeds the context length")
