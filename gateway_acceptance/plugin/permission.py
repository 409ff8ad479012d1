"""What a run may do beside its policy: said before anything is sent."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from gateway_acceptance.check import Check, Effect
from gateway_acceptance.environment import Environment, EnvironmentKind
from gateway_acceptance.plugin.options import ALLOW_DISRUPT

if TYPE_CHECKING:
    from gateway_acceptance.record import Selected


def misnamed(environments: Sequence[Environment], allowed: Collection[str]) -> list[str]:
    """A sentence for each name given to ``--allow-disrupt`` that allows nothing."""
    known = {environment.name: environment for environment in environments}
    found = []
    for name in allowed:
        if name not in known:
            found.append(
                f"{ALLOW_DISRUPT} {name}: no such environment is judged here; these are: {', '.join(known)}"
            )
        elif Effect.DISRUPT not in known[name].policy.effects:
            found.append(
                f"{ALLOW_DISRUPT} {name}: {known[name].source} does not permit it; add 'disrupt' to "
                "policy.effects, or take the option away"
            )
    return found


def refusals(
    environments: Sequence[Environment],
    selected: Iterable[Selected],
    catalogue: Mapping[str, Check],
    allowed: Collection[str],
) -> list[str]:
    """A sentence for each production environment in which something would be taken down, and nobody has
    named it: the permission in a file was given once, by somebody else perhaps."""
    cases = list(selected)
    found = []
    for environment in environments:
        if (
            environment.kind is not EnvironmentKind.PRODUCTION
            or environment.name in allowed
            or Effect.DISRUPT not in environment.policy.effects
        ):
            continue
        checks = _of(environment, cases, catalogue, Effect.DISRUPT)
        if checks:
            found.append(
                f"{environment.source}: {', '.join(checks)} would take something down in the production "
                f"environment {environment.name}; run with {ALLOW_DISRUPT} {environment.name} if that is "
                "meant, or take 'disrupt' out of policy.effects"
            )
    return found


def unprobed(
    environments: Sequence[Environment], selected: Iterable[Selected], catalogue: Mapping[str, Check]
) -> list[str]:
    """A sentence for each environment that permits no probe, where some would be asked."""
    cases = list(selected)
    found = []
    for environment in environments:
        checks = _of(environment, cases, catalogue, Effect.PROBE)
        if checks and Effect.PROBE not in environment.policy.effects:
            found.append(
                f"{environment.source}: policy.effects has no 'probe': {len(checks)} checks of well-known "
                "paths, published holes and ways in are not permitted, and nothing is told of these"
            )
    return found


def _of(
    environment: Environment, selected: Iterable[Selected], catalogue: Mapping[str, Check], effect: Effect
) -> list[str]:
    """The ids of the selected checks of an effect in an environment, in order."""
    found = {one.check for one in selected if one.environment == environment.name}
    return sorted(check_id for check_id in found if catalogue[check_id].effect is effect)
