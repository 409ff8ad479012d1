"""BACKEND-ROUTE: each alias reaches its declared deployments, and nothing else."""

from collections import Counter

from gateway_acceptance.check import MUST, SPEND, check
from gateway_acceptance.environment import Environment
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.problem import Problem
from gateway_acceptance.verdict import NotApplicable, Untestable, require
from gateway_acceptance.wire.gateway import GatewayClient
from suites.backends.routing import rules as routing_rules
from suites.backends.routing.probes import (
    ask_marked,
    declared_of,
    embeds,
    listed,
    new_mark,
    places,
    witnessed,
)


@check(
    "BACKEND-ROUTE-005",
    "a chat alias is served by its declared backends alone",
    level=MUST,
    effect=SPEND,
    claims="MOD-08",
    spec="environment: models.backend, groups.deployments",
)
def test_chat(target: Target, gateway: GatewayClient, chat_model: str, environment: Environment) -> None:
    """As the gateway's header says; where it has none, as the backends' own counts do."""
    declared = declared_of(environment, chat_model)
    seen = places(target, witnessed(target, chat_model))
    require(routing_rules.elsewhere(chat_model, declared, seen), blame="gateway")


@check(
    "BACKEND-ROUTE-006",
    "an embedding alias is served by its declared backend alone",
    level=MUST,
    effect=SPEND,
    claims="FUN-02",
    spec="environment: models.backend",
)
def test_embeddings(
    target: Target, gateway: GatewayClient, embedding_model: str, environment: Environment
) -> None:
    """Vectors of another server may be of another model: an index is then spoilt without an error."""
    declared = declared_of(environment, embedding_model)
    seen = places(target, witnessed(target, embedding_model))
    require(routing_rules.elsewhere(embedding_model, declared, seen), blame="gateway")


@check(
    "BACKEND-ROUTE-007",
    "a streamed request is served by the alias's declared backends alone",
    level=MUST,
    effect=SPEND,
    claims="MOD-08",
    spec="environment: models.backend, groups.deployments",
)
def test_streams(target: Target, gateway: GatewayClient, chat_model: str, environment: Environment) -> None:
    """Gateways route streams in code of their own."""
    header = gateway.product.served_by
    if header is None:
        raise NotApplicable(
            "no header of this gateway names the backend", declared="gateway.served_by_header"
        )
    declared = declared_of(environment, chat_model)
    answer = ask_marked(target, chat_model, new_mark(), embeds=False, streams=True)
    if not answer.served_by:
        raise Untestable(
            f"the stream has no header {header}", "let the gateway send it: see BACKEND-WITNESS-005"
        )
    seen = {answer.served_by: 1}
    require(routing_rules.elsewhere(chat_model, declared, seen), blame="gateway")


@check(
    "BACKEND-ROUTE-008",
    "the deployment that the gateway names belongs to the alias, and to the backend that it names",
    level=MUST,
    effect=SPEND,
    claims="MOD-08",
    spec="litellm:x-litellm-model-id",
)
def test_named_deployment(target: Target, gateway: GatewayClient, chat_model: str) -> None:
    """Two models on one backend are told apart by nothing else that the gateway says."""
    header = gateway.product.deployment_id
    if header is None:
        raise NotApplicable("no header of this gateway names the deployment", declared="gateway.product")
    known = routing_rules.by_id(listed(target))
    problems = []
    for answer in witnessed(target, chat_model).answers:
        named = answer.header(header)
        entries = known.get(named or "", [])
        entry = next((one for one in entries if one.alias == chat_model), next(iter(entries), None))
        if entry is None:
            problems.append(Problem("", f"{header} is {named}, which is no deployment's id"))
        elif entry.alias != chat_model and chat_model in target.environment.listed:
            problems.append(Problem("", f"{chat_model} was served by the deployment {entry}"))
        elif answer.served_by and entry.backend != answer.served_by:
            problems.append(Problem("", f"{header} means {entry}, the other header {answer.served_by}"))
    require(problems, blame="gateway")


@check(
    "BACKEND-ROUTE-009",
    "a deployment that is asked for by its id answers alone",
    level=MUST,
    effect=SPEND,
    claims="FUN-05",
    spec="litellm:model_info.id as model",
)
def test_by_id(target: Target, gateway: GatewayClient, group: str) -> None:
    """How one member of a balanced alias is judged by itself: a bad one hides behind the others."""
    header = gateway.product.deployment_id
    if header is None:
        raise NotApplicable(
            "no deployment of this gateway can be asked for by an id", declared="gateway.product"
        )
    entries = [entry for entry in listed(target) if entry.alias == group]
    if not entries:
        raise Untestable(f"the gateway lists no deployment of {group}", "see BACKEND-ROUTE-001")
    problems, kind = [], embeds(target, group)
    for entry in entries:
        answers = [ask_marked(target, entry.id, new_mark(), embeds=kind) for _ in range(2)]
        others = Counter(
            (answer.header(header) or "nothing", answer.served_by)
            for answer in answers
            if answer.header(header) != entry.id or answer.served_by not in ("", entry.backend)
        )
        for (named, server), times in others.items():
            problems.append(
                Problem(
                    "", f"{entry}, asked for by its id, was answered by {named} on {server} ({times} times)"
                )
            )
    require(problems, blame="gateway")
