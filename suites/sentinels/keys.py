"""Sentinels of the key: what is nearly the right one, and what is none at all, gets nobody in."""

from __future__ import annotations

import base64
import json

from gateway_acceptance.environment.model import BEARER_HEADER
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.plugin.waking import Sentinel
from gateway_acceptance.verdict import NotApplicable
from gateway_acceptance.wire.exchange import Exchange, Headers
from suites.api.access.rules import lists_models
from suites.api.access.way import LIST
from suites.api.auth.nearly import nearly
from suites.api.auth.rules import basic, halved, made_up, refusal_shape

NEARLY = ("capitals for small letters", "its last 4 characters after others")
"""Of the keys that are nearly right: compared without regard to case, and by what a console shows."""
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
    """Half of the key, the key and a letter, in another case, by its last characters: refused, and half of it
    in the words that any wrong key is refused in."""
    far, near, before = made_up(), halved(target.key), scheme(target)
    found = nearly(target.key)
    others = [f"{target.key}x", *(found[what] for what in NEARLY if what in found)]
    answers = {key: sent(target, before + key) for key in (far, near, *others)}
    differs = refusal_shape(answers[far], far) != refusal_shape(answers[near], near)
    return not differs and not any(map(lists_models, answers.values()))


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
    Sentinel("parts of the key", "API-ERR-001", (KEYS,), parts_of_the_key),
    Sentinel("what is no key", "API-ERR-001", (KEYS,), no_key),
    Sentinel(
        "keys that are believed", "API-ERR-001", ("suites.api.access.test_ways:test_credentials",), unchecked
    ),
)
KEY_REQUESTS = 5 + 3 + 2
