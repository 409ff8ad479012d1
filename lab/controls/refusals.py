"""Refusals that are honest in another form, a console in front, and keys in several headers."""

from __future__ import annotations

from collections.abc import Callable

from lab.controls.model import Control
from lab.faults.model import After
from lab.message import Json, Reply, Request, edit_json, envelope

ERRORS = ("API-ERR-0",)
REFUSED = (
    *(f"API-ERR-{case}" for case in ("002", "004", "011", "020", "031", "033", "035", "043")),
    *("API-SDK-019", "API-SDK-021"),
)
"""What looks at refusals."""
CONSOLE = Reply(
    200,
    (("content-type", "text/html; charset=utf-8"),),
    (b"<!doctype html><html><head><title>Console</title></head><body><div id=app></div></body></html>",),
)
INTERFACE = ("/v1", "/health", "/chat", "/completions", "/embeddings", "/models", "/openapi.json", "/routes")
"""Beginnings of the paths that belong to the interface; any other GET is the console's."""


def refusals(change: Callable[[Json], Json], status: Callable[[int], int] = lambda status: status) -> After:
    """An after-hook that writes the error envelope of refusals anew."""

    def after(request: Request, reply: Reply) -> Reply:
        document = reply.json
        error = document.get("error") if isinstance(document, dict) else None
        if not 400 <= reply.status <= 499 or not isinstance(error, dict) or not request.authorised:
            return reply
        anew = reply.with_json({**document, "error": change(error)})
        return Reply(status(reply.status), anew.headers, anew.chunks)

    return after


def console(request: Request, reply: Reply) -> Reply:
    """The console's page for any path that nothing else answers, with or without a key."""
    lost = request.method == "GET" and reply.status == 404
    return CONSOLE if lost and not request.path.startswith(INTERFACE) else reply


def _without_type(request: Request) -> Request | Reply:
    named = any(name.lower() == "content-type" for name, _ in request.headers)
    if request.method == "POST" and request.authorised and not named:
        return envelope(
            415, "the body's media type is missing: send application/json", "invalid_request_error"
        )
    return request


def _no_embeddings(status: int) -> Callable[[Request], Request | Reply]:
    def before(request: Request) -> Request | Reply:
        if request.authorised and request.at("/embeddings"):
            return envelope(status, "this deployment offers no embeddings", "invalid_request_error")
        return request

    return before


def _unprocessable(request: Request, reply: Reply) -> Reply:
    """All but an unknown model: that is not found."""
    if "Invalid model name" in reply.body.decode("utf-8", "replace"):
        return reply
    return refusals(lambda error: error, lambda status: 422 if status == 400 else status)(request, reply)


def _forbidden(request: Request, reply: Reply) -> Reply:
    """As LiteLLM and mini-apigw where a key may use some models alone: of others nothing is told."""
    model = request.json.get("model")
    named = isinstance(model, str) and "Invalid model name" in reply.body.decode("utf-8", "replace")
    if reply.status == 400 and named:
        return envelope(403, f"this key may not use the model {model}", "permission_error")
    return reply


def _only_chat(request: Request, reply: Reply) -> Reply:
    """The list of models without those that embed."""

    def change(document: Json) -> Json:
        kept = [entry for entry in document["data"] if not str(entry.get("id")).startswith("emb-")]
        return {**document, "data": kept}

    return edit_json("/models", change=change)(request, reply)


def _keys_anywhere(request: Request) -> Request:
    """Azure's and Anthropic's headers hold the key as well; it is checked like any other."""
    if request.header("authorization"):
        return request
    for name in ("x-api-key", "api-key"):
        if request.header(name):
            bearer = ("authorization", f"Bearer {request.header(name)}")
            return Request(request.method, request.path, (*request.headers, bearer), request.body)
    return request


REFUSAL_CONTROLS = (
    Control(
        "right-errors-extra",
        "error envelopes carry further fields",
        after=refusals(lambda error: {**error, "request_id": "req_71b2", "doc_url": None}),
        checks=(*ERRORS, "API-SDK-01", "API-SDK-02"),
        concerns=REFUSED,
    ),
    Control(
        "right-errors-null",
        "param and code of errors are null",
        after=refusals(lambda error: {**error, "param": None, "code": None}),
        checks=(*ERRORS, "API-SDK-01", "API-SDK-02"),
        concerns=REFUSED,
    ),
    Control(
        "right-errors-text-code",
        "codes of errors are words",
        after=refusals(lambda error: {**error, "code": "invalid_request"}),
        checks=(*ERRORS, "API-SDK-01", "API-SDK-02"),
        concerns=REFUSED,
    ),
    Control(
        "right-refuses-with-422",
        "what cannot be understood is refused with 422 instead of 400",
        after=_unprocessable,
        checks=("API-ERR-00", "API-CHAT-01", "API-EMB-01"),
        concerns=("API-ERR-002", "API-CHAT-018", "API-EMB-018"),
    ),
    Control(
        "right-unknown-model-403",
        "the key may use its models alone: any other, known or not, is forbidden by its name",
        after=_forbidden,
        checks=(*ERRORS, "API-SDK-01", "API-SDK-02", "API-PROP-00"),
        concerns=("API-ERR-001", "API-ERR-031", "API-ERR-032", "API-SDK-018", "API-SDK-019", "API-SDK-020"),
    ),
    Control(
        "right-needs-a-media-type",
        "a body without a media type is refused with 415",
        before=_without_type,
        checks=(*ERRORS, "API-SDK-01", "API-SDK-02"),
        concerns=REFUSED,
    ),
    Control(
        "right-no-embeddings-501",
        "embeddings are not offered, and not declared: 501",
        before=_no_embeddings(501),
        after=_only_chat,
        checks=(*ERRORS, "API-EMB-0", "API-SDK-0"),
        without=("embedding",),
        concerns=("API-ERR-029", "API-ERR-032", "API-ERR-033", "API-EMB-002", "API-SDK-015"),
    ),
    Control(
        "right-no-embeddings-404",
        "embeddings are not offered, and not declared: 404",
        before=_no_embeddings(404),
        after=_only_chat,
        checks=(*ERRORS, "API-EMB-0"),
        without=("embedding",),
        concerns=("API-ERR-029", "API-ERR-032", "API-ERR-033", "API-EMB-002"),
    ),
    Control(
        "right-console-catch-all",
        "a console answers any path that is no interface with its page, 200 and no key asked",
        after=console,
        checks=("API-AUTH-01", "API-EXPO-0", "API-ACCESS-0"),
        concerns=("API-AUTH-016", "API-AUTH-017", "API-EXPO-001", "API-EXPO-002", "API-EXPO-003"),
    ),
    Control(
        "right-keys-anywhere",
        "the key may come in x-api-key or api-key as well, and is checked there too",
        before=_keys_anywhere,
        checks=("API-AUTH-0", "API-ACCESS-0"),
        concerns=("API-AUTH-005", "API-AUTH-015", "API-ACCESS-006"),
    ),
)
