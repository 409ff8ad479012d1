"""What Portkey is told of an alias: a config object, sent with every request (Portkey keeps none itself).

Source: Portkey's documentation of gateway configs: ``strategy``, ``targets``, ``override_params``.
"""

from __future__ import annotations

from typing import Any

from gateway_acceptance.environment import Environment, ServedModel


def config_of(environment: Environment, alias: str) -> dict[str, Any]:
    """The config for one alias; a group's targets stand in the order of its deployments.

    Raises KeyError for an alias that is not declared.
    """
    targets = [_target(environment, served) for served in environment.deployments_of(alias)]
    if len(targets) == 1:
        return targets[0]
    weights = [deployment.weight for deployment in environment.group(alias).deployments]
    if any(weight is not None for weight in weights):  # then a missing one counts as zero, here as elsewhere
        targets = [{**target, "weight": weight or 0} for target, weight in zip(targets, weights, strict=True)]
    return {"strategy": {"mode": "loadbalance"}, "targets": targets}


def _target(environment: Environment, served: ServedModel) -> dict[str, Any]:
    return {
        "provider": "ollama",
        "custom_host": environment.backend(served.backend).url,
        "override_params": {"model": served.upstream},
    }
