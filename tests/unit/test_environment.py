"""Environment files: what they may hold, and what is said about what they may not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import tomli_w
from pydantic import ValidationError

from gateway_acceptance.environment import (
    ModelKind,
    load_environment,
    load_environments,
    missing_variables,
    names_in,
)
from gateway_acceptance.usage import UsageProblem
from tests.unit.declared import URL, document, environment

ROOT = Path(__file__).parents[2]
EMBEDDED = {"kind": "embedded", "embedded": {"provider": "x"}}


def written(root: Path, content: dict[str, Any], name: str = "mini") -> Path:
    path = root / "environments" / f"{name}.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(tomli_w.dumps(content), encoding="utf-8")
    return path


def sentences(root: Path, name: str = "mini") -> list[str]:
    with pytest.raises(UsageProblem) as problem:
        load_environment(name, root, {})
    return problem.value.sentences


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "unknown key": ({"polcy": {}}, "unknown key polcy, did you mean 'policy'?; known here are: name,"),
    "unknown key in a list": (
        {"backends": [{"name": "one", "url": URL, "drect": True}]},
        "unknown key backends[1] (one).drect, did you mean 'direct'?; known here are: name, url,",
    ),
    "wrong type": (
        {"policy": {"effects": ["read"], "requests": "ten", "tokens": 1, "seconds": 1}},
        "policy.requests: input should be a valid integer (found 'ten'); correct it",
    ),
    "not positive": (
        {"policy": {"effects": ["read"], "requests": 0, "tokens": 1, "seconds": 1}},
        "policy.requests: input should be greater than 0 (found 0); correct it",
    ),
    "alpha of one half": (
        {"balance": {"alpha": 0.5}},
        "balance.alpha: input should be less than or equal to 0.1 (found 0.5); correct it",
    ),
    "tolerance of everything": (
        {"balance": {"tolerance": 1.0}},
        "balance.tolerance: input should be less than 1 (found 1.0); correct it",
    ),
    "too few draws": (
        {"balance": {"most_draws": 5}},
        "balance.most_draws: input should be greater than or equal to 10 (found 5); correct it",
    ),
    "unknown effect": (
        {"policy": {"effects": ["destroy"], "requests": 1, "tokens": 1, "seconds": 1}},
        "policy.effects[1]: input should be 'read', 'spend', 'mutate', 'disrupt', 'probe' or 'expose'",
    ),
    "a key exposed in production": (
        {"kind": "production", "policy": {"effects": ["expose"], "requests": 1, "tokens": 1, "seconds": 1}},
        "policy.effects holds 'expose', which shows the key to places that are logged; take it out",
    ),
    "no effect": (
        {"policy": {"effects": [], "requests": 1, "tokens": 1, "seconds": 1}},
        "policy.effects: tuple should have at least 1 item",
    ),
    "unknown kind": ({"kind": "prod"}, "kind: input should be 'embedded', 'staging' or 'production'"),
    "name that is a path": ({"name": "../x"}, "name: string should match pattern"),
    "no URL": ({"gateway": {"url": "gateway:4000", "key_variable": "K"}}, "gateway.url is not an http://"),
    "no port": ({"gateway": {"url": "http://h:x", "key_variable": "K"}}, "gateway.url has no valid port"),
    "credentials": (
        {"gateway": {"url": "http://u:p@h", "key_variable": "K"}},
        "gateway.url must not hold a user or a password",
    ),
    "the key in place of its variable's name": (
        {"gateway": {"url": URL, "key_variable": "sk-1234567890abcdef"}},
        "gateway.key_variable is not the name of a variable; export the secret, and write that name",
    ),
    "the same of a backend": (
        {"backends": [{"name": "one", "url": URL, "key_variable": "sk-1234567890abcdef"}]},
        "backends[1] (one).key_variable is not the name of a variable",
    ),
    "a product that is like none": (
        {"gateway": {"url": URL, "key_variable": "K", "product": "vllm"}},
        "gateway.product is the unknown product 'vllm'; known are: litellm",
    ),
    "a product with a word beside": (
        {"gateway": {"url": URL, "key_variable": "K", "product": "portkey-gateway"}},
        "the unknown product 'portkey-gateway', did you mean 'portkey'?",
    ),
    "a product in capitals": (
        {"gateway": {"url": URL, "key_variable": "K", "product": "LiteLLM"}},
        "gateway.product is the unknown product 'LiteLLM', did you mean 'litellm'?; known are: litellm",
    ),
    "an alias that is a wildcard": (
        {"models": [{"alias": "openai/*", "kind": "chat"}]},
        "the alias 'openai/*' is a wildcard, which no client asks for: declare the names that clients use",
    ),
    "an address without brackets": (
        {"gateway": {"url": "http://2001:db8::1:4000", "key_variable": "K"}},
        "gateway.url holds an IPv6 address without brackets; write http://[2001:db8::1]:4000",
    ),
    "the shortest address without brackets": (
        {"gateway": {"url": "http://::1:4000", "key_variable": "K"}},
        "gateway.url holds an IPv6 address without brackets",
    ),
    "an endpoint of a backend": (
        {"backends": [{"name": "one", "url": f"{URL}/v1/models"}]},
        f"backends[1] (one).url is the URL of one endpoint; write {URL!r}, without /v1/models",
    ),
    "no key variable": ({"gateway": {"url": URL}}, "gateway.key_variable is missing"),
    "chat with dimensions": (
        {"models": [{"alias": "a", "kind": "chat", "backend": "one", "upstream": "t", "dimensions": 3}]},
        "models[1] (a) dimensions belong to an embedding model, and to no other",
    ),
    "group of one": (
        {"groups": [{"alias": "g", "deployments": [{"backend": "one", "upstream": "t"}]}]},
        "groups[1] (g) has 1 deployment(s), which is no balancing: declare all that the gateway has for "
        "it, or the one as [[models]]",
    ),
    "group of none": ({"groups": [{"alias": "g", "deployments": []}]}, "groups[1] (g) has 0 deployment(s)"),
    "unknown strategy": (
        {"groups": [{"alias": "g", "strategy": "round-robin", "deployments": []}]},
        "groups[1] (g).strategy: input should be 'simple-shuffle', 'least-busy', ",
    ),
    "unknown backend of a group": (
        {"groups": [{"alias": "g", "deployments": [{"backend": "ghost", "upstream": "t"}] * 2}]},
        "group 'g' names the backend 'ghost', declared are: one, two",
    ),
    "alias twice": (
        {"groups": [{"alias": "emb", "deployments": [{"backend": "one", "upstream": "t"}] * 2}]},
        "models and groups: 'emb' is declared more than once",
    ),
    "backend twice": (
        {"backends": [{"name": name, "url": URL} for name in ("one", "two", "one")]},
        "backends: 'one' is declared more than once",
    ),
    "no model": ({"models": [], "groups": []}, "no model is declared"),
    "embedded without its table": ({"kind": "embedded"}, 'an [embedded] table and kind = "embedded" belong'),
    "own source": ({"source": "x"}, "the key 'source' is set by the suite itself; remove it"),
}


@pytest.mark.parametrize("what", list(BAD))
def test_a_mistake_is_one_sentence_with_file_and_key(tmp_path: Path, what: str) -> None:
    tables, expected = BAD[what]
    path = written(tmp_path, document(**tables))
    found = sentences(tmp_path)
    assert all(sentence.startswith(f"{path}: ") for sentence in found)
    assert any(expected in sentence for sentence in found), found
    assert "sk-1234567890abcdef" not in "".join(found), "a key is shown by no sentence"


def test_a_backends_url_is_understood_as_the_gateways(tmp_path: Path) -> None:
    """vLLM's base URL ends with /v1, as all its users write it."""
    servers = [{"name": "one", "url": f"{URL}/v1/", "product": "openai"}, document()["backends"][1]]
    servers[0]["gateway_url"] = "http://vllm.internal:8000/v1"
    plain = [{"alias": "chat-one", "kind": "chat", "backend": "one", "upstream": "tiny"}]
    path = written(tmp_path, document(backends=servers, models=plain))
    loaded = load_environment("mini", tmp_path, {})
    assert loaded.backend("one").urls == ("http://vllm.internal:8000", URL)
    assert loaded.notes == (
        f"{path}: the url of the backend one '{URL}/v1/' is taken as '{URL}': every request names /v1 itself",
        f"{path}: gateway_url of the backend one 'http://vllm.internal:8000/v1' is taken as "
        "'http://vllm.internal:8000': every request names /v1 itself",
    )


def test_a_missing_key(tmp_path: Path) -> None:
    content = document()
    del content["policy"]["tokens"]
    path = written(tmp_path, content)
    assert sentences(tmp_path) == [f"{path}: policy.tokens is missing; add it"]


def test_all_mistakes_of_all_files_are_told_together(tmp_path: Path) -> None:
    written(tmp_path, document(verson="1", polcy={}), "a")
    written(tmp_path, document(kind="x"), "b")
    with pytest.raises(UsageProblem) as problem:
        load_environments(["a", "b", "c"], tmp_path, {})
    text = str(problem.value)
    assert [word in text for word in ("verson", "polcy", "b.toml: kind", "--env c:")] == [True] * 4


def test_files_that_are_no_text(tmp_path: Path) -> None:
    path = written(tmp_path, document())
    path.write_bytes(b"\xff\xfe")
    assert sentences(tmp_path) == [
        f"{path}: cannot be read (it is not UTF-8 text); check the path and its permissions"
    ]
    path.write_text("a = [", encoding="utf-8")
    assert "is not valid TOML" in sentences(tmp_path)[0]


def test_waivers_are_no_environment(tmp_path: Path) -> None:
    written(tmp_path, document())
    written(tmp_path, {}, "waivers")
    assert names_in(tmp_path) == ["mini"]


def test_variables_are_put_in_everywhere(tmp_path: Path) -> None:
    content = document(gateway={"url": "http://${H}:${P}/", "key_variable": "K", "public_paths": ["/${P}"]})
    written(tmp_path, content)
    loaded = load_environment("mini", tmp_path, {"H": "gate", "P": "4"})
    assert (loaded.gateway.url, loaded.gateway.public_paths) == ("http://gate:4", ("/4",))


def test_a_variable_that_is_not_set_waits_until_it_is_needed(tmp_path: Path) -> None:
    path = written(tmp_path, document(gateway={"url": "http://${HOST_NAME}:4", "key_variable": "K"}))
    loaded = load_environment("mini", tmp_path, {"HOST_NAME": ""})
    assert missing_variables(loaded, {"K": "sk-123456"}) == [
        f"{path}: gateway.url needs the variable HOST_NAME, which is not set; run with HOST_NAME=..."
    ]


@pytest.mark.parametrize("key", ["sk 1", "sk-1\n", "sk-ü", "\t"])
def test_a_key_that_no_header_can_carry(key: str) -> None:
    (sentence,) = missing_variables(environment(), {"MINI_KEY": key})
    assert "MINI_KEY, whose value holds spaces, line ends" in sentence
    assert key.strip() == "" or key not in sentence


def test_a_key_that_is_there_needs_nothing() -> None:
    assert missing_variables(environment(), {"MINI_KEY": "sk-1234567"}) == []
    assert missing_variables(environment(**EMBEDDED), {}) == []


def test_a_digest_is_of_a_protocol_that_tells_one() -> None:
    servers = [{"name": "one", "url": "http://127.0.0.1:1", "product": "openai"}, document()["backends"][1]]
    plain = [{"alias": "chat-one", "kind": "chat", "backend": "one", "upstream": "tiny"}]
    assert environment(backends=servers, models=plain).backend("one").product == "openai"
    with pytest.raises(
        ValidationError, match="model 'chat-one' declares a digest, which the protocol of one"
    ):
        environment(backends=servers, models=[plain[0] | {"digest": "a" * 12}])


@pytest.mark.parametrize(
    ("gateway", "products", "spoken"),
    [
        ([], ["ollama", "ollama"], ()),
        ([], ["ollama", "openai"], ("openai",)),
        (["openai"], ["ollama", "ollama"], ("openai",)),
        (["openai"], ["openai", "openai"], ("openai",)),
    ],
)
def test_what_a_gateway_speaks_to_its_backends(
    gateway: list[str], products: list[str], spoken: tuple[str, ...]
) -> None:
    """As it is declared, and as its backends speak themselves."""
    declared = document()
    servers = [
        one | {"product": product} for one, product in zip(declared["backends"], products, strict=True)
    ]
    told = declared["gateway"] | {"upstreams": gateway}
    models = [{"alias": "chat-one", "kind": "chat"}]
    assert environment(gateway=told, backends=servers, models=models, groups=[]).spoken == spoken


def test_lookups() -> None:
    declared = environment()
    assert declared.aliases == ["chat-one", "emb", "both"]
    assert declared.aliases_of(ModelKind.CHAT) == ["chat-one", "both"]
    assert [served.backend for served in declared.deployments_of("both")] == ["one", "two"]
    assert declared.upstreams_on("two") == ["tiny:2b", "vec"]
    with pytest.raises(KeyError):
        declared.deployments_of("ghost")


@pytest.mark.parametrize("name", names_in(ROOT))
def test_the_environments_of_the_project_are_valid(name: str) -> None:
    assert load_environment(name, ROOT, {}).name == name
