"""What else a request may say of itself that somebody has believed once: names that few products have.
In bundles for servers that take a hundred headers and no more; what opens is taken apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gateway_acceptance.environment import Environment
from gateway_acceptance.wire.exchange import Exchange
from suites.api.access.said import ADDRESSES, public_path
from suites.api.access.way import WayIn
from suites.api.auth.rules import made_up
from suites.api.auth.tried import LIST

IDENTITIES = (
    ("x-apigateway-api-userinfo", "e30"), ("x-endpoint-api-userinfo", "e30"), ("x-userinfo", "e30"),
    ("x-anonymous-consumer", "true"), ("x-consumer-custom-id", "1"), ("x-consumer-groups", "admin"),
    ("x-authenticated-userid", "admin"), ("x-authenticated-scope", "admin"), ("x-scope-orgid", "1"),
    ("x-auth-request-groups", "admin"), ("x-auth-request-access-token", "1"), ("x-forwarded-groups", "admin"),
    ("x-forwarded-roles", "admin"), ("x-forwarded-role", "admin"), ("x-hasura-role", "admin"),
    ("x-hasura-admin-secret", "1"), ("x-openwebui-user-id", "1"), ("x-openwebui-user-name", "admin"),
    ("x-openwebui-user-email", "admin@localhost"), ("x-openwebui-user-role", "admin"),
    ("impersonate-user", "admin"), ("impersonate-group", "system:masters"), ("x-impersonate-user", "admin"),
    ("sudo", "admin"), ("x-sudo", "admin"), ("x-act-as", "admin"), ("x-on-behalf-of", "admin"),
    ("x-run-as", "admin"), ("x-subject", "admin"), ("x-claims", "{}"), ("x-jwt-payload", "e30"),
    ("x-jwt-claim-sub", "admin"), ("x-permissions", "*"), ("x-scopes", "admin"), ("x-tenant-id", "1"),
    ("x-org-id", "1"), ("x-project-id", "1"), ("x-workspace-id", "1"), ("x-namespace", "default"),
    ("x-client-id", "1"), ("x-app-id", "1"), ("x-agent-id", "1"), ("x-session-id", "1"),
    ("x-user-email", "admin@localhost"), ("x-user-name", "admin"), ("x-username", "admin"),
    ("x-litellm-end-user-id", "admin"), ("x-litellm-customer-id", "admin"), ("x-litellm-call-id", "1"),
    ("chatgpt-account-id", "1"), ("x-zumo-auth", "1"), ("x-ms-client-principal-id", "1"),
    ("l5d-client-id", "default.default.serviceaccount.identity.linkerd.cluster.local"),
    ("x-envoy-peer-metadata-id", "1"), ("x-envoy-peer-metadata", "1"), ("dapr-caller-app-id", "gateway"),
    ("x-vault-request", "true"), ("x-consul-token", "anonymous"), ("x-nomad-token", "1"),
    ("x-pomerium-jwt-assertion", "e30.e30."), ("cf-access-jwt-assertion", "e30.e30."),
    ("x-amzn-request-context", "{}"), ("x-amzn-lambda-context", "{}"), ("x-apigateway-event", "{}"),
    ("x-amzn-vpce-id", "1"), ("x-mcp-authorized", "true"), ("x-mcp-virtualserver", "1"),
)  # fmt: skip
"""Who it is, as gateways, meshes, clouds and consoles write it down."""

CIRCUMSTANCES = (
    ("access-control-request-method", "POST"), ("access-control-request-headers", "authorization"),
    ("metadata", "true"), ("metadata-flavor", "Google"), ("x-internal-token", "1"),
    ("x-internal-secret", "1"), ("x-request-source", "internal"), ("x-environment", "development"),
    ("x-env", "dev"), ("x-dry-run", "true"), ("x-warmup", "true"), ("x-mock", "true"), ("hx-request", "true"),
    ("access-control-request-private-network", "true"), ("x-internal-auth", "1"),
    ("x-internal-api-key", "1"), ("x-service-token", "1"), ("x-gateway-secret", "1"),
    ("x-cron-secret", "1"), ("x-webhook-secret", "1"), ("x-origin-verify", "1"), ("x-caller", "internal"),
    ("x-client-name", "internal"), ("x-dev", "true"), ("x-development", "true"), ("x-mode", "debug"),
    ("x-preview", "true"), ("x-synthetic", "true"), ("x-load-test", "true"), ("x-e2e", "true"),
    ("x-ci", "true"), ("x-automation", "true"), ("x-shadow", "true"), ("x-mirror", "true"),
    ("x-canary", "true"), ("x-replay", "true"), ("x-retry-count", "1"), ("x-retry-attempt", "1"),
    ("x-fallback", "true"), ("x-batch", "true"), ("x-job-id", "1"), ("x-worker", "1"),
    ("x-proxied", "true"), ("x-forwarded-by", "localhost"), ("x-nginx-proxy", "true"),
    ("x-gateway", "true"), ("x-auth-checked", "true"), ("x-verified", "true"), ("x-allow", "true"),
    ("x-unlimited", "true"), ("x-god-mode", "true"), ("x-superuser", "true"), ("x-root", "true"),
    ("x-staff", "true"), ("x-privileged", "true"), ("x-trust", "true"), ("x-secure", "true"),
    ("x-ratelimit-bypass", "true"), ("x-cache-bypass", "true"), ("x-middleware-prefetch", "1"),
    ("x-middleware-rewrite", "/"), ("x-middleware-next", "1"), ("x-invoke-status", "200"),
    ("x-invoke-output", "/"), ("x-inertia", "true"), ("x-pjax", "true"), ("turbo-frame", "1"),
    ("sec-gpc", "1"), ("sec-ch-ua", '"Chromium";v="130"'), ("save-data", "on"), ("pragma", "no-cache"),
    ("max-forwards", "0"), ("from", "admin@localhost"), ("te", "trailers"),
    ("signature-input", 'sig=();created=1;keyid="k"'), ("signature", "sig=:AAAA:"),
    ("x-amz-date", "20260101T000000Z"), ("x-signature", "1"), ("x-timestamp", "1"), ("x-nonce", "1"),
    ("x-content-sha256", "UNSIGNED-PAYLOAD"), ("x-xsrf-token", "1"), ("csrf-token", "1"),
)  # fmt: skip
"""What it is for, and what has happened to it: tests, retries, frameworks' own requests, signatures."""

RARER_ADDRESSES = (
    "wl-proxy-client-ip", "x-custom-ip-authorization", "x-source-ip", "proxy-client-ip", "http-client-ip",
    "x-http-client-ip", "x-peer-ip", "x-ip", "remote-addr", "x-true-client-ip", "x-forwarded-client-ip",
    "x-appengine-user-ip", "fly-client-ip", "do-connecting-ip", "x-nf-client-connection-ip",
    "x-vercel-forwarded-for", "cf-connecting-ipv6", "x-azure-socketip", "x-gateway-ip", "x-proxyuser-ip",
)  # fmt: skip
LOCAL = ("127.0.0.1", "::1", "10.0.0.1", "2130706433", "0.0.0.0", "fd00::1", "203.0.113.9, 127.0.0.1")  # noqa: S104
"""Addresses of this machine and of its neighbours; a number, and behind a stranger's."""

RARER_AGENTS = (
    "Googlebot/2.1", "Slackbot-LinkExpanding 1.0", "PostmanRuntime/7.42.0", "axios/1.7.7", "node-fetch",
    "aiohttp/3.11", "python-requests/2.32.3", "AmazonAPIGateway_gateway", "Amazon CloudFront",
    "AppEngine-Google", "Cloudflare-Healthchecks/1.0", "check_http/v2.4 (nagios-plugins 2.4)", "Zabbix",
    "istio-proxy", "claude-cli/2.0.0", "LangChain", "internal", "gateway",
)  # fmt: skip
ORIGINS = ("chrome-extension://aaaa", "vscode-webview://aaaa", "tauri://localhost", "file://",
           "https://chat.example.com")  # fmt: skip

ROLES = (
    "role", "roles", "user", "username", "user_role", "admin", "is_admin", "isAdmin", "authenticated",
    "logged_in", "loggedIn", "auth", "superuser", "staff", "debug", "internal", "trusted", "verified", "env",
    "preview", "test", "bypass", "as", "sudo", "impersonate",
)  # fmt: skip
"""Names in cookies and in URLs whose values are words."""
RARER_COOKIES = (
    "auth_token", "accessToken", "refresh_token", "__session", "__Secure-next-auth.session-token",
    "__prerender_bypass", "__next_preview_data", "sb-access-token", "PHPSESSID", "laravel_session",
    "ASP.NET_SessionId", ".AspNetCore.Cookies", "grafana_session", "csrftoken", "remember_me", "ui_token",
    "litellm_session", "apiKey", "bearer", "XDEBUG_SESSION",
)  # fmt: skip
WORDS_OF_PAGES = (
    "/docs", "/redoc", "/openapi.json", "/login", "/sso", "/ui", "/static", "/assets", "/public", "/metrics",
    "/healthz", "/ping", "/favicon.ico", "/robots.txt", "/.well-known", "/swagger", "/test", "/callback",
)  # fmt: skip
PAGES = "".join(WORDS_OF_PAGES)
"""All of them in one path."""
ODD_NAMES = ("api_key[]", "token[$ne]", "API_KEY", "Token", "api%5fkey")
HEADS = (
    "", "internal", "auth", "api", "user", "client", "forwarded", "original", "real", "remote", "trusted",
    "is", "skip", "no", "bypass", "allow", "gateway", "proxy", "service", "backend", "app", "ai", "llm",
    "model", "team", "account", "master", "system", "root", "secret", "edge", "cluster", "mesh", "sso",
    "jwt", "oauth",
)  # fmt: skip
WORDS = {
    "user": "admin", "user-id": "1", "username": "admin", "email": "admin@localhost", "role": "admin",
    "admin": "true", "group": "admin", "id": "1", "key": "1", "token": "1", "secret": "1", "auth": "true",
    "authenticated": "true", "authorization": "true", "access": "true", "ip": "127.0.0.1", "addr":
    "127.0.0.1", "host": "localhost", "source": "internal", "service": "gateway", "request": "true", "call":
    "true", "check": "true", "test": "true", "debug": "true", "mode": "debug", "env": "dev", "scope":
    "admin", "tenant": "1", "session": "1", "probe": "true", "health": "true", "verified": "true",
    "internal": "true",
}  # fmt: skip
"""What names of such headers are put together of; a last word, and a value that is believed there."""
MOST_HEADERS = 85
"""Of a bundle: some servers take a hundred, the usual ones among them."""
MOST_SAID_BACK = 60
"""Headers of its answers that are sent back."""
BEYOND_A_LINE = 20_000
"""Characters of a URL that no server's default takes whole."""


def of_rarer_words() -> Iterator[WayIn]:
    """All of these that stand in headers, to the list of models."""
    for start, pairs in enumerate(batched(crossed())):
        yield WayIn(f"names that somebody may have put together, part {start + 1}", headers=pairs)
    yield WayIn("who it is, by rarer names", headers=IDENTITIES)
    yield WayIn("what it is for, by rarer names", headers=CIRCUMSTANCES)
    for value in LOCAL:
        names = (*ADDRESSES, *RARER_ADDRESSES)
        yield WayIn(
            f"the client's address {value}, by rarer names", headers=[(name, value) for name in names]
        )
    for agent in RARER_AGENTS:
        yield WayIn(f"User-Agent: {agent}", headers=[("user-agent", agent)])
    for origin in ORIGINS:
        yield WayIn(f"origin: {origin}", headers=[("origin", origin)])
    yield WayIn("a referer of every page", headers=[("referer", f"http://localhost{PAGES}")])
    yield WayIn("Accept: what Prometheus asks for", headers=[("accept", "application/openmetrics-text")])
    yield WayIn("Forwarded by this machine", headers=[("forwarded", "by=127.0.0.1;for=unknown")])
    yield WayIn("Expect: 100-continue", headers=[("expect", "100-continue")])


def crossed() -> list[tuple[str, str]]:
    """Names as people put them together, with the value that belongs to their last word."""
    names = {f"x-{head}{'-' if head else ''}{word}": value for head in HEADS for word, value in WORDS.items()}
    known = {name for name, _ in (*IDENTITIES, *CIRCUMSTANCES)}
    return [(name, value) for name, value in names.items() if name not in known]


def batched(pairs: Sequence[tuple[str, str]]) -> Iterator[Sequence[tuple[str, str]]]:
    """In parts that a server takes."""
    for start in range(0, len(pairs), MOST_HEADERS):
        yield pairs[start : start + MOST_HEADERS]


def of_rarer_values(environment: Environment) -> Iterator[WayIn]:
    """Cookies and URLs, to the list of models."""
    public = public_path(environment)
    for value in ("admin", "true", "1"):
        yield WayIn(f"cookies that say {value}", headers=[("cookie", worded("; ", value))])
        yield WayIn(f"a query that says {value}", target=f"{LIST}?{worded('&', value)}")
    cookies = "; ".join(f"{name}={made_up()}" for name in RARER_COOKIES)
    yield WayIn("rarer cookies", headers=[("cookie", cookies)])
    yield WayIn("a query of lists, operators and capitals", target=f"{LIST}?{odd_names()}")
    yield WayIn("a query that names pages", target=f"{LIST}?next={PAGES}{public}")
    yield WayIn("a query beyond a line", target=f"{LIST}?x={'a' * BEYOND_A_LINE}")


def odd_names() -> str:
    """A query of names that some parsers take for others."""
    return "&".join(f"{name}={made_up()}" for name in ODD_NAMES)


def worded(separator: str, value: str) -> str:
    """Every such name with one value, as a cookie or a query writes it."""
    return separator.join(f"{name}={value}" for name in ROLES)


def of_itself(answers: Sequence[Exchange]) -> Iterator[WayIn]:
    """What a gateway gave to who has no key, sent back: its cookies, and its own names for the request."""
    pairs = [pair for answer in answers for pair in answer.headers]
    cookies = dict.fromkeys(value.partition(";")[0] for name, value in pairs if name.lower() == "set-cookie")
    if cookies:
        yield WayIn("the cookies that it gave", headers=[("cookie", "; ".join(cookies))])
    named = {name.lower(): value for name, value in pairs if name.lower().startswith("x-")}
    if named:
        yield WayIn("what it said of its refusal", headers=list(named.items())[:MOST_SAID_BACK])
