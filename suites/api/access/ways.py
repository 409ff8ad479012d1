"""The ways in, as requests: what Host, a proxy's headers, a path's spelling and other credentials can say.

Every one is of somebody without the environment's key. ``public`` is a path that is open on this gateway.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from gateway_acceptance.environment import Environment
from suites.api.auth.rules import made_up

LIST = "/v1/models"
"""The route that ways in are tried on: it changes nothing, costs nothing, and every gateway has it."""

LONG = 6000
"""Characters of a long key: below the 8 KiB that servers allow for a header."""


@dataclass(frozen=True, slots=True)
class Way:
    """One request. hosts: the values of Host, one header each; None for the right one."""

    name: str
    target: str = LIST
    hosts: Sequence[str] | None = None
    headers: Sequence[tuple[str, str]] = field(default=())


def public_path(environment: Environment) -> str:
    """A path that is open: the one that says whether the gateway lives."""
    return environment.gateway.liveness_path or "/health/liveliness"


def of_host(environment: Environment) -> list[Way]:
    """Host in every shape, and the target in absolute form."""
    parts = urlsplit(environment.gateway.url)
    place, public = parts.netloc, public_path(environment)
    name = f"[{parts.hostname}]" if "[" in place else parts.hostname or ""
    shapes = {
        "a path": f"{place}{public}",
        "a path and a query": f"{place}{public}?",
        "a path and a fragment": f"{place}{public}#",
        "a query": f"{place}?",
        "the front page and a query": f"{place}/?",
        "the front page and a fragment": f"{place}/#",
        "a fragment": f"{place}#",
        "a backslash": f"{place}\\{public}?",
        "a semicolon": f"{place}{public};",
        "user information": f"x@{place}{public}?",
        "userinfo alone": f"{place}@localhost",
        "a wrong port": f"{name}:1",
        "no number for a port": f"{name}:x/?",
        "nothing": "",
        "localhost": "localhost",
        "a stranger": "gateway.example",
    }
    found = [Way(f"Host with {what}", hosts=[host]) for what, host in shapes.items()]
    found += [
        Way("two Hosts", hosts=[place, f"{place}{public}?"]),
        Way("two Hosts, the strange one first", hosts=[f"{place}{public}?", place]),
        Way("no Host", hosts=[]),
        Way("the absolute form", target=f"http://{place}{LIST}"),
        Way("the absolute form of another host", target=f"http://localhost{LIST}"),
        Way("the absolute form and a strange Host", target=f"http://{place}{LIST}", hosts=[f"{place}/?"]),
    ]
    return found


def of_proxies(environment: Environment) -> list[Way]:
    """What a reverse proxy might have said of the request."""
    place, public = urlsplit(environment.gateway.url).netloc, public_path(environment)
    said = [
        ("x-forwarded-host", f"{place}{public}?"),
        ("x-forwarded-host", "localhost"),
        ("x-forwarded-prefix", public),
        ("x-forwarded-uri", public),
        ("x-forwarded-path", public),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-real-ip", "127.0.0.1"),
        ("x-client-ip", "127.0.0.1"),
        ("forwarded", f'for=127.0.0.1;host="{place}{public}?";proto=https'),
        ("x-original-url", public),
        ("x-rewrite-url", public),
        ("x-original-uri", public),
        ("x-script-name", public),
        ("x-http-method-override", "OPTIONS"),
        ("x-method-override", "HEAD"),
        ("x-forwarded-user", "admin"),
        ("x-remote-user", "admin"),
        ("x-middleware-subrequest", "middleware:middleware:middleware:middleware:middleware"),
    ]
    found = [Way(f"{name}: {value}", headers=[(name, value)]) for name, value in said]
    there = [("x-original-url", LIST), ("x-rewrite-url", LIST), ("x-forwarded-uri", LIST)]
    found += [
        Way(f"{public} and {name}: {LIST}", target=public, headers=[(name, value)]) for name, value in there
    ]
    return found


def of_spellings(environment: Environment) -> list[Way]:
    """The same path in other words, and below other roots."""
    public = public_path(environment)
    up = "/.." * public.count("/")
    targets = [
        "//v1/models", "/./v1/models", "/v1/./models", "/v1//models", "/x/../v1/models", "/x/..;/v1/models",
        f"{public}{up}{LIST}", f"{public}{up.replace('..', '..;')}{LIST}",
        f"{public}{up.replace('/', '%2f')}{LIST}", f"{public}/..%2f..%2f..{LIST}", f"{public}%00{LIST}",
        "/v1%2fmodels", "/%76%31/models", "/v1/models%00", f"/v1/models%00{public}", f"/v1/models;{public}",
        f"/v1/models?{public}", f"/v1/models#{public}", f"/v1/models%3f{public}", f"/v1/models%23{public}",
        "/V1/models", "/v1/MODELS", "/v1/models/", "/v1/models//", "/v1/models/.", "/v1/models.json",
        "/models", "/api/v1/models", "/openai/v1/models", "/openai/models", "/litellm/v1/models",
        "/proxy/v1/models", "/internal/v1/models", "/ui/v1/models", "/ui/../v1/models", "/docs/..;/v1/models",
    ]  # fmt: skip
    return [Way(f"the target {target}", target=target) for target in targets]


def of_credentials() -> Iterator[Way]:
    """Every form of a credential that products know: with nothing in it, with a wrong value (a word that
    broken clients send), and with a made-up key."""
    values: Mapping[str, str] = {"nothing": "", "a wrong value": "null", "a made-up key": made_up()}
    for what, value in values.items():
        for name in KEY_HEADERS:
            yield Way(f"{name} with {what}", headers=[(name, value)])
        yield Way(
            f"x-litellm-api-key as bearer with {what}", headers=[("x-litellm-api-key", f"Bearer {value}")]
        )
        for scheme in ("Bearer", "bearer", "BEARER", "Token", "ApiKey", "Digest", "Negotiate"):
            yield Way(f"{scheme} with {what}", headers=[("authorization", f"{scheme} {value}")])
        pair = base64.b64encode(f"hx:{value}".encode()).decode()
        yield Way(f"Basic with {what}", headers=[("authorization", f"Basic {pair}")])
        yield Way(f"a cookie with {what}", headers=[("cookie", f"token={value}; api_key={value}")])
        for name in ("key", "api_key", "access_token", "token"):
            yield Way(f"?{name}= with {what}", target=f"{LIST}?{name}={value}")
        twice = [("authorization", f"Bearer {value}"), ("authorization", f"Bearer {made_up()}")]
        yield Way(f"two Authorization headers, the first with {what}", headers=twice)
        joined = f"Bearer {value}, Bearer {made_up()}"
        yield Way(f"joined by a comma, the first with {what}", headers=[("authorization", joined)])
    yield Way("a very long key", headers=[("authorization", "Bearer sk-" + "a" * LONG)])
    yield Way("a key that is not ASCII", headers=[("authorization", "Bearer sk-ключ")])


KEY_HEADERS = (
    "x-api-key", "api-key", "x-litellm-api-key", "x-goog-api-key", "x-auth-token", "x-access-token",
    "ocp-apim-subscription-key", "x-litellm-key", "proxy-authorization",
)  # fmt: skip
"""Where products take a key: Anthropic, Azure, LiteLLM, Google, OpenStack and others."""
