"""Sentinels of the key: what is nearly the right one, and what is none at all, gets nobody in."""

from __future__ import annotations

import base64
import json

from gateway_acceptance.environment.model import BEARER_HEADER
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.plugin.waking import Sentinel
from gateway_acceptance.wire.exchange import Exchange, Headers
from suites.api.access.opening import open_to_all
from suites.api.access.routes import COST
from suites.api.auth.nearly import nearly
from suites.api.auth.probes import contract_routes
from suites.api.auth.rules import halved, made_up, refusal_shape
from suites.api.auth.served import grants_access, lists_models
from suites.api.auth.tried import LIST, WRONG_KEY, asked_with_a_wrong_key, on_the_list

IN_ANOTHER_CASE = "capitals for small letters"
"""Of the keys that are nearly right: compared without regard to case."""
CHAT, EMBEDDINGS, OK = "/v1/chat/completions", "/v1/embeddings", 200
SQL, UNSET = "sk-' OR '1'='1", "undefined"
BEARERS_ALONE = "the environment's key is no bearer token"


def sent(target: Target, value: str) -> Exchange:
    """The list of models, asked with this as the declared header's value."""
    name = target.environment.gateway.key_header
    headers: Headers = [(name, value)]
    return target.gateway.without_key("GET", LIST, headers=headers)


def scheme(target: Target) -> str:
    """What stands before a key."""
    return "Bearer " if target.environment.gateway.key_header == BEARER_HEADER else ""


def parts_of_the_key(target: Target) -> bool:
    """Half of the key, for embeddings: refused, in the words that any wrong key is refused in. Where
    embeddings say it otherwise than the list of models, that is asked as well."""
    near = halved(target.key)
    answer = at_a_route(target, EMBEDDINGS, near)
    if grants_access(answer):
        return False
    wrong, refusal = target.once(WRONG_KEY, lambda: asked_with_a_wrong_key(target))
    expected = refusal_shape(refusal, wrong)
    if refusal_shape(answer, near) == expected or not on_the_list(target):
        return True
    answer = sent(target, scheme(target) + near)
    return refusal_shape(answer, near) == expected and not lists_models(answer)


def in_another_case(target: Target) -> bool:
    """The key in another case, for a stream: refused, and no stream. It opens as well where nobody guards
    chat; that who has no key at all is served there, or at embeddings, was seen by API-ACCESS-009."""
    if any(target.once(open_to_all(path), lambda: False) for path in (CHAT, EMBEDDINGS)):
        return False
    key = nearly(target.key).get(IN_ANOTHER_CASE, made_up())
    return at_a_route(target, CHAT, key, stream=True).status != OK


def at_a_route(target: Target, path: str, key: str, **more: object) -> Exchange:
    """The answer of a route of the contract to this key."""
    body = {one.path: one.body for one in contract_routes(target.environment)}[path]
    headers: Headers = [(target.environment.gateway.key_header, scheme(target) + key)]
    return target.gateway.without_key(
        "POST", path, headers=headers, json_body={**(body or {}), **more}, tokens=COST
    )


def unsigned() -> str:
    """A JWT without a signature."""
    header, claims = {"alg": "none", "typ": "JWT"}, {"sub": "admin", "exp": 4102444800}
    parts = [
        base64.urlsafe_b64encode(json.dumps(one).encode()).decode().rstrip("=") for one in (header, claims)
    ]
    return ".".join([*parts, ""])


KEYS, AUTH_ROUTES = "suites.api.auth.test_keys", "suites.api.auth.test_routes"
KEY_SENTINELS = (
    Sentinel(
        "half of the key, for embeddings",
        "API-ERR-001",
        (KEYS, f"{AUTH_ROUTES}:test_wrong_key_everywhere"),
        parts_of_the_key,
        "half of the key",
    ),
    Sentinel(
        "the key in another case, for a stream",
        "API-ERR-001",
        (
            f"{AUTH_ROUTES}:test_refused_stream",
            f"{AUTH_ROUTES}:test_wrong_key_everywhere",
            f"{AUTH_ROUTES}:test_contract_without_key",
            "suites.api.access.test_ways:test_sockets_and_streams",
            KEYS,
        ),
        in_another_case,
        "the key in another case",
    ),
)
KEY_REQUESTS = 2
