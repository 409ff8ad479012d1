"""API-MODELS: what the gateway says it serves."""

from gateway_acceptance.check import MUST, READ, Level, check
from gateway_acceptance.environment import Environment
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.problem import at_level
from gateway_acceptance.verdict import CheckFailed, require
from gateway_acceptance.wire.gateway import GatewayClient
from gateway_acceptance.wire.schema import model_list_problems
from suites.api.models.listing import judged_list
from suites.api.observations import listed_models


@check(
    "API-MODELS-001",
    "exactly the declared models are listed",
    level=MUST,
    effect=READ,
    claims=("FUN-03", "MOD-08"),
    profile="smoke",
    spec="openai:ListModelsResponse.data; environment: models, groups",
)
def test_exactly_the_declared(target: Target, gateway: GatewayClient, environment: Environment) -> None:
    """Nothing missing, nothing that nobody declared, nothing twice. What the environment declares that nobody
    judges may be listed, or not; what it declares as hidden is not."""
    answer = listed_models(target)
    body = answer.json()
    entries = body.get("data") if isinstance(body, dict) else None
    if answer.status != 200 or not isinstance(entries, list):
        raise CheckFailed(
            f"expected 200 and a list of models, got {answer.status}: {answer.text[:200]}", blame="gateway"
        )
    listed = [str(entry.get("id")) for entry in entries if isinstance(entry, dict)]
    declared = environment.listed
    wrong = [
        *environment.otherwise_listed(listed),
        *(f"listed {listed.count(alias)} times: {alias}" for alias in declared if listed.count(alias) > 1),
    ]
    if wrong:
        raise CheckFailed(
            f"expected the {len(declared)} declared models, {len(listed)} are listed; " + "; ".join(wrong),
            blame="gateway",
        )


@check(
    "API-MODELS-002",
    "the model list has the documented shape",
    level=MUST,
    effect=READ,
    claims=("FUN-03",),
    profile="smoke",
    spec="openai:ListModelsResponse",
)
def test_list_shape(target: Target, gateway: GatewayClient, environment: Environment) -> None:
    """Every entry has what SDKs read of it."""
    answer = listed_models(target)
    if target.unlisted:
        raise CheckFailed(
            f"expected 200 and a list of models from {answer.url}, got {answer.status}: {answer.text[:200]}",
            blame="gateway",
        )
    body = judged_list(answer.json(), environment)
    entries = body.get("data") if isinstance(body, dict) else None
    count = len(entries) if isinstance(entries, list) else 0
    counts = {"entries of the list": count} if environment.listed else {"lists": 1}  # or all are hidden
    require(at_level(model_list_problems(body), Level.MUST), blame="gateway", judged=counts)
