"""API-ACCESS: nothing but the dispatched route and the defined credential decides who gets in."""

from collections.abc import Callable
from urllib.parse import urlsplit

from gateway_acceptance.check import MUST, PROBE, check
from gateway_acceptance.environment import ModelKind
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.problem import Problem
from gateway_acceptance.verdict import NotApplicable, require
from gateway_acceptance.wire.gateway import GatewayClient
from gateway_acceptance.wire.rule import media_type
from suites.api.access.credentials import of_credentials
from suites.api.access.known import host_alarm
from suites.api.access.opening import decoys_of, to_the_list
from suites.api.access.platforms import of_platforms
from suites.api.access.probes import hidden_path, open_to_all
from suites.api.access.rarer import of_itself, of_rarer_values, of_rarer_words
from suites.api.access.routes import COST, refusing
from suites.api.access.said import of_proxies
from suites.api.access.sockets import EVENT_ROUTES, SOCKET_ROUTES, STREAMS, handshakes, streams
from suites.api.access.tokens import of_tokens
from suites.api.access.ways import of_host, of_spellings
from suites.api.auth.served import OPENED, UPGRADED, grants_access
from suites.api.auth.tried import LIST, on_the_list, refused_plainly, served, tried_route


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
    opened = to_the_list(target, of_host(target.environment))
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
    ways = [*of_proxies(target.environment), *of_platforms(target.environment), *of_rarer_words()]
    require(to_the_list(target, ways), blame="gateway", alarm=f"{OPENED}, by a header")


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
    opened = to_the_list(target, of_spellings(target.environment))
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
    value, with a made-up key; and what the gateway itself gives to strangers."""
    environment, known = target.environment, [refused_plainly(target), *decoys_of(target)]
    ways = [*of_credentials(), *of_tokens(environment), *of_rarer_values(environment), *of_itself(known)]
    require(
        to_the_list(target, ways),
        blame="gateway",
        alarm=f"{OPENED}, by any value of a credential",
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
    place, decoys = urlsplit(target.environment.gateway.url).netloc, decoys_of(target)
    listed = [LIST] if on_the_list(target) and not open_to_all(target) else []
    routes = [*listed, *refusing(target)]
    if not routes:
        refused_plainly(target)
    note("protected_routes_tried", len(routes))
    opened = [
        Problem("", f"GET {path} is served without a key where Host is '{place}/?'")
        for path in routes
        if grants_access(live_gateway.without_key("GET", path, hosts=[f"{place}/?"]), decoys)
    ]
    if not routes and served(target, hidden_path(target)):  # all that refuses is what ways in are tried on
        opened = [Problem("", f"{tried_route(target)} is served without a key where Host is '{place}/?'")]
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
    hidden = [f"{place}/?"]
    decoys, problems = decoys_of(target), []
    for path in SOCKET_ROUTES:
        for shake in handshakes(hidden):
            asked = f"{path}?model={models[0]}{shake.query}"
            answer = live_gateway.without_key("GET", asked, hosts=shake.hosts, headers=shake.headers)
            if answer.status == UPGRADED and grants_access(answer):  # pages of a console are no sockets
                problems.append(Problem("", f"the WebSocket {path} is opened {shake.what}"))
    for route, body in streams(models[0]).items():
        for what, hosts, headers in (
            ("without a key", None, ()),
            ("with a Host that hides the path", hidden, ()),
            ("where it says Accept: text/event-stream", None, [("accept", "text/event-stream")]),
        ):
            answer = live_gateway.without_key(
                "POST", route, hosts=hosts, headers=headers, json_body=body, tokens=COST
            )
            if grants_access(answer, decoys):
                problems.append(Problem("", f"a stream of {STREAMS[route]} is served {what}"))
    for path in EVENT_ROUTES:
        answer = live_gateway.without_key("GET", path, headers=[("accept", "text/event-stream")])
        if media_type(answer.headers) == "text/event-stream" and grants_access(answer):
            problems.append(Problem("", f"the events of {path} are served without a key"))
    require(problems, blame="gateway", alarm=f"{OPENED}, to a WebSocket or a stream")
