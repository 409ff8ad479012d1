"""One answer of a language model, with its limits kept and its tokens counted."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lab.backends import tokens
from lab.backends.replies import chatter, reply
from lab.backends.requests import Prompt
from lab.backends.tool_calls import ScriptedCall
from lab.backends.window import fit


@dataclass(frozen=True, slots=True)
class Generation:
    """What was generated: a text or tool calls. ``done_reason`` is ``stop`` or ``length``."""

    text: str
    tool_calls: tuple[ScriptedCall, ...]
    done_reason: str
    prompt_tokens: int
    eval_tokens: int


def generate(
    model: str,
    prompt: Prompt,
    window: int,
    rewrite: Callable[[str], str] = lambda text: text,
    *,
    obeys: bool = True,
) -> Generation:
    """Answer a prompt within ``window`` tokens of context.

    ``rewrite`` changes what the model wants to say before the limits apply (a fault's way in). Raises
    ValueError where the wanted format has no finite instance.
    """
    seen, prompt_tokens = fit(prompt.messages, window)
    if prompt.tools:
        prompt_tokens = min(window, prompt_tokens + tokens.count(json.dumps(prompt.tools)))
    text, calls = reply(model, prompt, seen) if obeys else (chatter(model, prompt, seen), ())
    if calls:
        spoken = json.dumps([[call.name, call.arguments] for call in calls], ensure_ascii=False)
        return Generation("", calls, "stop", prompt_tokens, tokens.count(spoken))
    text, reason = limited(rewrite(text), prompt.options.num_predict, prompt.options.stop)
    return Generation(text, (), reason, prompt_tokens, max(1, tokens.count(text)))


def limited(text: str, num_predict: int, stop: Sequence[str]) -> tuple[str, str]:
    """The text up to its limits, and Ollama's done_reason.

    The first ``num_predict`` tokens (no limit below 1); a text of just as many ends with ``length`` too: the
    end mark would be one token more. Then everything before the first of the ``stop`` strings, wherever
    tokens begin and end.
    """
    reason = "stop"
    if 0 < num_predict <= tokens.count(text):
        text, reason = tokens.first(text, num_predict), "length"
    ends = [at for mark in stop if mark and (at := text.find(mark)) >= 0]
    return (text[: min(ends)], "stop") if ends else (text, reason)
