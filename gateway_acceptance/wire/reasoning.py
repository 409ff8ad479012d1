"""Answers of models that think first: what they thought, and whether their limit was spent on it.

No contract of OpenAI names the field; gateways call it ``reasoning_content`` (DeepSeek, LiteLLM) or
``reasoning`` (Ollama, OpenRouter), and count it in ``usage.completion_tokens_details.reasoning_tokens``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.stream import ChatStream, read_chat_stream

FIELDS = ("reasoning_content", "reasoning")
DECLARE = 'add "reasoning" to the abilities of the model: its limits then leave room for an answer'

OK = 200


def reasoning_in(message: object) -> str:
    """What a message, or a delta, tells of the model's thoughts; empty where it tells nothing."""
    values = [message.get(name) for name in FIELDS] if isinstance(message, Mapping) else []
    return next((text for text in values if isinstance(text, str) and text), "")


def reasoning_tokens(usage: object) -> int:
    """The tokens of it by the usage; 0 where nothing is told."""
    details = usage.get("completion_tokens_details") if isinstance(usage, Mapping) else None
    tokens = details.get("reasoning_tokens") if isinstance(details, Mapping) else None
    return tokens if isinstance(tokens, int) and not isinstance(tokens, bool) else 0


def spent_on_reasoning(text: object, finish: object, messages: Iterable[object], usage: object) -> str:
    """That a limit was spent before anything was said, as a sentence; empty where it was not, or nothing
    shows that the model thinks: then an empty answer is an empty answer.

    text, finish: of the choice; messages: it, or its deltas; usage: of the answer.
    """
    if text or finish != "length":
        return ""
    thought = "".join(reasoning_in(message) for message in messages)
    tokens = reasoning_tokens(usage)
    if not (thought or tokens):
        return ""
    shown = f"{tokens} tokens of reasoning" if tokens else f"the reasoning {thought[:60]!r}"
    spent = "the model spent its limit before it answered"
    return f"{spent}: finish_reason is length after {shown}, content is empty"


def spent_by(exchange: Exchange) -> str:
    """As ``spent_on_reasoning``, of the first choice of a chat completion, whole or streamed; empty where the
    exchange is none."""
    if exchange.status != OK:
        return ""
    if (exchange.header("content-type") or "").startswith("text/event-stream"):
        return spent_in(read_chat_stream(exchange.status, exchange.headers, exchange.chunks))
    try:
        body: Any = exchange.json()
        choice = body["choices"][0]
        message = choice["message"]
        content, finish, usage = message.get("content"), choice.get("finish_reason"), body.get("usage")
    except (AssertionError, KeyError, IndexError, TypeError, AttributeError):
        return ""
    return spent_on_reasoning(content, finish, [message], usage)


def spent_in(stream: ChatStream) -> str:
    """As ``spent_on_reasoning``, of a stream's first choice."""
    given = (chunk.get("choices") for chunk in stream.chunks)
    choices = [choice for some in given if isinstance(some, list) for choice in some]
    deltas = [choice.get("delta") for choice in choices if isinstance(choice, dict)]
    return spent_on_reasoning(stream.text(), stream.finish_reasons.get(0), deltas, stream.usage)
