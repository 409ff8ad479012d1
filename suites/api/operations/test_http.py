"""API-OPS: the gateway as an HTTP server: connections, methods, headers."""

import contextlib
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from gateway_acceptance.check import MUST, READ, SHOULD, SPEND, check
from gateway_acceptance.environment import Environment
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.problem import Problem
from gateway_acceptance.subjects import judged
from gateway_acceptance.verdict import CheckFailed, NoAnswer, require
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.gateway import GatewayClient
from gateway_acceptance.wire.rule import media_type
from gateway_acceptance.wire.subject import answers_among
from suites.api.extract import answered_by_a_model
from suites.api.observations import balanced_or_first, echoed, echoed_twice, listed_models
from suites.api.operations.leftovers import leftover_problems
from suites.api.operations.rules import announces_end

CLOCK_SKEW_S = 300
"""What Kerberos allows two clocks to differ; more, and tokens, logs and certificates go wrong."""

REQUEST_ID = re.compile(r"(^|-)(request|call|correlation|trace)-?id$", re.IGNORECASE)
"""x-request-id (OpenAI, Azure, Envoy), x-litellm-call-id, x-correlation-id."""


@check(
    "API-OPS-010",
    "a connection serves more than one request, unless its answer says that it ends",
    level=MUST,
    effect=READ,
    claims="STA-02",
    spec="RFC 9112 sections 9.3 and 9.6",
)
def test_keep_alive(target: Target, live_gateway: GatewayClient) -> None:
    """SDKs keep connections: a client that reuses one just when it is closed sees its request break. A
    gateway that ends each by ``Connection: close`` makes every request pay for a new one, and breaks none.
    What is refused leaves nothing behind: a body that was not read is no beginning of the next request."""
    path = live_gateway.product.liveness or "/v1/models"
    url = live_gateway.url + path
    closed = "expected 2 answers on one connection, got 1: the gateway closed it"
    with contextlib.closing(target.sender.another()) as sender:
        first = sender.send("GET", url)
        try:
            second = sender.send("GET", url)
        except NoAnswer as failure:
            raise CheckFailed(f"{closed} ({failure})", blame="gateway") from None
    if first.connection != second.connection and not announces_end(first):
        raise CheckFailed(closed, blame="gateway")
    require(leftover_problems(target, path), blame="gateway")
    judged(answers=sum(_came(one) for one in (first, second)))


def _came(answer: Exchange) -> bool:
    """Whether it is an answer of a server that works: what it says, or that it says nothing, is no matter of
    its connection."""
    return answer.status is not None and answer.status < HTTPStatus.INTERNAL_SERVER_ERROR


@check(
    "API-OPS-011",
    "HEAD is answered without an internal error and without a body",
    level=MUST,
    effect=READ,
    claims="STA-02",
    spec="RFC 9110 section 9.3.2",
)
def test_head(live_gateway: GatewayClient) -> None:
    """Monitors and load balancers ask so. 405 is an honest answer."""
    paths = [live_gateway.product.liveness or "/", "/v1/models"]
    require(
        [
            problem
            for path in paths
            for problem in _internal(live_gateway.request("HEAD", path), f"HEAD {path}")
        ],
        blame="gateway",
    )


@check(
    "API-OPS-012",
    "OPTIONS is answered without an internal error and does nothing",
    level=MUST,
    effect=READ,
    claims="STA-02",
    spec="RFC 9110 section 9.3.7",
)
def test_options(live_gateway: GatewayClient, environment: Environment) -> None:
    """Without a key, as browsers ask; a body is not served, whatever the method."""
    message = {"role": "user", "content": "hello"}
    body = {"model": balanced_or_first(environment), "messages": [message], "max_tokens": 1}
    answer = live_gateway.request("OPTIONS", "/v1/chat/completions", json_body=body, key=None)
    require(_internal(answer, "OPTIONS /v1/chat/completions"), blame="gateway")
    if "choices" in answer.text:
        raise CheckFailed(f"OPTIONS is answered with a completion: {answer.text[:200]}", blame="gateway")


@check(
    "API-OPS-013",
    "every answer says what kind of content it has",
    level=MUST,
    effect=SPEND,
    claims="STA-06",
    spec="RFC 9110 section 8.3",
)
def test_content_type(target: Target, gateway: GatewayClient, environment: Environment) -> None:
    """JSON is application/json: generated clients choose their parser by it."""
    answers = {
        "GET /v1/models": listed_models(target),
        "a chat completion": echoed(target, balanced_or_first(environment)),
    }
    require(
        [
            Problem("", f"{what}: expected application/json, got {media_type(answer.headers) or 'none'}")
            for what, answer in answers.items()
            if media_type(answer.headers) != "application/json"
        ],
        blame="gateway",
        judged={
            "lists of models": answers_among([answers["GET /v1/models"]]),
            "chat completions": int(answered_by_a_model(answers["a chat completion"])),
        },
    )


@check(
    "API-OPS-014",
    "each completion has a request id of its own in its headers",
    level=SHOULD,
    effect=SPEND,
    claims="STA-06",
    spec="openai:api-reference debugging requests",
)
def test_request_id(target: Target, gateway: GatewayClient, environment: Environment) -> None:
    """By it, a user's complaint is found in the logs. The SDK reads x-request-id; others name it
    their way."""
    first, second = (_request_ids(one) for one in echoed_twice(target, balanced_or_first(environment)))
    if not first or not second:
        raise CheckFailed("expected a header such as x-request-id, there is none", blame="gateway")
    if first == second:
        raise CheckFailed(f"expected each request to have its own id, two have {first}", blame="gateway")


@check(
    "API-OPS-015",
    "the gateway's clock is right",
    level=SHOULD,
    effect=READ,
    claims="STA-02",
    spec="RFC 9110 section 6.6.1",
)
def test_clock(target: Target, gateway: GatewayClient) -> None:
    """Its Date header against this machine's clock."""
    answer = gateway.models()
    text = answer.header("date")
    if text is None:
        raise CheckFailed("expected a Date header, there is none", blame="gateway")
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        raise CheckFailed(f"expected a date in the Date header, got {text!r}", blame="gateway") from None
    away = abs((datetime.now(UTC) - date.astimezone(UTC)).total_seconds())
    if away > CLOCK_SKEW_S:
        raise CheckFailed(
            f"expected a clock within {CLOCK_SKEW_S} s of ours, the gateway's is {away:.0f} s away",
            blame="gateway, or the clock of this machine",
        )


def _internal(answer: Exchange, what: str) -> list[Problem]:
    problems = []
    if (answer.status or 0) >= 500:
        problems.append(Problem("", f"{what}: expected no internal error, got {answer.status}"))
    if answer.method == "HEAD" and answer.body:
        problems.append(Problem("", f"{what}: expected no body, got {len(answer.body)} bytes"))
    return problems


def _request_ids(answer: Exchange) -> list[tuple[str, str]]:
    return [(name.lower(), value) for name, value in answer.headers if REQUEST_ID.search(name)]
