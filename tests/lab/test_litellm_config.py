"""LiteLLM's configuration says of deployments just what the environment declares."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from gateway_acceptance.embedded import NotStarted
from lab.litellm.config import litellm_config
from tests.unit.declared import environment


def configuration(*groups: dict[str, Any], **gateway: Any) -> dict[str, Any]:
    tables: dict[str, Any] = {"groups": [*groups]}
    if gateway:
        tables["gateway"] = {"url": "http://127.0.0.1:4000", "key_variable": "K", **gateway}
    document: dict[str, Any] = yaml.safe_load(litellm_config(environment(**tables), forward_headers=False))
    return document


def group(alias: str, *members: dict[str, Any], **more: Any) -> dict[str, Any]:
    deployments = [
        {"backend": "one", "upstream": f"m{place}", **member} for place, member in enumerate(members)
    ]
    return {"alias": alias, "deployments": deployments, **more}


def test_what_a_share_depends_on_is_written_and_nothing_else() -> None:
    found = configuration(group("g", {"weight": 2.5, "order": 0}, {"rpm": 60, "tpm": 0}, {}))
    entries = [entry["litellm_params"] for entry in found["model_list"] if entry["model_name"] == "g"]
    given = [{name: entry[name] for name in entry if name not in ("model", "api_base")} for entry in entries]
    assert given == [{"weight": 2.5, "order": 0}, {"rpm": 60, "tpm": 0}, {}]
    router = found["router_settings"]
    assert (router["routing_strategy"], router["num_retries"]) == ("simple-shuffle", 0)
    assert "enable_pre_call_checks" not in router


def test_pre_call_checks_are_enabled_where_they_are_declared() -> None:
    assert configuration(pre_call_checks=True)["router_settings"]["enable_pre_call_checks"] is True


def test_the_strategy_is_the_declared_one() -> None:
    found = configuration(group("g", {}, {}, strategy="least-busy"))
    assert found["router_settings"]["routing_strategy"] == "least-busy"


def test_a_router_has_one_strategy() -> None:
    with pytest.raises(NotStarted, match=r"declared are simple-shuffle \(g\) and least-busy \(h\)"):
        configuration(group("g", {}, {}), group("h", {}, {}, strategy="least-busy"))


def test_a_deployment_that_is_declared_again_has_an_id_of_its_own() -> None:
    same = {"upstream": "m"}
    entries = configuration(group("g", same, same, {**same, "weight": 1}, same))["model_list"][-4:]
    assert [entry.get("model_info") for entry in entries] == [None, {"id": "g-1"}, None, {"id": "g-3"}]


def test_backends_of_openais_protocol_are_reached_by_it() -> None:
    """Chat and embeddings alike; the others as before."""
    backends = [
        {"name": "one", "url": "http://127.0.0.1:11434"},
        {"name": "two", "url": "http://127.0.0.2:8000", "product": "openai"},
    ]
    found = yaml.safe_load(litellm_config(environment(backends=backends), forward_headers=False))
    places = [entry["litellm_params"] for entry in found["model_list"]]
    assert [place["model"] for place in places] == [
        *("ollama_chat/tiny", "openai/vec", "ollama_chat/tiny", "openai/tiny:2b"),
    ]
    assert {place["api_base"] for place in places} == {"http://127.0.0.1:11434", "http://127.0.0.2:8000/v1"}
