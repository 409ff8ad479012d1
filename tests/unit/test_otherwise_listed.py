"""What a gateway lists against what is declared: hidden aliases, names of wildcards, other names."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.memory import Memory
from gateway_acceptance.wire.schema import model_list_problems
from gateway_acceptance.wire.seen import seen_exchange
from suites.api.models.listing import judged_list
from suites.every_exchange.models import declared
from suites.host.configuration.extract import entries
from suites.host.configuration.rules import other_aliases, other_backends, other_models
from tests.unit.declared import URL, environment

BACKEND = {"backend": "llm-01", "upstream": "llama3.2:3b"}
MODELS: list[dict[str, Any]] = [
    {"alias": "llama", "kind": "chat", **BACKEND},
    {"alias": "gpt-4", "kind": "chat", "hidden": True, **BACKEND},
    {"alias": "openai/mine", "kind": "chat", **BACKEND},
]
THERE = environment(
    backends=[{"name": "llm-01", "url": "http://127.0.0.1:11434"}],
    models=MODELS,
    groups=[],
    gateway={"url": URL, "key_variable": "K", "unjudged_models": ["openai/*", "painter"]},
)


@pytest.mark.parametrize(
    ("names", "wrong"),
    [
        (["llama", "openai/mine"], []),
        (["llama", "openai/mine", "openai/gpt-7", "painter"], []),
        (["llama", "openai/gpt-7"], ["missing: openai/mine"]),
        (["llama", "openai/mine", "gpt-4"], ["declared as hidden: gpt-4"]),
        (["llama", "openai/mine", "other"], ["not declared: other"]),
    ],
)
def test_what_is_wrong_with_a_list(names: list[str], wrong: list[str]) -> None:
    """By the environment itself, and by the rule over every list of models that comes."""
    assert THERE.otherwise_listed(names) == wrong
    data = [{"id": name, "object": "model", "created": 1, "owned_by": "me"} for name in names]
    body = json.dumps({"object": "list", "data": data}).encode()
    headers = (("content-type", "application/json"),)
    asked = Exchange("GET", f"{URL}/v1/models", (("authorization", "Bearer own"),), b"")
    seen = seen_exchange(asked.answered(status=200, headers=headers, chunks=((0.1, body),)), THERE, "own")
    assert seen is not None
    told = [str(problem) for problem in declared(seen, Memory())]
    assert bool(told) == bool(wrong)
    assert all(one in told[0] for one in wrong)


def test_what_nobody_judges_may_be_listed_twice() -> None:
    """As LiteLLM does with some names of ``openai/*``."""

    def listed(*names: str) -> list[str]:
        data = [{"id": name, "object": "model", "created": 1, "owned_by": "me"} for name in names]
        body = judged_list({"object": "list", "data": data}, THERE)
        return [str(problem) for problem in model_list_problems(body)]

    assert listed("llama", "openai/sora", "openai/sora", "openai/mine") == []
    assert "listed 2 times" in listed("llama", "llama", "openai/sora")[0]
    assert "listed 2 times" in listed("openai/mine", "openai/mine")[0]


def test_other_names_of_a_model_are_configured() -> None:
    """router_settings.model_group_alias, in both its forms."""
    given = {"model": "ollama_chat/llama3.2:3b", "api_base": "http://127.0.0.1:11434"}
    document = {
        "model_list": [{"model_name": "llama", "litellm_params": given}],
        "router_settings": {
            "model_group_alias": {"openai/mine": "llama", "gpt-4": {"model": "llama", "hidden": True}}
        },
    }
    found = entries(document)
    assert [entry.alias for entry in found] == ["llama", "openai/mine", "gpt-4"]
    assert other_aliases(found, THERE) == []
    assert other_models(found, THERE) == []
    assert other_backends(found, THERE, (), {}) == []
    other = {"openai/mine": "gone", "other": "llama"}
    wrong = other_aliases(entries({**document, "router_settings": {"model_group_alias": other}}), THERE)
    assert len(wrong) == 3, "two that are declared lead nowhere, one that nobody declared leads somewhere"
