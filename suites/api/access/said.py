"""What others might have said of a request: reverse proxies, identity providers, meshes, clients themselves.

Those that gateways are known to believe are asked one by one; the others of a kind in one request, which is
taken apart where it opens something.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from gateway_acceptance.environment import Environment
from suites.api.access.way import WEBSOCKET, WayIn
from suites.api.auth.rules import made_up
from suites.api.auth.tried import LIST

ADDRESSES = (
    "x-forwarded-for", "x-real-ip", "x-client-ip", "true-client-ip", "cf-connecting-ip",
    "x-cluster-client-ip",
    "x-originating-ip", "x-remote-ip", "x-remote-addr", "client-ip", "fastly-client-ip", "x-forwarded",
    "forwarded-for", "x-envoy-external-address", "x-azure-clientip", "x-original-forwarded-for",
)  # fmt: skip
"""Where proxies write down whose request it was."""

USERS = (
    "x-forwarded-user", "x-remote-user", "remote-user", "x-forwarded-email", "x-forwarded-preferred-username",
    "x-auth-request-user", "x-auth-request-email", "x-webauth-user", "x-authenticated-user", "x-user",
    "x-user-id",
    "x-goog-authenticated-user-email", "x-goog-iap-jwt-assertion", "x-amzn-oidc-identity", "x-amzn-oidc-data",
    "x-ms-client-principal", "x-ms-client-principal-name", "cf-access-authenticated-user-email",
    "tailscale-user-login",
    "x-consumer-username", "x-consumer-id", "x-credential-identifier", "x-litellm-user-id", "x-team-id",
    "x-account-id",
    "openai-organization", "openai-project", "x-grafana-user", "x-github-user", "x-pomerium-claim-email",
    "x-vouch-user",
)  # fmt: skip
"""Where identity providers and proxies write down who was logged in."""

FLAGS = (
    "x-internal", "x-internal-request", "x-admin", "x-is-admin", "x-role", "x-user-role", "x-roles",
    "x-groups",
    "x-authenticated", "x-auth", "x-auth-status", "x-authorized", "x-trusted", "x-trusted-proxy", "x-debug",
    "x-test",
    "x-healthcheck", "x-health-check", "x-skip-auth", "x-no-auth", "x-bypass", "x-disable-auth",
    "x-envoy-internal",
    "x-ssl-client-verify", "x-client-verify", "ssl-client-verify", "x-client-cert", "x-forwarded-client-cert",
    "x-service-name", "x-from-service", "x-probe", "x-monitoring", "x-scanner",
)  # fmt: skip
"""Where one service tells another that all is well."""

CONNECTIONS = (
    ("x-forwarded-proto", "https"), ("x-forwarded-scheme", "https"), ("x-scheme", "https"),
    ("x-url-scheme", "https"), ("x-forwarded-protocol", "ssl"), ("x-forwarded-ssl", "on"),
    ("x-forwarded-port", "443"), ("front-end-https", "on"), ("x-arr-ssl", "1"),
    ("cf-visitor", '{"scheme":"https"}'),
)  # fmt: skip
"""What a proxy says of how it was reached: some let pass whoever came by TLS."""

BROWSERS = (
    ("origin", "null"), ("sec-fetch-site", "same-origin"), ("sec-fetch-mode", "cors"),
    ("sec-fetch-dest", "empty"), ("x-requested-with", "XMLHttpRequest"), ("purpose", "prefetch"),
    ("sec-purpose", "prefetch"), ("x-purpose", "preview"), ("x-moz", "prefetch"),
    ("upgrade-insecure-requests", "1"), ("dnt", "1"),
)  # fmt: skip
"""What a browser says of a page's own requests: anybody can say so."""

TRACES = (
    ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    ("x-request-id", "1"), ("x-correlation-id", "1"), ("x-trace-id", "1"), ("x-b3-traceid", "1"),
    ("x-amzn-trace-id", "Root=1-67891233-abcdef012345678912345678"), ("x-cloud-trace-context", "1/1"),
    ("x-datadog-trace-id", "1"), ("baggage", "user=admin"),
)  # fmt: skip
"""What services say of a request that others have looked at before."""

PARTS = (
    ("range", "bytes=0-"), ("if-none-match", '"hx"'), ("if-modified-since", "Thu, 01 Jan 1970 00:00:00 GMT"),
    ("cache-control", "only-if-cached"), ("x-purge", "1"),
)  # fmt: skip
"""What asks a cache, which may stand before the guard."""

AGENTS = (
    "kube-probe/1.31", "ELB-HealthChecker/2.0", "GoogleHC/1.0", "Prometheus/2.53.0", "OpenAI/Python 1.99.0",
)  # fmt: skip
"""Clients that some let pass: probes, and the official one."""

OVERRIDES = ("x-http-method-override", "x-method-override", "x-http-method", "x-forwarded-method")
REWRITES = (
    "x-original-url",
    "x-rewrite-url",
    "x-original-uri",
    "x-forwarded-uri",
    "x-forwarded-path",
    "x-override-url",
)


def of_proxies(environment: Environment) -> list[WayIn]:
    """What a reverse proxy, an identity provider or the client itself might have said of the request."""
    parts = urlsplit(environment.gateway.url)
    place, public = parts.netloc, public_path(environment)
    known = [
        ("x-forwarded-host", f"{place}{public}?"),
        ("x-forwarded-host", "localhost"),
        ("x-forwarded-prefix", public),
        ("x-forwarded-uri", public),
        ("x-forwarded-path", public),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-real-ip", "127.0.0.1"),
        ("x-client-ip", "127.0.0.1"),
        ("forwarded", f'for=127.0.0.1;host="{place}{public}?";proto=https'),
        ("forwarded", "for=127.0.0.1"),
        ("x-original-url", public),
        ("x-original-url", "/"),
        ("x-rewrite-url", public),
        ("x-original-uri", public),
        ("x-script-name", public),
        ("x-forwarded-user", "admin"),
        ("x-remote-user", "admin"),
        ("x-middleware-subrequest", "middleware:middleware:middleware:middleware:middleware"),
        ("via", f"1.1 {place}"),
        ("origin", f"http://{place}"),
        ("referer", f"http://{place}/ui/"),
    ]
    found = [WayIn(f"{name}: {value}", headers=[(name, value)]) for name, value in known]
    found += [
        WayIn(f"{public} and {name}: {LIST}", target=public, headers=[(name, LIST)])
        for name in ("x-original-url", "x-rewrite-url", "x-forwarded-uri")
    ]
    return [*found, *bundled(environment)]


def bundled(environment: Environment) -> list[WayIn]:
    """The rest, a kind at a time."""
    place, public = urlsplit(environment.gateway.url).netloc, public_path(environment)
    found = [
        WayIn(f"the client's address {value}", headers=[(name, value) for name in ADDRESSES])
        for value in ("127.0.0.1", "10.0.0.1", "::1", "localhost", f"127.0.0.1, {place}")
    ]
    found += [
        WayIn(f"a user {value} who was logged in before", headers=[(name, value) for name in USERS])
        for value in ("admin", "admin@localhost")
    ]
    found += [
        WayIn(f"flags that say {value}", headers=[(name, value) for name in FLAGS])
        for value in ("1", "true", "admin", "SUCCESS")
    ]
    hosts = (
        "x-forwarded-host",
        "x-host",
        "x-forwarded-server",
        "x-original-host",
        "x-backend-host",
        "x-http-host-override",
    )
    found += [
        WayIn(f"hosts that are {value}", headers=[(name, value) for name in hosts])
        for value in ("localhost", place, f"{place}/?")
    ]
    found += [
        WayIn("what proxies say of the connection", headers=CONNECTIONS),
        WayIn("what browsers say of a page's own requests", headers=BROWSERS),
        WayIn("what services say of a request that is traced", headers=TRACES),
        WayIn("a part, or what has changed", headers=PARTS),
        WayIn("origin: http://localhost", headers=[("origin", "http://localhost")]),
    ]
    found += [WayIn(f"paths that are {public}", headers=[(name, public) for name in REWRITES])]
    found += [WayIn(f"User-Agent: {agent}", headers=[("user-agent", agent)]) for agent in AGENTS]
    found += [
        WayIn(f"Accept: {kind}", headers=[("accept", kind)])
        for kind in ("text/html", "text/event-stream", "image/png")
    ]
    taken = ("connection", "close, authorization, x-forwarded-for, x-forwarded-host")
    return [
        *found,
        WayIn(
            "Connection that takes headers away",
            headers=[taken, ("authorization", f"Bearer {made_up()}")],
        ),
        WayIn("a WebSocket's handshake", headers=WEBSOCKET),
        WayIn(
            "an upgrade to h2c",
            headers=[
                ("connection", "Upgrade, HTTP2-Settings"),
                ("upgrade", "h2c"),
                ("http2-settings", "AAMAAABkAARAAAAAAAIAAAAA"),
            ],
        ),
    ]


def of_methods() -> list[WayIn]:
    """Other methods than the guard may look at, those that are said to be meant, and HTTP/1.0."""
    found = [
        WayIn(f"the method {method}", method=method)
        for method in ("get", "OPTIONS", "POST", "PUT", "PROPFIND", "XGET", "TRACE", "PATCH", "QUERY")
    ]
    for method, meant in (
        ("GET", "OPTIONS"),
        ("GET", "HEAD"),
        ("GET", "GET"),
        ("POST", "GET"),
        ("OPTIONS", "GET"),
    ):
        for name in OVERRIDES:
            found.append(WayIn(f"{method} and {name}: {meant}", method=method, headers=[(name, meant)]))
        found.append(WayIn(f"{method} and ?_method={meant}", method=method, target=f"{LIST}?_method={meant}"))
    return [
        *found,
        WayIn("GET with a body", body=(("api_key", made_up()), ("user", "admin"))),
        WayIn("HTTP/1.0", version="1.0"),
        WayIn("HTTP/1.0 without Host", version="1.0", hosts=[]),
    ]


def public_path(environment: Environment) -> str:
    """A path that is open: the one that says whether the gateway lives."""
    return environment.gateway.liveness_path or "/health/liveliness"
