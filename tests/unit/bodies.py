"""Bodies for tests: what is documented, what two versions of LiteLLM answer, and how to change one."""

from __future__ import annotations

import copy
from typing import Any

NO_DETAILS = {"completion_tokens_details": None, "prompt_tokens_details": None}
CHAT: dict[str, Any] = {
    "id": "chatcmpl-1",
    "created": 1795387583,
    "model": "hx-chat",
    "object": "chat.completion",
    "choices": [{"finish_reason": "stop", "index": 0, "message": {"content": "HX-OK", "role": "assistant"}}],
    "usage": {"completion_tokens": 2, "prompt_tokens": 3, "total_tokens": 5},
}
CHAT_OLD: dict[str, Any] = {
    **CHAT,
    "model": "ollama_chat/llama3.2:3b",
    "system_fingerprint": None,
    "choices": [
        {
            "finish_reason": "stop",
            "index": 0,
            "message": {"content": "HX-OK", "role": "assistant", "tool_calls": None, "function_call": None},
        }
    ],
    "usage": {**CHAT["usage"], **NO_DETAILS},
}
CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
TOKEN = {"token": "HX", "logprob": -0.1, "bytes": [72, 88], "top_logprobs": []}
CHAT_FULL: dict[str, Any] = {
    **CHAT,
    "system_fingerprint": "fp_1",
    "service_tier": "default",
    "choices": [
        {
            "index": 0,
            "finish_reason": "tool_calls",
            "logprobs": {"content": [TOKEN], "refusal": None},
            "message": {"role": "assistant", "content": None, "refusal": None, "tool_calls": [CALL]},
        }
    ],
    "usage": {
        **CHAT["usage"],
        "prompt_tokens_details": {"cached_tokens": 0},
        "completion_tokens_details": {},
    },
}
EMBEDDINGS: dict[str, Any] = {
    "model": "ollama/all-minilm",
    "data": [
        {"object": "embedding", "index": 0, "embedding": [0.1, 0.2]},
        {"object": "embedding", "index": 1, "embedding": [0.2, 0.1]},
    ],
    "object": "list",
    "usage": {"completion_tokens": 0, "prompt_tokens": 3, "total_tokens": 3, **NO_DETAILS},
}
MODEL = {"id": "hx-chat", "object": "model", "created": 1677610602, "owned_by": "openai"}
MODELS: dict[str, Any] = {"data": [MODEL], "object": "list"}
ERROR = {"error": {"message": "No connected db.", "type": "no_db_connection", "param": None, "code": "400"}}
ERROR_AUTH = {
    "error": {"message": "No api key passed in.", "type": "auth_error", "param": "None", "code": "401"}
}
COMPLETION: dict[str, Any] = {
    "id": "cmpl-1",
    "object": "text_completion",
    "created": 1795387583,
    "model": "hx-chat",
    "choices": [{"text": "HX-OK", "index": 0, "logprobs": None, "finish_reason": "length"}],
    "usage": CHAT["usage"],
}
CHUNK: dict[str, Any] = {
    "id": "4925c3f6",
    "created": 1795387582,
    "model": "llama3.2:3b",
    "object": "chat.completion.chunk",
    "choices": [{"index": 0, "delta": {"content": "HX-OK", "role": "assistant"}}],
}
CHUNK_FULL: dict[str, Any] = {
    **CHUNK,
    "choices": [
        {"index": 0, "finish_reason": None, "logprobs": None, "delta": {"tool_calls": [{"index": 0, **CALL}]}}
    ],
    "usage": None,
}


def changed(body: object, pointer: str, value: object) -> Any:
    """A copy with the value at a JSON pointer replaced; ``...`` removes it."""
    body = copy.deepcopy(body)
    *path, last = [int(token) if token.isdigit() else token for token in pointer.split("/")[1:]]
    node: Any = body
    for token in path:
        node = node[token]
    if value is ...:
        del node[last]
    else:
        node[last] = value
    return body
