"""LiteLLM's configuration as it is deployed, read the way LiteLLM reads it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import yaml

from gateway_acceptance.environment import Environment
from gateway_acceptance.host.facts import MachineFacts
from gateway_acceptance.problem import Problem
from gateway_acceptance.verdict import NotApplicable, Untestable
from suites.host.deployment.extract import declared, file_text, unit_environment
from suites.host.tree.rules import declared_host
from suites.host.user.facts import differs

REFERENCE = "os.environ/"
"""How a value of the configuration names a variable (docs.litellm.ai/docs/proxy/configs)."""


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One entry of model_list. number: its place, from 1; upstream: the model without the provider's prefix;
    api_base, weight: None where they are not given."""

    number: int
    alias: str
    model: str
    api_base: str | None
    weight: float | None

    @property
    def upstream(self) -> str:
        """The model as the backend knows it."""
        return self.model.partition("/")[2] or self.model

    def __str__(self) -> str:
        return f"model_list entry {self.number} ({self.alias} -> {self.model})"


def configuration_path(host: MachineFacts, environment: Environment) -> str:
    """Where the configuration is. Raises NotApplicable where none is declared, or for another product."""
    if environment.gateway.product != "litellm":
        raise NotApplicable(
            f"the environment's product is {environment.gateway.product}, not litellm",
            declared="gateway.product",
        )
    return str(declared(declared_host(host).configuration, "configuration"))


def parsed(text: str, path: str) -> tuple[dict[str, Any], list[Problem]]:
    """The document, and why it is none that LiteLLM could serve from."""
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        said = " ".join(str(error).split())[:300]
        return {}, [differs(path, f"no YAML ({said})", "valid YAML", "correct it")]
    if not isinstance(document, dict) or not isinstance(document.get("model_list"), list):
        return {}, [differs(path, "no model_list", "a mapping with a model_list", "correct it")]
    problems = [
        differs(
            f"model_list entry {number}", repr(entry)[:80], "model_name and litellm_params.model", "add it"
        )
        for number, entry in enumerate(document["model_list"], 1)
        if not well_formed(entry)
    ]
    problems += [
        differs(name, type(document[name]).__name__, "a mapping", "correct its indentation")
        for name in ("router_settings", "litellm_settings", "general_settings")
        if document.get(name) is not None and not isinstance(document[name], dict)
    ]
    return document, problems


def well_formed(entry: Any) -> bool:
    """Whether an entry of model_list names an alias and a model."""
    if not isinstance(entry, dict) or not isinstance(entry.get("litellm_params"), dict):
        return False
    return isinstance(entry.get("model_name"), str) and isinstance(entry["litellm_params"].get("model"), str)


def configuration(host: MachineFacts, environment: Environment) -> dict[str, Any]:
    """The configuration. Raises NotApplicable, and Untestable where it is none: one check says that."""
    path = configuration_path(host, environment)
    document, problems = parsed(file_text(host, path, "HOST-CONF-001"), path)
    if problems:
        raise Untestable(f"{path} is no configuration (see HOST-CONF-001)", problems[0].message)
    return document


def entries(document: Mapping[str, Any]) -> list[ModelEntry]:
    """The entries of model_list, and each once more under every other name that the router gives it."""
    found = []
    for number, entry in enumerate(document["model_list"], 1):
        given = entry["litellm_params"]
        found.append(
            ModelEntry(
                number, entry["model_name"], given["model"], given.get("api_base"), given.get("weight")
            )
        )
    return [*found, *_other_names(document, found)]


def _other_names(document: Mapping[str, Any], found: Sequence[ModelEntry]) -> Iterator[ModelEntry]:
    """router_settings.model_group_alias: name -> model_name, or {model, hidden}."""
    given = section(document, "router_settings").get("model_group_alias")
    for name, target in given.items() if isinstance(given, dict) else ():
        model = target.get("model") if isinstance(target, dict) else target
        for entry in found:
            if entry.alias == model and isinstance(name, str):
                yield replace(entry, alias=name)


def section(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    """``litellm_settings`` and its like; empty where it is not given."""
    return document.get(name) or {}


def leaves(value: Any, place: str = "") -> Iterator[tuple[str, str, Any]]:
    """(place, last key, value) of everything in a document that is no mapping and no list."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, f"{place}.{key}" if place else str(key))
    elif isinstance(value, list):
        for number, item in enumerate(value, 1):
            yield from leaves(item, f"{place}[{number}]")
    else:
        yield place, place.rpartition(".")[2], value


def variable(value: Any) -> str | None:
    """The name of the variable that a value stands for, None where it is literal."""
    if isinstance(value, str) and value.startswith(REFERENCE):
        return value.removeprefix(REFERENCE)
    return None


def values_of(host: MachineFacts) -> tuple[set[str], dict[str, str]]:
    """(names, values) of the service's environment: the secrets' files and the unit's own. Of secrets only
    the names are known."""
    names: set[str] = set()
    values = unit_environment(host["unit"])
    if declared_host(host).secrets:
        settings = host["settings"]
        names |= set(settings["names"])
        values = {**values, **settings["values"]}
    return names | set(values), {name: value for name, value in values.items() if value != "<hidden>"}
