"""Environments: what is declared of a deployment to be judged."""

from gateway_acceptance.environment.abilities import ASSUMED, MEANS, Ability
from gateway_acceptance.environment.load import (
    load_environment,
    load_environments,
    missing_variables,
    names_in,
)
from gateway_acceptance.environment.model import (
    Backend,
    Balance,
    Deployment,
    Environment,
    EnvironmentKind,
    Gateway,
    Group,
    Model,
    ModelKind,
    ServedModel,
)
from gateway_acceptance.environment.products import Product, product_of
from gateway_acceptance.environment.resolved import resolved

__all__ = [
    "ASSUMED",
    "MEANS",
    "Ability",
    "Backend",
    "Balance",
    "Deployment",
    "Environment",
    "EnvironmentKind",
    "Gateway",
    "Group",
    "Model",
    "ModelKind",
    "Product",
    "ServedModel",
    "load_environment",
    "load_environments",
    "missing_variables",
    "names_in",
    "product_of",
    "resolved",
]
