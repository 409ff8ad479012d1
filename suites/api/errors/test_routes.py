"""API-ERR: models, routes and methods that are not there."""

from gateway_acceptance.check import MUST, READ, SHOULD, check
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import require
from gateway_acceptance.wire.gateway import GatewayClient
from suites.api.errors.probes import BY_NAME, offered
from suites.api.errors.rules import (
    all_problems,
    answer_to,
    envelope_problems,
    refusal,
    refused_unread,
    status_problems,
)

ROUTES = [BY_NAME[name] for name in ("an unknown route", "GET at chat", "DELETE at embeddings")]

test_unknown_model_streamed = refused_unread(
    "API-ERR-031",
    "an unknown model is refused before a stream begins",
    "an unknown model, streamed",
)
test_unknown_model_embeddings = refused_unread(
    "API-ERR-032", "an unknown model is refused at embeddings", "an unknown model at embeddings"
)
test_chat_model_embeds = refusal(
    "API-ERR-033", "a chat model is refused at embeddings", "a chat model at embeddings", claims="FUN-02"
)
test_embedding_model_chats = refusal(
    "API-ERR-034", "an embedding model is refused at chat", "an embedding model at chat"
)


@check(
    "API-ERR-035",
    "an unknown route is answered with 404",
    level=MUST,
    effect=READ,
    claims="FUN-01",
    spec="RFC 9110 section 15.5.5",
)
def test_unknown_route(target: Target, gateway: GatewayClient) -> None:
    """Not 200 with a page, and no other refusal: SDKs raise NotFoundError."""
    require(
        all_problems(ROUTES[:1], lambda bad: status_problems(bad, answer_to(target, bad))), blame="gateway"
    )


@check(
    "API-ERR-036",
    "a wrong method is answered with 405 or 404",
    level=MUST,
    effect=READ,
    claims="FUN-01",
    spec="RFC 9110 section 15.5.6",
)
def test_wrong_method(target: Target, gateway: GatewayClient) -> None:
    """GET of chat completions lists stored ones at OpenAI; a gateway that stores none says so."""
    require(
        all_problems(
            offered(ROUTES[1:], target.environment),
            lambda bad: status_problems(bad, answer_to(target, bad)),
        ),
        blame="gateway",
    )


@check(
    "API-ERR-037",
    "unknown routes and wrong methods are answered with the envelope",
    level=SHOULD,
    effect=READ,
    claims="FUN-01",
    spec="openai:ErrorResponse",
)
def test_route_envelope(target: Target, gateway: GatewayClient) -> None:
    """A client that mistyped the base URL gets to read why."""
    require(
        all_problems(
            offered(ROUTES, target.environment),
            lambda bad: envelope_problems(bad, answer_to(target, bad), MUST),
        ),
        blame="gateway",
    )
