"""Sentinels of a route that must refuse and a key that must not count, asked in one request.

A request has one route and one credential. A route that nobody guards is served to any credential, and a
credential that is taken for the right one is served at any route: where neither shows, both are shut. What
shows wakes the checks of both, which tell them apart. Design: docs/every-exchange.md, "Ways in".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway_acceptance.check import Effect
from gateway_acceptance.environment import Environment
from gateway_acceptance.environment.gateway_section import is_declared
from gateway_acceptance.environment.model import BEARER_HEADER
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.plugin.waking import Sentinel
from gateway_acceptance.policy import forbidden
from gateway_acceptance.verdict import NotApplicable, Untestable
from gateway_acceptance.wire.exchange import Exchange, Headers
from suites.api.access.rarer import CIRCUMSTANCES
from suites.api.access.routes import COST
from suites.api.access.said import public_path
from suites.api.advisories.extract import base_of, package_of
from suites.api.advisories.probes import EXAMPLE_KEYS, INITIALIZE, OPEN, ran
from suites.api.auth.rules import basic, made_up
from suites.api.auth.served import grants_access
from suites.api.auth.tried import (
    WRONG_KEY,
    asked_with_a_wrong_key,
    plainly,
    served,
    tried_without_key,
)
from suites.api.exposure.browsers import FOREIGN_ORIGIN, allowed_origin
from suites.api.exposure.lost import is_lost, page_for_lost
from suites.sentinels.doors import place
from suites.sentinels.keys import BEARERS_ALONE, SQL, UNSET, unsigned

UNAUTHORISED, OK = 401, 200
Opened = Callable[[Target, Exchange], bool]


@dataclass(frozen=True, slots=True)
class ShutRoute:
    """opened: whether an answer shows that nobody guards it; wakes: the checks that say so; published:
    whether it is asked only of a product whose advisories name it."""

    method: str
    path: str
    wakes: Sequence[str]
    opened: Opened
    body: Mapping[str, Any] | None = None
    headers: Headers = ()
    host: Callable[[Environment], str | None] = lambda _: None
    published: bool = True


@dataclass(frozen=True, slots=True)
class Credential:
    """value: of the Authorization header, made of the right key; wakes: the checks that say that it counts;
    published: as of ShutRoute; none: it may be taken for no key at all."""

    value: Callable[[str], str]
    wakes: Sequence[str]
    published: bool = False
    none: bool = False


@dataclass(frozen=True, slots=True)
class Paired:
    """A request."""

    name: str
    route: ShutRoute
    credential: Credential

    def sentinel(self) -> Sentinel:
        """It, as smoke asks it: behind what the run finds by itself."""
        wakes = tuple(dict.fromkeys((*self.route.wakes, *self.credential.wakes)))
        return Sentinel(self.name, "API-ERR-001", wakes, self._refused, self.name)

    def _refused(self, target: Target) -> bool:
        """Whether the route is guarded, and the credential counts nowhere. Raises NotApplicable where neither
        can be asked."""
        environment, route = target.environment, self.route
        known = _is_known(target)
        bearer = environment.gateway.key_header == BEARER_HEADER
        counts = bearer and (known or not self.credential.published)
        asks = not forbidden(environment.policy, Effect.PROBE) and (known or not route.published)
        if not counts and not asks:
            raise NotApplicable(BEARERS_ALONE, declared="gateway.key_header")
        said: Headers = [("authorization", self.credential.value(target.key))] if counts else []
        if asks:
            for host in dict.fromkeys((route.host(environment), None)):
                answer = target.gateway.without_key(
                    route.method,
                    route.path,
                    hosts=None if host is None else [host],
                    headers=[*route.headers, *said],
                    json_body=route.body,
                    tokens=COST,
                )
                if route.opened(target, answer):
                    return False
                if answer.status in _refusals(target, self.credential):
                    return True
            if not counts:
                return True
        return not served(target, tried_without_key(target, headers=said))


def _refusals(target: Target, credential: Credential) -> set[int | None]:
    """The statuses that say that a key was looked at, and is wrong. A route that answers with any other (404,
    or an internal error behind the guard) tells nothing of the key."""
    _, wrong = target.once(WRONG_KEY, lambda: asked_with_a_wrong_key(target))
    found = {UNAUTHORISED, wrong.status} - {OK}
    if credential.none:
        found.add(plainly(target).status)
    return found


def _is_known(target: Target) -> bool:
    """Whether advisories of the environment's product are known, in which its routes and keys are named."""
    try:
        package_of(target.environment, base_of(target.environment))
    except (NotApplicable, Untestable):
        return False
    return True


def reached(_: Target, answer: Exchange) -> bool:
    """A route of a published hole read the request."""
    return ran(answer) == OPEN


def initialized(_: Target, answer: Exchange) -> bool:
    """MCP let its sender in."""
    return answer.status == OK and '"protocolVersion"' in answer.text


def granted(_: Target, answer: Exchange) -> bool:
    """What is protected was served."""
    return grants_access(answer)


def open_or_readable(target: Target, answer: Exchange) -> bool:
    """A path is open that is not declared open, or a stranger's page may read it with its reader's
    credentials. A console that answers any path with its page opens nothing by it."""
    public = target.environment.gateway.public_paths
    undeclared = answer.status == OK and not is_declared("/metrics", public)
    if undeclared:
        before, after = page_for_lost(target.gateway), page_for_lost(target.gateway)
        undeclared = not is_lost(answer, (before, after))
    trusted = (answer.header("access-control-allow-credentials") or "").lower() == "true"
    return undeclared or (trusted and allowed_origin(answer) == FOREIGN_ORIGIN)


ADVISORIES = "suites.api.advisories.test_advisories:test_probe"
KEYS, WAYS, AUTH = "suites.api.auth.test_keys", "suites.api.access.test_ways", "suites.api.auth.test_routes"
EXPOSURE = "suites.api.exposure.test_exposure"
CREDENTIALS = (f"{WAYS}:test_credentials",)


def probe(name: str) -> str:
    """The check of a published hole."""
    return f"{ADVISORIES}[{name}]"


def example(key: str) -> Credential:
    """A master key of the product's published quick starts."""
    return Credential(lambda _: f"Bearer {key}", (probe("example-keys"),), published=True)


PAIRS = (
    Paired(
        "MCP's preview, and the key with a letter more",
        ShutRoute(
            "POST", "/mcp-rest/test/connection", (probe("mcp-preview"),), reached, {"transport": "sse"}
        ),
        Credential(lambda key: f"Bearer {key}x", (KEYS,)),
    ),
    Paired(
        "MCP, and the key of a variable that is unset",
        ShutRoute("POST", "/mcp/", (probe("mcp-identity"),), initialized, INITIALIZE),
        Credential(lambda _: f"Bearer {UNSET}", CREDENTIALS),
    ),
    Paired(
        "templates of prompts, from the inside, and the scheme without a key",
        ShutRoute(
            "POST",
            "/prompts/test",
            (probe("prompts-test"), f"{WAYS}:test_shapes_of_host"),
            reached,
            host=lambda _: "gateway.internal",
        ),
        Credential(lambda _: "Bearer", (KEYS,), none=True),
    ),
    Paired(
        "requests that are transformed, and Basic credentials",
        ShutRoute("POST", "/utils/transform_request", (probe("transform-request"),), reached),
        Credential(lambda _: basic(made_up()), (KEYS,)),
    ),
    Paired(
        "skills, and a published key",
        ShutRoute("GET", "/v1/skills", (probe("skills"),), reached),
        example(EXAMPLE_KEYS[1]),
    ),
    Paired(
        "keys, with a Host that hides the path, and SQL",
        ShutRoute(
            "GET",
            "/key/list",
            (
                f"{AUTH}:test_management_without_key",
                f"{WAYS}:test_every_route",
                f"{WAYS}:test_words_of_proxies",
            ),
            granted,
            headers=CIRCUMSTANCES,
            host=lambda environment: f"{place(environment)}{public_path(environment)}?",
            published=False,
        ),
        Credential(lambda _: f"Bearer {SQL}", (KEYS,)),
    ),
    Paired(
        "insight, for a stranger's page, and a token that nobody has signed",
        ShutRoute(
            "GET",
            "/metrics",
            (
                f"{EXPOSURE}:test_open_paths",
                f"{EXPOSURE}:test_strange_origin",
                f"{EXPOSURE}:test_strange_origin_with_credentials",
            ),
            open_or_readable,
            headers=[("origin", FOREIGN_ORIGIN)],
            published=False,
        ),
        Credential(lambda _: f"Bearer {unsigned()}", CREDENTIALS),
    ),
)


def best_known(target: Target) -> bool:
    """The first of the published keys, where the environment does not declare it: API-AUTH-004 asks what it
    declares."""
    if not _is_known(target) or EXAMPLE_KEYS[0] in target.environment.gateway.known_default_keys:
        raise NotApplicable("another check asks it", declared="gateway.known_default_keys")
    said = [("authorization", f"Bearer {EXAMPLE_KEYS[0]}")]
    return not served(target, tried_without_key(target, headers=said))


PAIR_SENTINELS = (
    *(pair.sentinel() for pair in PAIRS),
    Sentinel("the best known key", "API-ERR-001", (probe("example-keys"),), best_known, "the best known key"),
)
