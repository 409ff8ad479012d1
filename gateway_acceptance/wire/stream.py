"""The state machine over a chat completion stream. It never raises; it reports every rule that is broken.

Rules, levels and sources: ``RULES``. A stream is judged to its end only if nobody said that it failed: after
an error frame, what is missing (finish_reason, usage, ``[DONE]``) is not reported as missing too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway_acceptance.problem import Problem
from gateway_acceptance.wire import stream_rules as rules
from gateway_acceptance.wire.rule import Rule, collapse, cut, is_index, is_integer, media_type, quoted
from gateway_acceptance.wire.sse import DEFAULT_TYPE, SseEvent, parse_sse
from gateway_acceptance.wire.stream_choice import Choice, ToolCall
from gateway_acceptance.wire.stream_rules import RULES
from gateway_acceptance.wire.strict_json import DUPLICATE, SURROGATE, parse_json_text

__all__ = ["RULES", "ChatStream", "Rule", "ToolCall", "read_chat_stream"]

DONE = "[DONE]"

PLAUSIBLE_CREATED = range(1_577_836_800, 4_102_444_800)
"""2020 to 2100 in Unix seconds: milliseconds, zero and a backend's clock at its epoch lie outside."""

USAGE_COUNTS = ("prompt_tokens", "completion_tokens", "total_tokens")

SHOWN_ERROR = 400
"""Characters of a gateway's error message: LiteLLM wraps the cause in several layers of its own words."""

OF_JSON = {DUPLICATE.name: rules.DATA_DUPLICATE, SURROGATE.name: rules.DATA_SURROGATE}
"""Which rule of a stream a rule of JSON text is; every other is stream.data.json."""


@dataclass(frozen=True, slots=True)
class ChatStream:
    """A chat completion stream as it was read.

    events: every SSE event, ``[DONE]`` included. chunks: the parsed chunks, error frames excluded. errors:
    the values of ``error`` in error frames. usage: the last one seen. Times are seconds since the request
    was sent. problems: every violation; of each rule the first few in full, the rest counted.
    """

    events: tuple[SseEvent, ...] = ()
    comments: tuple[str, ...] = ()
    chunks: tuple[dict[str, Any], ...] = ()
    errors: tuple[object, ...] = ()
    choices: Mapping[int, Choice] = field(default_factory=dict)
    usage: dict[str, Any] | None = None
    first_token_at: float | None = None
    done_at: float | None = None
    problems: list[Problem] = field(default_factory=list)

    def text(self, choice: int = 0) -> str:
        """The joined content of a choice; empty where it has none."""
        return self.choices[choice].text if choice in self.choices else ""

    def tool_calls(self, choice: int = 0) -> list[ToolCall]:
        """The tool calls of a choice, joined, in the order in which they began."""
        return list(self.choices[choice].calls) if choice in self.choices else []

    @property
    def finish_reasons(self) -> dict[int, str]:
        """The first finish_reason of each choice that has one."""
        found = {index: choice.finish_reason for index, choice in self.choices.items()}
        return {index: reason for index, reason in sorted(found.items()) if reason is not None}

    @property
    def error(self) -> str | None:
        """The message of the first error frame, or None: the stream did not say that it failed."""
        return error_message(self.errors[0]) if self.errors else None

    def broken(self, *names: str) -> list[Problem]:
        """The problems of these rules; a name covers the rules below it (``stream.finish``)."""
        return [
            problem
            for problem in self.problems
            if any(problem.rule == name or problem.rule.startswith(f"{name}.") for name in names)
        ]


def read_chat_stream(
    status: int,
    headers: Sequence[tuple[str, str]],
    chunks: Sequence[tuple[float, bytes]],
    *,
    include_usage: bool = False,
    expected_choices: int = 1,
    replacement_expected: bool = False,
) -> ChatStream:
    """Read a streamed answer of ``/v1/chat/completions``. Never raises.

    chunks: (seconds since sending, raw bytes). include_usage: what the request asked of stream_options.
    expected_choices: the request's ``n``. replacement_expected: U+FFFD in the text is what was asked for.
    An answer whose status is not 200 is no stream: that alone is reported.
    """
    if status != 200:
        body = b"".join(data for _, data in chunks).decode("utf-8", errors="replace")
        return ChatStream(
            problems=[rules.STATUS.problem(f"expected status 200, got {status} with {quoted(body)}")]
        )
    stream = parse_sse(chunks)
    reader = _Reader(include_usage, expected_choices, replacement_expected)
    if media_type(headers) != "text/event-stream":
        seen = media_type(headers) or "none"
        reader.report(rules.CONTENT_TYPE, f"expected text/event-stream, got {quoted(seen)}", "content-type")
    reader.problems.extend(stream.problems)
    for event in stream.events:
        reader.event(event)
    reader.end()
    return ChatStream(
        events=stream.events,
        comments=stream.comments,
        chunks=tuple(reader.chunks),
        errors=tuple(reader.errors),
        choices=reader.choices,
        usage=reader.usage,
        first_token_at=reader.first_token_at,
        done_at=reader.done_at,
        problems=collapse(reader.problems),
    )


@dataclass(slots=True)
class _Reader:
    include_usage: bool
    expected_choices: int
    replacement_expected: bool
    problems: list[Problem] = field(default_factory=list)
    chunks: list[dict[str, Any]] = field(default_factory=list)
    errors: list[object] = field(default_factory=list)
    choices: dict[int, Choice] = field(default_factory=dict)
    usage: dict[str, Any] | None = None
    usage_chunk: int | None = None
    first_token_at: float | None = None
    done_at: float | None = None
    first: dict[str, object] = field(default_factory=dict)

    def report(self, rule: Rule, message: str, where: str) -> None:
        self.problems.append(rule.problem(message, where))

    def event(self, event: SseEvent) -> None:
        where = f"frame {event.index}"
        if event.data == DONE:
            if self.done_at is None:
                self.done_at = event.at
            else:
                self.report(rules.DONE_REPEATED, "[DONE] comes again", where)
            return
        if self.done_at is not None:
            self.report(rules.DONE_DATA_AFTER, f"after [DONE] comes {quoted(event.data)}", where)
            return
        data, problems = parse_json_text(event.data)
        for problem in problems:
            self.report(OF_JSON.get(problem.rule, rules.DATA_JSON), problem.message, where)
        is_error = isinstance(data, dict) and data.get("error") is not None
        if event.event != DEFAULT_TYPE and not (is_error and event.event == "error"):
            self.report(rules.EVENT_TYPE, f"the event type is {quoted(event.event)}", where)
        if isinstance(data, dict):
            self.frame(data, where, event.at)
        elif data is not None or not problems:
            self.report(rules.DATA_OBJECT, f"expected an object, got {quoted(data)}", where)

    def frame(self, data: dict[str, Any], where: str, at: float) -> None:
        error = data.get("error")
        if error is not None:
            self.errors.append(error)
            self.report(rules.ERROR_FRAME, f"the stream failed: {error_message(error)}", f"{where} /error")
            return
        self.chunks.append(data)
        self.head(data, where)
        if data.get("usage") is not None:
            self.usage_of(data, f"{where} /usage")
        choices = data.get("choices")
        if not isinstance(choices, list):
            self.report(
                rules.CHOICES, f"choices is {quoted(choices)}, expected an array", f"{where} /choices"
            )
            return
        asked_for = (self.include_usage and data.get("usage") is not None) or data.get(
            "moderation"
        ) is not None
        if not choices and not asked_for:
            self.report(
                rules.CHOICES_EMPTY,
                "choices is empty, and this is no usage chunk asked for",
                f"{where} /choices",
            )
        for position, choice in enumerate(choices):
            self.choice(choice, f"{where} /choices/{position}", at)

    def head(self, data: dict[str, Any], where: str) -> None:
        """What every chunk says of itself: object, id, created, model."""
        if data.get("object") != "chat.completion.chunk":
            seen = quoted(data.get("object"))
            self.report(rules.OBJECT, f'expected "chat.completion.chunk", got {seen}', f"{where} /object")
        for key, rule, same in (("id", rules.ID, rules.ID_SAME), ("model", rules.MODEL, rules.MODEL_SAME)):
            value = data.get(key)
            if isinstance(value, str) and value:
                self.same(key, value, same, where)
            else:
                self.report(rule, f"{key} is {quoted(value)}, expected a non-empty string", f"{where} /{key}")
        created = data.get("created")
        if not is_integer(created):
            self.report(
                rules.CREATED, f"created is {quoted(created)}, expected an integer", f"{where} /created"
            )
            return
        if created not in PLAUSIBLE_CREATED:
            message = f"created is {quoted(created)}, which is no time from 2020 on in Unix seconds"
            self.report(rules.CREATED_PLAUSIBLE, message, f"{where} /created")
        self.same("created", created, rules.CREATED_SAME, where)

    def same(self, key: str, value: object, rule: Rule, where: str) -> None:
        first = self.first.setdefault(key, value)
        if value != first:
            self.report(rule, f"{key} is {quoted(value)}, and was {quoted(first)} before", f"{where} /{key}")

    def choice(self, choice: object, where: str, at: float) -> None:
        if not isinstance(choice, dict):
            self.report(rules.CHOICE_OBJECT, f"a choice is {quoted(choice)}, expected an object", where)
            return
        index = choice.get("index")
        if not isinstance(index, int) or not is_index(index):
            message = f"index is {quoted(index)}, expected an integer from 0"
            self.report(rules.CHOICE_INDEX, message, f"{where}/index")
            index = 0
        elif index >= self.expected_choices and index not in self.choices:
            message = f"index is {quoted(index)}, and {self.expected_choices} were asked for"
            self.report(rules.CHOICE_UNEXPECTED, message, f"{where}/index")
        state = self.choices.setdefault(index, Choice(index, self.replacement_expected))
        if state.take(choice, where, self.report) and self.first_token_at is None:
            self.first_token_at = at

    def usage_of(self, data: dict[str, Any], where: str) -> None:
        usage = data["usage"]
        if not self.include_usage:
            self.report(rules.USAGE_UNASKED, "usage comes though include_usage was not set", where)
        else:
            if self.usage_chunk is not None:
                self.report(rules.USAGE_REPEATED, f"usage comes again: {quoted(usage)}", where)
            if data.get("choices"):
                message = f"choices of the usage chunk is {quoted(data['choices'])}, expected []"
                self.report(rules.USAGE_CHOICES, message, where)
        self.usage_chunk = len(self.chunks)
        if not isinstance(usage, dict):
            self.report(rules.USAGE_SHAPE, f"usage is {quoted(usage)}, expected an object", where)
            return
        self.usage = usage
        counts = [usage.get(name) for name in USAGE_COUNTS]
        wrong = [name for name, count in zip(USAGE_COUNTS, counts, strict=True) if not is_index(count)]
        if wrong:
            message = f"{', '.join(wrong)} of {quoted(usage)} must be integers from 0"
            self.report(rules.USAGE_SHAPE, message, where)
        elif usage["prompt_tokens"] + usage["completion_tokens"] != usage["total_tokens"]:
            prompt, completion, total = (quoted(count) for count in counts)
            self.report(
                rules.USAGE_SUM, f"prompt {prompt} and completion {completion} are not total {total}", where
            )

    def end(self) -> None:
        """Judge the whole, unless the stream itself said that it failed."""
        if self.usage_chunk is not None and self.include_usage and self.usage_chunk < len(self.chunks):
            message = f"usage is in chunk {self.usage_chunk} of {len(self.chunks)}"
            self.report(rules.USAGE_LAST, message, "end")
        if self.errors:
            return
        expected = {index: self.choices.get(index) for index in range(self.expected_choices)}
        for index, choice in expected.items():
            if choice is None:
                self.report(rules.CHOICE_MISSING, f"choice {index} never came", f"choice {index}")
            else:
                choice.end(self.report)
        if self.include_usage and self.usage_chunk is None:
            self.report(rules.USAGE_MISSING, "no chunk has usage, though include_usage was set", "end")
        if self.done_at is None:
            self.report(rules.DONE_MISSING, "the stream ends without [DONE]", "end")
            if any(choice is None or choice.finish_reason is None for choice in expected.values()):
                message = (
                    f"after {len(self.chunks)} chunks the stream just ends: no finish_reason, error or [DONE]"
                )
                self.report(rules.TRUNCATED, message, "end")


def error_message(error: object) -> str:
    """What an error value says: its message, or itself."""
    message = error.get("message") if isinstance(error, dict) else error
    return cut(message, SHOWN_ERROR) if isinstance(message, str) and message else quoted(error)
