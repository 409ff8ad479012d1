"""Ways in, a kind in one request, for every protected route: what opens one route need not open another."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from gateway_acceptance.environment import Environment
from gateway_acceptance.wire.exchange import Headers
from suites.api.access.credentials import COOKIES, KEY_HEADERS, QUERIES, RARER_HEADERS, RARER_QUERIES
from suites.api.access.platforms import CERTIFICATES, CLIENTS, PLATFORMS, UNDERSCORES
from suites.api.access.rarer import (
    CIRCUMSTANCES,
    PAGES,
    RARER_ADDRESSES,
    RARER_AGENTS,
    RARER_COOKIES,
    ROLES,
    odd_names,
)
from suites.api.access.said import (
    ADDRESSES,
    AGENTS,
    BROWSERS,
    CONNECTIONS,
    FLAGS,
    OVERRIDES,
    REWRITES,
    TRACES,
    USERS,
    public_path,
)
from suites.api.access.way import WEBSOCKET, WayIn, together
from suites.api.access.ways import spelled
from suites.api.advisories.probes import EXAMPLE_KEYS
from suites.api.auth.rules import made_up
from suites.api.auth.tried import LIST

OF_LITELLM = "x-litellm-api-key"
"""LiteLLM reads it before any other."""
PERSONS = ("role", "roles", "user", "username", "user_role", "as", "impersonate")
"""Of the names that take a word, those that take a person's."""


def core_spellings(public: str) -> list[str]:
    """The spellings that gateways and proxies are known to disagree about."""
    every = dict.fromkeys(spelled(LIST, public))
    up = "/.." * public.count("/")
    wanted = (
        f"/{LIST}", f"/.{LIST}", f"/x/..{LIST}", f"/x/..;{LIST}", f"{public}{up}{LIST}", f"{public};{LIST}",
        f"{LIST}/", f"{LIST}/.", f"{LIST}%00", f"{LIST}%20", f"{LIST};x=y", f"{LIST};{public}",
        f"{LIST}?{public}",
        LIST.upper(), f"/%2e{LIST}", f"{public}{up.replace('..', '..;')}{LIST}",
        f"{public}/..%2f..%2f..{LIST}",
    )  # fmt: skip
    return [target for target in wanted if target in every]


def of_every_kind(environment: Environment) -> list[WayIn]:
    """Of each kind one request or two, for the routes that matter most: about fifty."""
    public = public_path(environment)
    ways = few(environment)
    place = urlsplit(environment.gateway.url).netloc
    pair = base64.b64encode(f"admin:{made_up()}".encode()).decode()
    ways += [
        WayIn(f"Host {host!r}", hosts=[host])
        for host in (
            f"{place}{public}?",
            f"{place}/#",
            "",
            "127.0.0.1",
            f"x@{place}{public}?",
            f"{place}@localhost",
        )
    ]
    ways += [
        WayIn("two Hosts", hosts=[place, "localhost"]),
        WayIn("the absolute form of another host", target=f"http://localhost{LIST}"),
        WayIn(
            "a body with credentials",
            body=(("api_key", made_up()), ("user", "admin"), ("master_key", made_up())),
        ),
        WayIn(
            "a body that says who it is",
            body=(
                ("skip_auth", True),
                ("is_admin", True),
                ("user_role", "proxy_admin"),
                ("debug", True),
                ("metadata", {"user": "admin", "role": "admin", "user_api_key": made_up()}),
                ("extra_headers", {"Authorization": f"Bearer {made_up()}"}),
            ),
        ),
        WayIn(
            "an open path, and the route in headers",
            target=public,
            headers=[(name, LIST) for name in REWRITES],
        ),
        WayIn("Basic of admin", headers=[("authorization", f"Basic {pair}")]),
        WayIn("Bearer null", headers=[("authorization", "Bearer null")]),
        WayIn("an empty Bearer", headers=[("authorization", "Bearer ")]),
        WayIn("the scheme in lower case", headers=[("authorization", f"bearer {made_up()}")]),
        WayIn("a made-up key", headers=[("authorization", f"Bearer {made_up()}")]),
        WayIn("two Authorization headers", headers=[("authorization", f"Bearer {made_up()}")] * 2),
        WayIn("paths that are public", headers=[(name, public) for name in REWRITES]),
        WayIn("a method that is another's", headers=[(name, "OPTIONS") for name in OVERRIDES]),
        WayIn("a WebSocket's handshake", headers=WEBSOCKET),
        WayIn("Accept: text/html", headers=[("accept", "text/html")]),
        WayIn("a probe's name", headers=[("user-agent", "kube-probe/1.31")]),
        *(
            WayIn(f"a body that is called {kind}", headers=[("content-type", kind)])
            for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x")
        ),
    ]
    ways += [WayIn(f"the target {target}", target=target) for target in core_spellings(public)]
    ways += [
        WayIn(f"the target {root}{LIST}", target=f"{root}{LIST}") for root in ("/api", "/openai", "/litellm")
    ]
    return list({way.name: way for way in ways}.values())


def few(environment: Environment) -> list[WayIn]:
    """The kinds that cost a request each, for every other protected route."""
    place, public = urlsplit(environment.gateway.url).netloc, public_path(environment)
    query = "&".join(f"{name}={value}" for name, value in valued((*QUERIES, *RARER_QUERIES)))
    query += f"&{odd_names()}&next={PAGES}"
    cookies = "; ".join(f"{name}={value}" for name, value in valued((*COOKIES, *RARER_COOKIES)))
    said = [(name, "127.0.0.1") for name in (*ADDRESSES, *RARER_ADDRESSES[:4])] + [
        (name, "admin") for name in USERS
    ]
    said += [(name, "true") for name in FLAGS]
    said += [("forwarded", "for=127.0.0.1;host=localhost;by=127.0.0.1"), ("x-forwarded-host", "localhost")]
    # apart, for servers that take a hundred headers and no more
    others = [*CONNECTIONS, *(pair for pair in BROWSERS if pair[0] != "origin"), *TRACES]
    others += [*PLATFORMS, *((name, "admin") for name in UNDERSCORES)]
    others += [("origin", "http://localhost"), ("referer", f"http://localhost/ui{PAGES}/")]
    others += CIRCUMSTANCES[:13]
    others += [("user-agent", " ".join((*AGENTS, *RARER_AGENTS))), ("x-middleware-subrequest", "middleware")]
    return [
        WayIn(
            "made-up keys in other headers, and what other clients send",
            headers=[
                *((name, made_up()) for name in (*KEY_HEADERS, *RARER_HEADERS)),
                *CERTIFICATES,
                *CLIENTS,
            ],
        ),
        WayIn("made-up cookies", headers=[("cookie", cookies)]),
        WayIn("a query of made-up keys", target=f"{LIST}?{query}"),
        WayIn("what proxies might have said", headers=said),
        WayIn("what browsers, probes and traces might have said", headers=others),
        WayIn("a Host that hides the path", hosts=[f"{place}/?"]),
        WayIn("Host localhost", hosts=["localhost"]),
        *(
            WayIn(f"the target {target}", target=target)
            for target in (f"/{LIST}", f"{LIST}/", f"/.{LIST}", f"{public}/..;{LIST}")
        ),
    ]


def of_clients(environment: Environment) -> Headers:
    """Keys in other headers, made up but for LiteLLM's own, where a published key stands; what browsers,
    probes and traces say; a method that is another's. Fewer than a hundred headers."""
    keys = [(name, made_up()) for name in (*KEY_HEADERS, *RARER_HEADERS) if name != OF_LITELLM]
    others = [*CONNECTIONS, *(pair for pair in BROWSERS if pair[0] != "origin"), *TRACES]
    console = ("referer", f"http://{urlsplit(environment.gateway.url).netloc}/ui/")
    said = [*((name, "OPTIONS") for name in OVERRIDES), console, ("user-agent", AGENTS[0])]
    return [(OF_LITELLM, EXAMPLE_KEYS[-1]), *keys, *others, *said]


def at_the_doors(environment: Environment) -> list[WayIn]:
    """What smoke asks: every kind of them that a request may carry, but for made-up keys, in two requests,
    for servers that take a hundred headers and no more: the first for chat, the second for embeddings.
    Made-up keys in other headers, which whoever reads a key first refuses, are tried at the list."""
    _, cookies, query, said, others, hides, localhost = few(environment)[:7]
    return [
        together("the URL and words of proxies, to localhost", [query, said, localhost]),
        together("cookies and words of clients, with a Host that hides the path", [cookies, others, hides]),
    ]


def valued(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Names with what belongs there: a made-up key, or where a role is told a word, ``admin`` or ``true``."""
    for name in dict.fromkeys((*names, *ROLES)):
        value = "admin" if name in PERSONS else "true" if name in ROLES else made_up()
        yield name, value
