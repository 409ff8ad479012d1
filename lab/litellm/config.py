"""LiteLLM's configuration for an environment file, as the reference deployment should have it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from gateway_acceptance.embedded import NotStarted
from gateway_acceptance.environment import Environment, ModelKind, ServedModel
from gateway_acceptance.environment.model import SIMPLE_SHUFFLE

ROUTES = {ModelKind.CHAT: "ollama_chat", ModelKind.EMBEDDING: "ollama"}
"""LiteLLM's providers: with plain ``ollama/`` tools never reach the backend (LiteLLM issue 35711)."""

OPENAI = "openai"
"""The provider for backends of that protocol, and the product by which they are declared."""

ROUTED_BY = ("weight", "rpm", "tpm", "order")
"""What a deployment's share depends on, as LiteLLM calls it; what is not declared is not written."""


def litellm_config(environment: Environment, *, forward_headers: bool) -> str:
    """YAML for ``litellm --config``. The master key comes from the process environment, not from here.

    forward_headers: hand ``x-`` headers of clients on to the backends; only the fault lab needs that. Raises
    NotStarted for groups of several strategies: a router has one.
    """
    entries: list[dict[str, Any]] = [
        _entry(environment, model.alias, model.kind, model) for model in environment.models
    ]
    for group in environment.groups:
        for place, deployment in enumerate(group.deployments):
            given = {name: getattr(deployment, name) for name in ROUTED_BY}
            extra = {name: value for name, value in given.items() if value is not None}
            entry = _entry(environment, group.alias, group.kind, deployment, extra)
            if deployment in group.deployments[:place]:
                # LiteLLM makes an id of what is declared: without one of its own both had the same
                own = {"id": f"{group.alias}-{place}"}
                entry["model_info"] = {**entry.get("model_info", {}), **own}
            entries.append(entry)
    general: dict[str, Any] = {"master_key": "os.environ/LITELLM_MASTER_KEY"}
    if forward_headers:
        general["forward_client_headers_to_llm_api"] = True
    router: dict[str, Any] = {
        "routing_strategy": _strategy(environment),
        "num_retries": environment.outage.retries,
        "cooldown_time": environment.outage.cooldown_s,
    }
    if environment.gateway.pre_call_checks:
        router["enable_pre_call_checks"] = True
    config = {
        "model_list": entries,
        "router_settings": router,
        "litellm_settings": {
            # the official SDK always sends encoding_format, which LiteLLM refuses for Ollama otherwise
            "drop_params": True,
            "request_timeout": environment.outage.patience_s,
            "set_verbose": False,
            "json_logs": not ordinary_logs(environment),
        },
        "general_settings": general,
    }
    return yaml.safe_dump(config, sort_keys=False)


def own_config(environment: Environment) -> str:
    """What is configured instead (``config = "PATH"`` in ``[embedded.options]``), or nothing."""
    given = environment.embedded.options.get("config") if environment.embedded is not None else None
    return Path(str(given)).read_text(encoding="utf-8") if given else ""


def ordinary_logs(environment: Environment) -> bool:
    """Whether it logs as a gateway does that nobody has told how (``logs = "ordinary"`` in
    ``[embedded.options]``), its access log included; else errors alone, as JSON."""
    return environment.embedded is not None and environment.embedded.options.get("logs") == "ordinary"


def _strategy(environment: Environment) -> str:
    """Of all groups. Raises NotStarted where they differ."""
    wanted = {group.strategy: group.alias for group in environment.groups}
    if len(wanted) > 1:
        named = " and ".join(f"{strategy} ({alias})" for strategy, alias in wanted.items())
        raise NotStarted(
            f"a LiteLLM of the lab has one strategy for all groups, declared are {named}; declare "
            "one here, and the others in environments of their own"
        )
    return next(iter(wanted), SIMPLE_SHUFFLE)


def _entry(
    environment: Environment,
    alias: str,
    kind: ModelKind,
    served: ServedModel,
    extra: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    backend = environment.backend(served.backend)
    called = backend.called
    place = {"model": f"{ROUTES[kind]}/{served.upstream}", "api_base": called}
    if backend.product == OPENAI:
        place = {"model": f"{OPENAI}/{served.upstream}", "api_base": f"{called}/v1", "api_key": "none"}
    entry: dict[str, Any] = {"model_name": alias, "litellm_params": {**place, **(extra or {})}}
    if kind is ModelKind.EMBEDDING:
        entry["model_info"] = {"mode": "embedding"}
    return entry
