"""OpenAI's protocol, as vLLM, llama.cpp, TGI and others speak it. Source of the paths: OpenAI's published API
description; what is asked is what all of them have."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from gateway_acceptance.wire.backends.client import OK, BackendClient, tokens_of
from gateway_acceptance.wire.backends.direct import (
    JSON_MODE,
    DirectAnswer,
    DirectChat,
    function_of,
    parsed_arguments,
    plain_message,
)
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.sender import tokens_needed
from gateway_acceptance.wire.sse import parse_sse
from gateway_acceptance.wire.stream_choice import brings_text
from gateway_acceptance.wire.vectors import openai_vectors

LATEST = ":latest"
MODELS, CHAT, EMBEDDINGS = "/v1/models", "/v1/chat/completions", "/v1/embeddings"


class OpenAIClient(BackendClient):
    """A client of an OpenAI-compatible server. It offers nothing beyond what every backend can be asked."""

    server = "OpenAI-compatible server"

    def alive(self) -> Exchange:
        """``GET /v1/models``."""
        return self.get(MODELS)

    def models(self) -> dict[str, str]:
        """``GET /v1/models``: every id, without a digest. Ollama lists ``phi3:latest`` here as well, and
        serves it as ``phi3``: both are held."""
        answer = self._kept(f"{self.backend.name}{MODELS}", self.alive)
        listed = [str(entry.get("id")) for entry in self._entries(answer, "data")]
        return dict.fromkeys([*listed, *(name.removesuffix(LATEST) for name in listed)], "")

    def name_of(self, model: str) -> str:
        """The id, which is the name itself."""
        return model

    def fix_of_missing(self, model: str) -> str:
        """It serves what it was started with."""
        return f"serve {model} there, or correct models.upstream"

    def embedding(self, model: str, texts: str | Sequence[str]) -> Exchange:
        """``POST /v1/embeddings``."""
        length = texts if isinstance(texts, str) else json.dumps(list(texts))
        return self._send("POST", EMBEDDINGS, {"model": model, "input": texts}, tokens_needed(length, 0))

    def vectors(self, answer: Exchange) -> list[list[float]] | None:
        """Of ``/v1/embeddings``."""
        return openai_vectors(answer.json())

    def converse(self, model: str, question: DirectChat) -> Exchange:
        """``POST /v1/chat/completions``. The limit is ``max_tokens``, which older servers know alone."""
        body = _body(model, question)
        return self._send("POST", CHAT, body, tokens_of(body, question.max_tokens))

    def read(self, answer: Exchange) -> DirectAnswer:
        """The first choice of a completion."""
        document = answer.json() if answer.status == OK else None
        choices = document.get("choices") if isinstance(document, dict) else None
        choice = choices[0] if isinstance(choices, list) and choices else None
        message = choice.get("message") if isinstance(choice, dict) else None
        if not isinstance(document, dict) or not isinstance(message, dict):
            return DirectAnswer()
        content, calls, usage = message.get("content"), message.get("tool_calls"), document.get("usage")
        functions = [function_of(call) for call in calls] if isinstance(calls, list) else []
        called = [(str(one.get("name")), parsed_arguments(one.get("arguments"))) for one in functions]
        counted = usage.get("prompt_tokens") if isinstance(usage, dict) else None
        text = content if isinstance(content, str) else "" if "content" in message or called else None
        return DirectAnswer(text, called, counted if isinstance(counted, int) else None)

    def times_of_text(self, answer: Exchange) -> tuple[float, ...]:
        """When each event arrived that brings text or a thought."""
        return tuple(event.at for event in parse_sse(answer.chunks).events if brings_text(event.data))


def _body(model: str, question: DirectChat) -> dict[str, Any]:
    body: dict[str, Any] = {
        "model": model,
        "messages": [plain_message(message) for message in question.messages],
        "stream": question.stream,
        **question.sampling,
        "max_tokens": question.max_tokens,
    }
    if question.tools:
        body["tools"] = list(question.tools)
    if question.form == JSON_MODE:
        body["response_format"] = {"type": "json_object"}
    elif question.form is not None:
        schema = {"name": "answer", "schema": question.form}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    return body
