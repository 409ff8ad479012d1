"""Checks over environments, and over what their arguments name. Needs no network and no secret."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from gateway_acceptance.check import Check
from gateway_acceptance.environment import Environment, ModelKind
from gateway_acceptance.environment.model import GATEWAY_MACHINE

NONE_DECLARED = "-"
"""The parameter of a case whose environment declares nothing to run it over."""

AXES: dict[str, tuple[str, Callable[[Environment], Sequence[str]]]] = {
    "chat_model": ("chat model", lambda env: env.aliases_of(ModelKind.CHAT)),
    "embedding_model": ("embedding model", lambda env: env.aliases_of(ModelKind.EMBEDDING)),
    "backend": ("backend", lambda env: [backend.name for backend in env.backends]),
    "backend_name": ("backend", lambda env: [backend.name for backend in env.backends]),
    "group": ("balanced group", lambda env: [group.alias for group in env.groups]),
    "machine": ("machine", lambda env: list(env.machines)),
    "machine_name": ("machine", lambda env: list(env.machines)),
    "backend_host": (
        "backend's machine",
        lambda env: [name for name in env.machines if name != GATEWAY_MACHINE],
    ),
    "directive": ("hardening directive", lambda env: env.directives),
    "default_key": ("known default key", lambda env: env.gateway.known_default_keys),
}
"""Argument name of a check -> (what it is, its values in an environment). One axis per check."""

DECLARED_BY: dict[str, str] = {
    "chat_model": "models",
    "embedding_model": "models",
    "backend": "backends",
    "backend_name": "backends",
    "group": "groups",
    "machine": "host",
    "machine_name": "host",
    "backend_host": "backends.host",
    "directive": "host.hardening",
    "default_key": "gateway.known_default_keys",
}
"""Argument name of a check -> the key of the environment file that declares its values."""


def check_of(node: pytest.Item | pytest.Function) -> Check | None:
    """The metadata of a test, or None where it is no check."""
    marker = node.get_closest_marker("check")
    return marker.args[0] if marker else None


def parametrise(
    metafunc: pytest.Metafunc, environments: Sequence[Environment], redact: Callable[[str], str]
) -> None:
    """Cases are strings only: stable ids for histories, nothing of a secret in them (a key that is known to
    the world may be the environment's own)."""
    if "environment" not in metafunc.fixturenames:
        return
    axes = [name for name in AXES if name in metafunc.fixturenames]
    if not axes:
        metafunc.parametrize(
            "environment", [env.name for env in environments], indirect=True, scope="session"
        )
        return
    axis = axes[0]
    values = AXES[axis][1]
    cases = [(env.name, value) for env in environments for value in (values(env) or [NONE_DECLARED])]
    metafunc.parametrize(
        ("environment", axis),
        cases,
        indirect=True,
        ids=[f"{name}-{redact(_visible(value))}" for name, value in cases],
        scope="session",
    )


def parameters_of(item: pytest.Item) -> dict[str, str]:
    """The case's parameters without the environment."""
    params = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
    return {name: str(value) for name, value in params.items() if name != "environment"}


def environment_of(item: pytest.Item) -> str:
    """The name of the environment that a case judges."""
    return str(item.callspec.params["environment"])  # type: ignore[attr-defined]


def concerns_an_environment(item: pytest.Item) -> bool:
    """Whether a check asks, by its arguments, for an environment at all."""
    return hasattr(item, "callspec") and "environment" in item.callspec.params


def _visible(value: str) -> str:
    return value if value.isprintable() and value else repr(value)
