"""API-CHAT-026: who keeps the parts of earlier turns, and not their plain texts, is found."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any, cast

import pytest

from gateway_acceptance.verdict import CheckFailed
from suites.api.chat import test_messages as messages
from suites.api.chat.probes import NAME, ChatProbe

NOBODY = cast(Any, SimpleNamespace())


def answering(text: str, asked: list[ChatProbe], monkeypatch: pytest.MonkeyPatch) -> None:
    """A gateway that recalls what was told in parts, long ago, and says this to what it is asked."""

    def answer(_: object, question: ChatProbe) -> Any:
        asked.append(question)
        document = {"choices": [{"index": 0, "message": {"role": "assistant", "content": text}}]}
        return SimpleNamespace(
            status=200, text=text, body=json.dumps(document).encode(), json=lambda: document
        )

    monkeypatch.setattr(messages, "recalls_early_turn", lambda _: True, raising=False)
    monkeypatch.setattr(messages, "chat_answer", answer)


def test_a_name_that_was_told_in_plain_texts_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[ChatProbe] = []
    answering(f"It is {NAME}.", asked, monkeypatch)
    messages.test_turns(NOBODY, NOBODY)
    (question,) = asked
    assert all(isinstance(message["content"], str) for message in question.messages)
    assert NAME in question.messages[0]["content"]
    assert all(NAME not in message["content"] for message in question.messages[1:])


def test_one_that_is_forgotten_is_told_whatever_is_recalled_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    answering("I do not know your name.", [], monkeypatch)
    with pytest.raises(CheckFailed, match=f"expected {NAME}, said three turns before"):
        messages.test_turns(NOBODY, NOBODY)
