"""Checks that find themselves not applicable: each is begun, and stopped before anything leaves."""

from __future__ import annotations

import inspect
import socket
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import pytest

from gateway_acceptance.environment import Environment
from gateway_acceptance.plugin.parametrise import NONE_DECLARED, check_of, parameters_of
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import NotApplicable
from gateway_acceptance.wire.exchange import Notebook

GATEWAYS = ("any_gateway", "live_gateway", "gateway")


class Stopped(BaseException):
    """A check asks for something that nobody declared away. No check may catch it."""


class Nothing:
    """Stands for what a check would look at; whoever looks is stopped."""

    def __getattr__(self, name: str) -> NoReturn:
        raise Stopped

    def __call__(self, *_: object, **__: object) -> NoReturn:
        raise Stopped

    def __iter__(self) -> NoReturn:
        raise Stopped

    def __getitem__(self, _: object) -> NoReturn:
        raise Stopped

    def __bool__(self) -> NoReturn:
        raise Stopped


def unasked(items: Sequence[pytest.Item], environment: Environment) -> dict[str, list[str]]:
    """Key of the environment file -> ids of the checks that do not apply in any of their cases by what it
    says. Nothing is sent. items: as collected for the environment; those without a subject are left out."""
    found: dict[str, set[str]] = {}
    applies: set[str] = set()
    with tempfile.TemporaryDirectory(prefix="gateway-acceptance-") as folder, _cut_off():
        target = Target(environment, "", Path(folder), time.time(), Notebook(agent="doctor"))
        target.conduct.before.insert(0, _stop)
        target.machines = Nothing()  # type: ignore[assignment]
        try:
            for item in items:
                check = check_of(item)
                if check is None or NONE_DECLARED in parameters_of(item).values():
                    continue
                key = _why_not(item, target)
                if key:
                    found.setdefault(check.id, set()).add(key)
                else:
                    applies.add(check.id)
        finally:
            target.close()
    keys: dict[str, list[str]] = {}
    for check_id in sorted(found.keys() - applies):
        keys.setdefault(min(found[check_id]), []).append(check_id)
    return keys


def _why_not(item: pytest.Item, target: Target) -> str:
    """The key by which a case does not apply; empty where it does, or cannot tell before it looks."""
    function = item.function  # type: ignore[attr-defined]
    given = parameters_of(item)
    try:
        function(**{name: _given(name, given, target) for name in inspect.signature(function).parameters})
    except NotApplicable as why:
        return why.declared
    except (Stopped, Exception):  # noqa: BLE001  (what a check does without an answer tells nothing)
        return ""
    return ""


def _given(name: str, given: Mapping[str, str], target: Target) -> Any:
    """What a check's argument is. Raises NotApplicable as its fixture does."""
    if name == "environment":
        return target.environment
    if name == "target":
        return target
    if name in GATEWAYS:
        return target.gateway
    if name == "backend":
        return target.backend(given[name])
    if name == "host" and target.environment.host is None:
        raise NotApplicable("the environment declares no [host]", declared="host")
    return Nothing() if name in ("machine", "backend_host") else given.get(name, Nothing())


def _stop(*_: object) -> NoReturn:
    raise Stopped


@contextmanager
def _cut_off() -> Iterator[None]:
    """No connection is made by anybody, whatever a check asks with."""
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex
    socket.socket.connect = socket.socket.connect_ex = _stop  # type: ignore[method-assign]
    try:
        yield
    finally:
        socket.socket.connect = connect  # type: ignore[method-assign]
        socket.socket.connect_ex = connect_ex  # type: ignore[method-assign]
