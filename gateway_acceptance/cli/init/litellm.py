"""What LiteLLM tells of itself, read from its own routes. Pure functions of their JSON.

Source: LiteLLM's proxy_server.py, /v1/model/info, /router/settings, /get/config/callbacks; observed of
1.74.15 to 1.108.7.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from pydantic import TypeAdapter, ValidationError

from gateway_acceptance.cli.init.found import Alias, Behind, Found, FoundDeployment, name_for
from gateway_acceptance.environment import ModelKind
from gateway_acceptance.environment.table import Url
from gateway_acceptance.wire.deployments import upstream_of
from gateway_acceptance.wire.failures import LEFT_OUT

INFO, SETTINGS, CALLBACKS = "/v1/model/info", "/router/settings", "/get/config/callbacks"
KINDS = {"chat": ModelKind.CHAT, "completion": ModelKind.CHAT, "embedding": ModelKind.EMBEDDING}
"""``model_info.mode`` -> which endpoint a model serves."""
ROUTED_BY: dict[str, type | tuple[type, ...]] = {
    "weight": (int, float),
    "rpm": int,
    "tpm": int,
    "order": int,
}
OPENAI = "openai"
SPEAK_OPENAI = frozenset(
    {OPENAI, "hosted_vllm", "vllm", "custom_openai", "openai_like", "llamafile", "lm_studio"}
)
"""Providers that are asked at /v1/chat/completions."""
OUTAGE = {"num_retries": "retries", "cooldown_time": "cooldown_s", "timeout": "patience_s"}
"""The router's word -> ours ([outage])."""
COOLED_FOR = re.compile(rf"{LEFT_OUT}, Try again in (\d{{1,6}}) seconds")
"""What its router says, with 429, while it leaves out what failed before: a pause of one model, no limit."""
_URL: TypeAdapter[str] = TypeAdapter(Url)


HEALTHY, DATABASE = ("healthy", "connected"), ("connected", "Not connected", "disconnected", "unknown")


def is_litellm(readiness: Mapping[str, Any]) -> bool:
    """Whether the body of /health/readiness is LiteLLM's: it tells of its own version, or of its database and
    of nothing else, in its words. Others tell of a database as well."""
    says = (readiness.get("status"), readiness.get("db"))
    of_its_database = set(readiness) == {"status", "db"} and says[0] in HEALTHY and says[1] in DATABASE
    return "status" in readiness and ("litellm_version" in readiness or of_its_database)


def cooled_for(text: str) -> float | None:
    """Seconds for which the router leaves a model out, by its answer; None where it says nothing of that."""
    match = COOLED_FOR.search(text)
    return float(match[1]) if match else None


def mode_of(entry: Mapping[str, Any]) -> str:
    """``mode`` of an entry, where it has one."""
    mode = entry.get("mode")
    return mode if isinstance(mode, str) else ""


def read_deployments(document: Mapping[str, Any], found: Found) -> None:
    """Put the deployments of /v1/model/info to the aliases that are listed, and what stands behind them to
    ``found.behind``. An alias that is not listed is none of this key's."""
    entries = document.get("data")
    known = {alias.name: alias for alias in found.aliases}
    if not isinstance(entries, list):
        return
    found.lists_all = True
    for entry in entries:
        alias = known.get(str(entry.get("model_name"))) if isinstance(entry, Mapping) else None
        parameters = entry.get("litellm_params") if alias is not None else None
        if alias is None or not isinstance(parameters, Mapping):
            continue
        info = entry.get("model_info")
        info = info if isinstance(info, Mapping) else {}
        alias.kind = alias.kind or KINDS.get(mode_of(info))
        if _speaks_openai(parameters) and OPENAI not in found.upstreams:
            found.upstreams.append(OPENAI)
        member = _member(parameters, found, alias)
        member.entry = _entry_id(info)
        alias.members.append(member)


def _speaks_openai(parameters: Mapping[str, Any]) -> bool:
    """Whether a model is reached by the OpenAI protocol: all that LiteLLM has no words of its own for."""
    provider = str(parameters.get("custom_llm_provider") or str(parameters.get("model")).partition("/")[0])
    return provider in SPEAK_OPENAI


def _entry_id(info: Mapping[str, Any]) -> str:
    given = info.get("id")
    return given if isinstance(given, str) else ""


def _member(parameters: Mapping[str, Any], found: Found, alias: Alias) -> FoundDeployment:
    upstream = upstream_of(parameters)
    extra = {
        name: parameters[name]
        for name, kind in ROUTED_BY.items()
        if isinstance(parameters.get(name), kind) and not isinstance(parameters[name], bool)
    }
    base = parameters.get("api_base")
    if not isinstance(base, str) or not base:
        return FoundDeployment(upstream, "", extra)
    try:
        url = _URL.validate_python(base).removesuffix("/v1")
        parts = urlsplit(url)
    except ValidationError:
        alias.remarks.append("the address behind it cannot stand in a file (a user, a password, or no URL)")
        return FoundDeployment(upstream, "", extra)
    if parts.query or parts.fragment:
        url = parts._replace(query="", fragment="").geturl()
    return FoundDeployment(upstream, _behind(url, found).name, extra)


def _behind(url: str, found: Found) -> Behind:
    """The server at a URL, new where it is not known yet."""
    for one in found.behind:
        if one.url == url:
            return one
    one = Behind(name_for(url, [other.name for other in found.behind]), url)
    found.behind.append(one)
    return one


def read_settings(document: Mapping[str, Any], found: Found) -> bool:
    """Strategy and what is promised while backends are away, from /router/settings, or from what
    /get/config/callbacks has as router_settings. Whether it was such a document."""
    fields = document.get("fields")
    values: Mapping[str, Any]
    if isinstance(fields, list):
        values = {
            entry["field_name"]: entry.get("field_value")
            for entry in fields
            if isinstance(entry, Mapping) and isinstance(entry.get("field_name"), str)
        }
    else:
        settings = document.get("router_settings")
        values = settings if isinstance(settings, Mapping) else {}
    strategy = values.get("routing_strategy")
    if not isinstance(strategy, str):
        return False
    found.strategy = strategy
    for theirs, ours in OUTAGE.items():
        value = values.get(theirs)
        if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
            found.outage[ours] = value
    return True


def duplicates(members: Sequence[FoundDeployment]) -> bool:
    """Whether any two deployments are the same."""
    return len({(*member.place, *sorted(member.extra.items())) for member in members}) < len(members)
