"""API-EXPO: what the gateway shows to those without a key, and what it lets those with one do to it."""

import re
from collections.abc import Callable
from http import HTTPStatus

from gateway_acceptance.check import MUST, PROBE, READ, SHOULD, SPEND, check
from gateway_acceptance.environment import Environment
from gateway_acceptance.environment.abilities import Ability
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.problem import Problem
from gateway_acceptance.subjects import judged
from gateway_acceptance.verdict import CheckFailed, NoAnswer, NotApplicable, Untestable, require
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.gateway import GatewayClient
from gateway_acceptance.wire.strict_json import parse_json
from gateway_acceptance.wire.subject import answers_among
from suites.api.exposure.browsers import FOREIGN_ORIGIN, allowed_origin, preflight, with_origin
from suites.api.exposure.lost import ask_paths
from suites.api.exposure.parameters import (
    addressed,
    all_of,
    chat_alias,
    configured,
    echo_with,
    followed,
    improper_refusal,
    served_plainly,
    telling,
)
from suites.api.exposure.paths import (
    FILES,
    described_routes,
    gives_away,
    probed,
    revealed,
    undeclared,
    well_known_among,
)
from suites.api.exposure.printed import printed_forms
from suites.api.extract import decided
from suites.api.observations import ECHO_TEXT, listed_models

MOCKED = "HX-MOCKED"
VERSION = re.compile(r"(?<!\d)\d+\.\d+")
SILENCE = "no answer within"
"""How it is said that a deadline passed (``gateway_acceptance.wire``): that is no hanging up."""


@check(
    "API-EXPO-001",
    "no well-known path is open that the environment does not declare open",
    level=MUST,
    effect=PROBE,
    claims="FUN-04",
    spec="OWASP API9:2023",
)
def test_open_paths(target: Target, live_gateway: GatewayClient, environment: Environment) -> None:
    """Descriptions, consoles, insight, a backend's own interface: asked without a key. Each that answers 200
    is declared in gateway.public_paths, or nobody knew that it is open; but for what answers as a path does
    that nobody has."""
    found = undeclared(probed(target).found, environment.gateway.public_paths)
    require(
        [Problem("", f"{path} answers 200 without a key, and is not declared") for path in found],
        blame="gateway",
    )


@check(
    "API-EXPO-002",
    "no described route is open that the environment does not declare open",
    level=MUST,
    effect=READ,
    claims="FUN-04",
    spec="OWASP API9:2023",
)
def test_described_routes(
    live_gateway: GatewayClient, environment: Environment, note: Callable[[str, object], None]
) -> None:
    """The gateway's own description names routes that no list of ours knows. GET routes without parameters,
    those first that it describes as open. Where strangers do not get it, it is asked for with the key."""
    path = live_gateway.product.description
    if path is None:
        raise NotApplicable(
            "the environment declares no OpenAPI description of the gateway",
            declared="gateway.description_path",
        )
    description = live_gateway.get(path, key=None)
    if description.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND):
        description = live_gateway.get(path)
    document = parse_json(description.body)[0] if description.status == 200 else None
    if not isinstance(document, dict) or "paths" not in document:
        raise Untestable(
            f"{description.url} gives no OpenAPI description, but {description.status}",
            'declare gateway.description_path: where it is, or "" where the gateway publishes none',
        )
    routes = described_routes(document)
    note("described_routes_tried", len(routes))
    asked = ask_paths(live_gateway, routes)
    found = undeclared(asked.found, environment.gateway.public_paths)
    require(
        [Problem("", f"{path} answers 200 without a key, and is not declared") for path in found],
        blame="gateway",
        judged={"described GET routes": answers_among(asked.answers) + well_known_among(description.json())},
    )


@check(
    "API-EXPO-003",
    "files of the deployment are not served",
    level=MUST,
    effect=PROBE,
    claims="FUN-04",
    spec="CWE-538, CWE-22",
)
def test_files(live_gateway: GatewayClient) -> None:
    """Settings, repositories, and what lies above the served folder. Known by their content: a console may
    answer any path with its page. Who hangs up on such a path serves nothing there."""
    answers = {path: _as_far_as_answered(live_gateway, path) for path in FILES}
    if any(answer.status is None for answer in answers.values()):
        live_gateway.get("/v1/models", key=None)  # it lives: to have hung up was its answer
    require(
        [
            Problem("", f"{path} is served to anybody")
            for path, answer in answers.items()
            if answer.status == 200 and gives_away(path, answer.text)
        ],
        blame="gateway",
        judged={"paths": len(answers)},
    )


def _as_far_as_answered(gateway: GatewayClient, path: str) -> Exchange:
    """The answer to a stranger; where the connection is closed, what came of it when asked once more. Raises
    NoAnswer where nothing is said until the deadline."""
    try:
        return gateway.get(path, key=None)
    except NoAnswer as failure:
        if SILENCE in str(failure):
            raise
        return gateway.without_key("GET", path)


@check(
    "API-EXPO-004",
    "what is open names no backend and no key",
    level=MUST,
    effect=PROBE,
    claims="FUN-04",
    spec="CWE-200",
)
def test_open_paths_tell_nothing(
    target: Target, live_gateway: GatewayClient, environment: Environment
) -> None:
    """Ollama has no authentication: its address is all that somebody needs (see BACKEND-BYPASS-001)."""
    problems = []
    for answer in probed(target).answers:
        if answer.status == 200:
            held = revealed(answer, environment.backends, printed_forms(target.key))
            problems += [Problem("", f"{answer.url} tells {what} to anybody") for what in held]
    require(problems, blame="gateway")


@check(
    "API-EXPO-005",
    "an address in a request's body is not called",
    level=MUST,
    effect=SPEND,
    claims="FUN-04",
    spec="CWE-918",
)
def test_address_in_the_body(target: Target, gateway: GatewayClient) -> None:
    """``api_base`` and ``base_url`` are parameters of client libraries: a gateway that follows them calls,
    with its own rights and keys, whatever a caller names."""
    steered = addressed(target)
    require(
        all_of([followed(seen) for seen in steered]),
        blame="gateway",
        judged={"requests with an address": telling(steered)},
    )


@check(
    "API-EXPO-006",
    "an address in a request's body is refused or ignored",
    level=MUST,
    effect=SPEND,
    claims="FUN-04",
    spec="openai:ErrorResponse",
)
def test_address_is_answered(target: Target, gateway: GatewayClient) -> None:
    """The caller learns it: an envelope that says so, or an answer as if nothing had been said."""
    seen = addressed(target)
    require(
        all_of([improper_refusal(one.name, one.answer) for one in seen if one.answer is not None]),
        blame="gateway",
        judged={"requests with an address": telling(seen)},
    )


@check(
    "API-EXPO-007",
    "a routing configuration in a request's body is not followed",
    level=MUST,
    effect=SPEND,
    claims="FUN-04",
    spec="CWE-918",
)
def test_configuration_in_the_body(target: Target, gateway: GatewayClient) -> None:
    """The same by another door: a whole model list with an address of the caller's."""
    seen = configured(target)
    counts = {"requests with a configuration": telling([seen])}
    require(followed(seen), blame="gateway", judged=counts)


@check(
    "API-EXPO-008",
    "an answer cannot be made up by the request",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec="openai:CreateChatCompletionResponse: returned by the model; litellm pull request 26941",
)
def test_mock_response(target: Target, gateway: GatewayClient) -> None:
    """``mock_response`` passes every model, and what is logged and cached of the answer is a forgery."""
    answer = echo_with(target, {"mock_response": MOCKED})
    if MOCKED in answer.text and answer.status == 200:
        raise CheckFailed(f"the model's answer is what the request asked for: {MOCKED!r}", blame="gateway")
    counts = {"answers": decided([answer]) if served_plainly(target) else 0}
    require(improper_refusal("mock_response", answer), blame="gateway", judged=counts)


@check(
    "API-EXPO-009",
    "a failure cannot be staged by the request",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec="openai:ErrorResponse; litellm pull request 35423",
)
def test_mock_failure(target: Target, gateway: GatewayClient) -> None:
    """``mock_testing_fallbacks`` lets callers drill the gateway's failover; only operators may."""
    answer = echo_with(target, {"mock_testing_fallbacks": True})
    counts = {"answers": decided([answer]) if served_plainly(target) else 0}
    require(improper_refusal("mock_testing_fallbacks", answer), blame="gateway", judged=counts)
    exact = target.environment.can(chat_alias(target), Ability.EXACT)  # else nobody knows what it would say
    if exact and answer.status == 200 and ECHO_TEXT not in answer.text:
        raise CheckFailed(f"expected an ordinary answer, got {answer.text[:200]}", blame="gateway")


@check(
    "API-EXPO-010",
    "TRACE is not answered with the request",
    level=MUST,
    effect=READ,
    claims="FUN-04",
    spec="RFC 9110 section 9.3.8",
)
def test_trace(live_gateway: GatewayClient) -> None:
    """An echo of the request shows to scripts what browsers hide from them."""
    canary = "hx-trace-canary"
    answer = live_gateway.request("TRACE", "/v1/models", key=None, headers=[("x-canary", canary)])
    if answer.status == 200 or canary in answer.text:
        raise CheckFailed(f"TRACE is answered with {answer.status}: {answer.text[:200]}", blame="gateway")


@check(
    "API-EXPO-011",
    "no header tells the server's version",
    level=SHOULD,
    effect=READ,
    claims="FUN-04",
    spec="RFC 9110 section 10.2.4",
)
def test_server_header(live_gateway: GatewayClient) -> None:
    """Without a key, ``server`` and ``x-powered-by`` name products at most: versions help those who look for
    known holes."""
    answer = live_gateway.models(key=None)
    found = [
        f"{name}: {value}"
        for name, value in answer.headers
        if name.lower() in ("server", "x-powered-by") and VERSION.search(value)
    ]
    if found:
        raise CheckFailed(f"expected no version in headers, got {'; '.join(found)}", blame="gateway")
    judged(headers=len(answer.headers))


@check(
    "API-EXPO-012",
    "an origin that is not declared may not call from a browser",
    level=SHOULD,
    effect=READ,
    claims="FUN-04",
    spec="Fetch: CORS protocol",
)
def test_strange_origin(target: Target, gateway: GatewayClient, environment: Environment) -> None:
    """gateway.cors_origins lists who may; ``*`` there means everybody. A page of anybody's can otherwise use
    every gateway that its readers' browsers reach."""
    if "*" in environment.gateway.cors_origins:
        raise NotApplicable(
            "the environment declares that every origin may call (gateway.cors_origins)",
            declared="gateway.cors_origins",
        )
    answers = {"the preflight": preflight(target, FOREIGN_ORIGIN), "GET": with_origin(target, FOREIGN_ORIGIN)}
    require(
        [
            Problem("", f"{what} allows {allowed_origin(answer)} where {FOREIGN_ORIGIN} asks")
            for what, answer in answers.items()
            if allowed_origin(answer) in ("*", FOREIGN_ORIGIN)
        ],
        blame="gateway",
    )


@check(
    "API-EXPO-013",
    "no strange origin may call with a browser's credentials",
    level=MUST,
    effect=READ,
    claims="FUN-04",
    spec="Fetch: CORS protocol and credentials",
)
def test_strange_origin_with_credentials(target: Target, gateway: GatewayClient) -> None:
    """To return whatever origin asks, and to allow credentials with it, gives foreign pages the sessions of
    the gateway's console. Browsers themselves only stop the literal ``*``."""
    answers = {f"the preflight of {origin}": preflight(target, origin) for origin in (FOREIGN_ORIGIN, "null")}
    answers[f"GET from {FOREIGN_ORIGIN}"] = with_origin(target, FOREIGN_ORIGIN)
    require(
        [
            Problem("", f"{what} is allowed, with credentials")
            for what, answer in answers.items()
            if (answer.header("access-control-allow-credentials") or "").lower() == "true"
            and allowed_origin(answer) in (FOREIGN_ORIGIN, "null")
        ],
        blame="gateway",
    )


@check(
    "API-EXPO-014",
    "a declared origin may call from a browser",
    level=MUST,
    effect=READ,
    claims="FUN-04",
    spec="Fetch: CORS protocol",
)
def test_declared_origin(target: Target, gateway: GatewayClient, environment: Environment) -> None:
    """With the key's header and JSON, or the declared application does not work."""
    origins = [origin for origin in environment.gateway.cors_origins if origin != "*"]
    if not origins:
        raise NotApplicable(
            "the environment declares no origin (gateway.cors_origins)", declared="gateway.cors_origins"
        )
    problems = []
    for origin in origins:
        answer = preflight(target, origin)
        headers = (answer.header("access-control-allow-headers") or "").lower()
        if allowed_origin(answer) not in ("*", origin) or (answer.status or 0) >= 400:
            seen = f"got {answer.status} and {allowed_origin(answer)}"
            problems.append(Problem("", f"{origin}: expected it allowed, {seen}"))
        elif "authorization" not in headers:
            problems.append(Problem("", f"{origin}: the header authorization is not allowed: {headers!r}"))
    require(problems, blame="gateway")


@check(
    "API-EXPO-015",
    "every answer carries the declared headers",
    level=MUST,
    effect=READ,
    claims="FUN-04",
    spec="OWASP Secure Headers",
)
def test_declared_headers(target: Target, gateway: GatewayClient, environment: Environment) -> None:
    """gateway.response_headers, on answers that succeed and on refusals; a value is compared as a whole."""
    declared = environment.gateway.response_headers
    if not declared:
        raise NotApplicable(
            "the environment declares no header (gateway.response_headers)",
            declared="gateway.response_headers",
        )
    answers = {"GET /v1/models": listed_models(target)}
    answers["the same without a key"] = gateway.models(key=None)
    answers["a path that is not there"] = gateway.get("/v1/no-such-path")
    require(
        [
            Problem("", f"{what}: expected {name}: {value}, got {answer.header(name)}")
            for what, answer in answers.items()
            for name, value in declared.items()
            if answer.header(name) != value
        ],
        blame="gateway",
    )
