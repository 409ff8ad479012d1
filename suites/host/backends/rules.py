"""What must hold of a backend's machine: facts in, problems out."""

from __future__ import annotations

from collections.abc import Sequence

from gateway_acceptance.environment.host import BackendHost
from gateway_acceptance.problem import Problem
from gateway_acceptance.wire.backends import full_name
from suites.host.deployment.extract import Facts, unit_environment
from suites.host.user.facts import differs


def other_version(has: str | None, wanted: str) -> list[Problem]:
    """The installed program is the declared version."""
    if has == wanted:
        return []
    return [differs("installed ollama", has or "no version", wanted, "install that version, then restart")]


def on_disk(manifests: Sequence[str]) -> set[str]:
    """The models of manifests, named as the API names them (``library/phi3/latest`` is ``phi3:latest``)."""
    found = set()
    for path in manifests:
        name, _, tag = path.rpartition("/")
        found.add(f"{name.removeprefix('library/')}:{tag}")
    return found


def models_missing(manifests: Sequence[str], needed: Sequence[str], machine: str) -> list[Problem]:
    """Every model that the gateway needs of the backend lies on its disk."""
    has = on_disk(manifests)
    return [
        differs(
            f"{full_name(model)} on {machine}",
            "no manifest",
            "the model",
            f"pull it there: ollama pull {model}",
        )
        for model in needed
        if full_name(model) not in has
    ]


def other_models_directory(unit: Facts, declared: BackendHost, home: str) -> list[Problem]:
    """The service keeps its models where it is declared: by OLLAMA_MODELS, or below its account's home."""
    given = unit_environment(unit).get("OLLAMA_MODELS", "").strip("\"'")
    has = (given or f"{home.rstrip('/')}/.ollama/models").rstrip("/")
    if has == declared.models:
        return []
    fix = f'Environment="OLLAMA_MODELS={declared.models}" in {declared.unit}, then restart'
    return [differs("the models' directory", has, declared.models, fix)]


def open_to_browsers(unit: Facts, name: str) -> list[Problem]:
    """No web page of any origin may call the backend, which asks for no key."""
    origins = unit_environment(unit).get("OLLAMA_ORIGINS", "").strip("\"'")
    if "*" not in [origin.strip() for origin in origins.split(",")]:
        return []
    fix = f"take OLLAMA_ORIGINS out of {name}, then restart"
    return [differs(f"{name}: OLLAMA_ORIGINS", origins, "no * (any web page could use it)", fix)]


def older_process(running: str, installed: str | None, name: str) -> list[Problem]:
    """What answers is what is installed."""
    if running == installed:
        return []
    return [
        differs("the running ollama", running, f"{installed}, as installed", f"sudo systemctl restart {name}")
    ]
