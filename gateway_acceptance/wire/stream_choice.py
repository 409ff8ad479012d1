"""What one choice of a chat completion stream says, delta by delta: role, content, finish and tool calls."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from gateway_acceptance.wire import stream_rules as rules
from gateway_acceptance.wire.rule import Rule, is_index, quoted
from gateway_acceptance.wire.strict_json import parse_json_text

Report = Callable[[Rule, str, str], None]
"""Takes rule, message and place of a violation."""

TEXT_KEYS = ("content", "refusal", "reasoning_content", "reasoning")
"""Where a delta carries generated text; the last two are not of the specification, but gateways send them."""

CALLS_EXCUSED = frozenset({"tool_calls", "length", "content_filter"})
"""How a choice that called a tool may finish: as called, or cut short."""


@dataclass(slots=True)
class ToolCall:
    """One tool call, joined from its deltas."""

    index: int
    id: str = ""
    name: str = ""
    arguments: str = ""


@dataclass(slots=True)
class Choice:
    """The state of one choice. ``take`` reads the next delta, ``end`` judges the whole."""

    index: int
    replacement_expected: bool = False
    role: str | None = None
    finish_reason: str | None = None
    deltas: int = 0
    parts: list[str] = field(default_factory=list)
    calls: list[ToolCall] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The joined content."""
        return "".join(self.parts)

    def take(self, choice: dict[str, Any], where: str, report: Report) -> bool:
        """Read one element of ``choices``. True where it brings something generated."""
        delta = choice.get("delta")
        if not isinstance(delta, dict):
            report(rules.DELTA_OBJECT, f"delta is {quoted(delta)}", f"{where}/delta")
            delta = {}
        brings = brings_output(delta)
        if brings and self.finish_reason is not None:
            report(
                rules.FINISH_AFTER,
                f"after finish_reason {quoted(self.finish_reason)} came {quoted(delta)}",
                where,
            )
        self._role(delta, f"{where}/delta/role", report)
        self._content(delta.get("content"), f"{where}/delta/content", report)
        self._tool_calls(delta.get("tool_calls"), f"{where}/delta/tool_calls", report)
        self._finish(choice, f"{where}/finish_reason", report)
        self.deltas += 1
        return brings

    def end(self, report: Report) -> None:
        """The stream is over, and nobody said it failed."""
        where = f"choice {self.index}"
        reason = self.finish_reason
        if self.role is None:
            report(rules.ROLE_MISSING, f"none of {self.deltas} deltas has a role", where)
        if reason is None:
            report(rules.FINISH_MISSING, f"none of {self.deltas} deltas has a finish_reason", where)
        elif reason == "tool_calls" and not self.calls:
            report(rules.FINISH_NO_CALL, "finish_reason is tool_calls, and no tool call came", where)
        elif self.calls and reason not in CALLS_EXCUSED:
            report(
                rules.FINISH_CALL_UNSAID, f"a tool was called, and finish_reason is {quoted(reason)}", where
            )
        if reason not in (None, "length", "content_filter"):
            for call in self.calls:
                self._complete_arguments(call, where, report)

    def _role(self, delta: dict[str, Any], where: str, report: Report) -> None:
        role = delta.get("role")
        if role is None:
            if self.deltas == 0:
                report(rules.ROLE_FIRST, "the first delta has no role", where)
            return
        if role != "assistant":
            report(rules.ROLE_VALUE, f'expected "assistant", got {quoted(role)}', where)
        if self.role is not None:
            changed = role != self.role
            rule = rules.ROLE_CHANGED if changed else rules.ROLE_REPEATED
            report(
                rule,
                f"role was {quoted(self.role)}, and is {quoted(role)}{'' if changed else ' again'}",
                where,
            )
        self.role = self.role or (role if isinstance(role, str) else quoted(role))

    def _content(self, content: object, where: str, report: Report) -> None:
        if isinstance(content, str):
            self.parts.append(content)
            self._complete_characters(content, where, report)
        elif content is not None:
            report(rules.CONTENT, f"expected a string or null, got {quoted(content)}", where)

    def _complete_characters(self, text: str, where: str, report: Report) -> None:
        if "\ufffd" in text and not self.replacement_expected:
            report(rules.TEXT_REPLACEMENT, f"U+FFFD in {quoted(text)}", where)

    def _finish(self, choice: dict[str, Any], where: str, report: Report) -> None:
        reason = choice.get("finish_reason")
        if "finish_reason" not in choice:
            report(rules.FINISH_ABSENT, "finish_reason is absent, expected null", where)
        if reason is None:
            return
        if reason == "":
            report(rules.FINISH_EMPTY, "finish_reason is an empty string, expected null or a reason", where)
            return
        if not isinstance(reason, str) or reason not in rules.FINISH_REASONS:
            allowed = ", ".join(sorted(rules.FINISH_REASONS))
            report(rules.FINISH_ENUM, f"finish_reason is {quoted(reason)}, expected one of {allowed}", where)
        if self.finish_reason is not None:
            report(
                rules.FINISH_REPEATED,
                f"finished with {quoted(self.finish_reason)}, and again with {quoted(reason)}",
                where,
            )
            return
        self.finish_reason = reason if isinstance(reason, str) else quoted(reason)

    def _tool_calls(self, calls: object, where: str, report: Report) -> None:
        if calls is None:
            return
        if not isinstance(calls, list):
            report(rules.TOOL_SHAPE, f"tool_calls is {quoted(calls)}, expected an array", where)
            return
        for position, call in enumerate(calls):
            place = f"{where}/{position}"
            if isinstance(call, dict):
                self._tool_call(call, place, report)
            else:
                report(rules.TOOL_SHAPE, f"a tool call is {quoted(call)}, expected an object", place)

    def _tool_call(self, delta: dict[str, Any], where: str, report: Report) -> None:
        index = delta.get("index")
        if not is_index(index):
            report(
                rules.TOOL_INDEX, f"index is {quoted(index)}, expected an integer from 0", f"{where}/index"
            )
            index = 0
        function = delta.get("function")
        if not isinstance(function, dict):
            if function is not None:
                report(
                    rules.TOOL_SHAPE,
                    f"function is {quoted(function)}, expected an object",
                    f"{where}/function",
                )
            function = {}
        known = next((call for call in reversed(self.calls) if call.index == index), None)
        call_id, name = delta.get("id"), function.get("name")
        if known is not None and _text(call_id) and call_id != known.id:
            report(
                rules.TOOL_SHARED,
                f"index {index} is of call {quoted(known.id)}, and call {quoted(call_id)} comes with it too",
                f"{where}/index",
            )
            known = None
        if known is None:
            known = ToolCall(index if isinstance(index, int) else 0)
            self.calls.append(known)
            self._begin(known, delta, name, where, report)
        elif _text(call_id) or _text(name):
            report(
                rules.TOOL_REPEATED,
                f"a later delta has id {quoted(call_id)} and name {quoted(name)}, expected only arguments",
                where,
            )
        arguments = function.get("arguments")
        if isinstance(arguments, str):
            known.arguments += arguments
            self._complete_characters(arguments, f"{where}/function/arguments", report)
        elif arguments is not None:
            report(
                rules.TOOL_ARGUMENTS,
                f"arguments is {quoted(arguments)}, expected a string",
                f"{where}/function/arguments",
            )

    def _begin(self, call: ToolCall, delta: dict[str, Any], name: object, where: str, report: Report) -> None:
        """The first delta of a call."""
        call.id, call.name = _text(delta.get("id")), _text(name)
        if not call.id:
            report(
                rules.TOOL_ID, f"id is {quoted(delta.get('id'))}, expected a non-empty string", f"{where}/id"
            )
        if delta.get("type") != "function":
            report(
                rules.TOOL_TYPE, f'type is {quoted(delta.get("type"))}, expected "function"', f"{where}/type"
            )
        if not call.name:
            place = f"{where}/function/name"
            report(rules.TOOL_NAME, f"function.name is {quoted(name)}, expected a non-empty string", place)

    def _complete_arguments(self, call: ToolCall, where: str, report: Report) -> None:
        value, problems = parse_json_text(call.arguments)
        if not isinstance(value, dict):
            why = problems[0].message if problems else f"they are {quoted(value)}"
            report(
                rules.TOOL_ARGUMENTS_JSON,
                f"the arguments of {quoted(call.name)} are no JSON object: {why}",
                f"{where} tool call {call.index}",
            )


def brings_output(delta: dict[str, Any]) -> bool:
    """True where a delta carries something generated: text, a refusal, reasoning or a call."""
    return any(delta.get(key) for key in (*TEXT_KEYS, "tool_calls", "function_call"))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def brings_text(data: str) -> bool:
    """Whether an event's data is a chunk with text, or with a thought."""
    try:
        choices = json.loads(data)["choices"]
        return any(choice["delta"].get(key) for choice in choices for key in TEXT_KEYS)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return False
