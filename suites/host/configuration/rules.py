"""What must hold of LiteLLM's configuration against the environment's declaration: facts in, problems out."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from gateway_acceptance.environment import Environment
from gateway_acceptance.environment.model import Group
from gateway_acceptance.problem import Problem
from gateway_acceptance.verdict import Untestable
from gateway_acceptance.wire.backends import full_name
from suites.host.configuration.extract import ModelEntry, leaves, section, variable
from suites.host.user.facts import differs

SECRET_KEY = re.compile(r"(^|_)(key|password|secret|token)$")
"""Names of settings whose values are secrets: master_key, api_key, salt_key, redis_password ..."""
MASKED_IN_URL = "://<secret of "
"""How the look shows a URL that holds an account and its password (database_url, redis_url)."""
WITHOUT_EFFECT = {
    "model_group": "several model_list entries with one model_name; that is what LiteLLM balances over",
    "model_groups": "several model_list entries with one model_name; that is what LiteLLM balances over",
}
"""Settings of router_settings that LiteLLM's Router does not know, and what does what they promise."""


def other_aliases(found: Sequence[ModelEntry], environment: Environment) -> list[Problem]:
    """The configured aliases are the declared ones."""
    has, expected = {entry.alias for entry in found}, set(environment.aliases)
    missing = [
        differs(f"the alias {alias}", "no model_list entry", "one", f"add model_name: {alias}, then restart")
        for alias in sorted(expected - has)
    ]
    return missing + [
        differs(
            str(entry), "an alias that is not declared", "only declared ones", "take it out, or declare it"
        )
        for entry in found
        if entry.alias not in expected and not environment.unjudged(entry.alias)
    ]


def not_balanced(found: Sequence[ModelEntry], group: Group) -> list[Problem]:
    """A group is as many entries of one name as it has deployments, with their models."""
    has = sorted(full_name(entry.upstream) for entry in found if entry.alias == group.alias)
    expected = sorted(full_name(deployment.upstream) for deployment in group.deployments)
    if has == expected:
        return []
    fix = f"one model_list entry with model_name: {group.alias} for each deployment, then restart"
    return [differs(f"the entries of {group.alias}", has or "none", expected, fix)]


def other_weights(found: Sequence[ModelEntry], group: Group) -> list[Problem]:
    """Weights are given to all entries of a group or to none, and as declared: a missing one counts as 0."""
    entries = [entry for entry in found if entry.alias == group.alias]
    weighted = [entry for entry in entries if entry.weight is not None]
    if weighted and len(weighted) < len(entries):
        return [
            differs(str(entry), "no weight, which counts as 0 beside others", "a weight", "add weight")
            for entry in entries
            if entry.weight is None
        ]
    key = {full_name(entry.upstream): entry.weight for entry in entries}
    return [
        differs(f"the weight of {deployment.upstream} in {group.alias}", has, deployment.weight, "set weight")
        for deployment in group.deployments
        if (has := key.get(full_name(deployment.upstream))) != deployment.weight
    ]


def other_models(found: Sequence[ModelEntry], environment: Environment) -> list[Problem]:
    """An alias that is no group is one entry, of the declared model."""
    problems = []
    for model in (one for one in environment.models if one.declared):
        has = [full_name(entry.upstream) for entry in found if entry.alias == model.alias]
        expected = [full_name(model.upstream)]
        if has != expected:
            fix = "exactly one model_list entry with that model, then restart"
            problems.append(differs(f"the entries of {model.alias}", has or "none", expected, fix))
    return problems


def other_backends(
    found: Sequence[ModelEntry], environment: Environment, names: Collection[str], values: Mapping[str, str]
) -> list[Problem]:
    """Every entry calls a backend that is declared for its alias and model. Raises Untestable for an address
    in a variable whose value the look does not read."""
    problems = []
    for entry in found:
        wanted = wanted_urls(entry, environment)
        name = variable(entry.api_base)
        if name is not None and name in names and name not in values:
            raise Untestable(
                f"{entry}: the value of {name} is not among those that a look reads",
                f"add {name} to host.settings and install the sudo rules anew; or write the address itself",
            )
        has = values.get(name) if name is not None else entry.api_base
        if wanted and plain(has) not in {plain(url) for url in wanted}:
            shown = f"{has or 'nothing'}{f' by {name}' if name else ''}"
            problems.append(differs(f"{entry}: api_base", shown, " or ".join(wanted), "set it, then restart"))
    return problems


def wanted_urls(entry: ModelEntry, environment: Environment) -> list[str]:
    """Every URL by which the backends of an entry's alias and model are meant; empty for unknown aliases."""
    if entry.alias not in environment.aliases:
        return []
    return [
        url
        for served in environment.deployments_of(entry.alias)
        if full_name(served.upstream) == full_name(entry.upstream)
        for url in environment.backend(served.backend).urls
    ]


def plain(url: object) -> str:
    """A URL without what makes no difference to LiteLLM."""
    return str(url or "").rstrip("/").removesuffix("/v1").lower()


def without_effect(document: Mapping[str, Any]) -> list[Problem]:
    """No setting stands there that LiteLLM passes over: it would promise what is not so."""
    settings = section(document, "router_settings")
    return [
        differs(f"router_settings.{name}", "a setting without effect", instead, "take it out")
        for name, instead in WITHOUT_EFFECT.items()
        if name in settings
    ]


def literal_secrets(document: Mapping[str, Any]) -> list[Problem]:
    """No setting that is a secret has a literal value. What else in the file looks like one is
    HOST-SECRET-005."""
    fix = "name a variable (os.environ/NAME), set it in the secrets' file, and change the secret"
    return [
        differs(place, "a literal secret", "os.environ/NAME", fix)
        for place, key, value in leaves(document)
        if isinstance(value, str) and value and variable(value) is None
        if SECRET_KEY.search(key.lower()) or MASKED_IN_URL in value
    ]


def no_master_key(document: Mapping[str, Any], names: Collection[str]) -> list[Problem]:
    """The master key is taken from the service's environment, by reference or by LiteLLM's own name."""
    value = section(document, "general_settings").get("master_key")
    name = variable(value) or ("LITELLM_MASTER_KEY" if value is None else None)
    fix = "general_settings: master_key: os.environ/LITELLM_MASTER_KEY, set in the secrets' file; restart"
    if name is None:
        return [differs("general_settings.master_key", "a literal value", "os.environ/NAME", fix)]
    if name not in names:
        return [differs(f"{name}, the master key", "no value in the service's environment", "one", fix)]
    return []


def unset_variables(document: Mapping[str, Any], names: Collection[str]) -> list[Problem]:
    """Every variable that the configuration names is set for the service."""
    places: dict[str, list[str]] = {}
    for place, _, value in leaves(document):
        name = variable(value)
        if name is not None and name not in names:
            places.setdefault(name, []).append(place)
    return [
        differs(
            f"{name}, named by {', '.join(found)}", "no value", "one", "set it in the secrets' file; restart"
        )
        for name, found in places.items()
    ]
