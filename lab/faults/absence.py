"""Faults of absence: what a check is about is not there. All checks run against each; none may pass on it.

Beside each fault stands how an exchange of the record is known to be touched by it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from lab.faults.model import Fault, Layer
from lab.faults.mutators import CHAT, EMBEDDINGS, EMPTY_LIST, answers
from lab.faults.stream_mutators import raw
from lab.message import Json, Reply, Request, envelope, json_reply

Exchange = Mapping[str, Any]
"""An exchange as the record keeps it."""
MODEL_ROUTES = (CHAT, EMBEDDINGS, "/completions", "/responses")
NOT_REACHED, NOT_STREAMED = "OllamaException: connection refused", "no streams"
BACKEND_DOWN = envelope(500, NOT_REACHED, "server_error")


EMPTY_ANSWER: Mapping[str, Json] = {
    CHAT: {"object": "chat.completion", "choices": []},
    "/completions": {"object": "text_completion", "choices": []},
    EMBEDDINGS: {"object": "list", "data": []},
    "/responses": {"object": "response", "status": "completed", "output": []},
}
"""Beginnings of whole answers in which nothing is answered. The order counts: the first that fits."""
HOLLOW_ANSWER: Mapping[str, Json] = {
    CHAT: {"object": "chat.completion", "choices": [{"index": 0, "finish_reason": "stop"}]},
    "/completions": {"object": "text_completion", "choices": [{"index": 0, "finish_reason": "stop"}]},
    EMBEDDINGS: {"object": "list", "data": [{"object": "embedding", "index": 0}]},
    "/responses": {"object": "response", "status": "completed", "output": [{"type": "message"}]},
}
"""The same with an entry that holds nothing."""
MUTE_ANSWER: Mapping[str, Json] = {
    CHAT: {
        "object": "chat.completion",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": ""}, "finish_reason": "stop"},
        ],
    },
    "/completions": {
        "object": "text_completion",
        "choices": [{"index": 0, "text": "", "finish_reason": "stop", "logprobs": None}],
    },
    EMBEDDINGS: {"object": "list", "data": [{"object": "embedding", "index": 0, "embedding": []}]},
    "/responses": {"object": "response", "status": "completed", "output": []},
}
"""Whole answers of the right form in which nothing is said: no word, no number."""
BLANK = Reply(200, (("content-type", "application/json"),), (b"\n         \n",))
LOGIN = Reply(302, (("location", "/login"),), ())
NO_TOKENS = {"prompt_tokens": 1, "completion_tokens": 0, "total_tokens": 1}
PAGE = Reply(
    200, (("content-type", "text/html"),), (b"<html><body><h1>Down for maintenance</h1></body></html>",)
)
REFUSED = Reply(400, (("content-type", "text/plain"),), (b"nope",))
LIMITED = envelope(429, "too many requests", "rate_limit_error")
CHUNK = {"id": "chatcmpl-0", "object": "chat.completion.chunk", "created": 1_700_000_000}
COMMENTS = Reply(200, (("content-type", "text/event-stream"),), (b": ping\n\n", b": ping\n\n"))
FAILED = Reply(
    200,
    (("content-type", "text/event-stream"),),
    (b'data: {"error": {"message": "no", "type": "server_error", "param": null, "code": null}}\n\n',),
)


def _unstreamed(request: Request) -> bool:
    return request.authorised and not request.streams


def _streamed(request: Request) -> bool:
    return request.authorised and request.streams


def _authorised(request: Request) -> bool:
    return request.authorised


def _answered_by(bodies: Mapping[str, Json]) -> Callable[[Request], Request | Reply]:
    """Whole answers of a route begin so, with no tokens counted."""

    def before(request: Request) -> Request | Reply:
        if not _unstreamed(request) or not request.at(*MODEL_ROUTES):
            return request
        begin = next(body for route, body in bodies.items() if request.at(route))
        model = request.json.get("model")
        return json_reply(
            200, {"id": "a-0", "created": 1_700_000_000, "model": model, **begin, "usage": NO_TOKENS}
        )

    return before


def _nothing_said(request: Request) -> Request | Reply:
    """Streams of chat that begin and end as they should, and say nothing."""
    if not _streamed(request) or not request.at(CHAT):
        return request
    model = request.json.get("model")
    chunks = [
        {**CHUNK, "model": model, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}
        for delta, finish in (({"role": "assistant"}, None), ({}, None), ({}, "stop"))
    ]
    events = [f"data: {json.dumps(chunk)}\n\n".encode() for chunk in chunks]
    return Reply(200, (("content-type", "text/event-stream"),), (*events, b"data: [DONE]\n\n"))


def _emptied(request: Request, reply: Reply) -> Reply:
    """Whole answers of models without a body."""
    if request.streams or reply.status != 200 or not request.at(*MODEL_ROUTES):
        return reply
    return replace(reply, chunks=())


def _no_models(request: Request) -> Request | Reply:
    """Nothing is listed; single models are there as before."""
    return EMPTY_LIST if request.path.rstrip("/").endswith("/models") else request


def _fault(name: str, description: str, **hooks: Any) -> Fault:
    return Fault(name, Layer.ABSENCE, description, {}, **hooks)


ABSENCE_FAULTS: tuple[Fault, ...] = (
    _fault("absent-events", "streams are answered with 200, and are empty", after=raw(lambda _: b"")),
    _fault("absent-chunks", "streams are [DONE] alone", after=raw(lambda _: b"data: [DONE]\n\n")),
    _fault(
        "absent-streams",
        "every stream is an internal error",
        before=answers(envelope(500, NOT_STREAMED, "server_error"), *MODEL_ROUTES, when=_streamed),
    ),
    _fault("absent-bodies", "whole answers of models are 200, and empty", after=_emptied),
    _fault("absent-models", "the list of models is empty", before=_no_models),
    _fault(
        "absent-backends",
        "no backend is to be reached: every question to a model is an internal error",
        before=answers(BACKEND_DOWN, *MODEL_ROUTES, when=_authorised),
    ),
    _fault(
        "absent-choices",
        "whole answers have no choice, no vector, no output",
        before=_answered_by(EMPTY_ANSWER),
    ),
    _fault(
        "absent-messages",
        "whole answers have one entry that holds nothing",
        before=_answered_by(HOLLOW_ANSWER),
    ),
    _fault(
        "absent-words",
        "whole answers say no word, and vectors have no number",
        before=_answered_by(MUTE_ANSWER),
    ),
    _fault(
        "absent-json",
        "whole answers of models are white space",
        before=answers(BLANK, *MODEL_ROUTES, when=_unstreamed),
    ),
    _fault(
        "absent-behind-a-login",
        "every question to a model is sent to a login, 302",
        before=answers(LOGIN, *MODEL_ROUTES, when=_authorised),
    ),
    _fault("absent-texts", "streams of chat begin and end, and say nothing", before=_nothing_said),
    _fault(
        "absent-data", "streams are comments alone", before=answers(COMMENTS, *MODEL_ROUTES, when=_streamed)
    ),
    _fault(
        "absent-but-an-error",
        "streams are one error, told with 200",
        before=answers(FAILED, *MODEL_ROUTES, when=_streamed),
    ),
    _fault(
        "absent-content",
        "every question to a model is answered 204",
        before=answers(Reply(204, (), ()), *MODEL_ROUTES, when=_authorised),
    ),
    _fault(
        "absent-behind-a-page",
        "every question to a model is answered with a page for people, 200",
        before=answers(PAGE, *MODEL_ROUTES, when=_authorised),
    ),
    _fault(
        "absent-objects",
        "whole answers of models are {}",
        before=answers(json_reply(200, {}), *MODEL_ROUTES, when=_unstreamed),
    ),
    _fault(
        "absent-null",
        "whole answers of models are null",
        before=answers(json_reply(200, None), *MODEL_ROUTES, when=_unstreamed),
    ),
    _fault(
        "absent-service",
        "every question to a model is refused with 400 and one word",
        before=answers(REFUSED, *MODEL_ROUTES, when=_authorised),
    ),
    _fault(
        "absent-admission",
        "every question to a model is one too many: 429",
        before=answers(LIMITED, *MODEL_ROUTES, when=_authorised),
    ),
    _fault(
        "absent-connections",
        "every answer of a model breaks off before its body",
        before=answers(replace(PAGE, chunks=(), aborted=True), *MODEL_ROUTES, when=_authorised),
    ),
)


def streams(exchange: Exchange) -> bool:
    """Whether a stream was asked for."""
    try:
        return json.loads(exchange["request"]).get("stream") is True
    except (ValueError, AttributeError, RecursionError):  # what is nested too deep asks for nothing
        return False


def asks_a_model(exchange: Exchange) -> bool:
    """Whether a model was asked."""
    return exchange["method"] == "POST" and str(exchange["url"]).split("?")[0].endswith(MODEL_ROUTES)


TOUCHED: Mapping[str, Callable[[Exchange], bool]] = {
    "absent-events": lambda one: streams(one) and one["status"] == 200 and not one["response"],
    "absent-chunks": lambda one: streams(one) and one["status"] == 200 and "{" not in one["response"],
    "absent-streams": lambda one: streams(one) and NOT_STREAMED in one["response"],
    "absent-bodies": lambda one: asks_a_model(one) and one["status"] == 200 and not one["response"],
    "absent-models": lambda one: str(one["url"]).endswith("/v1/models") and one["status"] == 200,
    "absent-backends": lambda one: asks_a_model(one) and NOT_REACHED in one["response"],
    "absent-choices": lambda one: asks_a_model(one) and '"id": "a-0"' in one["response"],
    "absent-messages": lambda one: asks_a_model(one) and '"id": "a-0"' in one["response"],
    "absent-words": lambda one: asks_a_model(one) and '"id": "a-0"' in one["response"],
    "absent-json": lambda one: asks_a_model(one) and one["status"] == 200 and not one["response"].strip(),
    "absent-behind-a-login": lambda one: asks_a_model(one) and one["status"] == 302,
    "absent-texts": lambda one: streams(one) and '"id": "chatcmpl-0"' in one["response"],
    "absent-data": lambda one: streams(one) and one["response"].startswith(": ping"),
    "absent-but-an-error": lambda one: streams(one) and one["response"].startswith('data: {"error"'),
    "absent-content": lambda one: asks_a_model(one) and one["status"] == 204,
    "absent-behind-a-page": lambda one: asks_a_model(one) and "maintenance" in one["response"],
    "absent-objects": lambda one: asks_a_model(one) and one["response"] == "{}",
    "absent-null": lambda one: asks_a_model(one) and one["response"] == "null",
    "absent-service": lambda one: asks_a_model(one) and one["response"] == "nope",
    "absent-admission": lambda one: asks_a_model(one) and one["status"] == 429,
    "absent-connections": lambda one: asks_a_model(one) and one["status"] == 200 and not one["response"],
}
"""Fault -> whether an exchange shows nothing but the absence; a stranger's 500 is the gateway's refusal."""
