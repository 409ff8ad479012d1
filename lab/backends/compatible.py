"""Ollama's own OpenAI-compatible surface, over its native answers: chat, embeddings and the list of models.

Source: Ollama's openai/openai.go and middleware/openai.go. LiteLLM speaks the native endpoints; other
gateways speak this one.
"""

from __future__ import annotations

import base64
import hashlib
import json
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from lab.backends import answers
from lab.backends.answers import BackendAnswer
from lab.backends.backend import BackendServer
from lab.backends.requests import Body, Refused, expect
from lab.backends.scenario import Call, Json, Scenario

CHAT, EMBEDDINGS, MODELS = "/v1/chat/completions", "/v1/embeddings", "/v1/models"
NATIVE: Mapping[str, str] = {CHAT: "/api/chat", EMBEDDINGS: "/api/embed", MODELS: "/api/tags"}
"""What each compatible endpoint is answered by; a defect of that endpoint shows here as well."""

METHODS: Mapping[str, tuple[str, ...]] = {
    **{path: tuple(route) for path, route in answers.ROUTES.items()},
    CHAT: ("POST",),
    EMBEDDINGS: ("POST",),
    MODELS: ("GET",),
}
DONE = b"data: [DONE]\n\n"
FINGERPRINT = "fp_ollama"
BASE64 = "base64"
_FIELDS: Mapping[str, tuple[type, str]] = {
    **dict.fromkeys(("max_tokens", "max_completion_tokens", "seed"), (int, "int")),
    **dict.fromkeys(("temperature", "top_p", "frequency_penalty", "presence_penalty"), (float, "float64")),
    "stream_options": (dict, "openai.StreamOptions"),
    "response_format": (dict, "openai.ResponseFormat"),
}
"""Of what type a field is that ``lab.backends.requests`` has not looked at: Go refuses any other."""
OPTIONS: Mapping[str, str] = {
    "max_tokens": "num_predict",
    "max_completion_tokens": "num_predict",  # as vLLM and llama.cpp have it; Ollama drops it (its issue 7125)
    "seed": "seed",
}
"""Field -> option of Ollama; of two that are one option the later counts."""
KINDS: Mapping[int, str] = {400: "invalid_request_error", 404: "not_found_error"}


def answer(
    backend: BackendServer, scenario: Scenario, call: Call, method: str, body: Json | Refused
) -> BackendAnswer:
    """The answer to one request at any endpoint."""
    native = NATIVE.get(call.endpoint)
    if native is None:
        return answers.answer(backend, scenario, call, method, body)
    if method not in METHODS[call.endpoint]:
        return BackendAnswer(405, text=answers.NOT_ALLOWED, allow=", ".join(METHODS[call.endpoint]))
    asked: Json | Refused = body
    if call.endpoint in TRANSLATED and not isinstance(body, Refused):
        try:
            asked = TRANSLATED[call.endpoint](body)
        except Refused as refused:
            asked = refused
    given = answers.answer(backend, scenario, replace(call, endpoint=native), method, asked)
    if given.status >= 400:
        return replace(given, objects=tuple(_error(given.status, item) for item in given.objects))
    if call.endpoint == MODELS:
        return replace(given, objects=(_list(given.objects[0]),))
    if call.endpoint == EMBEDDINGS:
        in_base64 = call.body.get("encoding_format") == BASE64
        return replace(given, objects=(_vectors(given.objects[0], in_base64=in_base64),))
    number = f"chatcmpl-{_drawn(f'{call.backend}/{call.index}', 12)}"
    if not given.stream:
        return replace(given, objects=(_completion(number, given.objects[0]),))
    with_usage = bool((call.body.get("stream_options") or {}).get("include_usage"))
    return replace(given, objects=tuple(_chunks(number, given.objects, with_usage)), events=True)


def native_chat(body: Json) -> Body:
    """A chat completion's body as /api/chat takes it. Raises Refused as Ollama does."""
    for name, (kind, go_type) in _FIELDS.items():
        expect(body.get(name), kind, f"ChatCompletionRequest.{name}", go_type)
    if not body.get("messages"):
        raise Refused(400, "[] is too short - 'messages'")
    options: Json = {"temperature": _or(body.get("temperature"), 1.0), "top_p": _or(body.get("top_p"), 1.0)}
    for ours, theirs in OPTIONS.items():
        if body.get(ours) is not None:
            options[theirs] = body[ours]
    stop = body.get("stop")
    if isinstance(stop, str | list):
        options["stop"] = (
            [stop] if isinstance(stop, str) else [text for text in stop if isinstance(text, str)]
        )
    native: Body = {
        "model": body.get("model"),
        "messages": [turn for message in body["messages"] for turn in _turns(message, body["messages"])],
        "options": options,
        "stream": bool(body.get("stream")),
        "tools": body.get("tools"),
    }
    match body.get("response_format"):
        case {"type": "json_object"}:
            native["format"] = "json"
        case {"type": "json_schema", "json_schema": {"schema": schema}}:
            native["format"] = schema
        case None | {"type": _}:
            pass
        case _:
            raise Refused(400, "json: cannot unmarshal value into Go struct field .response_format")
    return native


def native_embed(body: Json) -> Body:
    """A body of embeddings as /api/embed takes it. Raises Refused as Ollama does."""
    wanted, texts = body.get("encoding_format"), body.get("input")
    if wanted not in (None, "", "float", BASE64):
        supported = "Supported values: ['float', 'base64']."
        raise Refused(400, f"Invalid value for 'encoding_format' = {wanted}. {supported}")
    if texts in (None, []):
        raise Refused(400, "invalid input")
    native: Body = {"model": body.get("model"), "input": [""] if texts == "" else texts}
    return native if body.get("dimensions") is None else {**native, "dimensions": body["dimensions"]}


TRANSLATED: Mapping[str, Callable[[Json], Body]] = {CHAT: native_chat, EMBEDDINGS: native_embed}
"""What each endpoint's body is for the native one."""


def _turns(message: object, conversation: list[Json]) -> Iterator[Body]:
    """One message as Ollama's turns: each part of its content becomes one."""
    if not isinstance(message, dict):
        raise Refused(
            400, "json: cannot unmarshal value into Go struct field .messages of type openai.Message"
        )
    role, content = message.get("role"), message.get("content")
    name = message.get("name") or _called(conversation, message.get("tool_call_id"))
    named = {"tool_name": name} if role == "tool" and name else {}
    if isinstance(content, list):
        for part in content:
            text = part.get("text") if isinstance(part, dict) and part.get("type") == "text" else None
            if not isinstance(text, str):
                raise Refused(400, "invalid message format")
            yield {"role": role, "content": text}
    elif isinstance(content, str):
        yield {"role": role, "content": content, **named}
    elif message.get("tool_calls"):
        yield {"role": role, "content": ""}
    else:
        raise Refused(400, f"invalid message content type: {_go_type(content)}")


def _called(conversation: list[Json], call_id: object) -> str:
    """The name of the tool that a call named."""
    for message in reversed(conversation):
        for call in (message.get("tool_calls") or ()) if isinstance(message, dict) else ():
            if call_id is not None and call.get("id") == call_id:
                return str(call["function"]["name"])
    return ""


def _completion(number: str, native: Json) -> Json:
    message, calls = native["message"], _calls(number, native["message"])
    said = {
        "role": message["role"],
        "content": message["content"],
        **({"tool_calls": calls} if calls else {}),
    }
    reason = "tool_calls" if calls else native["done_reason"]
    choice = {"index": 0, "message": said, "finish_reason": reason}
    return {**_head(number, "chat.completion", native), "choices": [choice], "usage": _usage(native)}


def _chunks(number: str, lines: tuple[Json, ...], with_usage: bool) -> Iterator[Json]:
    called = False
    for native in lines:
        calls = _calls(number, native["message"])
        called = called or bool(calls)
        delta = {"role": "assistant", "content": native["message"]["content"]}
        if calls:
            delta["tool_calls"] = calls
        reason = native.get("done_reason")
        choice = {
            "index": 0,
            "delta": delta,
            "finish_reason": "tool_calls" if reason and called else reason,
        }
        head = _head(number, "chat.completion.chunk", native)
        yield {**head, "choices": [choice]}
        if native["done"] and with_usage:
            yield {**head, "choices": [], "usage": _usage(native)}


def _calls(number: str, message: Json) -> list[Json]:
    calls = []
    for call in message.get("tool_calls", ()):
        function = call["function"]
        arguments = json.dumps(function["arguments"], ensure_ascii=False, separators=(",", ":"))
        drawn = _drawn(f"{number}/{function['index']}", 8)
        calls.append(
            {
                "id": f"call_{drawn}",
                "index": function["index"],
                "type": "function",
                "function": {"name": function["name"], "arguments": arguments},
            }
        )
    return calls


def _head(number: str, kind: str, native: Json) -> Json:
    created = int(datetime.fromisoformat(native["created_at"]).timestamp())
    head = {"id": number, "object": kind, "created": created, "model": native["model"]}
    return {**head, "system_fingerprint": FINGERPRINT}


def _usage(native: Json) -> Json:
    prompt, said = native.get("prompt_eval_count", 0), native.get("eval_count", 0)
    return {"prompt_tokens": prompt, "completion_tokens": said, "total_tokens": prompt + said}


def _list(native: Json) -> Json:
    entries = [
        {
            "id": model["name"],
            "object": "model",
            "created": int(datetime.fromisoformat(model["modified_at"]).timestamp()),
            "owned_by": "library",
        }
        for model in native["models"]
    ]
    return {"object": "list", "data": entries}


def _vectors(native: Json, *, in_base64: bool) -> Json:
    """middleware/openai.go, ToEmbeddingList; base64 is of little-endian 32-bit floats."""
    entries = [
        {"object": "embedding", "embedding": _packed(vector) if in_base64 else vector, "index": index}
        for index, vector in enumerate(native["embeddings"])
    ]
    counted = native.get("prompt_eval_count", 0)
    usage = {"prompt_tokens": counted, "total_tokens": counted}
    return {"object": "list", "data": entries, "model": native["model"], "usage": usage}


def _packed(vector: Sequence[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def _error(status: int, native: Json) -> Json:
    kind = KINDS.get(status, "api_error")
    return {"error": {"message": native["error"], "type": kind, "param": None, "code": None}}


def _drawn(seed: str, digits: int) -> str:
    """Hexadecimal digits that are the same for the same seed."""
    return hashlib.sha256(seed.encode()).hexdigest()[:digits]


def _or(value: object, default: float) -> object:
    return default if value is None else value


def _go_type(value: object) -> str:
    kinds = {bool: "bool", int: "float64", float: "float64", dict: "map[string]interface {}"}
    return kinds.get(type(value), "<nil>")
