"""What platforms, probes and other products' clients say of a request: a kind in one request, which is taken
apart where it opens something. Anybody can say it."""

from __future__ import annotations

from gateway_acceptance.environment import Environment
from suites.api.access.said import ADDRESSES, public_path
from suites.api.access.way import WayIn

NEAR = (
    "172.17.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "::ffff:127.0.0.1", "127.0.0.1:4000",
    "unknown",
)  # fmt: skip
"""Addresses that are taken for a neighbour's: a container's host, private and shared ranges, the form that
IPv6 gives to IPv4, with a port, and what proxies write who do not know."""

PROBES = (
    "", "curl/8.5.0", "Mozilla/5.0", "Go-http-client/1.1", "python-httpx/0.28.1", "litellm/1.108.7",
    "Amazon-Route53-Health-Check-Service", "Consul Health Check", "Blackbox Exporter/0.25.0",
    "UptimeRobot/2.0", "Datadog Agent/7.0", "GoogleStackdriverMonitoring-UptimeChecks", "Traefik/3",
    "HAProxy", "Envoy/HC", "Open-WebUI",
)  # fmt: skip
"""Clients, one by one: what begins so may be let pass."""

CERTIFICATES = (
    ("x-ssl-client-s-dn", "CN=admin"), ("ssl-client-s-dn", "CN=admin"), ("x-client-dn", "CN=admin"),
    ("ssl-client-subject-dn", "CN=admin"), ("x-client-cn", "admin"), ("x-ssl-client-cn", "admin"),
    ("x-ssl-client-dn", "CN=admin"), ("x-ssl-cert", "admin"), ("x-arr-clientcert", "admin"),
    ("x-forwarded-tls-client-cert", "admin"), ("x-client-cert-present", "true"),
    ("x-forwarded-tls-client-cert-info", 'Subject="CN=admin"'), ("x-amzn-mtls-clientcert-subject", "admin"),
    ("x-goog-iap-jwt-assertion", "e30.e30."), ("x-spiffe-id", "spiffe://cluster.local/ns/default/sa/admin"),
)  # fmt: skip
"""What a proxy says of a certificate that it has looked at."""

CLIENTS = (
    ("anthropic-version", "2023-06-01"), ("anthropic-beta", "tools-2024-04-04"),
    ("openai-beta", "assistants=v2"), ("x-stainless-lang", "python"), ("x-goog-api-client", "gl-python/3.11"),
    ("x-api-version", "1"), ("api-version", "2024-06-01"), ("x-litellm-tags", "internal"),
    ("litellm-changed-by", "admin"), ("x-portkey-provider", "openai"), ("x-portkey-config", "{}"),
    ("helicone-user-id", "admin"), ("x-title", "Console"), ("http-referer", "http://localhost"),
    ("mcp-protocol-version", "2025-06-18"), ("mcp-session-id", "1"), ("last-event-id", "1"),
    ("idempotency-key", "1"), ("prefer", "respond-async"), ("x-client-request-id", "1"),
    ("x-source", "playground"), ("x-app", "console"), ("x-requested-by", "console"),
)  # fmt: skip
"""What clients of other products, of another version, or of a console send."""

PLATFORMS = (
    ("x-nextjs-data", "1"), ("rsc", "1"), ("next-action", "1"), ("x-now-route-matches", "1"),
    ("early-data", "1"), ("x-accel-internal", "1"), ("x-internal-redirect", "1"), ("cdn-loop", "localhost"),
    ("x-amz-cf-id", "1"), ("x-amz-invocation-type", "Event"), ("x-appengine-cron", "true"),
    ("x-appengine-queuename", "default"), ("x-cloudscheduler", "true"), ("x-vercel-cron", "1"),
    ("dapr-app-id", "gateway"), ("ce-type", "gateway.call"), ("x-github-event", "ping"),
    ("x-gitlab-event", "System Hook"), ("x-slack-signature", "v0=0"), ("stripe-signature", "t=1,v1=0"),
    ("x-hub-signature-256", "sha256=0"), ("svix-signature", "v1,0"), ("x-b3-sampled", "1"),
    ("x-envoy-decorator-operation", "health"), ("x-request-start", "1"), ("x-original-method", "OPTIONS"),
    ("x-kubernetes-pf-flowschema-uid", "1"), ("x-serverless-internal", "1"),
)  # fmt: skip
"""What a platform says of its own calls: schedules, queues, events, hooks, a cache's early question."""

UNDERSCORES = (
    "x_forwarded_for", "x_real_ip", "x_forwarded_user", "remote_user", "remote_addr", "http_authorization",
    "x_api_key", "x_auth_token", "x_user", "x_user_role", "x_internal", "x_admin", "x_original_url",
)  # fmt: skip
"""Names that become those of trusted headers where a server turns both signs into one (CGI, WSGI)."""


def of_platforms(environment: Environment) -> list[WayIn]:
    """All of these to the list of models."""
    public = public_path(environment)
    paths = [("x-envoy-original-path", public), ("x-matched-path", public), ("x-invoke-path", public)]
    return [
        *(
            WayIn(f"the client's address {value}", headers=[(name, value) for name in ADDRESSES])
            for value in NEAR
        ),
        *(WayIn(f"User-Agent: {agent or 'nothing'}", headers=[("user-agent", agent)]) for agent in PROBES),
        WayIn("certificates that were looked at", headers=CERTIFICATES),
        WayIn("what clients of other products send", headers=CLIENTS),
        WayIn("what a platform says of its own calls", headers=[*PLATFORMS, *paths]),
        WayIn("names with underscores", headers=[(name, "admin") for name in UNDERSCORES]),
        WayIn(
            "names with underscores, of this machine", headers=[(name, "127.0.0.1") for name in UNDERSCORES]
        ),
    ]
