"""A real LiteLLM configured as people do, judged by somebody who knows a URL and a key: ``init``, ``doctor``,
smoke, nothing edited. Wildcards, other names and hidden ones, fallbacks, replicas of an OpenAI upstream."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import tomli_w
import yaml

from gateway_acceptance.cli.main import main
from gateway_acceptance.environment import load_environment
from gateway_acceptance.verdict import Verdict
from lab.local import start
from lab.loopback_pool import own_net
from lab.state import stop
from tests.live.conftest import ROOT, Lab, environment_at, judge
from tests.live.test_init import made

Json = dict[str, Any]
CHAT, PHI, VECTORS = "llama3.2:3b", "phi3:latest", "nomic-embed-text"


def entry(name: str, url: str, model: str, provider: str = "ollama_chat", **more: Any) -> Json:
    """One of model_list."""
    compatible = {"api_base": f"{url}/v1", "api_key": "none"}
    place = {"api_base": url} if provider.startswith("ollama") else compatible
    return {"model_name": name, "litellm_params": {"model": f"{provider}/{model}", **place, **more}}


def several_names(urls: Sequence[str]) -> Json:
    """Other names, one of them hidden, and fallbacks."""
    names = {"gpt-4": "phi", "gpt-4o": {"model": "llama", "hidden": True}, "ada": "vectors"}
    return {
        "model_list": [
            entry("llama", urls[0], CHAT),
            entry("phi", urls[1], PHI),
            entry("vectors", urls[2], VECTORS, "ollama"),
        ],
        "router_settings": {"model_group_alias": names, "fallbacks": [{"llama": ["phi"]}]},
    }


def wildcards(urls: Sequence[str]) -> Json:
    """A hundred names of OpenAI's that nobody serves, beside models that somebody does."""
    return {
        "model_list": [
            entry("llama", urls[0], CHAT),
            entry("vectors", urls[2], VECTORS, "ollama"),
            entry("openai/*", urls[0], "*", "openai"),
            entry("mistral/*", urls[1], "*", "mistral"),
        ]
    }


def replicas(urls: Sequence[str]) -> Json:
    """Two servers of one model, as vLLM is run, and one more that is reached as vLLM is."""
    return {
        "model_list": [
            entry("llama", urls[0], CHAT, "openai"),
            entry("llama", urls[1], CHAT, "openai"),
            entry("phi", urls[1], PHI, "hosted_vllm"),
        ]
    }


VARIANTS = {
    "several_names": (several_names, {"llama", "phi", "vectors", "gpt-4", "gpt-4o", "ada"}, ["gpt-4o"]),
    "wildcards": (wildcards, {"llama", "vectors"}, []),
    "replicas": (replicas, {"llama", "phi"}, []),
}
"""Name -> configuration, aliases that are to be declared, those that a person names to ``init``."""


@contextmanager
def configured(folder: Path, name: str) -> Iterator[Lab]:
    """The lab's three backends, of which two have all chat models, behind that configuration."""
    with own_net() as net:
        path = environment_at(net, folder, embedded=True).source
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        document["groups"][0]["deployments"] = [
            {"backend": backend, "upstream": upstream}
            for backend in ("llm-01", "llm-02")
            for upstream in (CHAT, PHI)
        ]
        config = folder / "litellm.yaml"
        config.write_text(yaml.safe_dump(config_of(name, document)), encoding="utf-8")
        document["embedded"].setdefault("options", {})["config"] = str(config)
        path.write_text(tomli_w.dumps(document), encoding="utf-8")
        state = start(load_environment(str(path), ROOT, {}), "", ROOT, print, owner=os.getpid())
        try:
            yield Lab(environment_at(net, folder, embedded=False), state)
        finally:
            assert stop(state)


def config_of(name: str, document: Mapping[str, Any]) -> Json:
    """The variant, with what every operator sets."""
    variant = VARIANTS[name][0]([backend["url"] for backend in document["backends"]])
    general = {"master_key": "os.environ/LITELLM_MASTER_KEY"}
    return {**variant, "litellm_settings": {"drop_params": True}, "general_settings": general}


@pytest.mark.parametrize("name", VARIANTS)
def test_a_stranger_is_not_misled(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, aliases, named = VARIANTS[name]
    with configured(tmp_path, name) as lab:
        options = [part for model in named for part in ("--model", model)]
        environment = made(lab, tmp_path, monkeypatch, *options)
        assert set(environment.aliases) == aliases
        assert set(environment.aliases) - set(environment.listed) == set(named)
        with pytest.raises(SystemExit) as ended:
            main(["doctor", f"--env={environment.source}"])
        assert ended.value.code == 0
        run = judge(environment, tmp_path / "runs", key=lab.state.key)
    red = [(check, case["message"]) for check, case in run.cases() if Verdict(case["verdict"]).red]
    assert not red, run.output
    for group in environment.groups:
        assert all(one.abilities for one in group.deployments), "replicas answer for each other"
