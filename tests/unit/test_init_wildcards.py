"""``init`` before a LiteLLM as people configure it: wildcards, replicas, other names, hidden ones."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway_acceptance.cli.init.litellm import is_litellm
from gateway_acceptance.cli.init.toml_text import inline
from gateway_acceptance.environment import Ability, Environment
from tests.json_server import Answer
from tests.unit.plain_gateway import Asked, Plain, serving
from tests.unit.test_init import Init, init, plain, plainly, written

__all__ = ["init", "plain"]

PRICED = [f"openai/gpt-{number}" for number in range(60)]
"""What LiteLLM lists of ``openai/*``, by its price list."""


def entry(name: str, model: str, base: str, configured: str, **info: Any) -> dict[str, Any]:
    """One of /v1/model/info, as LiteLLM 1.108.7 gives it."""
    given = {"model": model, "api_base": base}
    return {"model_name": name, "litellm_params": given, "model_info": {"id": configured, **info}}


def told(plain: Plain, entries: list[dict[str, Any]], models: list[Any], has: list[str]) -> None:
    """The plain gateway becomes a LiteLLM with these entries, before an Ollama that is the same server."""
    plain.models = models
    plain.answers["/health/readiness"] = (200, {"status": "connected", "db": "Not connected"}, {})
    plain.answers["/v1/model/info"] = (200, {"data": entries}, {})
    plain.answers["/api/tags"] = (200, {"models": [{"name": name, "digest": "ab" * 32} for name in has]}, {})


def made(init: Init, folder: Path, *options: str) -> tuple[Environment, str]:
    code, out, err = init(*options)
    assert code == 0, err
    return written(out, folder), out


def test_names_of_a_wildcard_are_set_aside(init: Init, plain: Plain, tmp_path: Path) -> None:
    one = entry("chatty", "ollama_chat/tiny", plain.url, "a1")
    told(plain, [one, *(entry(name, name, f"{plain.url}/v1", "b2") for name in PRICED)], [], ["tiny:latest"])
    listed = [{"id": name} for name in [*PRICED, "chatty"]]
    painter = {"id": "openai/gpt-image", "mode": "image_generation"}
    plain.answers["/v1/models"] = (200, {"object": "list", "data": [*listed, painter]}, {})
    environment, out = made(init, tmp_path)
    assert environment.aliases == ["chatty"]
    assert environment.gateway.unjudged_models == ("openai/*",)
    assert "it is a wildcard: listed for it, and not known to be served: 61;" in plainly(out)
    assert len(plain.seen) <= 30


@pytest.mark.parametrize("status", [404, 501])
def test_a_gateway_that_has_no_list_of_models(init: Init, plain: Plain, tmp_path: Path, status: int) -> None:
    """MLflow's has chat and embeddings alone: its models are named, and are no hidden ones."""
    plain.answers["/v1/models"] = (status, {"detail": "Not Found"}, {})
    code, out, err = init()
    assert (code, out) == (1, "")
    assert "if it has no such list, name its models: --model NAME" in err
    assert "1 model, 0 backends, found with " in init("--model", "chatty", "--out", "one.toml")[1]
    environment, _ = made(init, tmp_path, "--model", "chatty", "--model", "nomic-embed-text")
    assert [(one.alias, one.kind, one.hidden) for one in environment.models] == [
        ("chatty", "chat", False),
        ("nomic-embed-text", "embedding", False),
    ]


@pytest.mark.parametrize(("healthz", "path"), [(200, "/healthz"), (404, "/")])
def test_a_page_for_people_is_the_last_sign_of_life(
    init: Init, plain: Plain, tmp_path: Path, healthz: int, path: str
) -> None:
    """hubrelay has a page at / and a sign of life at /healthz."""
    plain.answers["/"] = (200, b"<html>relay</html>", {"content-type": "text/html; charset=utf-8"})
    plain.answers["/healthz"] = (healthz, {"status": "ok"}, {})
    assert made(init, tmp_path)[0].gateway.liveness_path == path


def test_models_are_named_where_the_list_of_them_is_broken(init: Init, plain: Plain, tmp_path: Path) -> None:
    """NeMo Guardrails' is 502 where it does not know whom to ask."""
    plain.answers["/v1/models"] = (502, {"error": {"message": "not configured"}}, {})
    assert init()[0] == 1
    for name in ("chatty", "nomic-embed-text"):
        assert made(init, tmp_path, "--model", name)[0].aliases == [name]


def test_what_another_model_says_for_one_that_embeds_is_not_its_own(
    init: Init, plain: Plain, tmp_path: Path
) -> None:
    """Ollama Herd falls back to a chat model where an embedding model is asked to chat."""

    def spoken(asked: Asked) -> Answer:
        return 200, {**plain.said(asked), "model": "chatty"}, {}

    plain.answers["/v1/chat/completions"] = spoken
    plain.answers["/v1/embeddings"] = (503, {"error": {"message": "no server embeds"}}, {})
    environment, out = made(init, tmp_path)
    assert environment.aliases == ["chatty"]
    assert "how many dimensions has the embedding model 'nomic-embed-text'?" in plainly(out)
    assert "a chat completion of it was answered by chatty" in plainly(out)


@pytest.mark.parametrize(("names", "asked"), [("tidy", True), ("acme/chatty", False)])
def test_a_chat_model_that_is_answered_by_another_is_a_question(
    init: Init, plain: Plain, tmp_path: Path, names: str, asked: bool
) -> None:
    """A second name of it, or a fallback in silence: nobody can see that from outside. A provider before the
    name is neither."""
    plain.models = ["chatty", names]

    def spoken(one: Asked) -> Answer:
        return 200, {**plain.said(one), "model": "chatty"}, {}

    plain.answers["/v1/chat/completions"] = spoken
    environment, out = made(init, tmp_path)
    assert environment.aliases == ["chatty", names]
    assert ("is it another name of 'chatty'? Its answers name that." in plainly(out)) is asked


def test_an_open_list_of_models_proves_no_key(init: Init, plain: Plain) -> None:
    """The Shepherd Model Gateway's: a file was written with models that had answered 401."""
    plain.answers["/v1/models"] = (200, {"object": "list", "data": [{"id": "chatty"}]}, {})
    plain.key = "sk-another-3f1b"
    code, out, err = init()
    assert (code, out) == (1, "")
    assert "the gateway refuses the" in err
    assert "POST /v1/embeddings: 401" in err or "POST /v1/chat/completions: 401" in err


def test_what_the_server_behind_has_is_declared(init: Init, plain: Plain, tmp_path: Path) -> None:
    names = ["ollama_chat/tiny", "ollama_chat/absent", "ollama_chat/llava"]
    told(plain, [entry(name, name, plain.url, "b2") for name in names], names, ["tiny:latest"])
    environment, _ = made(init, tmp_path)
    assert environment.aliases == ["ollama_chat/tiny"]
    assert environment.gateway.unjudged_models == ("ollama_chat/*",)
    assert environment.unjudged("ollama_chat/absent")
    assert not environment.unjudged("ollama_chat/tiny"), "what is declared is judged"


def test_the_only_name_of_a_wildcard(init: Init, plain: Plain, tmp_path: Path) -> None:
    """Of Ollama's models the price list has one under LiteLLM's own name of the provider."""
    names = {"ollama_chat/llama2": "ollama_chat/llama2", "chatty": "ollama_chat/tiny"}
    entries = [entry(name, model, plain.url, model) for name, model in names.items()]
    told(plain, entries, list(names), ["tiny:latest"])
    environment, _ = made(init, tmp_path)
    assert environment.aliases == ["chatty"]
    assert environment.gateway.unjudged_models == ("ollama_chat/*",)


def test_where_nobody_tells_names_are_asked_for(init: Init, plain: Plain, tmp_path: Path) -> None:
    told(plain, [entry(name, name, f"{plain.url}/v1", "b2") for name in PRICED], [*PRICED], [])
    code, out, err = init()
    assert (code, out) == (1, "")
    assert "nothing but names of wildcards (openai/*)" in err
    assert "--model NAME" in err
    environment, _ = made(init, tmp_path, "--model", PRICED[3])
    assert environment.aliases == [PRICED[3]]


def test_other_names_of_one_model_are_no_wildcard(init: Init, plain: Plain, tmp_path: Path) -> None:
    """``model_group_alias``: LiteLLM lists the same entry for both."""
    both = [entry(name, "ollama_chat/tiny", plain.url, "a1") for name in ("chatty", "gpt-4")]
    told(plain, both, ["chatty", "gpt-4"], ["tiny:latest"])
    environment, _ = made(init, tmp_path)
    assert environment.gateway.upstreams == ()
    assert environment.aliases == ["chatty", "gpt-4"]
    first, second = environment.models
    assert first.abilities == second.abilities == ("exact", "instructions", "seed")


def test_replicas_answer_for_each_other(init: Init, plain: Plain, tmp_path: Path) -> None:
    """An alias over servers with the same model is measured itself; one over different ones is a question."""
    replicas = [
        entry("chatty", "openai/tiny", f"{base}/v1", str(place))
        for place, base in enumerate((plain.url, "http://127.0.0.1:9"))
    ]
    mixed = [entry("mixed", f"ollama_chat/{name}", plain.url, name) for name in ("phi", "gemma")]
    told(plain, [*replicas, *mixed], ["chatty", "mixed"], ["tiny:latest"])
    environment, out = made(init, tmp_path)
    assert environment.gateway.upstreams == ("openai",)
    group, other = environment.groups
    assert {one.abilities for one in group.deployments} == {("exact", "instructions", "seed")}
    assert {one.abilities for one in other.deployments} == {()}
    assert out.count("No alias of its own") == 1


@pytest.mark.parametrize("listed", [True, False])
def test_a_hidden_one_is_named(init: Init, plain: Plain, tmp_path: Path, listed: bool) -> None:
    plain.models = ["chatty", *(["gpt-4"] if listed else [])]
    environment, _ = made(init, tmp_path, "--model", "gpt-4")
    assert environment.aliases == ["chatty", "gpt-4"]
    assert environment.model("gpt-4").hidden == (not listed)


@pytest.mark.parametrize("name", ["nomic-embed-text", "quiet"])
def test_what_the_gateway_takes_for_chat_and_embeds(
    init: Init, plain: Plain, tmp_path: Path, name: str
) -> None:
    """LiteLLM says ``mode: chat`` of each Ollama model that nobody gave another one."""
    told(plain, [entry(name, f"ollama/{name}", plain.url, "a1", mode="chat")], [], [f"{name}:latest"])
    listed = [{"id": "chatty"}, {"id": name, "mode": "chat"}]
    plain.answers["/v1/models"] = (200, {"object": "list", "data": listed}, {})
    plain.embeds = (name,)
    environment, _ = made(init, tmp_path)
    kinds = {model.alias: (model.kind, model.dimensions) for model in environment.models}
    assert kinds == {"chatty": ("chat", None), name: ("embedding", 4)}


def test_a_deployment_that_can_do_everything_is_one_row() -> None:
    row = {"backend": "one", "abilities": [word.value for word in Ability], "weight": 2}
    assert tomllib.loads(f"deployments = [{inline(row)}]") == {"deployments": [row]}


@pytest.fixture
def behind() -> Iterator[Plain]:
    with serving() as found:
        yield found


def test_a_server_of_openais_protocol_stands_behind(
    init: Init, plain: Plain, behind: Plain, tmp_path: Path
) -> None:
    """vLLM, llama.cpp: what it lists is under the names that it lists, and there is no digest."""
    behind.answers["/v1/models"] = (
        200,
        {"object": "list", "data": [{"id": "tiny"}, {"id": "org/other"}]},
        {},
    )
    behind.answers["/v1/chat/completions"] = (405, {"error": {"message": "Method Not Allowed"}}, {})
    told(plain, [entry("chatty", "openai/tiny", f"{behind.url}/v1", "a1")], ["chatty"], [])
    environment, out = made(init, tmp_path)
    (server,) = environment.backends
    assert (server.product, server.direct, server.url) == ("openai", True, behind.url)
    (model,) = environment.models
    assert (model.backend, model.upstream, model.digest) == (server.name, "tiny", None)
    assert "OpenAI-compatible server, asked from this machine; it has org/other, tiny" in plainly(out)
    assert not [asked for asked in behind.seen if asked.authorization], "it gets no key"


@pytest.mark.parametrize("status", [401, 403])
def test_a_server_that_demands_a_key_of_its_own(
    init: Init, plain: Plain, behind: Plain, tmp_path: Path, status: int
) -> None:
    """vLLM with a key, a provider in the cloud: it is asked nothing, and promised to be nothing else."""
    behind.answers["/v1/models"] = (status, {"error": {"message": "no"}}, {})
    told(plain, [entry("chatty", "openai/tiny", f"{behind.url}/v1", "a1")], ["chatty"], [])
    environment, out = made(init, tmp_path)
    (server,) = environment.backends
    assert (server.product, server.direct) == ("openai", False)
    assert f"It demands a key of its own (GET /v1/models: {status}). Name the variable" in plainly(out)


def test_a_server_that_shows_its_models_alone_to_everybody(
    init: Init, plain: Plain, behind: Plain, tmp_path: Path
) -> None:
    """llama.cpp with a key: it was declared open, and every question past the gateway was refused. Its list
    stood at Ollama's route as well."""
    listed = {"models": [{"name": "tiny"}], "object": "list", "data": [{"id": "tiny"}]}
    behind.answers |= dict.fromkeys(("/api/tags", "/v1/models"), (200, listed, {}))
    behind.answers["/v1/chat/completions"] = (401, {"error": {"message": "Invalid API Key"}}, {})
    told(plain, [entry("chatty", "openai/tiny", f"{behind.url}/v1", "a1")], ["chatty"], [])
    environment, out = made(init, tmp_path)
    (server,) = environment.backends
    assert (server.product, server.direct) == ("openai", False)
    (model,) = environment.models
    assert (model.backend, model.upstream) == (server.name, "tiny")
    assert "It lists its models to everybody, and demands a key of its own else" in plainly(out)
    assert not [asked for asked in behind.seen if asked.raw], "it is asked to chat by nobody"


def test_a_front_of_ollama_that_demands_a_key_stays_ollama(
    init: Init, plain: Plain, behind: Plain, tmp_path: Path
) -> None:
    for path in ("/api/tags", "/v1/models"):
        behind.answers[path] = (401, {"error": {"message": "no"}}, {})
    told(plain, [entry("chatty", "ollama_chat/tiny", behind.url, "a1")], ["chatty"], [])
    environment, _ = made(init, tmp_path)
    (server,) = environment.backends
    assert (server.product, server.direct) == ("ollama", False)


def test_a_server_that_lists_nothing_is_a_question(
    init: Init, plain: Plain, behind: Plain, tmp_path: Path
) -> None:
    behind.answers["/v1/models"] = (404, {"error": {"message": "no"}}, {})
    told(plain, [entry("chatty", "openai/tiny", f"{behind.url}/v1", "a1")], ["chatty"], [])
    environment, out = made(init, tmp_path)
    (server,) = environment.backends
    assert (server.product, server.direct) == ("openai", False)
    assert "nor as an OpenAI-compatible server without a key (GET /v1/models: 404)" in plainly(out)


@pytest.mark.parametrize(
    ("readiness", "is_one"),
    [
        ({"status": "healthy", "db": "Not connected"}, True),
        ({"status": "healthy", "db": "connected", "litellm_version": "1.74.15"}, True),
        ({"status": "ok", "db": "ok"}, False),
        ({"status": "healthy", "db": "connected", "cache": "connected"}, False),
        ({"status": "healthy", "db": ["connected"]}, False),
        ({"status": "healthy"}, False),
    ],
)
def test_another_server_with_a_database_is_no_litellm(readiness: dict[str, Any], is_one: bool) -> None:
    assert is_litellm(readiness) is is_one
