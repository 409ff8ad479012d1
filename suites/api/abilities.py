"""Which model a question goes to: one that is declared to be able, and shows it where a control asks it.

The control goes straight to the backend where that may be asked, and through the gateway in plain words where
it may not (docs/abilities.md).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gateway_acceptance.environment import MEANS, Ability, Environment, Model, ModelKind
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import NotApplicable, Untestable

Shows = Callable[[Model], bool]

FIX = (
    "take the ability from models.abilities, or serve a model that has it: "
    "gateway-acceptance abilities --env {name} measures them"
)


def chat_models(environment: Environment) -> list[Model]:
    """The chat models that have an alias of their own."""
    return [model for model in environment.models if model.kind is ModelKind.CHAT]


def declared_able(environment: Environment, *abilities: Ability) -> list[Model]:
    """The chat models that are declared to have these abilities, those first whose backend may be asked.

    Raises NotApplicable where there is none.
    """
    models = chat_models(environment)
    if not models:
        raise NotApplicable(
            "the environment declares no chat model with a single deployment", declared="models"
        )
    able = [model for model in models if {*abilities} <= environment.abilities_of(model)]
    if not able:
        wanted = " and ".join(abilities)
        lacking = ", ".join(model.alias for model in models)
        verb = "does" if len(models) == 1 else "do"
        raise NotApplicable(f"{lacking} {verb} not declare {wanted}", declared="models.abilities")
    return sorted(able, key=lambda model: not environment.backend(model.backend).direct)


def able_alias(
    target: Target, abilities: Sequence[Ability], what: str, *, directly: Shows, plainly: Shows
) -> str:
    """The first alias whose model is declared to have these abilities, and shows it.

    what: is asked, in words; directly, plainly: whether the model shows it when its backend is asked, or
    through the gateway in plain words. Raises NotApplicable where none is declared to, Untestable where none
    of those shows it, CheckFailed where one gives no answer.
    """
    environment = target.environment
    models = declared_able(environment, *abilities)
    for model in models:
        if (directly if environment.backend(model.backend).direct else plainly)(model):
            return model.alias
    raise Untestable(not_shown(environment, models, abilities, what), FIX.format(name=environment.name))


def not_shown(
    environment: Environment, models: Sequence[Model], abilities: Sequence[Ability], what: str
) -> str:
    """The sentence on models that do not keep what is declared of them."""
    said = all(model.abilities is not None for model in models)
    direct = [environment.backend(model.backend).direct for model in models]
    how = "when its backend is asked directly, or in plain words through the gateway where it may not be"
    if all(direct):
        how = "when its backend is asked directly"
    elif not any(direct):
        how = "when it is asked in plain words through the gateway"
    declared = "declared" if said else "without declared abilities, taken"
    names = ", ".join(model.alias for model in models)
    means = " and ".join(f"{ability} ({MEANS[ability]})" for ability in abilities)
    return f"model: no model {what} {how}: {names}, {declared} to be able of {means}"
