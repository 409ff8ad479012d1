"""The gateways that a lab can run: those that have a ``lab/<product>/product.py``."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules

import lab
from gateway_acceptance.environment import Environment
from lab.lab_gateway import LabGateway
from lab.packaged.gateways import PACKAGED

DEFAULT = "litellm"
"""What an environment runs whose product no lab has: of ``openai-compatible`` nothing is known."""


@cache
def runnable() -> tuple[str, ...]:
    """What a lab can run, by the name of its package: a product, or a product in another way."""
    packages = sorted(one.name for one in iter_modules(lab.__path__) if one.ispkg)
    return tuple(name for name in packages if find_spec(_module(name)))


@cache
def lab_gateway(name: str) -> LabGateway:
    """How a lab runs one of them."""
    found: LabGateway = import_module(_module(name)).GATEWAY
    return found


def gateway_of(environment: Environment) -> LabGateway:
    """What an embedded environment runs: the product that its provider is named after, or its own; those
    of lab.packaged are in its table."""
    assert environment.embedded is not None
    if environment.embedded.provider in PACKAGED:
        return PACKAGED[environment.embedded.provider]
    named = (environment.embedded.provider, environment.gateway.product)
    return lab_gateway(next((name for name in named if name in runnable()), DEFAULT))


def _module(name: str) -> str:
    return f"lab.{name}.product"
