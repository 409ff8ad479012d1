"""BACKEND-WITNESS: who served it, said by the gateway's header and by the backends' own counts."""

from gateway_acceptance.check import MUST, SHOULD, SPEND, check
from gateway_acceptance.environment import Environment, ModelKind
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.problem import Problem
from gateway_acceptance.verdict import CheckFailed, NotApplicable, require
from gateway_acceptance.wire.backends import BackendClient, full_name
from gateway_acceptance.wire.gateway import GatewayClient
from suites.backends.routing import rules as routing_rules
from suites.backends.routing.probes import (
    MARK,
    ask_marked,
    counting,
    declared_of,
    new_mark,
    require_counted,
    require_counts,
    require_header,
    witnessed,
)


@check(
    "BACKEND-WITNESS-001",
    "the gateway's header and the backends' own counts agree on who served a chat alias",
    level=MUST,
    effect=SPEND,
    claims="FUN-05",
    spec="environment: backends.counts, gateway.served_by_header",
)
def test_chat_agrees(target: Target, gateway: GatewayClient, chat_model: str) -> None:
    """All that is said of balance rests on the header: a header that lies makes it worthless."""
    _require_agreement(target, chat_model)


@check(
    "BACKEND-WITNESS-002",
    "the gateway's header and the backends' own counts agree on who served an embedding alias",
    level=MUST,
    effect=SPEND,
    claims="FUN-02",
    spec="environment: backends.counts, gateway.served_by_header",
)
def test_embeddings_agree(target: Target, gateway: GatewayClient, embedding_model: str) -> None:
    _require_agreement(target, embedding_model)


@check(
    "BACKEND-WITNESS-003",
    "each answered request reached a backend, once",
    level=SHOULD,
    effect=SPEND,
    claims="FUN-05",
    spec="environment: backends.counts",
)
def test_once(target: Target, gateway: GatewayClient, chat_model: str, environment: Environment) -> None:
    """The same question three times over: a cache answers in a backend's place, a hidden retry asks more than
    one; under either, the proportions seen are not those that were drawn."""
    require_counts(environment)
    seen = witnessed(target, chat_model)
    require(routing_rules.not_once(seen.sent, seen.counted, exact=seen.exact), blame="gateway")


@check(
    "BACKEND-WITNESS-004",
    "an alias reaches its declared model, as the backends count",
    level=MUST,
    effect=SPEND,
    claims="MOD-08",
    spec="environment: models.upstream",
)
def test_model(target: Target, gateway: GatewayClient, chat_model: str, environment: Environment) -> None:
    """The header names a backend, not the model; of two models on one backend only this tells the right
    one."""
    _require_declared_model(target, chat_model, environment)


@check(
    "BACKEND-WITNESS-005",
    "every answer of a model says which backend served it",
    level=SHOULD,
    effect=SPEND,
    claims="FUN-05",
    spec="environment: gateway.served_by_header",
)
def test_header_everywhere(target: Target, gateway: GatewayClient, environment: Environment) -> None:
    """Whole chat, streamed chat and embeddings, by the header of the product."""
    header = gateway.product.served_by
    if header is None:
        raise NotApplicable(
            "no header of this gateway names the backend", declared="gateway.served_by_header"
        )
    problems = []
    for kind in ModelKind:
        alias = next(iter(environment.aliases_of(kind)), None)
        if alias is None:
            continue
        embeds = kind is ModelKind.EMBEDDING
        for streams in (False,) if embeds else (False, True):
            answer = ask_marked(target, alias, new_mark(), embeds=embeds, streams=streams)
            if not answer.served_by:
                what = "an embedding" if embeds else "a stream" if streams else "a chat completion"
                problems.append(Problem("", f"{what} of {alias} has no header {header}"))
    require(problems, blame="gateway")


@check(
    "BACKEND-WITNESS-006",
    "the backend's own count tells a request that was made to it",
    level=MUST,
    effect=SPEND,
    spec="environment: backends.counts",
)
def test_counts(backend: BackendClient, environment: Environment) -> None:
    """The second witness is heard first: asked past the gateway, where nobody else can be to blame."""
    name, mark = backend.backend.name, new_mark()
    if backend.backend.counts is None:
        raise NotApplicable(f"the environment declares no count of {name}", declared="backends.counts")
    wanted = [(alias, served) for alias, served in environment.deployments if served.backend == name]
    if not wanted:
        raise NotApplicable(f"nothing is deployed on {name}", declared="models.backend")
    alias, served = wanted[0]
    model = full_name(served.upstream)
    before = backend.counts(mark).get(model, 0)
    if alias in environment.aliases_of(ModelKind.EMBEDDING):
        backend.embed(served.upstream, f"the mark {mark}")
    else:
        answer = backend.chat(served.upstream, f"Return exactly the text: {mark}", max_tokens=16)
        if answer.status != 200:
            raise CheckFailed(f"expected 200 from {answer.url}, got {answer.status}: {answer.text[:200]}")
    grown = backend.counts(mark).get(model, 0) - before
    exact = MARK in backend.backend.counts
    if grown < 1 or (exact and grown != 1):
        raise CheckFailed(
            f"one request was made to {model} on {name}, its count grew by {grown}", blame="backend"
        )


@check(
    "BACKEND-WITNESS-007",
    "an embedding alias reaches its declared model, as the backends count",
    level=MUST,
    effect=SPEND,
    claims="FUN-02",
    spec="environment: models.upstream",
)
def test_embedding_model(
    target: Target, gateway: GatewayClient, embedding_model: str, environment: Environment
) -> None:
    """Two models of the same dimensions are told apart by nothing else."""
    _require_declared_model(target, embedding_model, environment)


def _require_declared_model(target: Target, alias: str, environment: Environment) -> None:
    require_counts(environment)
    declared = declared_of(environment, alias)
    seen = witnessed(target, alias)
    if not seen.exact:
        raise NotApplicable(
            "the backends' counts take no {mark}: other requests may be among them",
            declared="backends.counts",
        )
    require(routing_rules.other_upstreams(alias, declared, seen.counted), blame="gateway")
    require_counted(seen)


def _require_agreement(target: Target, alias: str) -> None:
    if not counting(target.environment):
        raise NotApplicable(
            "the environment declares no second witness (backends.counts)", declared="backends.counts"
        )
    seen = witnessed(target, alias)
    require_header(target, seen)
    require(routing_rules.disagreement(seen.header, seen.counted, exact=seen.exact), blame="gateway")
