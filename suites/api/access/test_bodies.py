"""API-ACCESS: the form of a body, the model that it names, and what was served before let nobody in."""

from gateway_acceptance.check import MUST, PROBE, READ, SPEND, check
from gateway_acceptance.environment import Environment, ModelKind
from gateway_acceptance.environment.gateway_section import is_declared
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.problem import Problem
from gateway_acceptance.verdict import NotApplicable, Untestable, require
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.gateway import OWN_KEY, GatewayClient
from gateway_acceptance.wire.subject import is_subject
from suites.api.access.bodies import forms
from suites.api.access.opening import decoys_of
from suites.api.access.routes import COST, protected
from suites.api.auth.probes import ProtectedRoute, contract_routes
from suites.api.auth.rules import made_up
from suites.api.auth.served import OPENED, grants_access, lists_models
from suites.api.auth.tried import LIST, list_without_key, open_catalogue

DOOR = ("/v1/chat/completions", "/v1/embeddings")


@check(
    "API-ACCESS-013",
    "no form of a body lets anybody in",
    level=MUST,
    effect=PROBE,
    claims="FUN-04",
    spec="OWASP API2:2023; CWE-436",
)
def test_forms_of_a_body(target: Target, live_gateway: GatewayClient) -> None:
    """Other media types, packed, in chunks, in another encoding, beyond a buffer, in an array, every member
    twice: for chat and embeddings. To be told that a body cannot be read is a refusal here."""
    known = contract_routes(target.environment)
    shut = protected(target, [route for route in known if route.path in DOOR])
    if not shut:
        raise Untestable("no route was found that refuses", "see API-AUTH-015 first")
    asked, problems = 0, []
    for one in shut:
        for form in forms(one.route.body or {}):
            asked += 1
            answer = live_gateway.without_key(
                one.route.method, one.route.path, headers=form.headers, body=form.body, tokens=COST
            )
            if grants_access(answer):
                problems.append(Problem("", f"{one.route} is served to a body {form.name}"))
    require(problems, blame="gateway", alarm=f"{OPENED}, by the form of a body", judged={"bodies": asked})


@check(
    "API-ACCESS-014",
    "every model is behind the key",
    level=MUST,
    effect=READ,
    claims="FUN-04",
    spec="OWASP API2:2023",
)
def test_every_model(target: Target, live_gateway: GatewayClient, environment: Environment) -> None:
    """Each alias, asked as its kind is, without a key and with a made-up one: guards are configured by
    model. So are chats that name one in capitals, in a path, by a pattern, none, or one that nobody has."""
    decoys, problems = decoys_of(target), []
    for alias in environment.aliases:
        route = _asking(environment, alias)
        for what, headers in (
            ("without a key", []),
            ("to a made-up key", [("authorization", f"Bearer {made_up()}")]),
        ):
            answer = live_gateway.without_key(
                route.method, route.path, headers=headers, json_body=route.body, tokens=COST
            )
            if grants_access(answer, decoys):
                problems.append(Problem("", f"{alias} is served {what}"))
    chat = ProtectedRoute("POST", "/v1/chat/completions")
    named = [] if is_declared(chat.path, environment.gateway.public_paths) else misnamed(environment)
    for what, model in named:
        body = {**(_asking(environment, "no-such-model").body or {}), **model}
        answer = live_gateway.without_key(chat.method, chat.path, json_body=body, tokens=COST)
        if grants_access(answer, decoys):
            problems.append(Problem("", f"{chat} is served without a key to {what}"))
    require(
        problems,
        blame="gateway",
        alarm=f"{OPENED}: {problems[0].message}" if problems else "",
        judged={"models": len(environment.aliases) + len(named)},
    )


@check(
    "API-ACCESS-015",
    "what was served to the key is served to nobody else",
    level=MUST,
    effect=SPEND,
    claims="FUN-04",
    spec="RFC 9111 section 3.5; OWASP API2:2023; CWE-524",
)
def test_after_the_owner(target: Target, live_gateway: GatewayClient, environment: Environment) -> None:
    """The list of models, chat and embeddings: asked with the key, then with the same words by somebody who
    has none, and by somebody with a made-up one; on the connection that the owner used, and on another.
    Caches and connections that remember who was there let the next one in."""
    public = environment.gateway.public_paths
    known = [route for route in contract_routes(environment) if route.path in ("/v1/models", *DOOR)]
    routes = [route for route in known if not is_declared(route.path, public)]
    # a list that is open, and no copy of the owner's (a cache has none of this URL), is API-AUTH-002's
    if open_catalogue(target) and lists_models(list_without_key(target, f"fresh={made_up()}")):
        routes = [route for route in routes if route.path != LIST]
    if not routes:
        raise NotApplicable("every route of the contract is declared open", declared="gateway.public_paths")
    decoys, problems, asked = decoys_of(target), [], 0
    for route in routes:
        mine = _by(live_gateway, route)
        if not grants_access(mine) or not is_subject(mine):
            continue
        asked += 1
        wrong = made_up()  # twice the same: a cache of keys may hold what it was asked for
        strange = [("authorization", f"Bearer {wrong}")]
        others = {
            "without a key": _by(live_gateway, route, None),
            "to a made-up key": _by(live_gateway, route, wrong),
            "without a key, on another connection": live_gateway.without_key(
                route.method, route.path, json_body=route.body, tokens=COST
            ),
            "to a made-up key, on another connection": live_gateway.without_key(
                route.method, route.path, headers=strange, json_body=route.body, tokens=COST
            ),
        }
        opened = [what for what, answer in others.items() if grants_access(answer, decoys)]
        problems += [Problem("", f"{route} is served {what}, after the owner") for what in opened]
    if not asked:
        raise Untestable("nothing was served to the key", "see API-MODELS-001 and API-CHAT-001 first")
    require(
        problems, blame="gateway", alarm=f"{OPENED}, to what its owner asked before", judged={"routes": asked}
    )


def _by(gateway: GatewayClient, route: ProtectedRoute, key: object = OWN_KEY) -> Exchange:
    """A route asked on a connection that is kept: with the environment's key, or with another or none."""
    return gateway.request(route.method, route.path, json_body=route.body, tokens=COST, key=key)


def misnamed(environment: Environment) -> list[tuple[str, dict[str, object]]]:
    """Models that a guard may not know and a router take for one it has: what it is -> the body's member."""
    alias = (environment.aliases_of(ModelKind.CHAT) or environment.aliases)[0]
    names: dict[str, object] = {
        "a model that nobody has": "no-such-model",
        "a model in capitals": alias.upper(),
        "a model with a provider": f"openai/{alias}",
        "a model with a space": f"{alias} ",
        "every model": "*",
        "a model without a name": "",
        "no model": None,
        "a list of models": [alias],
    }
    return [(what, {"model": name}) for what, name in names.items()]


def _asking(environment: Environment, alias: str) -> ProtectedRoute:
    if alias in environment.aliases_of(ModelKind.EMBEDDING):
        return ProtectedRoute("POST", "/v1/embeddings", {"model": alias, "input": "hello"})
    message = [{"role": "user", "content": "hello"}]
    return ProtectedRoute(
        "POST", "/v1/chat/completions", {"model": alias, "messages": message, "max_tokens": 1}
    )
