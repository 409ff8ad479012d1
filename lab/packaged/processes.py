"""The processes of gateways of others, each configured as its own documentation says."""

from __future__ import annotations

import json
from pathlib import Path

import tomli_w

from gateway_acceptance.environment import Environment
from gateway_acceptance.report.node import node
from lab.gateway_process import Child
from lab.portkey.install import HERE as PORTKEY
from lab.ports import place
from lab.specification import Specification

HERE = Path(__file__).parent
REFUSED = frozenset({200, 401, 403})
"""What a list of models answers to somebody without a key, as soon as it serves."""


def lm_proxy(specification: Specification) -> Child:
    """lm-proxy in front of the lab's backends, by their OpenAI-compatible surface; it has no embeddings."""
    environment = specification.environment
    host, port = place(environment.gateway.url)
    connections = {
        backend.name: {"api_type": "open_ai", "api_base": f"{backend.url}/v1/", "api_key": "none"}
        for backend in environment.backends
    }
    routing = {model.alias: f"{model.backend}.{model.upstream}" for model in environment.models}
    configuration = {
        "host": host,
        "port": port,
        "model_listing_mode": "ignore_wildcards",
        "connections": connections,
        "routing": routing,
        "groups": {"default": {"api_keys": [specification.key]}},
    }
    config = specification.folder / "lm-proxy.toml"
    config.write_text(tomli_w.dumps(configuration), encoding="utf-8")
    config.chmod(0o600)
    command = [str(specification.installed / "lm-proxy"), "--config", str(config), "--env", ""]
    return _child("lm-proxy", command, {}, specification, "/v1/models")


def llama_cpp(specification: Specification) -> Child:
    """llama.cpp's server, its model by the one alias that is declared."""
    host, port = place(specification.environment.gateway.url)
    alias = specification.environment.models[0].alias
    program = [str(specification.installed / "python"), str(HERE / "llama_server.py")]
    command = [*program, host, str(port), alias]
    return _child("llama.cpp", command, {"LAB_KEY": specification.key}, specification, "/health")


def llm_katan(specification: Specification) -> Child:
    """llm-katan's echo; it needs no model. It checks keys only where it is told to."""
    host, port = place(specification.environment.gateway.url)
    alias = specification.environment.models[0].alias
    command = [
        *(str(specification.installed / "llm-katan"), "--model", "echo", "--name", alias),
        *("--backend", "echo", "--host", host, "--port", str(port), "--validate-keys"),
        *("--api-keys", f"openai={specification.key}"),
        *("--stats-file", str(specification.folder / "katan.json")),
    ]
    return _child("llm-katan", command, {}, specification, "/health")


def aimock(specification: Specification) -> Child:
    """aimock with a fixture for every question: it says a few words, whatever is asked."""
    host, port = place(specification.environment.gateway.url)
    fixtures = specification.folder / "fixtures.json"
    said = {"match": {"userMessage": ""}, "response": {"content": "The harbour is quiet tonight."}}
    fixtures.write_text(json.dumps({"fixtures": [said]}), encoding="utf-8")
    program = specification.installed / "@copilotkit" / "aimock" / "dist" / "cli.js"
    command = [*_node(program), "--host", host, "--port", str(port), "--fixtures", str(fixtures)]
    return _child("aimock", command, {"AIMOCK_API_KEYS": specification.key}, specification, "/health")


def mock_llm(specification: Specification) -> Child:
    """mock-llm as it comes: it repeats what is said to it, and knows no keys."""
    host, port = place(specification.environment.gateway.url)
    program = specification.installed / "@dwmkerr" / "mock-llm" / "dist" / "main.js"
    command = [str(node()), "--require", str(PORTKEY / "loopback.cjs"), str(program)]
    return _child("mock-llm", command, {"LISTEN_HOST": host, "PORT": str(port)}, specification, "/health")


def log_of(environment: Environment) -> str:
    """The name of a gateway's log file."""
    assert environment.embedded is not None
    return f"{environment.embedded.provider}.log"


def _node(program: Path) -> list[str]:
    return [str(node()), str(program)]


def _child(
    name: str, command: list[str], variables: dict[str, str], specification: Specification, ready: str
) -> Child:
    environment, folder = specification.environment, specification.folder
    own = {"PYTHONUNBUFFERED": "1", "NO_COLOR": "1", "HOME": str(folder), **variables}
    url = f"{environment.gateway.url}{ready}"
    return Child(name, command, own, folder / log_of(environment), url, REFUSED, folder)
