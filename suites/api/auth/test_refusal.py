"""API-AUTH: who gets in. A refusal is 401 with the OpenAI envelope; SDKs map it to AuthenticationError."""

from gateway_acceptance.check import MUST, READ, check
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import CheckFailed, require
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.gateway import GatewayClient
from gateway_acceptance.wire.schema import envelope_broken
from suites.api.auth.served import OPENED, lists_models
from suites.api.auth.tried import (
    LIST,
    OWN,
    WRONG_KEY,
    asked_with_a_wrong_key,
    list_without_key,
    on_the_list,
    open_catalogue,
    plainly,
    refused_plainly,
    require_depends_on_key,
    served,
    tried,
    tried_route,
)
from suites.api.observations import listed_models

SPEC = "openai:guides/error-codes 401"


@check(
    "API-AUTH-001",
    "the environment's key is accepted",
    level=MUST,
    effect=READ,
    claims="FUN-04",
    profile="smoke",
    spec="RFC 6750 section 2.1; environment: gateway.key_variable",
)
def test_key_accepted(target: Target, live_gateway: GatewayClient) -> None:
    """The control of all refusals below: with the right key the same request succeeds."""
    listed = on_the_list(target)
    answer = listed_models(target) if listed else target.once(OWN, lambda: tried(target))
    if answer.status != 200:
        require_depends_on_key(target, answer)
        raise CheckFailed(
            f"expected 200 from {answer.url} with the environment's key, "
            f"got {answer.status}: {answer.text[:200]}",
            blame="gateway, or the key that was given to this run",
        )


@check(
    "API-AUTH-002",
    "a request without a key is refused",
    level=MUST,
    effect=READ,
    claims="FUN-04",
    profile="smoke",
    spec=SPEC,
)
def test_no_key(target: Target, live_gateway: GatewayClient) -> None:
    """No Authorization header at all: what the ways in are held against (API-ACCESS) is judged here. A list
    of models that is served to everybody, where chat is not, is no way to the models; who wants it open says
    so."""
    route = tried_route(target)
    if open_catalogue(target) and lists_models(list_without_key(target)):
        raise CheckFailed(
            f"GET {LIST} is served without a key, {route} is not: close it, or declare it in "
            "gateway.public_paths if it is meant to be open",
            blame="gateway",
            alarm="anybody gets the list of models without a key",
        )
    _refused(target, plainly(target), OPENED)


@check(
    "API-AUTH-003",
    "a wrong key is refused",
    level=MUST,
    effect=READ,
    claims="FUN-04",
    profile="smoke",
    spec=SPEC,
)
def test_wrong_key(target: Target, live_gateway: GatewayClient) -> None:
    """A well-formed key that nobody was given, made up for this request. Where who has no key is served the
    same, no key opens anything: that is API-AUTH-002's."""
    _, answer = target.once(WRONG_KEY, lambda: asked_with_a_wrong_key(target))
    if served(target, answer):
        refused_plainly(target)
    _refused(target, answer, "anybody gets in with any key")


@check(
    "API-AUTH-004",
    "a key that is known to the world is refused",
    level=MUST,
    effect=READ,
    claims=("FUN-04", "SEC-07"),
    profile="smoke",
    spec=SPEC,
)
def test_known_default_key(target: Target, live_gateway: GatewayClient, default_key: str) -> None:
    """The keys of published configurations and of documentation, as the environment declares them. Where who
    has no key is served the same, no key opens anything: that is API-AUTH-002's. The form of a refusal is
    API-AUTH-003's: the key is none of the gateway's in whatever form that is said."""
    answer = tried(target, key=default_key)
    if served(target, answer):
        refused_plainly(target)
    _refused(target, answer, "anybody gets in with a key that is known to the world", form=False)


def _refused(target: Target, answer: Exchange, alarm: str, *, form: bool = True) -> None:
    """alarm: what it means where what is protected was served; form: whether the error's is judged too."""
    target.notebook.show(answer)
    if answer.status == 200:
        raise CheckFailed(
            f"expected 401 from {answer.url}, got 200: it was served",
            blame="gateway",
            alarm=alarm if served(target, answer) else "",
        )
    if answer.status != 401:
        require_depends_on_key(target, answer)
        raise CheckFailed(
            f"expected 401 from {answer.url}, got {answer.status}: {answer.text[:200]}", blame="gateway"
        )
    if form:
        require(envelope_broken(answer.status, answer.headers, answer.body), blame="gateway")
