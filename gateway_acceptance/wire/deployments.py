"""The gateway's own list of its deployments, read from LiteLLM's ``/v1/model/info``."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway_acceptance.environment import Backend
from gateway_acceptance.wire.attribution import name_of


@dataclass(frozen=True, slots=True)
class Listed:
    """One deployment as the gateway lists it. backend: the declared backend's name, or the address where
    none is declared, or empty; weight: None where it has none."""

    alias: str
    backend: str
    upstream: str
    id: str
    weight: float | None = None

    def __str__(self) -> str:
        return f"{self.alias} → {self.upstream} on {self.backend or 'no address'}"


def listed_deployments(document: Any, backends: Sequence[Backend]) -> list[Listed] | None:
    """The deployments of a ``/v1/model/info`` body, in its order; None where it is no such list.

    Source: LiteLLM's proxy_server.py, model_info_v1: data[] of model_name, litellm_params, model_info.
    """
    entries = document.get("data") if isinstance(document, dict) else None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        return None
    return [_listed(entry, backends) for entry in entries]


def _listed(entry: dict[str, Any], backends: Sequence[Backend]) -> Listed:
    parameters, info = _table(entry, "litellm_params"), _table(entry, "model_info")
    base = parameters.get("api_base")
    return Listed(
        alias=str(entry.get("model_name")),
        backend=name_of(str(base), backends) if base else "",
        upstream=upstream_of(parameters),
        id=str(info.get("id") or ""),
        weight=_weight(parameters.get("weight")),
    )


def upstream_of(parameters: Mapping[str, Any]) -> str:
    """The model as the backend knows it: ``litellm_params.model`` without the provider before its first
    slash, where custom_llm_provider does not name one."""
    model = str(parameters.get("model") or "")
    return model if parameters.get("custom_llm_provider") else model.partition("/")[2] or model


def _table(entry: dict[str, Any], name: str) -> dict[str, Any]:
    """An object of an entry; empty where there is something else."""
    found = entry.get(name)
    return found if isinstance(found, dict) else {}


def _weight(value: object) -> float | None:
    if not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:  # an integer beyond every float
        return math.inf
