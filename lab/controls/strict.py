"""Right gateways that refuse what OpenAI, or a model's template, refuses, and that tell strangers nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from lab.controls.answers import CHAT
from lab.controls.clouds import refused_argument
from lab.controls.model import Control
from lab.controls.streams import STREAMS
from lab.message import Json, Reply, Request, envelope

MOST_STOPS = 4
HEALTH = "/health"
SYSTEMS = ("system", "developer")


def _combined(document: Json) -> tuple[str, str] | None:
    """Arguments that say something only beside another, and the words of OpenAI's refusal."""
    if document.get("stream_options") is not None and not document.get("stream"):
        return "stream_options", "The 'stream_options' parameter is only allowed when 'stream' is enabled."
    for name in ("parallel_tool_calls", "tool_choice"):
        if document.get(name) is not None and not document.get("tools"):
            return name, f"'{name}' is only allowed when 'tools' are specified."
    if document.get("top_logprobs") is not None and not document.get("logprobs"):
        return "top_logprobs", "The 'logprobs' parameter must be true when 'top_logprobs' is used."
    stops = document.get("stop")
    if isinstance(stops, list) and len(stops) > MOST_STOPS:
        return "stop", f"at most {MOST_STOPS} stop sequences are supported"
    return _formed(document) or _answered_calls(document.get("messages"))


def _formed(document: Json) -> tuple[str, str] | None:
    """JSON mode asks for the word; a strict schema names every property and lets none beside them."""
    form = document.get("response_format")
    if not isinstance(form, dict):
        return None
    if form.get("type") == "json_object" and "json" not in str(document.get("messages")).lower():
        return "messages", "'messages' must contain the word 'json' in some form, to use 'json_object'."
    schema = form.get("json_schema")
    if isinstance(schema, dict) and schema.get("strict") and not _strict(schema.get("schema")):
        return "response_format", "Invalid schema for response_format: additionalProperties must be false"
    return None


def _strict(schema: object) -> bool:
    if not isinstance(schema, dict):
        return True
    if schema.get("type") == "object":
        named = schema.get("properties") or {}
        if schema.get("additionalProperties") is not False or set(schema.get("required", ())) != set(named):
            return False
    inner = [*(schema.get("properties") or {}).values(), schema.get("items")]
    return all(_strict(one) for one in inner)


def _answered_calls(messages: object) -> tuple[str, str] | None:
    """Each call is answered by a message of role tool at once, and nothing else is."""
    waiting: set[object] = set()
    for one in messages if isinstance(messages, list) else ():
        if not isinstance(one, dict):
            continue
        if one.get("role") == "tool":
            if one.get("tool_call_id") not in waiting:
                return "messages", "messages with role 'tool' must be a response to a preceding 'tool_calls'"
            waiting.discard(one["tool_call_id"])
        elif waiting:
            return "messages", "'tool_calls' must be followed by tool messages responding to each of them"
        waiting |= {call.get("id") for call in one.get("tool_calls") or [] if isinstance(call, dict)}
    return None


def combinations(request: Request) -> Request | Reply:
    """A before-hook: what OpenAI refuses of arguments that are right by themselves."""
    if not request.authorised or not request.at(CHAT):
        return request
    wrong = _combined(request.json)
    return request if wrong is None else refused_argument(*wrong, "invalid_value")


def _roles(request: Request) -> Sequence[object]:
    messages = request.json.get("messages")
    listed = messages if isinstance(messages, list) else []
    return [one.get("role") if isinstance(one, Mapping) else None for one in listed]


def turn_by_turn(request: Request) -> Request | Reply:
    """A before-hook: a template that knows two roles alone, in turns, the user first and last (Gemma's)."""
    roles = _roles(request)
    if not request.authorised or not request.at(CHAT) or not roles or request.json.get("tools"):
        return request
    if any(role in SYSTEMS for role in roles):
        return refused_argument("messages", "System role not supported", "unsupported_value")
    known = [role for role in roles if role in ("user", "assistant")]
    turns: list[Any] = [("user", "assistant")[place % 2] for place in range(len(known))]
    if known == list(roles) and (known != turns or known[-1] != "user"):
        message = "Conversation roles must alternate user/assistant/user/assistant/..."
        return refused_argument("messages", message, "invalid_value")
    return request


def closed_to_strangers(request: Request) -> Request | Reply:
    """A before-hook: who has no key is told so at any path and by any method; health alone is open."""
    path = request.path.partition("?")[0]
    if (
        request.authorised
        or path == HEALTH
        or path.startswith(f"{HEALTH}/l")
        or path.startswith(f"{HEALTH}/r")
    ):
        return request
    refused = envelope(401, "you did not provide a key that is known here", "invalid_request_error")
    refused = refused.with_header("www-authenticate", "Bearer")
    return refused if request.method != "HEAD" else replace(refused, chunks=())


STRICT_CONTROLS = (
    Control(
        "right-combinations-refused",
        "arguments that say something only beside another are refused without it, as OpenAI does",
        before=combinations,
        checks=("API-CHAT-0", "API-TOOLS-0", "API-SDK-0", "API-PROP-0", *STREAMS),
        concerns=("API-CHAT-038", "API-CHAT-039", "API-CHAT-041", "API-TOOLS-010", "API-TOOLS-011"),
    ),
    Control(
        "right-turn-by-turn",
        "a model's template knows no system message, and turns that alternate; all else is refused with 400",
        before=turn_by_turn,
        checks=("API-CHAT-0", "API-SDK-0", "API-PROP-0", *STREAMS),
        declares={"chat": {"abilities": ["exact", "count", "recall"]}},
        concerns=("API-CHAT-025", "API-CHAT-029", "API-CHAT-052", "API-CHAT-053", "API-CHAT-060"),
    ),
    Control(
        "right-closed-to-strangers",
        "who has no key is refused at any path, also where there is none; health alone is open",
        before=closed_to_strangers,
        checks=("API-AUTH-0", "API-EXPO-0", "API-ACCESS-0", "API-OPS-01"),
        concerns=(
            *("API-AUTH-011", "API-AUTH-016", "API-AUTH-017"),
            *("API-EXPO-001", "API-EXPO-002", "API-ACCESS-003"),
        ),
    ),
)
