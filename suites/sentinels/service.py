"""Sentinels of access, routing, the SDK and the service: most of them look at what smoke has anyway."""

from __future__ import annotations

from http import HTTPStatus

from gateway_acceptance.environment import ModelKind
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.plugin.waking import Sentinel
from gateway_acceptance.wire.exchange import Exchange
from suites.api.observations import balanced_or_first, echoed
from suites.api.operations.rules import hung_up
from suites.api.operations.test_http import REQUEST_ID
from suites.backends.routing import rules as routing_rules
from suites.backends.routing.probes import listed

FALLBACKS = ("x-litellm-attempted-retries", "x-litellm-attempted-fallbacks")
CACHES = ("x-cache", "cf-cache-status", "age", "x-litellm-cache-key")


def never_quiet(_: Target) -> bool:
    """For checks that cost nothing where smoke has run, or nothing but where they are declared."""
    return False


def deployments(target: Target) -> bool:
    """The gateway's own list is the declared one, and each answer's headers agree with it."""
    environment, entries = target.environment, listed(target)
    wrong = [
        *routing_rules.missing(environment, entries),
        *routing_rules.undeclared(environment, entries),
        *routing_rules.other_weights(environment, entries),
        *routing_rules.without_own_id(environment, entries),
    ]
    groups = [group.alias for group in environment.groups]
    alone = [alias for alias in groups if sum(entry.alias == alias for entry in entries) < 2]
    return not wrong and not alone and all(_agrees(target, alias) for alias in _chat(target))


def _agrees(target: Target, alias: str) -> bool:
    """Whether the headers of an alias's answer name one of its deployments, and the backend of that."""
    header = target.gateway.product.deployment_id
    if header is None:
        return True
    answer = echoed(target, alias)
    named = routing_rules.by_id(listed(target)).get(answer.header(header) or "", ())
    return any(entry.alias == alias and answer.served_by in ("", entry.backend) for entry in named)


def _chat(target: Target) -> list[str]:
    return target.environment.aliases_of(ModelKind.CHAT)


def drawn_once(target: Target) -> bool:
    """No answer of any alias says that it came from a cache, another alias, or a second try."""
    return not any(_second_hand(echoed(target, alias)) for alias in _chat(target))


def _second_hand(answer: Exchange) -> bool:
    tried = any((answer.header(name) or "0") not in ("0", "") for name in FALLBACKS)
    return tried or any("hit" in (answer.header(name) or "").lower() for name in CACHES[:2])


def formal(target: Target) -> bool:
    """An answer of the balanced alias has a request id, and leaves the connection open."""
    answer = echoed(target, balanced_or_first(target.environment))
    has_an_id = any(REQUEST_ID.search(name) for name, _ in answer.headers)
    return has_an_id and (answer.header("connection") or "").lower() != "close"


def in_time(target: Target) -> bool:
    """No alias is later than its bound. Once is no finding: a model may have been loaded."""
    bound = target.environment.bounds.answer_s
    return all(echoed(target, alias).elapsed_s <= bound for alias in _chat(target))


def kept_alive(target: Target) -> bool:
    """Two answers at once after one another came on one connection, unless the first said that it ends, or
    refused: then the next is asked on another one."""
    aliases = _chat(target)
    asked = (echoed(target, aliases[0]), echoed(target, aliases[-1]))
    first, then = sorted(asked, key=lambda answer: answer.sent_at)
    return first.status != HTTPStatus.OK or not hung_up(first, then)


def served(target: Target) -> bool:
    """Every chat alias answers."""
    return all(echoed(target, alias).status == 200 for alias in _chat(target))


ROUTING = (
    "suites.backends.routing.test_routing",
    "suites.backends.routing.test_witness",
)
RESPONSES = tuple(
    f"suites.api.responses.test_responses:test_{name}"
    for name in ("shape", "text", "usage", "incomplete", "stream", "stream_text", "refusals", "instructions")
)
SERVICE_SENTINELS = (
    Sentinel(
        "what costs nothing here",
        "API-OPS-001",
        (
            "suites.api.advisories.test_advisories:test_no_hole",
            "suites.api.advisories.test_advisories:test_base_is_recent",
            "suites.backends.reachability.test_bypass",
        ),
        never_quiet,
    ),
    Sentinel(
        "what is declared in few places",
        "API-OPS-002",
        (
            "suites.api.limits.test_limited_key",
            "suites.api.auth.test_places",
            "suites.api.exposure.test_exposure:test_declared_origin",
            "suites.api.completions.test_completions:test_not_promised",
            *RESPONSES,
        ),
        never_quiet,
    ),
    Sentinel(
        "the SDK's chat",
        "API-CHAT-001",
        ("suites.api.sdk.test_chat", "suites.api.sdk.test_async", "suites.api.operations.test_http"),
        formal,
    ),
    Sentinel(
        "a connection that is kept",
        "API-CHAT-001",
        ("suites.api.operations.test_http:test_keep_alive",),
        kept_alive,
    ),
    Sentinel(
        "answers in time",
        "API-CHAT-001",
        ("suites.api.operations.test_load:test_complete_answer",),
        in_time,
    ),
    Sentinel(
        "models that answer",
        "API-CHAT-001",
        (
            "suites.api.models.test_behaviour:test_chat_servable",
            "suites.api.models.test_behaviour:test_embedding_servable",
            "suites.api.operations.test_health:test_readiness_is_true",
        ),
        served,
    ),
    Sentinel(
        "deployments",
        "BACKEND-BAL-001",
        (
            "suites.backends.inventory.test_deployments",
            "suites.backends.balance.test_shares:test_several_deployments",
            *ROUTING,
        ),
        deployments,
    ),
    Sentinel(
        "one draw for each request",
        "BACKEND-BAL-001",
        (
            "suites.backends.balance.test_shares:test_no_cache",
            "suites.backends.balance.test_shares:test_not_tried_again",
        ),
        drawn_once,
    ),
)
