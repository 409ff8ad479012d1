"""LiteLLM's recommendations for production (docs.litellm.ai/docs/proxy/prod): facts in, problems out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from ipaddress import ip_address
from typing import Any

from gateway_acceptance.problem import Problem
from suites.host.configuration.extract import section
from suites.host.user.facts import differs

LONGEST_S = 600
"""The production page's own value; LiteLLM's default of 6000 s holds a slot for 100 minutes."""
QUIET = ("ERROR", "WARNING", "CRITICAL")
WORKERS = ("--num_workers", "--num-workers")
DEBUGGING = ("--debug", "--detailed_debug", "--detailed-debug")
Document = Mapping[str, Any]


def no_timeout(document: Document) -> list[Problem]:
    """A request ends within the recommended time."""
    found = {
        "litellm_settings.request_timeout": section(document, "litellm_settings").get("request_timeout"),
        "router_settings.timeout": section(document, "router_settings").get("timeout"),
    }
    given = {name: value for name, value in found.items() if value is not None}
    expected = f"a number of seconds up to {LONGEST_S}"
    if not given:
        name = "litellm_settings.request_timeout"
        return [differs(name, "nothing (6000 s)", expected, f"{name}: {LONGEST_S}")]
    return [
        differs(name, value, expected, f"{name}: {LONGEST_S}")
        for name, value in given.items()
        if not isinstance(value, int | float) or not 0 < value <= LONGEST_S
    ]


def verbose(document: Document, argv: Sequence[str], values: Mapping[str, str]) -> list[Problem]:
    """Nothing makes LiteLLM write requests into its log."""
    problems = []
    if section(document, "litellm_settings").get("set_verbose"):
        problems.append(differs("litellm_settings.set_verbose", "true", "false", "set_verbose: false"))
    problems += [
        differs(f"the unit's command: {word}", "debugging", "none", "take it out of ExecStart")
        for word in argv
        if word in DEBUGGING
    ]
    if values.get("LITELLM_LOG", "").upper() in ("DEBUG", "INFO"):
        problems.append(differs("LITELLM_LOG", values["LITELLM_LOG"], "ERROR", "LITELLM_LOG=ERROR"))
    return problems


def other_log_level(values: Mapping[str, str]) -> list[Problem]:
    """LITELLM_LOG is set, and quiet."""
    has = values.get("LITELLM_LOG", "nothing")
    if has.upper() in QUIET:
        return []
    return [differs("LITELLM_LOG", has, "ERROR", "LITELLM_LOG=ERROR in the service's environment; restart")]


def no_json_logs(document: Document) -> list[Problem]:
    """Logs are lines of JSON."""
    has = section(document, "litellm_settings").get("json_logs", "nothing")
    if has is True:
        return []
    return [differs("litellm_settings.json_logs", has, "true", "json_logs: true")]


def not_production(values: Mapping[str, str]) -> list[Problem]:
    """LITELLM_MODE keeps a .env file in the working directory from being loaded."""
    has = values.get("LITELLM_MODE", "nothing")
    if has == "PRODUCTION":
        return []
    fix = "LITELLM_MODE=PRODUCTION in the service's environment; restart"
    return [differs("LITELLM_MODE", has, "PRODUCTION", fix)]


def too_many_workers(argv: Sequence[str], values: Mapping[str, str], processors: int) -> list[Problem]:
    """No more worker processes than processors; fewer are a choice."""
    given = values.get("NUM_WORKERS", "1")
    for place, word in enumerate(argv):
        name, _, value = word.partition("=")
        if name in WORKERS:
            given = value or (argv[place + 1] if place + 1 < len(argv) else "")
    if given.isdigit() and int(given) <= processors:
        return []
    return [
        differs(
            "workers",
            given,
            f"at most {processors}, one for each processor",
            f"start it with --num_workers {processors}",
        )
    ]


def other_strategy(document: Document, declared: Collection[str]) -> list[Problem]:
    """Routing as declared; simple-shuffle is LiteLLM's default and recommendation."""
    has = section(document, "router_settings").get("routing_strategy", "simple-shuffle")
    expected = sorted(declared) or ["simple-shuffle"]
    if [has] == expected:
        return []
    name = "router_settings.routing_strategy"
    return [differs(name, has, ", ".join(expected), f"{name}: {expected[0]}, then restart")]


def redis_by_url(document: Document, names: Collection[str]) -> list[Problem]:
    """Redis is given by host, port and password: by URL LiteLLM is markedly slower."""
    places = []
    if "redis_url" in section(document, "router_settings"):
        places.append("router_settings.redis_url")
    if "url" in (section(document, "litellm_settings").get("cache_params") or {}):
        places.append("litellm_settings.cache_params.url")
    places += ["REDIS_URL"] if "REDIS_URL" in names else []
    return [
        differs(
            place,
            "Redis by URL",
            "host, port and password",
            "name redis_host, redis_port and redis_password instead",
        )
        for place in places
    ]


def database(document: Document, names: Collection[str]) -> bool:
    """Whether the gateway has a database."""
    return "DATABASE_URL" in names or "database_url" in section(document, "general_settings")


def no_salt_key(document: Document, names: Collection[str]) -> list[Problem]:
    """With a database there is a salt key: what is stored is encrypted with it."""
    if "LITELLM_SALT_KEY" in names or not database(document, names):
        return []
    fix = "set it in the secrets' file before the first model is stored, and never change it"
    return [differs("LITELLM_SALT_KEY", "nothing, with a database", "a key", fix)]


def served_without_database(document: Document, addresses: Sequence[str]) -> list[Problem]:
    """Keys that cannot be looked up are let through only where the public network does not reach.

    addresses: of the machine.
    """
    name = "general_settings.allow_requests_on_db_unavailable"
    public = [address for address in addresses if ip_address(address).is_global]
    if not public or not section(document, "general_settings").get("allow_requests_on_db_unavailable"):
        return []
    return [
        differs(name, f"true, on a machine with {', '.join(public)}", "false", "take it out, then restart")
    ]


def health_details(document: Document) -> list[Problem]:
    """/health does not tell addresses and settings of the backends."""
    has = section(document, "general_settings").get("health_check_details", "nothing (details are told)")
    if has is False:
        return []
    name = "general_settings.health_check_details"
    return [differs(name, has, "false", f"{name}: false, then restart")]


def mock_testing(document: Document) -> list[Problem]:
    """A client cannot make the gateway pretend failures."""
    name = "dangerously_allow_mock_testing_request_params"
    return [
        differs(f"{part}.{name}", "true", "false", "take it out, then restart")
        for part in ("general_settings", "litellm_settings", "router_settings")
        if section(document, part).get(name)
    ]
