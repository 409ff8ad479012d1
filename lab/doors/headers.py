"""Doors that open by what a header says."""

from lab.doors.door import door, says
from lab.faults.exposure import header
from lab.faults.mutators import CHAT, EMBEDDINGS, MODELS


def _named(name: str, *parts: str) -> str:
    return f"who sends {name}{f' with {parts[0]}' if parts else ''} is let in"


BELIEVED = {
    "method-override": ("x-http-method-override", ()),
    "origin-of-this-machine": ("origin", ("localhost", "127.0.0.1", "127.")),
    "origin-null": ("origin", ("null",)),
    "referer-of-the-console": ("referer", ("/ui",)),
    "referer-of-this-machine": ("referer", ("localhost", "127.")),
    "agent-of-kubernetes": ("user-agent", ("kube-probe",)),
    "agent-of-a-load-balancer": ("user-agent", ("HealthChecker",)),
    "agent-of-prometheus": ("user-agent", ("Prometheus",)),
    "real-ip": ("x-real-ip", ("127.0.0.1",)),
    "forwarded-for-private": ("x-forwarded-for", ("10.",)),
    "forwarded-for-ipv6": ("x-forwarded-for", ("::1",)),
    "forwarded": ("forwarded", ("for=127.0.0.1",)),
    "forwarded-proto": ("x-forwarded-proto", ("https",)),
    "forwarded-port": ("x-forwarded-port", ("443",)),
    "forwarded-host-localhost": ("x-forwarded-host", ("localhost",)),
    "forwarded-ssl": ("x-forwarded-ssl", ("on",)),
    "remote-user": ("remote-user", ()),
    "user-of-a-mesh": ("x-forwarded-client-cert", ()),
    "internal-flag": ("x-internal", ("true", "1")),
    "debug-flag": ("x-debug", ("true", "1")),
    "envoy-internal": ("x-envoy-internal", ("true",)),
    "same-origin-by-its-own-word": ("sec-fetch-site", ("same-origin",)),
    "request-of-a-script": ("x-requested-with", ("XMLHttpRequest",)),
    "prefetch": ("purpose", ("prefetch",)),
    "trace-is-known": ("traceparent", ()),
    "request-id-is-known": ("x-request-id", ()),
    "cookie-session": ("cookie", ("session=",)),
    "cookie-user": ("cookie", ("user=",)),
    "x-api-key": ("x-api-key", ()),
    "underscored-key": ("api_key", ()),
    "key-of-openai": ("x-openai-api-key", ()),
    "key-of-azure-management": ("ocp-apim-subscription-key", ()),
    "access-token": ("x-access-token", ()),
    "proxy-authorization": ("proxy-authorization", ()),
    "accepts-pages": ("accept", ("text/html",)),
    "accepts-events": ("accept", ("text/event-stream",)),
    "upgrade": ("upgrade", ()),
    "range": ("range", ()),
    "conditional": ("if-none-match", ()),
    "original-url-public": ("x-original-url", ("/health", "/")),
    "rewrite-url-public": ("x-rewrite-url", ("/health", "/")),
    "subrequest": ("x-middleware-subrequest", ()),
}
"""Name -> the header and the parts of its value that are believed."""

HEADER_DOORS = (
    *(
        door(f"believes-{name}", _named(header_name, *parts), says(header_name, *parts))
        for name, (header_name, parts) in BELIEVED.items()
    ),
    door("only-chat-by-user", "a user that a header names may chat", says("x-user-id"), CHAT),
    door("only-embeddings-by-flag", "a header opens embeddings alone", says("x-admin"), EMBEDDINGS),
    door(
        "only-models-info-by-address",
        "an address opens what stands behind the models",
        says("client-ip"),
        "/model/info",
    ),
    door(
        "only-the-list-by-mail",
        "the mail address of a user opens the list of models",
        says("x-auth-request-email"),
        MODELS,
    ),
    door(
        "host-with-a-dot",
        "a Host that ends in a dot is another site, which has no guard",
        lambda request: header(request, "host").partition(":")[0].endswith("."),
    ),
    door(
        "host-of-this-machine",
        "a Host of localhost is taken for a colleague",
        lambda request: header(request, "host").startswith("localhost"),
    ),
    door(
        "host-with-a-query",
        "the path is judged by a URL that is put together from Host",
        lambda request: "?" in header(request, "host"),
    ),
    door(
        "host-with-a-user",
        "what stands before an @ in Host is taken for a login",
        lambda request: "@" in header(request, "host"),
    ),
)
