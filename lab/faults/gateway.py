"""Defects of the gateway that smoke finds: the reverse proxy makes them in front of the real one."""

from __future__ import annotations

from lab.faults.model import Fault, gateway_fault
from lab.faults.mutators import (
    CHAT,
    EMBEDDINGS,
    EMPTY_LIST,
    MODELS,
    answers,
    content,
    dropped,
    jitter,
    listing,
    miscounted,
    other_finish,
    renamed,
    unknown_finish,
    unstreamed_chat,
    with_served_by,
    without_done,
    without_text,
)
from lab.faults.ways import SERVED_CHAT
from lab.message import Reply, Request, edit_events, envelope, json_reply


def _served_without_key(request: Request) -> Request | Reply:
    if request.key is None and request.at(MODELS, CHAT):
        return EMPTY_LIST if request.at(MODELS) else SERVED_CHAT
    return request


GATEWAY_FAULTS: tuple[Fault, ...] = (
    gateway_fault(
        "gateway-down",
        "the gateway's port is closed",
        {"API-OPS-001": "connection refused"},
        listens=False,
    ),
    gateway_fault(
        "liveness-500",
        "the liveness route fails while the gateway serves",
        {"API-OPS-001": "got 500"},
        before=answers(envelope(500, "boom", "internal"), "/liveliness"),
    ),
    gateway_fault(
        "readiness-503",
        "the gateway says that it is not ready",
        {"API-OPS-002": "got 503"},
        before=answers(json_reply(503, {"status": "unhealthy"}), "/readiness"),
    ),
    gateway_fault(
        "readiness-contradicts-itself",
        "readiness is 200 with a body that says unhealthy",
        {"API-OPS-002": "says status 'unhealthy'"},
        before=answers(json_reply(200, {"status": "unhealthy"}), "/readiness"),
    ),
    gateway_fault(
        "own-key-refused",
        "the key that the operators were given does not work",
        {"API-AUTH-001": "expected 200 .* got 401"},
        before=answers(
            envelope(401, "no such key", "auth_error"),
            MODELS,
            CHAT,
            EMBEDDINGS,
            when=lambda r: r.authorised,
        ),
    ),
    gateway_fault(
        "open-without-key",
        "requests without any key are served",
        {"API-AUTH-002": "got 200: it was served"},
        before=_served_without_key,
    ),
    gateway_fault(
        "list-open-without-key",
        "the list of models is served to everybody, and nothing else",
        {
            "API-AUTH-002": "GET /v1/models is served without a key, POST /v1/chat/completions is not",
            "API-AUTH-015": "GET /v1/models: expected a refusal",
        },
        before=answers(EMPTY_LIST, MODELS, when=lambda r: not r.authorised),
    ),
    gateway_fault(
        "refusal-in-html",
        "a missing key is refused with a page for people",
        {"API-AUTH-002": "json"},
        before=answers(
            Reply(401, (("content-type", "text/html"),), (b"<h1>401</h1>",)),
            MODELS,
            when=lambda r: r.key is None,
        ),
    ),
    gateway_fault(
        "any-key-accepted",
        "every well-formed key opens the door",
        {"API-AUTH-003": "got 200: it was served", "API-AUTH-004": "got 200: it was served"},
        before=answers(EMPTY_LIST, MODELS, when=lambda r: r.key is not None and not r.authorised),
    ),
    gateway_fault(
        "default-key-accepted",
        "the key of the published configuration still works",
        {"API-AUTH-004": "got 200: it was served"},
        before=answers(EMPTY_LIST, MODELS, when=lambda r: r.key == "sk-hx-dev-1234"),
    ),
    gateway_fault(
        "model-not-listed",
        "one declared model is missing from the list",
        {"API-MODELS-001": "missing: "},
        after=listing(lambda entries: entries[1:]),
    ),
    gateway_fault(
        "model-not-declared",
        "the list holds a model that nobody declared",
        {"API-MODELS-001": "not declared: shadow"},
        after=listing(lambda entries: [*entries, {**entries[0], "id": "shadow"}]),
    ),
    gateway_fault(
        "model-entries-bare",
        "the entries of the model list lack what SDKs read",
        {"API-MODELS-002": "object", "API-MODELS-011": "expected Unix seconds .*None"},
        after=listing(lambda entries: [{"id": entry["id"]} for entry in entries]),
    ),
    gateway_fault(
        "usage-does-not-add-up",
        "usage.total_tokens is not the sum of its parts",
        {"API-CHAT-001": "total"},
        after=unstreamed_chat(miscounted),
    ),
    gateway_fault(
        "completion-empty-object",
        "a completion is the empty object, which the SDK takes by default",
        {"API-CHAT-001": "choices", "API-CHAT-002": "choices", "API-SDK-001": "Validation"},
        after=unstreamed_chat(lambda _: {}),
    ),
    gateway_fault(
        "finish-reason-unknown",
        "finish_reason is a word that no client knows",
        {"API-SDK-001": "Validation", "API-CHAT-001": "finish_reason"},
        after=unstreamed_chat(unknown_finish),
    ),
    gateway_fault(
        "answer-decorated",
        "the gateway adds words to the model's answer",
        {
            "API-CHAT-002": "expected exactly 'HX-OK'",
            "API-SDK-001": "expected the SDK to read",
            "API-STREAM-080": "expected the stream to spell 'Sure! ",
        },
        after=content(lambda text: f"Sure! {text}"),
    ),
    gateway_fault(
        "answer-jitters",
        "the same question to the same deployment is answered with other white space each time",
        {"API-CHAT-002": "expected the same answer twice"},
        after=content(jitter()),
    ),
    gateway_fault(
        "stream-without-done",
        "a stream ends without [DONE]",
        {"API-STREAM-001": "DONE"},
        after=without_done,
    ),
    gateway_fault(
        "stream-dropped",
        "the connection breaks in mid-stream",
        {"API-STREAM-001": "connection broke"},
        after=dropped,
    ),
    gateway_fault(
        "stream-finishes-twice",
        "a choice of a stream has two finish reasons",
        {"API-STREAM-001": "finish"},
        after=edit_events(other_finish),
    ),
    gateway_fault(
        "stream-loses-text",
        "the first character of a stream is lost",
        {
            "API-STREAM-001": "expected the stream to spell",
            "API-STREAM-080": "expected the stream to spell .* as without streaming",
        },
        after=edit_events(without_text),
    ),
    gateway_fault(
        "unknown-model-served",
        "a model that does not exist is answered by another one",
        {"API-ERR-001": "got 200"},
        before=renamed(lambda model: model.startswith("no-such-model"), "hx-chat"),
    ),
    gateway_fault(
        "unknown-model-500",
        "an unknown model is called an internal error",
        {"API-ERR-001": "got 500"},
        before=answers(
            envelope(500, "KeyError", "internal"),
            CHAT,
            when=lambda r: str(r.json.get("model", "")).startswith("no-such-model"),
        ),
    ),
    gateway_fault(
        "balanced-over-one",
        "the balanced alias is mapped to a single deployment",
        {"BACKEND-BAL-001": "all .* were served by llm-01"},
        before=renamed(lambda model: model == "hx-chat", "llm01-llama3.2-3b"),
    ),
    gateway_fault(
        "witness-silent",
        "the gateway does not say which backend served",
        {"BACKEND-BAL-001": "no witness"},
        after=with_served_by(None),
    ),
    gateway_fault(
        "witness-names-undeclared",
        "requests are served by a backend that nobody declared",
        {"BACKEND-BAL-001": "which is not declared"},
        after=with_served_by("http://127.0.0.99:11434"),
    ),
)
