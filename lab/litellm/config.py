"""LiteLLM's configuration for an environment file, as the reference deployment should have it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from gateway_acceptance.environment import Environment, ModelKind, Served

ROUTES = {ModelKind.CHAT: "ollama_chat", ModelKind.EMBEDDING: "ollama"}
"""LiteLLM's providers: with plain ``ollama/`` tools never reach the backend (LiteLLM issue 35711)."""


def litellm_config(environment: Environment, *, forward_headers: bool) -> str:
    """YAML for ``litellm --config``. The master key comes from the process environment, not from here.

    forward_headers: hand ``x-`` headers of clients on to the backends; only the fault lab needs that.
    """
    entries: list[dict[str, Any]] = [
        _entry(environment, model.alias, model.kind, model) for model in environment.models
    ]
    for group in environment.groups:
        for deployment in group.deployments:
            extra = {} if deployment.weight is None else {"weight": deployment.weight}
            entries.append(_entry(environment, group.alias, group.kind, deployment, extra))
    general: dict[str, Any] = {"master_key": "os.environ/LITELLM_MASTER_KEY"}
    if forward_headers:
        general["forward_client_headers_to_llm_api"] = True
    config = {
        "model_list": entries,
        "router_settings": {"routing_strategy": "simple-shuffle", "num_retries": 0},
        "litellm_settings": {
            # the official SDK always sends encoding_format, which LiteLLM refuses for Ollama otherwise
            "drop_params": True,
            "request_timeout": 60,
            "set_verbose": False,
            "json_logs": True,
        },
        "general_settings": general,
    }
    return yaml.safe_dump(config, sort_keys=False)


def _entry(
    environment: Environment,
    alias: str,
    kind: ModelKind,
    served: Served,
    extra: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "model_name": alias,
        "litellm_params": {
            "model": f"{ROUTES[kind]}/{served.upstream}",
            "api_base": environment.backend(served.backend).url,
            **(extra or {}),
        },
    }
    if kind is ModelKind.EMBEDDING:
        entry["model_info"] = {"mode": "embedding"}
    return entry
