"""Further right gateways: habits of servers that speak the contract, seen in public."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import replace
from email.utils import formatdate

from lab.controls.habits import choices_of
from lab.controls.model import Control
from lab.controls.refusals import ERRORS, refusals
from lab.controls.streams import CALLS, CHUNKS, FRAMING, STREAMS, framed
from lab.controls.thinking import CHECKS, THINKS, THOUGHTS, thinking
from lab.controls.topology import RATE, RateLimit
from lab.faults.model import After
from lab.message import Json, Reply, Request, edit_events, edit_json

PIECE = 7
"""Bytes of a piece of a stream: most characters beyond ASCII, and most lines, are cut in two."""
LOADING_S = 1.0
CHAT = "/chat/completions"


def _cut_anywhere(request: Request, reply: Reply) -> Reply:
    if not request.streams or reply.status != 200:
        return reply
    body = reply.body
    return replace(reply, chunks=tuple(body[at : at + PIECE] for at in range(0, len(body), PIECE)))


def _content_null(chunks: list[Json]) -> list[Json]:
    """Where a delta says nothing, content is null; OpenAI and vLLM do so beside calls and at the end."""
    for chunk in chunks:
        for choice in choices_of(chunk):
            choice["delta"]["content"] = choice["delta"].get("content") or None
    return chunks


def _finish_with_last_words(chunks: list[Json]) -> list[Json]:
    """The last words bring the reason, and no chunk follows them but the usage's."""
    kept: list[Json] = []
    for chunk in chunks:
        ending = next((one for one in choices_of(chunk) if one.get("finish_reason")), None)
        before = choices_of(kept[-1]) if kept else []
        if ending is None or not before or any(ending["delta"].values()):
            kept.append(chunk)
        else:
            before[0]["finish_reason"] = ending["finish_reason"]
    return kept


def _by_letter(chunks: list[Json]) -> list[Json]:
    """Arguments of a call come letter by letter."""
    found: list[Json] = []
    for chunk in chunks:
        calls = [call for choice in choices_of(chunk) for call in choice["delta"].get("tool_calls") or []]
        if len(calls) != 1 or not calls[0].get("function", {}).get("arguments"):
            found.append(chunk)
            continue
        arguments, base = calls[0]["function"]["arguments"], choices_of(chunk)[0]
        finish, base["finish_reason"] = base.get("finish_reason"), None
        calls[0]["function"]["arguments"] = ""
        found.append(chunk)
        for letter in arguments:
            delta = {"tool_calls": [{"index": calls[0]["index"], "function": {"arguments": letter}}]}
            one = {key: value for key, value in chunk.items() if key != "usage"}
            found.append(
                {**one, "choices": [{"index": base["index"], "delta": delta, "finish_reason": None}]}
            )
        choices_of(found[-1])[0]["finish_reason"] = finish
    return found


def _tags(request: Request, reply: Reply) -> Reply:
    """Thoughts stand in the content, between tags: as a server does that does not tell them apart."""
    thought = "<think>\nThe user wants a text.\n</think>\n\n"

    def unstreamed(document: Json) -> Json:
        limit = request.json.get("max_tokens") or request.json.get("max_completion_tokens")
        longer = _longer(document)
        counted = (longer.get("usage") or {}).get("completion_tokens", 0)
        for choice in choices_of(document):
            if not isinstance(choice["message"].get("content"), str):
                continue
            choice["message"]["content"] = thought + choice["message"]["content"]
            if isinstance(limit, int) and counted > limit:  # thoughts count, and come first
                pieces = re.findall(r"\s*\S+", choice["message"]["content"])
                choice["message"]["content"] = "".join(pieces[:limit])
                choice["finish_reason"] = "length"
        if isinstance(limit, int) and counted > limit:
            usage = longer["usage"]
            usage["completion_tokens"] = limit
            usage["total_tokens"] = usage["prompt_tokens"] + limit
        return longer

    def chunks(given: list[Json]) -> list[Json]:
        first = next(
            (one for chunk in given for one in choices_of(chunk) if one["delta"].get("content")), None
        )
        if first is not None:
            first["delta"]["content"] = thought + first["delta"]["content"]
        return [_longer(chunk) for chunk in given]

    def _longer(document: Json) -> Json:
        usage = document.get("usage")
        if isinstance(usage, dict) and usage.get("completion_tokens"):
            usage["completion_tokens"] += len(thought.split())
            usage["total_tokens"] = usage["prompt_tokens"] + usage["completion_tokens"]
        return document

    changed = edit_events(chunks) if request.streams else edit_json(CHAT, change=unstreamed)
    return changed(request, reply)


def _null_when_spent(request: Request, reply: Reply) -> Reply:
    """As vLLM: where the limit was spent on thoughts, content is null, not empty."""
    answer = thinking("reasoning_content")(request, reply)

    def null(document: Json) -> Json:
        for choice in choices_of(document):
            choice["message"]["content"] = choice["message"].get("content") or None
        return document

    return answer if request.streams else edit_json(CHAT, change=null)(request, answer)


def _by_date() -> Callable[[Request], Request | Reply]:
    limit = RateLimit()

    def before(request: Request) -> Request | Reply:
        answer = limit(request)
        later = formatdate(time.time() + 1, usegmt=True)
        return answer.with_header("retry-after", later) if isinstance(answer, Reply) else answer

    return before


def _detail(request: Request, reply: Reply) -> Reply:
    """FastAPI's ``detail`` beside the envelope."""
    refusal = refusals(lambda error: error)(request, reply)
    document = refusal.json
    if isinstance(document, dict) and isinstance(document.get("error"), dict):
        return refusal.with_json({**document, "detail": str(document["error"].get("message"))})
    return refusal


def _cost(document: Json) -> Json:
    usage = document.get("usage")
    if isinstance(usage, dict):
        usage |= {"cost": 0.00012, "cost_details": {"upstream_inference_cost": None}, "is_byok": False}
    return document


def _loading() -> After:
    """The first answer of each model waits until it is loaded."""
    loaded: set[str] = set()

    def after(request: Request, reply: Reply) -> Reply:
        model = str((request.json or {}).get("model")) if request.method == "POST" else ""
        if reply.status != 200 or not model or model in loaded:
            return reply
        loaded.add(model)
        return replace(reply, delay_s=LOADING_S)

    return after


VARIANT_CONTROLS = (
    Control(
        "right-sse-cr",
        "events end their lines with CR alone",
        after=framed(lambda _, data: f"data: {data}\r\r".encode()),
        checks=STREAMS,
        concerns=FRAMING,
    ),
    Control(
        "right-sse-cut-anywhere",
        "a stream comes in pieces of seven bytes, cut within lines and characters",
        after=_cut_anywhere,
        checks=STREAMS,
        concerns=FRAMING,
    ),
    Control(
        "right-chunks-content-null",
        "content is null where a delta says nothing, beside calls too",
        after=edit_events(_content_null),
        checks=STREAMS,
        concerns=(*CHUNKS, *CALLS),
    ),
    Control(
        "right-chunks-finish-with-words",
        "the last words bring the finish_reason",
        after=edit_events(_finish_with_last_words),
        checks=STREAMS,
        concerns=CHUNKS,
    ),
    Control(
        "right-chunks-arguments-by-letter",
        "the arguments of a call come letter by letter",
        after=edit_events(_by_letter),
        checks=STREAMS,
        concerns=CALLS,
    ),
    Control(
        "right-thinking-tags",
        "models that think, told in the content between tags; declared able to nothing but that",
        after=_tags,
        checks=("API-CHAT-00", "API-SDK-00", *STREAMS),
        concerns=("API-CHAT-050", "API-STREAM-052", "API-STREAM-070", "API-SDK-007", "API-EXPO-009"),
        declares={"chat": {"abilities": ["reasoning"]}},
    ),
    Control(
        "right-thinking-null",
        "models that think; where that spent the limit content is null, as vLLM has it",
        after=_null_when_spent,
        checks=CHECKS,
        concerns=THOUGHTS,
        declares=THINKS,
    ),
    Control(
        "right-rate-limit-date",
        "two requests a second, and 429 with a date as Retry-After beyond; the pace is declared",
        before=_by_date(),
        declares={"policy": {"requests_per_second": RATE, "concurrency": 1}},
    ),
    Control(
        "right-errors-detail",
        "a detail stands beside the error envelope",
        after=_detail,
        checks=ERRORS,
        concerns=("API-ERR-002", "API-ERR-011", "API-ERR-043", "API-SDK-019", "API-SDK-021"),
    ),
    Control(
        "right-usage-cost",
        "usage tells the cost, as OpenRouter's does",
        after=edit_json(CHAT, "/embeddings", change=_cost),
        checks=("API-CHAT-01", "API-EMB-01", "API-SDK-00"),
        concerns=("API-CHAT-012", "API-CHAT-013", "API-EMB-014", "API-SDK-005"),
    ),
    Control(
        "right-slow-loading",
        "the first answer of each model waits until the model is loaded",
        after=_loading(),
        checks=("API-CHAT-00", "API-EMB-00", "API-OPS-00"),
        concerns=("API-OPS-007", "API-OPS-008", "API-MODELS-008"),
    ),
)
