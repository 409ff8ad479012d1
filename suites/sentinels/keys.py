"""Sentinels of the key: what is nearly the right one, and what is none at all, gets nobody in."""

from __future__ import annotations

import base64
import json

from gateway_acceptance.environment.model import BEARER_HEADER
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.plugin.waking import Sentinel
from gateway_acceptance.verdict import NotApplicable
from gateway_acceptance.wire.exchange import Exchange, Headers
from suites.api.access.routes import COST
from suites.api.auth.nearly import nearly
from suites.api.auth.probes import contract_routes
from suites.api.auth.rules import basic, halved, made_up, refusal_shape
from suites.api.auth.served import grants_access, lists_models
from suites.api.auth.tried import LIST, WRONG_KEY, asked_with_a_wrong_key, on_the_list

IN_ANOTHER_CASE = "capitals for small letters"
"""Of the keys that are nearly right: compared without regard to case."""
CHAT, EMBEDDINGS, OK = "/v1/chat/completions", "/v1/embeddings", 200
SQL, UNSET = "sk-' OR '1'='1", "undefined"


def sent(target: Target, value: str) -> Exchange:
    """The list of models, asked with this as the declared header's value."""
    name = target.environment.gateway.key_header
    headers: Headers = [(name, value)]
    return target.gateway.without_key("GET", LIST, headers=headers)


def scheme(target: Target) -> str:
    """What stands before a key."""
    return "Bearer " if target.environment.gateway.key_header == BEARER_HEADER else ""


def parts_of_the_key(target: Target) -> bool:
    """Half of the key: refused, in the words that any wrong key is refused in."""
    if not on_the_list(target):
        raise NotApplicable("the list of models is declared open", declared="gateway.public_paths")
    wrong, refusal = target.once(WRONG_KEY, lambda: asked_with_a_wrong_key(target))
    near, before = halved(target.key), scheme(target)
    answer = sent(target, before + near)
    differs = refusal_shape(refusal, wrong) != refusal_shape(answer, near)
    return not differs and not lists_models(answer)


def keys_elsewhere(target: Target) -> bool:
    """The key and a letter, for a stream; the key in another case, for embeddings: refused, and no stream."""
    before, name = scheme(target), target.environment.gateway.key_header
    bodies = {route.path: route.body for route in contract_routes(target.environment)}

    def answer(path: str, key: str, **more: object) -> Exchange:
        body = {**(bodies[path] or {}), **more}
        headers: Headers = [(name, before + key)]
        return target.gateway.without_key("POST", path, headers=headers, json_body=body, tokens=COST)

    in_another_case = nearly(target.key).get(IN_ANOTHER_CASE, made_up())
    streamed = CHAT in bodies and answer(CHAT, f"{target.key}x", stream=True).status == OK
    embedded = EMBEDDINGS in bodies and grants_access(answer(EMBEDDINGS, in_another_case))
    return not streamed and not embedded


def no_key(target: Target) -> bool:
    """The scheme alone, Basic credentials, SQL: refused."""
    _of_bearers(target)
    values = ("Bearer", basic(made_up()), f"Bearer {SQL}")
    return not any(lists_models(sent(target, value)) for value in values)


def unchecked(target: Target) -> bool:
    """What a client sends whose variable is unset, and a token that nobody has signed: refused."""
    _of_bearers(target)
    values = (f"Bearer {UNSET}", f"Bearer {unsigned()}")
    return not any(lists_models(sent(target, value)) for value in values)


def unsigned() -> str:
    """A JWT without a signature."""
    header, claims = {"alg": "none", "typ": "JWT"}, {"sub": "admin", "exp": 4102444800}
    parts = [
        base64.urlsafe_b64encode(json.dumps(one).encode()).decode().rstrip("=") for one in (header, claims)
    ]
    return ".".join([*parts, ""])


def _of_bearers(target: Target) -> None:
    if target.environment.gateway.key_header != BEARER_HEADER:
        raise NotApplicable("the environment's key is no bearer token", declared="gateway.key_header")


KEYS = "suites.api.auth.test_keys"
KEY_SENTINELS = (
    Sentinel("parts of the key", "API-ERR-001", (KEYS,), parts_of_the_key, line="parts of the key"),
    Sentinel(
        "keys at chat and embeddings",
        "API-ERR-001",
        (
            "suites.api.auth.test_routes:test_refused_stream",
            "suites.api.auth.test_routes:test_wrong_key_everywhere",
            KEYS,
        ),
        keys_elsewhere,
        line="keys elsewhere",
    ),
    Sentinel("what is no key", "API-ERR-001", (KEYS,), no_key, line="no key"),
    Sentinel(
        "keys that are believed",
        "API-ERR-001",
        ("suites.api.access.test_ways:test_credentials",),
        unchecked,
        line="unchecked",
    ),
)
KEY_REQUESTS = 1 + 2 + 3 + 2
