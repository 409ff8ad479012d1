"""API-SDK: the model list, as an application reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway_acceptance.check import MUST, READ, check
from gateway_acceptance.environment import Environment
from gateway_acceptance.lazily import lazily
from gateway_acceptance.verdict import CheckFailed
from suites.api.observations import balanced_or_first
from suites.api.sdk.probes import UNKNOWN_MODEL

if TYPE_CHECKING:
    import openai
else:
    openai = lazily("openai")


@check(
    "API-SDK-002",
    "the SDK lists every declared model",
    level=MUST,
    effect=READ,
    claims="FUN-03",
    spec="openai-python:Models.list",
)
def test_list(sdk: openai.OpenAI, environment: Environment) -> None:
    """Iterating asks for further pages until there is none: a list that never ends would hang here."""
    listed = [model.id for model in sdk.models.list()]
    missing = [alias for alias in environment.listed if alias not in listed]
    if missing:
        raise CheckFailed(
            f"expected the SDK to list {', '.join(missing)}; it lists {', '.join(listed)}", blame="gateway"
        )


@check(
    "API-SDK-003",
    "the SDK retrieves a declared model by its name",
    level=MUST,
    effect=READ,
    claims="FUN-03",
    spec="openai-python:Models.retrieve",
)
def test_retrieve(sdk: openai.OpenAI, environment: Environment) -> None:
    """What applications do at their start to learn whether their model is there."""
    alias = balanced_or_first(environment)
    model = sdk.models.retrieve(alias)
    if model.id != alias:
        raise CheckFailed(f"expected the model {alias!r}, the SDK got {model.id!r}", blame="gateway")


@check(
    "API-SDK-004",
    "a model that does not exist is a NotFoundError",
    level=MUST,
    effect=READ,
    claims="FUN-03",
    spec="openai-python:NotFoundError 404",
)
def test_retrieve_unknown(sdk: openai.OpenAI) -> None:
    """Applications catch this class; any other is taken for an outage."""
    try:
        model = sdk.models.retrieve(UNKNOWN_MODEL)
    except openai.NotFoundError:
        return
    except openai.APIStatusError as error:
        raise CheckFailed(
            f"expected NotFoundError (404), the SDK raised {type(error).__name__} ({error.status_code})",
            blame="gateway",
        ) from None
    raise CheckFailed(f"expected NotFoundError, the SDK got a model: {model.id!r}", blame="gateway")
