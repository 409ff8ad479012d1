"""Sentinels of who gets in: each a request without the run's own key, which any gateway refuses.

They cost no token, and the policy has to permit probes for them. What is let in wakes the checks that ask
the same one by one. Design: docs/every-exchange.md, "Ways in".
"""

from __future__ import annotations

import hashlib
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
from suites.api.access.credentials import COOKIES, KEY_HEADERS, QUERIES, RARER_HEADERS, RARER_QUERIES
from suites.api.access.probes import refused_plainly
from suites.api.access.rarer import CIRCUMSTANCES, IDENTITIES
from suites.api.access.routes import COST
from suites.api.access.said import (
    ADDRESSES,
    AGENTS,
    BROWSERS,
    CONNECTIONS,
    FLAGS,
    OVERRIDES,
    TRACES,
    USERS,
)
from suites.api.access.sockets import streams
from suites.api.auth.rules import made_up
from suites.api.auth.served import grants_access
from suites.api.auth.tried import LIST
from suites.api.exposure.browsers import FOREIGN_ORIGIN, allowed_origin
from suites.api.exposure.paths import FILES, gives_away, is_declared

Opened = Callable[[Target, Exchange], bool]
CHAT, EMBEDDINGS = "/v1/chat/completions", "/v1/embeddings"
OK, SERVER_ERROR, NOT_IMPLEMENTED = 200, 500, 501
MINDED = ("access", "Host is minded")
"""Under which is kept whether another Host changes the answer to who has no key."""
WAYS, ROUTES, AUTH = "suites.api.access.test_ways", "suites.api.access.test_routes", "suites.api.auth"
EXPOSURE, HTTP = "suites.api.exposure.test_exposure", "suites.api.operations.test_http"


@dataclass(frozen=True, slots=True)
class Knock:
    """One request at a door. target: None for the list of models; opened: whether its answer shows more than
    a closed door; beside: whether Host is tried beside something else, which is asked by itself where Host is
    minded: where the answer is another one than to a request that says nothing; after_another: likewise,
    where the one before was to show whether Host is minded."""

    name: str
    wakes: Sequence[str]
    opened: Opened
    method: str = "GET"
    target: Callable[[Environment], str] = lambda _: LIST
    headers: Callable[[Environment], Headers] = lambda _: ()
    host: Callable[[Environment], str | None] = lambda _: None
    body: Callable[[Environment], Mapping[str, Any] | None] = field(default=lambda _: None)
    beside: bool = False
    after_another: bool = False

    def sentinel(self) -> Sentinel:
        """It, as smoke asks it: behind what the run finds by itself."""
        line = "Host" if self.beside or self.after_another else self.name
        return Sentinel(self.name, "API-ERR-001", self.wakes, self._closed, line)

    def _closed(self, target: Target) -> bool:
        """Whether nothing opened. Raises NotPermitted where the policy permits no probe."""
        environment = target.environment
        if forbidden(environment.policy, Effect.PROBE):
            raise NotPermitted("the policy permits no probe")
        host = self.host(environment)
        if self.after_another and target.once(MINDED, lambda: True):
            return not any(self.opened(target, self._asked(target, one)) for one in (None, host))
        answer = self._asked(target, host)
        if self.beside and not self.opened(target, answer):
            minded = answer.status != refused_plainly(target).status
            if target.once(MINDED, lambda: minded):
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


def tells(target: Target, answer: Exchange) -> bool:
    """An open page that names a backend, the key, or its hash."""
    secrets = (target.key, hashlib.sha256(target.key.encode()).hexdigest())
    places = [urlsplit(url).netloc for backend in target.environment.backends for url in backend.urls]
    return answer.status == 200 and any(one in answer.text for one in (*secrets, *places))


def undeclared(target: Target, answer: Exchange) -> bool:
    """A path is open that is not declared open."""
    path = urlsplit(answer.url).path
    return answer.status == 200 and not is_declared(path, target.environment.gateway.public_paths)


def a_file(_: Target, answer: Exchange) -> bool:
    """A file of the deployment."""
    return answer.status == 200 and gives_away("/.env", answer.text)


def mishandled(_: Target, answer: Exchange) -> bool:
    """An internal error, a success of what has nothing to give, or a stranger's page that may read with its
    reader's credentials."""
    crashed = (answer.status or 0) >= SERVER_ERROR and answer.status != NOT_IMPLEMENTED
    trusted = (answer.header("access-control-allow-credentials") or "").lower() == "true"
    foreign_origin_reads = trusted and allowed_origin(answer) == FOREIGN_ORIGIN
    return crashed or answer.status == OK or foreign_origin_reads


def place(environment: Environment) -> str:
    """Host, as it is right."""
    return urlsplit(environment.gateway.url).netloc


def said_by_others(_: Environment) -> Headers:
    """Cookies, and what proxies might have said of client and user."""
    cookies = "; ".join(f"{name}={made_up()}" for name in COOKIES)
    said = [(name, "127.0.0.1") for name in ADDRESSES] + [(name, "admin") for name in USERS]
    return [*said, *((name, "true") for name in FLAGS), ("forwarded", "for=127.0.0.1"), ("cookie", cookies)]


def said_by_clients(environment: Environment) -> Headers:
    """Made-up keys in other headers; what browsers, probes and traces say; a method that is another's."""
    keys = [(name, made_up()) for name in (*KEY_HEADERS, *RARER_HEADERS)]
    others = [*CONNECTIONS, *(pair for pair in BROWSERS if pair[0] != "origin"), *TRACES]
    console = ("referer", f"http://{place(environment)}/ui/")
    return [*keys, *others, *((name, "OPTIONS") for name in OVERRIDES), console, ("user-agent", AGENTS[0])]


def with_keys(_: Environment) -> str:
    """The list of models, with made-up keys in the URL."""
    return f"{LIST}?" + "&".join(f"{name}={made_up()}" for name in (*QUERIES, *RARER_QUERIES))


def from_a_page(_: Environment) -> Headers:
    """As a browser asks for a stranger's page."""
    return [("origin", FOREIGN_ORIGIN)]


# fmt: off
KNOCKS = (
    Knock("cookies, and words of proxies, to localhost",
          (f"{WAYS}:test_words_of_proxies", f"{AUTH}.test_keys:test_key_in_a_cookie",
           f"{AUTH}.test_keys:test_key_in_the_query", f"{WAYS}:test_credentials",
           f"{WAYS}:test_shapes_of_host"),
          granted, target=with_keys, headers=said_by_others, host=lambda _: "localhost", beside=True),
    Knock("words of clients, and keys in other headers, from the inside",
          (f"{WAYS}:test_words_of_proxies", f"{ROUTES}:test_methods", f"{WAYS}:test_credentials",
           f"{WAYS}:test_shapes_of_host"),
          granted, headers=said_by_clients, host=lambda _: "gateway.internal", after_another=True),
    Knock("two slashes, and who it is by rarer names",
          (f"{WAYS}:test_spellings", f"{WAYS}:test_words_of_proxies"),
          granted, target=lambda _: f"/{LIST}", headers=lambda _: IDENTITIES),
    Knock("keys, with a Host that hides the path",
          (f"{AUTH}.test_routes:test_management_without_key", f"{WAYS}:test_every_route",
           f"{WAYS}:test_words_of_proxies"),
          granted, target=lambda _: "/key/list", headers=lambda _: CIRCUMSTANCES,
          host=lambda environment: f"{place(environment)}/?"),
    Knock("a stream without a key",
          (f"{WAYS}:test_sockets_and_streams", f"{AUTH}.test_routes:test_contract_without_key"),
          granted, "POST", target=lambda _: CHAT,
          body=lambda environment: streams(environment.aliases[0])[CHAT]),
    Knock("the front page", (f"{EXPOSURE}:test_open_paths_tell_nothing",), tells, target=lambda _: "/"),
    Knock("insight", (f"{EXPOSURE}:test_open_paths",), undeclared, target=lambda _: "/metrics"),
    Knock("a file of settings", (f"{EXPOSURE}:test_files",), a_file, target=lambda _: next(iter(FILES))),
    Knock("GET at chat, from a stranger's page",
          ("suites.api.errors.test_routes:test_wrong_method", f"{EXPOSURE}:test_strange_origin",
           f"{EXPOSURE}:test_strange_origin_with_credentials"),
          mishandled, target=lambda _: CHAT, headers=from_a_page),
)
# fmt: on
DOOR_SENTINELS = tuple(knock.sentinel() for knock in KNOCKS)
