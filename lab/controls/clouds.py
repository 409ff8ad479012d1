"""Right gateways with habits of hosted services: Azure, OpenRouter, Groq, DeepSeek, OpenAI itself."""

from __future__ import annotations

import gzip
import io
import json
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from lab.controls.answers import CHAT, EMBEDDINGS, SHAPED, SHAPES
from lab.controls.model import Control
from lab.controls.refusals import ERRORS, REFUSED
from lab.controls.streams import CALLS, CHUNKS, FRAMING, STREAMS
from lab.controls.thinking import CHECKS, THINKS, THOUGHTS, WORDS, thinking
from lab.faults.model import After
from lab.message import Json, Reply, Request, edit_events, edit_json, envelope, events_of

SAFE = {kind: {"filtered": False, "severity": "safe"} for kind in ("hate", "self_harm", "sexual", "violence")}
"""What Azure tells of a text that its filters let pass."""
HEADERS = (
    ("openai-processing-ms", "118"),
    ("openai-version", "2020-10-01"),
    ("x-ratelimit-limit-requests", "10000"),
    ("x-ratelimit-remaining-requests", "9999"),
    ("x-ratelimit-reset-requests", "6ms"),
    ("x-ratelimit-remaining-tokens", "149984"),
    ("server-timing", "upstream;dur=112"),
)
KNOWN = frozenset(
    (
        *(
            "model",
            "messages",
            "stream",
            "stream_options",
            "max_tokens",
            "max_completion_tokens",
            "n",
            "stop",
        ),
        *("temperature", "top_p", "seed", "user", "tools", "tool_choice", "parallel_tool_calls", "logprobs"),
        *("top_logprobs", "logit_bias", "presence_penalty", "frequency_penalty", "response_format", "store"),
        *("metadata", "service_tier", "reasoning_effort", "modalities", "prediction", "functions"),
        *(
            "function_call",
            "audio",
            "verbosity",
            "safety_identifier",
            "prompt_cache_key",
            "web_search_options",
        ),
    )
)
"""Arguments of chat that OpenAI's description has."""


def in_both_forms(change: Callable[[Json], Json]) -> After:
    """An after-hook that changes whole answers of chat and every chunk alike."""
    unstreamed = edit_json(CHAT, change=change)
    chunks = edit_events(lambda given: [change(chunk) for chunk in given])

    def after(request: Request, reply: Reply) -> Reply:
        return (chunks if request.streams else unstreamed)(request, reply)

    return after


def _filtered(document: Json) -> Json:
    for choice in document.get("choices") or []:
        choice["content_filter_results"] = SAFE if (choice.get("delta") or choice.get("message")) else {}
        if "message" in choice:
            document["prompt_filter_results"] = [{"prompt_index": 0, "content_filter_results": SAFE}]
    return document


def _timed(document: Json) -> Json:
    usage = document.get("usage")
    if isinstance(usage, dict):
        usage |= {"queue_time": 0.018, "prompt_time": 0.0021, "completion_time": 0.034, "total_time": 0.0361}
        document["x_groq"] = {"id": "req_01jbd6g2qdfw2adyrt2az8hz4w"}
    return document


def _hit(document: Json) -> Json:
    """DeepSeek's own words for a cached prompt, beside OpenAI's; the count of the prompt is whole."""
    usage = document.get("usage")
    if isinstance(usage, dict) and isinstance(usage.get("prompt_tokens"), int):
        held = usage["prompt_tokens"] // 2
        usage |= {"prompt_cache_hit_tokens": held, "prompt_cache_miss_tokens": usage["prompt_tokens"] - held}
        usage["prompt_tokens_details"] = {"cached_tokens": held}
    return document


def _of_openrouter(document: Json) -> Json:
    for choice in document.get("choices") or []:
        choice |= {"native_finish_reason": choice.get("finish_reason"), "logprobs": choice.get("logprobs")}
    return {**document, "provider": "Together"}


def _details(request: Request, reply: Reply) -> Reply:
    """Thoughts in ``reasoning``, and once more in ``reasoning_details``."""

    def change(document: Json) -> Json:
        for choice in document.get("choices") or []:
            part = choice.get("message") or choice.get("delta") or {}
            if part.get("reasoning"):
                detail = {
                    "type": "reasoning.text",
                    "text": part["reasoning"],
                    "format": "unknown",
                    "index": 0,
                }
                part["reasoning_details"] = [detail]
        return document

    return in_both_forms(change)(request, thinking("reasoning")(request, reply))


def _untold(request: Request, reply: Reply) -> Reply:
    """As OpenAI's own models that think: the thoughts are counted, and told nowhere."""

    def without(document: Json) -> Json:
        for choice in document.get("choices") or []:
            (choice.get("message") or choice.get("delta") or {}).pop("reasoning", None)
        return document

    thoughtful = thinking("reasoning")(request, reply)
    if not request.streams:
        return edit_json(CHAT, change=without)(request, thoughtful)

    def chunks(given: list[Json]) -> list[Json]:
        opening, rest = given[:1], given[len(WORDS) :]
        return [without(chunk) for chunk in (*opening, *rest)]

    return edit_events(chunks)(request, thoughtful)


def _with_headers(_: Request, reply: Reply) -> Reply:
    for name, value in (*HEADERS, ("x-request-id", f"req_{uuid.uuid4().hex}")):
        reply = reply.with_header(name, value)
    return reply


def _escaped(request: Request, reply: Reply) -> Reply:
    """What is not ASCII, and every slash, is escaped: as PHP and some Java servers write JSON."""

    def written(value: Any) -> str:
        return json.dumps(value).replace("/", "\\/")

    if request.streams and reply.status == 200:
        events = [event if event == "[DONE]" else written(json.loads(event)) for event in events_of(reply)]
        return replace(reply, chunks=tuple(f"data: {event}\n\n".encode() for event in events))
    document = reply.json
    if reply.status != 200 or not isinstance(document, dict) or not request.at(CHAT, EMBEDDINGS, "/models"):
        return reply
    return replace(reply, chunks=(written(document).encode(),))


def _packed_streams(request: Request, reply: Reply) -> Reply:
    """Streams are compressed where the client takes that, and flushed with every event."""
    if not request.streams or reply.status != 200 or "gzip" not in request.header("accept-encoding"):
        return reply
    packer = _Packer()
    chunks = tuple(packer.packed(chunk) for chunk in reply.chunks)
    packed = replace(reply, chunks=(*chunks, packer.end()))
    return packed.with_header("content-encoding", "gzip").with_header("vary", "accept-encoding")


class _Packer:
    def __init__(self) -> None:
        self._out = io.BytesIO()
        self._file = gzip.GzipFile(fileobj=self._out, mode="wb")

    def _taken(self) -> bytes:
        made = self._out.getvalue()
        self._out.seek(0)
        self._out.truncate()
        return made

    def packed(self, chunk: bytes) -> bytes:
        self._file.write(chunk)
        self._file.flush()
        return self._taken()

    def end(self) -> bytes:
        self._file.close()
        return self._taken()


def refused_argument(name: str, message: str, code: str) -> Reply:
    """400 for an argument of a request, in OpenAI's form."""
    reply = envelope(400, message, "invalid_request_error")
    return reply.with_json({"error": {**reply.json["error"], "param": name, "code": code}})


def _strict(request: Request) -> Request | Reply:
    """OpenAI's own refusal of an argument that it does not know."""
    if not request.authorised or request.method != "POST" or not request.at(CHAT):
        return request
    strange = next((name for name in request.json if name not in KNOWN), None)
    if strange is None:
        return request
    return refused_argument(
        strange, f"Unrecognized request argument supplied: {strange}", "unknown_parameter"
    )


def _no_developer(request: Request) -> Request | Reply:
    """As servers whose chat templates know no such role."""
    messages = request.json.get("messages")
    roles = (
        [one.get("role") for one in messages if isinstance(one, dict)] if isinstance(messages, list) else []
    )
    if not request.authorised or not request.at(CHAT) or "developer" not in roles:
        return request
    return refused_argument(
        "messages", "the role developer is not supported by this model", "unsupported_value"
    )


CLOUD_CONTROLS = (
    Control(
        "right-azure-filters",
        "answers and chunks tell what content filters found, as Azure's do",
        after=in_both_forms(_filtered),
        checks=(*SHAPES, *STREAMS),
        concerns=(*SHAPED, *CHUNKS),
    ),
    Control(
        "right-groq-times",
        "usage tells times as fractions of a second, as Groq's does",
        after=in_both_forms(_timed),
        checks=(*SHAPES, *STREAMS),
        concerns=(*SHAPED, *CHUNKS, "API-CHAT-012", "API-CHAT-013"),
    ),
    Control(
        "right-deepseek-caching",
        "half of each prompt is told as cached, in DeepSeek's words and in OpenAI's",
        after=in_both_forms(_hit),
        checks=(*SHAPES, *STREAMS),
        concerns=(
            "API-CHAT-012",
            "API-CHAT-013",
            "API-CHAT-052",
            "API-CHAT-053",
            "API-STREAM-081",
            "API-SDK-005",
        ),
    ),
    Control(
        "right-openrouter-provider",
        "answers tell who provided them and the reason in that one's words, as OpenRouter's do",
        after=in_both_forms(_of_openrouter),
        checks=(*SHAPES, *STREAMS),
        concerns=(*SHAPED, *CHUNKS),
    ),
    Control(
        "right-thinking-openrouter",
        "models think first, told in reasoning and in reasoning_details",
        after=_details,
        checks=CHECKS,
        declares=THINKS,
        concerns=THOUGHTS,
    ),
    Control(
        "right-thinking-untold",
        "models think first, and only usage says so: as OpenAI's own do",
        after=_untold,
        checks=CHECKS,
        declares=THINKS,
        concerns=THOUGHTS,
    ),
    Control(
        "right-openai-headers",
        "every answer tells limits, times and versions in headers, as OpenAI's do",
        after=_with_headers,
        checks=("API-EXPO-0", "API-OPS-0", "API-AUTH-01"),
        concerns=("API-EXPO-011", "API-EXPO-012", "API-OPS-014", "API-AUTH-013"),
    ),
    Control(
        "right-json-escaped",
        "JSON is ASCII alone: other characters are escaped, slashes too",
        after=_escaped,
        checks=(*SHAPES, *STREAMS, "API-CHAT-03", "API-EMB-0"),
        concerns=("API-CHAT-030", "API-CHAT-031", "API-CHAT-032", *CHUNKS, *CALLS),
    ),
    Control(
        "right-gzip-streams",
        "streams are compressed for clients that take gzip, and flushed with every event",
        after=_packed_streams,
        checks=STREAMS,
        concerns=FRAMING,
    ),
    Control(
        "right-unknown-argument-refused",
        "an argument of chat that nobody knows is refused with 400, as OpenAI does",
        before=_strict,
        checks=(*ERRORS, "API-CHAT-0", "API-SDK-0", "API-PROP-0"),
        concerns=(*REFUSED, "API-CHAT-040", "API-PROP-004"),
    ),
    Control(
        "right-developer-refused",
        "the role developer is refused with 400 where a model knows none",
        before=_no_developer,
        checks=("API-CHAT-02", "API-CHAT-05", "API-SDK-0", "API-PROP-0"),
        concerns=("API-CHAT-025", "API-CHAT-027"),
    ),
)
