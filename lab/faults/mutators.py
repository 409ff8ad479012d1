"""Hooks that faults are made of: what the proxy does to a request before, or to a reply after."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace

from lab.faults.model import Before
from lab.message import Json, Reply, Request, edit_json, envelope, events_of, json_reply

CHAT = "/chat/completions"
EMBEDDINGS = "/embeddings"
MODELS = "/models"
BARE_CRASH = Reply(500, (("content-type", "text/plain"),), (b"Internal Server Error",))
CRASH = envelope(500, "unexpected error", "internal_server_error")
EMPTY_LIST = json_reply(200, {"object": "list", "data": []})


def answers(reply: Reply, *suffixes: str, when: Callable[[Request], bool] = lambda _: True) -> Before:
    """A before-hook that answers these routes itself."""

    def before(request: Request) -> Request | Reply:
        return reply if request.at(*suffixes) and when(request) else request

    return before


def renamed(old: Callable[[str], bool], new: str) -> Before:
    """A before-hook that asks for another model than the client did."""

    def before(request: Request) -> Request | Reply:
        document = request.json
        if old(str(document.get("model", ""))):
            return request.with_json({**document, "model": new})
        return request

    return before


def unstreamed_chat(change: Callable[[Json], Json]) -> Callable[[Request, Reply], Reply]:
    """Change chat completions that are not streamed."""
    return edit_json(CHAT, change=change)


def content(change: Callable[[str], str]) -> Callable[[Request, Reply], Reply]:
    """Change the text of whole chat completions."""

    def changed(body: Json) -> Json:
        for choice in body.get("choices", []):
            choice["message"]["content"] = change(choice["message"]["content"])
        return body

    return unstreamed_chat(changed)


def listing(change: Callable[[list[Json]], list[Json]]) -> Callable[[Request, Reply], Reply]:
    """Change the entries of the model list."""
    return edit_json(MODELS, change=lambda body: {**body, "data": change(body["data"])})


def without_done(request: Request, reply: Reply) -> Reply:
    """A stream that ends without saying so."""
    if not request.streams:
        return reply
    return replace(reply, chunks=(reply.body.replace(b"data: [DONE]\n\n", b""),))


def dropped(request: Request, reply: Reply) -> Reply:
    """A stream whose connection breaks after the first event."""
    if not request.streams:
        return reply
    return replace(reply, chunks=(f"data: {events_of(reply)[0]}\n\n".encode(),), aborted=True)


def with_served_by(value: str | None) -> Callable[[Request, Reply], Reply]:
    """Let the witness say something else, or nothing."""
    return lambda _, reply: (
        reply.with_header("x-litellm-model-api-base", value) if reply.status == 200 else reply
    )


def other_finish(chunks: list[Json]) -> list[Json]:
    """Repeat the chunk that finishes."""
    return [
        *chunks,
        *(chunk for chunk in chunks if chunk["choices"] and chunk["choices"][0].get("finish_reason")),
    ]


def without_text(chunks: list[Json]) -> list[Json]:
    """Lose the first character of the text."""
    for chunk in chunks:
        for choice in chunk["choices"]:
            if choice["delta"].get("content"):
                choice["delta"]["content"] = choice["delta"]["content"][1:]
                return chunks
    return chunks


def jitter() -> Callable[[str], str]:
    """Trailing white space that grows from call to call."""
    calls = itertools.count()
    return lambda text: text + " " * (next(calls) % 7)


def miscounted(body: Json) -> Json:
    """A total that is not the sum."""
    return {**body, "usage": {**body["usage"], "total_tokens": body["usage"]["total_tokens"] + 1}}


def unknown_finish(body: Json) -> Json:
    """A finish_reason that no client knows."""
    return {**body, "choices": [{**choice, "finish_reason": "done"} for choice in body["choices"]]}
