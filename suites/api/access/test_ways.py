"""API-ACCESS: nothing but the dispatched route and the defined credential decides who gets in."""

from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from gateway_acceptance.check import MUST, PROBE, check
from gateway_acceptance.environment import ModelKind
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.problem import Problem
from gateway_acceptance.verdict import NoAnswer, NotApplicable, require
from gateway_acceptance.wire.gateway import GatewayClient
from suites.api.access.known import host_alarm
from suites.api.access.probes import refused_plainly
from suites.api.access.routes import refusing
from suites.api.access.rules import lists_models, served
from suites.api.access.sockets import SOCKET_ROUTES, handshake
from suites.api.access.ways import Way, of_credentials, of_host, of_proxies, of_spellings, public_path
from suites.api.auth.rules import made_up
from suites.api.exposure.paths import is_declared

LIST = "/v1/models"
OPENED = "anybody gets in without a key"


@check(
    "API-ACCESS-003",
    "no shape of Host or of the request's target lets anybody in",
    level=MUST,
    effect=PROBE,
    claims="FUN-04",
    spec="RFC 9112 sections 3.2, 3.3",
)
def test_shapes_of_host(target: Target, live_gateway: GatewayClient) -> None:
    """Paths, queries, fragments, user information in Host; two of them, none, an empty one, a wrong port; the
    absolute form. A refusal of any kind is right, and so is to take no notice."""
    opened = _opened(target, of_host(target.environment))
    require(opened, blame="gateway", alarm=host_alarm(target.environment.gateway.product))


@check(
    "API-ACCESS-004",
    "nothing that a proxy might have said lets anybody in",
    level=MUST,
    effect=PROBE,
    claims="FUN-04",
    spec="RFC 7239 section 8.1; CWE-290",
)
def test_words_of_proxies(target: Target, live_gateway: GatewayClient) -> None:
    """``X-Forwarded-…``, ``Forwarded``, ``X-Original-URL``, overridden methods, users that were logged in
    before: anybody can write them."""
    require(_opened(target, of_proxies(target.environment)), blame="gateway", alarm=f"{OPENED}, by a header")


@check(
    "API-ACCESS-005",
    "no spelling of a path lets anybody in",
    level=MUST,
    effect=PROBE,
    claims="FUN-04",
    spec="CWE-22; CWE-647",
)
def test_spellings(target: Target, live_gateway: GatewayClient) -> None:
    """Who authorises one spelling and serves another has two opinions of one path."""
    opened = _opened(target, of_spellings(target.environment))
    require(opened, blame="gateway", alarm=f"{OPENED}, by another spelling of the path")


@check(
    "API-ACCESS-006",
    "no form of a credential is believed unchecked",
    level=MUST,
    effect=PROBE,
    claims="FUN-04",
    spec="OWASP API2:2023",
)
def test_credentials(target: Target, live_gateway: GatewayClient) -> None:
    """Key headers of other products, other schemes, cookies, the URL, two of one: with nothing, with a wrong
    value, with a made-up key."""
    require(
        _opened(target, of_credentials()), blame="gateway", alarm=f"{OPENED}, by any value of a credential"
    )


@check(
    "API-ACCESS-007",
    "no protected route is opened by a Host header",
    level=MUST,
    effect=PROBE,
    claims="FUN-04",
    spec="CVE-2026-49468",
)
def test_every_route(
    target: Target, live_gateway: GatewayClient, note: Callable[[str, object], None]
) -> None:
    """The routes of management that are known, and those that the gateway's own description names: such as
    only tell something, at most 24 of them."""
    place = urlsplit(target.environment.gateway.url).netloc
    decoys = [live_gateway.stranger("GET", path) for path in ("/", public_path(target.environment))]
    routes = [LIST, *refusing(target)]
    note("protected_routes_tried", len(routes))
    opened = [
        Problem("", f"GET {path} is served without a key where Host is '{place}/?'")
        for path in routes
        if served(live_gateway.stranger("GET", path, hosts=[f"{place}/?"]), decoys)
    ]
    require(opened, blame="gateway", alarm=host_alarm(target.environment.gateway.product))


@check(
    "API-ACCESS-008",
    "no WebSocket and no event stream is opened without a key",
    level=MUST,
    effect=PROBE,
    claims="FUN-04",
    spec="RFC 6455 section 10.5",
)
def test_sockets_and_streams(target: Target, live_gateway: GatewayClient) -> None:
    """They are often wired past what guards the rest. Without a key, with a made-up one in the protocol that
    browsers use for it, and with a Host that hides the path."""
    models = target.environment.aliases_of(ModelKind.CHAT)
    if not models:
        raise NotApplicable("the environment declares no chat model", declared="models")
    place = urlsplit(target.environment.gateway.url).netloc
    problems = []
    for path in SOCKET_ROUTES:
        for what, hosts, headers in (
            ("without a key", None, handshake()),
            ("with a made-up key", None, handshake(made_up())),
            ("with a Host that hides the path", [f"{place}/?"], handshake()),
        ):
            answer = live_gateway.stranger("GET", f"{path}?model={models[0]}", hosts=hosts, headers=headers)
            if served(answer):
                problems.append(Problem("", f"the WebSocket {path} is opened {what}"))
    body = {
        "model": models[0],
        "stream": True,
        "max_tokens": 1,
        "messages": [{"role": "user", "content": "hi"}],
    }
    for what, hosts in (("without a key", None), ("with a Host that hides the path", [f"{place}/?"])):
        answer = live_gateway.stranger("POST", "/v1/chat/completions", hosts=hosts, json_body=body)
        if served(answer):
            problems.append(Problem("", f"a stream of chat is served {what}"))
    require(problems, blame="gateway", alarm=f"{OPENED}, to a WebSocket or a stream")


def _opened(target: Target, ways: Iterable[Way]) -> list[Problem]:
    """The ways that end at the list of models. Raises NoAnswer where not one of them was answered."""
    refused_plainly(target)
    public = target.environment.gateway.public_paths
    tried = [way for way in ways if not is_declared(way.target, public) or way.headers]
    answers = [
        (way, target.gateway.stranger("GET", way.target, hosts=way.hosts, headers=way.headers))
        for way in tried
    ]
    if all(answer.status is None for _, answer in answers):
        raise NoAnswer(f"{target.gateway.url}: {answers[0][1].error}")
    return [
        Problem("", f"GET {LIST} is served: {way.name}") for way, answer in answers if lists_models(answer)
    ]
