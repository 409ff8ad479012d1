"""Sentinels of who gets in: each a request without the run's own key, which any gateway refuses.

They cost no token, and the policy has to permit probes for them. What is let in wakes the checks that ask
the same one by one. Design: docs/every-exchange.md, "Ways in".
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from gateway_acceptance.check import Effect
from gateway_acceptance.environment import Environment
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.plugin.waking import Sentinel
from gateway_acceptance.policy import forbidden
from gateway_acceptance.verdict import NotPermitted
from gateway_acceptance.wire.exchange import Exchange, Headers
from suites.api.access.credentials import COOKIES, QUERIES, RARER_QUERIES
from suites.api.access.probes import hidden_path, words_of_clients
from suites.api.access.rarer import IDENTITIES
from suites.api.access.routes import COST
from suites.api.access.said import (
    ADDRESSES,
    FLAGS,
    USERS,
)
from suites.api.auth.rules import made_up, refusal_shape
from suites.api.auth.served import grants_access
from suites.api.auth.tried import (
    LIST,
    WRONG_KEY,
    asked_with_a_wrong_key,
    refused_plainly,
    served,
    tried_without_key,
)

Opened = Callable[[Target, Exchange], bool]
WAYS, ROUTES, AUTH = "suites.api.access.test_ways", "suites.api.access.test_routes", "suites.api.auth"
EXPOSURE, HTTP = "suites.api.exposure.test_exposure", "suites.api.operations.test_http"


@dataclass(frozen=True, slots=True)
class Knock:
    """One request at a door. target: None for the list of models; opened: whether its answer shows more than
    a closed door; beside: whether Host is tried beside something else, which is asked by itself where Host is
    minded: where the answer is another one than to a request that says nothing."""

    name: str
    wakes: Sequence[str]
    opened: Opened
    method: str = "GET"
    target: Callable[[Environment], str] = lambda _: LIST
    headers: Callable[[Environment], Headers] = lambda _: ()
    host: Callable[[Environment], str | None] = lambda _: None
    body: Callable[[Environment], Mapping[str, Any] | None] = field(default=lambda _: None)
    beside: bool = False

    def sentinel(self) -> Sentinel:
        """It, as smoke asks it: behind what the run finds by itself."""
        return Sentinel(self.name, "API-ERR-001", self.wakes, self._closed, self.name)

    def _closed(self, target: Target) -> bool:
        """Whether nothing opened. Raises NotPermitted where the policy permits no probe."""
        environment = target.environment
        if forbidden(environment.policy, Effect.PROBE):
            raise NotPermitted("the policy permits no probe")
        host = self.host(environment)
        answer = self._asked(target, host)
        shut = self.beside and not self.opened(target, answer)
        if shut and answer.status != refused_plainly(target).status:
            answer = self._asked(target, None)
        return not self.opened(target, answer)

    def _asked(self, target: Target, host: str | None) -> Exchange:
        environment = target.environment
        return target.gateway.without_key(
            self.method,
            self.target(environment),
            hosts=None if host is None else [host],
            headers=self.headers(environment),
            json_body=self.body(environment),
            tokens=COST,
        )


def granted(_: Target, answer: Exchange) -> bool:
    """What is protected was served."""
    return grants_access(answer)


@functools.cache
def no_key() -> str:
    """The made-up key of these requests: one, so that a refusal that repeats it is known by it."""
    return made_up()


def granted_or_read(target: Target, answer: Exchange) -> bool:
    """What is protected was served, or the made-up key was read: it is refused as a wrong one, in other words
    than no key is."""
    if granted(target, answer):
        return True
    key, wrong = target.once(WRONG_KEY, lambda: asked_with_a_wrong_key(target))
    shape = refusal_shape(wrong, key)
    return refusal_shape(answer, no_key()) == shape != refusal_shape(refused_plainly(target), "")


def place(environment: Environment) -> str:
    """Host, as it is right."""
    return urlsplit(environment.gateway.url).netloc


def said_by_others(_: Environment) -> Headers:
    """Cookies, and what proxies might have said of client and user."""
    cookies = "; ".join(f"{name}={no_key()}" for name in COOKIES)
    said = [(name, "127.0.0.1") for name in ADDRESSES] + [(name, "admin") for name in USERS]
    return [*said, *((name, "true") for name in FLAGS), ("forwarded", "for=127.0.0.1"), ("cookie", cookies)]


def with_keys(_: Environment) -> str:
    """The list of models, with made-up keys in the URL."""
    return f"{LIST}?" + "&".join(f"{name}={no_key()}" for name in (*QUERIES, *RARER_QUERIES))


# fmt: off
KNOCKS = (
    Knock("cookies, and words of proxies, to localhost",
          (f"{WAYS}:test_words_of_proxies", f"{AUTH}.test_keys:test_key_in_a_cookie",
           f"{AUTH}.test_keys:test_key_in_the_query", f"{WAYS}:test_credentials",
           f"{WAYS}:test_shapes_of_host"),
          granted_or_read, target=with_keys, headers=said_by_others, host=lambda _: "localhost", beside=True),
)
# fmt: on


def unheeded(target: Target) -> bool:
    """What API-ACCESS-002 asks: clients' words, and keys in other headers, open nothing."""
    return not served(target, words_of_clients(target))


def nobody_by_a_name(target: Target) -> bool:
    """What API-ACCESS-001 asks: names of users open nothing. Where its Host is minded, they are asked for
    alone."""
    answer = hidden_path(target)
    if not served(target, answer) and answer.status == refused_plainly(target).status:
        return True
    return not served(target, tried_without_key(target, headers=IDENTITIES))


DOOR_SENTINELS = (
    *(knock.sentinel() for knock in KNOCKS),
    Sentinel("who it is by rarer names", "API-ERR-001", (f"{WAYS}:test_words_of_proxies",), nobody_by_a_name),
    Sentinel(
        "words of clients, and keys in other headers",
        "API-ERR-001",
        (
            f"{WAYS}:test_words_of_proxies",
            f"{ROUTES}:test_methods",
            f"{WAYS}:test_credentials",
            "suites.api.advisories.test_advisories:test_probe[example-keys]",
        ),
        unheeded,
    ),
)
