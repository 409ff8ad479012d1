"""Ollama's own protocol. Source of the paths: Ollama's API description."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from gateway_acceptance.verdict import CheckFailed
from gateway_acceptance.wire.backends.client import OK, BackendClient, Offer, full_name, tokens_of
from gateway_acceptance.wire.backends.direct import (
    DirectAnswer,
    DirectChat,
    Json,
    function_of,
    plain_message,
)
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.sender import tokens_needed
from gateway_acceptance.wire.vectors import ollama_vectors

NS = 1_000_000_000
VERSION, TAGS, RUNNING, SHOW = "/api/version", "/api/tags", "/api/ps", "/api/show"
CHAT, GENERATE, EMBED = "/api/chat", "/api/generate", "/api/embed"


class OllamaClient(BackendClient):
    """A client of an Ollama server."""

    offers = frozenset(Offer)
    server = "Ollama"

    def alive(self) -> Exchange:
        """``GET /api/version``."""
        return self.get(VERSION)

    def version(self) -> str:
        """``GET /api/version``."""
        answer = self._kept(f"{self.backend.name}{VERSION}", self.alive)
        version = self._member(answer, "version")
        if not isinstance(version, str) or not version:
            raise CheckFailed(f"{answer.url}: expected a version string, got {version!r}", blame="backend")
        return version

    def root(self) -> Exchange:
        """``GET /``."""
        return self.get("/")

    def models(self) -> dict[str, str]:
        """``GET /api/tags``: digest by full name (``phi3:latest``)."""
        answer = self._kept(f"{self.backend.name}{TAGS}", lambda: self.get(TAGS))
        entries = self._entries(answer, "models")
        return {full_name(str(entry.get("name"))): str(entry.get("digest", "")) for entry in entries}

    def name_of(self, model: str) -> str:
        """Its full name."""
        return full_name(model)

    def fix_of_missing(self, model: str) -> str:
        """The command that fetches it."""
        return f"ollama pull {model}"

    def loaded(self) -> set[str]:
        """``GET /api/ps``."""
        return {full_name(str(entry.get("name"))) for entry in self._entries(self.get(RUNNING), "models")}

    def capabilities(self, model: str) -> list[str] | None:
        """``POST /api/show``. None where it says none (before 0.6.4)."""
        found = self._member(self._send("POST", SHOW, {"model": model}), "capabilities")
        return [str(word) for word in found] if isinstance(found, list) else None

    def load(self, model: str) -> Exchange:
        """``POST /api/generate`` without a prompt."""
        return self._send("POST", GENERATE, {"model": model, "stream": False})

    def idle_mark(self, model: str) -> str | None:
        """``expires_at`` of ``GET /api/ps`` (server/sched.go)."""
        answer = self.get(RUNNING)
        running = self._entries(answer, "models") if answer.status == OK else []
        for entry in running:
            if full_name(str(entry.get("name"))) == full_name(model):
                return str(entry.get("expires_at"))
        return None

    def warm_s(self, answer: Exchange) -> float:
        """Without ``load_duration`` (nanoseconds); all of it where none is told, or an impossible one."""
        body = answer.json()
        loading = body.get("load_duration") if isinstance(body, dict) else None
        if type(loading) is not int or not 0 <= loading <= answer.elapsed_s * NS:
            return answer.elapsed_s
        return answer.elapsed_s - loading / NS

    def embedding(self, model: str, texts: str | Sequence[str]) -> Exchange:
        """``POST /api/embed``."""
        length = texts if isinstance(texts, str) else json.dumps(list(texts))
        return self._send("POST", EMBED, {"model": model, "input": texts}, tokens_needed(length, 0))

    def vectors(self, answer: Exchange) -> list[list[float]] | None:
        """Of ``/api/embed``."""
        return ollama_vectors(answer.json())

    def chat(self, model: str, prompt: str, *, max_tokens: int) -> Exchange:
        """As of ``BackendClient``; the prompt alone is counted, as its tokens are few."""
        question = DirectChat([{"role": "user", "content": prompt}], max_tokens)
        return self._send("POST", CHAT, _body(model, question), tokens_needed(prompt, max_tokens))

    def converse(self, model: str, question: DirectChat) -> Exchange:
        """``POST /api/chat``."""
        body = _body(model, question)
        return self._send("POST", CHAT, body, tokens_of(body, question.max_tokens))

    def read(self, answer: Exchange) -> DirectAnswer:
        """Of ``/api/chat``."""
        document = answer.json() if answer.status == OK else None
        message = document.get("message") if isinstance(document, dict) else None
        if not isinstance(document, dict) or not isinstance(message, dict):
            return DirectAnswer()
        content, calls, counted = (
            message.get("content"),
            message.get("tool_calls"),
            document.get("prompt_eval_count"),
        )
        functions = [function_of(call) for call in calls] if isinstance(calls, list) else []
        called = [(str(one.get("name")), one.get("arguments") or {}) for one in functions]
        text = content if isinstance(content, str) else None
        return DirectAnswer(text, called, counted if isinstance(counted, int) else None)

    def times_of_text(self, answer: Exchange) -> tuple[float, ...]:
        """When each line arrived that brings text or a thought."""
        times, rest = [], b""
        for at, data in answer.chunks:
            *lines, rest = (rest + data).split(b"\n")
            times += [at for line in lines if _brings_text(line)]
        return tuple(times)


def _body(model: str, question: DirectChat) -> dict[str, Any]:
    """``/api/chat``'s own form of a question."""
    body: dict[str, Any] = {
        "model": model,
        "messages": [_message(message, question.messages) for message in question.messages],
        "stream": question.stream,
        "options": {**question.sampling, "num_predict": question.max_tokens},
    }
    if question.tools:
        body["tools"] = list(question.tools)
    if question.form is not None:
        body["format"] = question.form
    return body


def _message(message: Json, conversation: Sequence[Json]) -> Json:
    """Ollama has parsed arguments, and the tool's name instead of the call's id."""
    if message["role"] == "tool":
        name = _called(conversation, message.get("tool_call_id"))
        return {"role": "tool", "tool_name": name, "content": message["content"]}
    if "tool_calls" not in message:
        return plain_message(message)
    calls = [
        {"function": {**call["function"], "arguments": json.loads(call["function"]["arguments"])}}
        for call in message["tool_calls"]
    ]
    return {"role": "assistant", "content": "", "tool_calls": calls}


def _called(conversation: Sequence[Json], call_id: object) -> str:
    """The tool that a call of the conversation names."""
    calls = [call for message in conversation for call in message.get("tool_calls", ())]
    return next((str(call["function"]["name"]) for call in calls if call["id"] == call_id), "")


def _brings_text(line: bytes) -> bool:
    try:
        message = json.loads(line)["message"]
        return bool(message.get("content") or message.get("thinking"))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return False
