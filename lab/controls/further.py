"""Right gateways as people run them: other lists of models, health in other words, models that vary."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from lab.controls.answers import CHAT, EMBEDDINGS, SHAPED, SHAPES
from lab.controls.clouds import in_both_forms
from lab.controls.habits import choices_of
from lab.controls.model import Control
from lab.controls.streams import CALLS, STREAMS
from lab.faults.chat_mutators import asks
from lab.faults.model import After
from lab.message import Json, Reply, Request, edit_events, edit_json

OTHERS = ("dall-e-3", "whisper-1", "openai/*")
"""What serves neither chat nor embeddings, and a wildcard that LiteLLM lists as it is written."""
SNAPSHOT = "-2026-02-11"
ON_AND_ON = "Count from 1 to 2000"
"""Beyond every limit that the suite sets."""
BESIDE = "I will look that up."


def _listed(request: Request, reply: Reply) -> Reply:
    """More models than those of chat and embeddings; each was created when the list was asked for, as
    vLLM and llama-server have it."""
    path = request.path.partition("?")[0].rstrip("/")
    document = reply.json
    if request.method != "GET" or "/v1/models" not in path or reply.status != 200:
        return reply
    now = int(time.time())
    if path.endswith("/models") and isinstance(document, dict) and document.get("data"):
        named = [{"id": name, "object": "model", "owned_by": "system"} for name in OTHERS]
        entries = [{**entry, "created": now} for entry in (*document["data"], *named)]
        return reply.with_json({**document, "data": entries, "models": [{"name": e["id"]} for e in entries]})
    return reply.with_json({**document, "created": now}) if isinstance(document, dict) else reply


def _health(request: Request, reply: Reply) -> Reply:
    """Liveness is an empty 200, as vLLM's; readiness says UP, as Spring's."""
    if reply.status == 200 and request.at("/health/liveliness", "/health/liveness"):
        return replace(reply, chunks=())
    document = reply.json
    if reply.status != 200 or not request.at("/health/readiness") or not isinstance(document, dict):
        return reply
    return reply.with_json({**document, "status": "UP"})


def _dated(document: Json) -> Json:
    """The model as the snapshot that the name stands for today, as OpenAI answers."""
    named = document.get("model")
    return {**document, "model": f"{named}{SNAPSHOT}"} if isinstance(named, str) else document


def snapshots() -> After:
    """An after-hook: answers name a snapshot; whole ones begin with white space that kept the connection
    open, as OpenRouter's do."""
    chat, vectors = in_both_forms(_dated), edit_json(EMBEDDINGS, change=_dated)

    def after(request: Request, reply: Reply) -> Reply:
        changed = vectors(request, chat(request, reply))
        if request.streams or reply.status != 200 or not request.at(CHAT, EMBEDDINGS):
            return changed
        return replace(changed, chunks=(b"\n         \n", b"\n         \n", *changed.chunks))

    return after


def never_twice(choose: Callable[[], str] = lambda: f"As note {secrets.token_hex(4)} has it: ") -> After:
    """An after-hook: each text begins otherwise, and counts its words; where a limit or a stop string was
    given, it ends there."""

    def after(request: Request, reply: Reply) -> Reply:
        if not request.at(CHAT) or reply.status != 200:
            return reply
        aside = choose()
        plain = edit_json(CHAT, change=lambda document: _varied(document, aside, request.json))
        return (
            edit_events(lambda chunks: _varied_stream(chunks, aside))(request, reply)
            if request.streams
            else plain(request, reply)
        )

    return after


def _plain(request: Request) -> bool:
    """Whether it asks a chat model for text."""
    body = request.json
    return isinstance(body.get("messages"), list) and not {"tools", "response_format"} & body.keys()


def _counting(body: Json) -> Json:
    """The same, of a model that counts on and on, whatever it is asked."""
    return {**body, "messages": [*body["messages"], {"role": "user", "content": ON_AND_ON}]}


def _stops(asked: Mapping[str, object]) -> list[str]:
    stop = asked.get("stop")
    return [stop] if isinstance(stop, str) else [str(one) for one in stop] if isinstance(stop, list) else []


def _varied(document: Json, aside: str, asked: Mapping[str, object]) -> Json:
    for choice in choices_of(document):
        message = choice["message"]
        if not isinstance(message.get("content"), str) or not message["content"]:
            continue
        text, reason = aside + message["content"], choice.get("finish_reason")
        limit = asked.get("max_tokens") or asked.get("max_completion_tokens")
        words = text.split(" ")
        if isinstance(limit, int) and len(words) > limit:
            text, reason = " ".join(words[:limit]), "length"
        places = [text.find(stop) for stop in _stops(asked) if stop and stop in text]
        if places:
            text, reason = text[: min(places)], "stop"
        message["content"], choice["finish_reason"] = text, reason
        _counted(document, len(text.split()))
    return document


def _varied_stream(chunks: list[Json], aside: str) -> list[Json]:
    said = next((one for chunk in chunks for one in choices_of(chunk) if one["delta"].get("content")), None)
    ended = [one.get("finish_reason") for chunk in chunks for one in choices_of(chunk)]
    if said is None or "length" in ended:
        return chunks
    said["delta"]["content"] = aside + said["delta"]["content"]
    text = "".join(one["delta"].get("content") or "" for chunk in chunks for one in choices_of(chunk))
    for chunk in chunks:
        _counted(chunk, len(text.split()))
    return chunks


def _counted(document: Json, words: int) -> None:
    usage = document.get("usage")
    if isinstance(usage, dict) and usage.get("completion_tokens"):
        usage["completion_tokens"] = words
        usage["total_tokens"] = usage["prompt_tokens"] + words


def _beside_calls(request: Request, reply: Reply) -> Reply:
    """A sentence stands before the calls of an answer, as Claude's and Qwen's have it."""

    def answer(document: Json) -> Json:
        for choice in choices_of(document):
            if choice["message"].get("tool_calls"):
                choice["message"]["content"] = BESIDE
        return document

    def chunks(given: list[Json]) -> list[Json]:
        first = next((c for c in given if any(o["delta"].get("tool_calls") for o in choices_of(c))), None)
        if first is None:
            return given
        said = json.loads(json.dumps({key: value for key, value in first.items() if key != "usage"}))
        role = choices_of(first)[0]["delta"].pop("role", None)
        delta = {"content": BESIDE, **({"role": role} if role else {})}
        said["choices"] = [{"index": 0, "delta": delta, "finish_reason": None}]
        at = given.index(first)
        return [*given[:at], said, *given[at:]]

    return (edit_events(chunks) if request.streams else edit_json(CHAT, change=answer))(request, reply)


FURTHER_CONTROLS = (
    Control(
        "right-lists-more",
        "the list has images, speech and a wildcard, which nobody judges, and creates all when it is asked",
        after=_listed,
        checks=("API-MODELS-0", "API-SDK-01", "BACKEND-ROUTE-00"),
        declares={"gateway": {"unjudged_models": list(OTHERS)}},
        concerns=("API-MODELS-005", "API-MODELS-008", "API-MODELS-010", "API-MODELS-011", "API-SDK-015"),
    ),
    Control(
        "right-health-in-other-words",
        "liveness is an empty 200, as vLLM's, and readiness says UP, as Spring's",
        after=_health,
        checks=("API-OPS-0", "API-AUTH-01", "API-ACCESS-0"),
        concerns=("API-OPS-001", "API-OPS-002", "API-OPS-003", "API-OPS-004", "API-OPS-010"),
    ),
    Control(
        "right-snapshots",
        "answers name a dated snapshot, as OpenAI's do, and begin with white space, as OpenRouter's do",
        after=snapshots(),
        checks=(*SHAPES, *STREAMS),
        concerns=(*SHAPED, "API-CHAT-006", "API-CHAT-007", "API-EMB-016", "API-STREAM-032"),
    ),
    Control(
        "right-never-twice-the-same",
        "models that say it otherwise each time, declared able to nothing; limits and stop strings are kept",
        after=never_twice(),
        checks=("API-CHAT-00", "API-CHAT-01", "API-SDK-00", *STREAMS),
        declares={"chat": {"abilities": []}},
        concerns=("API-CHAT-010", "API-CHAT-014", "API-CHAT-015", "API-STREAM-080", "API-STREAM-083"),
    ),
    Control(
        "right-talks-on",
        "a base model that never ends by itself, declared able to nothing; limits and stop strings are kept",
        before=asks(_counting, _plain),
        checks=("API-CHAT-001", "API-CHAT-009", "API-CHAT-01", "API-SDK-00", "API-SDK-02", *STREAMS),
        declares={"chat": {"abilities": []}},
        concerns=("API-SDK-006", "API-SDK-007", "API-SDK-008", "API-SDK-025", "API-STREAM-083"),
    ),
    Control(
        "right-words-beside-calls",
        "a sentence stands before the calls of an answer, as Claude's and Qwen's have it",
        after=_beside_calls,
        checks=("API-TOOLS-0", *STREAMS, "API-SDK-01"),
        concerns=(
            *CALLS,
            *("API-TOOLS-001", "API-TOOLS-005", "API-TOOLS-008", "API-TOOLS-014"),
            *("API-STREAM-038", "API-SDK-012"),
        ),
    ),
)
