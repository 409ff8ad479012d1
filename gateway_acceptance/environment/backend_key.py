"""The key of a server behind the gateway, where it demands one: ``backends.key_variable``.

The suite sends it to that server alone, as a bearer token, and only where it may be asked directly. The
gateway's machine never gets it.
"""

from __future__ import annotations

from collections.abc import Mapping

from gateway_acceptance.environment.model import Environment
from gateway_acceptance.environment.secrets import unfit
from gateway_acceptance.environment.served_section import Backend


def backend_key_of(backend: Backend, variables: Mapping[str, str]) -> str:
    """The key that a backend is asked with; empty where it demands none, or may not be asked from here."""
    if backend.key_variable is None or not backend.direct:
        return ""
    return variables.get(backend.key_variable, "")


def backend_key_problems(environment: Environment, variables: Mapping[str, str]) -> list[str]:
    """A sentence for each key that is declared, needed, and not there or unfit."""
    found = []
    for backend in environment.backends:
        name = backend.key_variable
        if name is None or not backend.direct:
            continue
        named = f"{environment.source}: key_variable of the backend {backend.name} names {name}"
        key = backend_key_of(backend, variables)
        wrong = unfit(key, f"export {name} without them")
        if not key:
            found.append(f"{named}, which is not set; export {name} with that server's key")
        elif wrong:
            found.append(f"{named}, whose value {wrong}")
    return found
