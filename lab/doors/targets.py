"""Doors that open by how a path is spelt."""

from lab.doors.door import door, resolved
from lab.faults.mutators import CHAT, EMBEDDINGS, MODELS
from lab.message import Request


def _path(path: str) -> str:
    return path.partition("?")[0]


def _always(_: Request) -> bool:
    return True


def _health(request: Request) -> bool:
    return request.path == "/health"


def _bare(path: str) -> str:
    """The contract's route of one without ``/v1``."""
    return path if path.startswith("/v1/") else f"/v1{path}"


SPELT = {
    "parameters-in-the-path": ";",
    "encoded-dots": "%2e",
    "encoded-slash": "%2f",
    "encoded-twice": "%25",
    "encoded-null": "%00",
    "encoded-backslash": "%5c",
    "backslash": "\\",
    "two-slashes": "//",
    "one-dot": "/./",
    "two-dots": "/..",
    "dots-and-semicolon": "..;",
    "encoded-letter": "%76",
    "dot-json": ".json",
    "encoded-question": "%3f",
}
TARGET_DOORS = (
    *(
        door(
            f"spelt-with-{name}",
            f"a path with {sign} is routed, and not guarded",
            lambda request, sign=sign: sign in _path(request.path).lower(),  # type: ignore[misc]
            leads=lambda path: resolved(path).removesuffix(".json").partition("?")[0],
        )
        for name, sign in SPELT.items()
    ),
    door(
        "spelt-in-capitals",
        "a path in capitals is routed, and not guarded",
        lambda request: any(letter.isupper() for letter in _path(request.path)),
        leads=str.lower,
    ),
    door(
        "trailing-slash",
        "the list with a slash at its end is another route",
        lambda request: _path(request.path).endswith("/models/"),
        leads=lambda path: path.rstrip("/"),
    ),
    door(
        "trailing-slash-of-chat",
        "chat with a slash at its end is another route",
        lambda request: _path(request.path).endswith("/chat/completions/"),
        leads=lambda path: path.rstrip("/"),
    ),
    door(
        "chat-without-version",
        "only /chat/completions without /v1 is not guarded",
        lambda request: _path(request.path) == "/chat/completions",
        leads=_bare,
    ),
    door(
        "embeddings-without-version",
        "only /embeddings without /v1 is not guarded",
        lambda request: _path(request.path) == "/embeddings",
        leads=_bare,
    ),
    door("chat-open", "chat alone is not guarded", lambda request: request.at(CHAT), CHAT),
    door("embeddings-open", "embeddings alone are not guarded", _always, EMBEDDINGS),
    door("streams-open", "streams alone are not guarded", lambda request: request.streams),
    door("model-info-open", "what stands behind the models is not guarded", _always, "/model/info"),
    door("health-open", "the page that calls every model is not guarded", _health),
    door("one-model-open", "one model's page is not guarded", lambda request: f"{MODELS}/" in request.path),
    door("below-openai", "below /openai nothing is guarded", lambda one: one.path.startswith("/openai/"),
         leads=lambda path: path.removeprefix("/openai")),
    door("below-api", "below /api nothing is guarded", lambda one: one.path.startswith("/api/"),
         leads=lambda path: path.removeprefix("/api")),
    door("azure-open", "Azure's names are not guarded", lambda request: "/deployments/" in request.path),
    door("anthropic-open", "Anthropic's route is not guarded", _always, "/v1/messages"),
    door("query-key", "a key in the URL is believed", lambda request: "api_key=" in request.path),
    door("query-token", "a token in the URL is believed", lambda request: "token=" in request.path),
    door("query-flag", "a flag in the URL opens the door", lambda request: "debug=" in request.path),
)  # fmt: skip
