"""Defects of tool calls that are not streamed.

Where the real gateway has a defect of its own by version, the answer is a made one: what is to be found is
the defect described here, and no other.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from lab.faults.model import After, Before, Fault, gateway_fault
from lab.faults.mutators import CHAT, CRASH, answers, unstreamed_chat
from lab.message import Json, Reply, Request, envelope, json_reply

When = Callable[[Request], bool]
ALARM = ("set_alarm", {"hour": 7, "label": "gym"})
SONG = ("play_song", {"title": "Valse"})


def _declares(*names: str) -> When:
    """Whether just these tools are declared."""

    def mentions(request: Request) -> bool:
        tools = request.json.get("tools") or []
        return tuple(tool["function"]["name"] for tool in tools) == names

    return mentions


def _offers(*names: str) -> When:
    """Whether these tools are among the declared ones."""

    def mentions(request: Request) -> bool:
        tools = request.json.get("tools") or []
        return {tool["function"]["name"] for tool in tools} >= set(names)

    return mentions


def _says(text: str) -> When:
    return lambda request: text in json.dumps(request.json.get("messages"))


def _results(count: int) -> When:
    def mentions(request: Request) -> bool:
        messages = request.json.get("messages") or []
        return [message.get("role") for message in messages].count("tool") == count

    return mentions


def _both(*conditions: When) -> When:
    return lambda request: all(condition(request) for condition in conditions)


def _chosen(request: Request) -> object:
    return request.json.get("tool_choice")


def _answer(content: str | None, *calls: Json) -> Reply:
    message: Json = {"role": "assistant", "content": content}
    if calls:
        message["tool_calls"] = list(calls)
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if calls else "stop"}
    usage = {"prompt_tokens": 9, "completion_tokens": 9, "total_tokens": 18}
    answer = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m"}
    return json_reply(200, {**answer, "choices": [choice], "usage": usage})


def _call(number: int, called: tuple[str, dict[str, Any]]) -> Json:
    name, arguments = called
    function = {"name": name, "arguments": json.dumps(arguments)}
    return {"id": f"call_{number}", "type": "function", "function": function}


def _made(reply: Reply, when: When) -> Before:
    return answers(reply, CHAT, when=when)


def _calling(change: Callable[[Json], None]) -> After:
    """Change, in place, the choices that call a tool."""

    def changed(body: Json) -> Json:
        for choice in body["choices"]:
            if choice["message"].get("tool_calls"):
                change(choice)
        return body

    return unstreamed_chat(changed)


def _calls(change: Callable[[Json], None]) -> After:
    """Change, in place, every call."""

    def changed(choice: Json) -> None:
        for call in choice["message"]["tool_calls"]:
            change(call)

    return _calling(changed)


def _as_text(choice: Json) -> None:
    called = choice["message"].pop("tool_calls")[0]["function"]
    arguments = json.loads(called["arguments"])
    choice["message"]["content"] = json.dumps({"name": called["name"], "arguments": arguments})
    choice["finish_reason"] = "stop"


def _numbers_as_text(call: Json) -> None:
    arguments = json.loads(call["function"]["arguments"])
    call["function"]["arguments"] = json.dumps({name: str(value) for name, value in arguments.items()})


def _ascii_only(call: Json) -> None:
    arguments = json.dumps(json.loads(call["function"]["arguments"]), ensure_ascii=False)
    call["function"]["arguments"] = arguments.encode("ascii", "ignore").decode()


def _without_parameters(request: Request) -> bool:
    return any("parameters" not in tool["function"] for tool in request.json.get("tools") or [])


REFUSED = envelope(400, "parameters is required", "invalid_request_error")
TWO_TOOLS = _offers("set_alarm", "play_song")

TOOL_FAULTS: tuple[Fault, ...] = (
    gateway_fault(
        "tools-call-as-text",
        "a call comes as text",
        {"API-TOOLS-001": r"expected calls of 1 tools, .*got calls of \[\] and the text '\{\"name\""},
        after=_calling(_as_text),
    ),
    gateway_fault(
        "tools-finish-stop",
        "an answer that calls a tool finishes with stop",
        {"API-TOOLS-002": "expected finish_reason tool_calls, got 'stop'"},
        after=_calling(lambda choice: choice.update(finish_reason="stop")),
    ),
    gateway_fault(
        "tools-id-empty",
        "calls have no id",
        {"API-TOOLS-003": "got type 'function' and id ''"},
        after=_calls(lambda call: call.update(id="")),
    ),
    gateway_fault(
        "tools-numbers-as-text",
        "numbers in the arguments become text",
        {"API-TOOLS-004": "expected the calls .*got .*'hour': '7'"},
        after=_calls(_numbers_as_text),
    ),
    gateway_fault(
        "tools-content-absent",
        "an answer that calls a tool has no content, not even null",
        {"API-TOOLS-005": "required/content"},
        after=_calling(lambda choice: choice["message"].pop("content", None)),
    ),
    gateway_fault(
        "tools-arguments-ascii",
        "letters beyond ASCII are lost in the arguments",
        {"API-TOOLS-006": 'expected the calls .*got .*Gre "'},
        after=_calls(_ascii_only),
    ),
    gateway_fault(
        "tools-parameters-required",
        "a tool without parameters is refused",
        {"API-TOOLS-007": "expected a chat completion, got 400"},
        before=_made(REFUSED, _without_parameters),
    ),
    gateway_fault(
        "tools-first-call-only",
        "of two calls the first is answered",
        {"API-TOOLS-008": r"expected calls of 2 tools, .*got calls of \['set_alarm'\]"},
        before=_made(_answer(None, _call(1, ALARM)), TWO_TOOLS),
    ),
    gateway_fault(
        "tools-ids-shared",
        "the calls of an answer share an id",
        {"API-TOOLS-009": r"expected 2 different ids, got \['call_1', 'call_1'\]"},
        before=_made(_answer(None, _call(1, ALARM), _call(1, SONG)), TWO_TOOLS),
    ),
    gateway_fault(
        "tools-result-lost",
        "the result of a tool does not reach the model",
        {"API-TOOLS-010": "expected K7-amber-519 in the answer, got .*I do not know"},
        before=_made(_answer("I do not know."), _results(1)),
    ),
    gateway_fault(
        "tools-second-result-lost",
        "of two results the first reaches the model",
        {"API-TOOLS-011": "expected Q2-violet-836 in the answer"},
        before=_made(_answer("It is K7-amber-519."), _results(2)),
    ),
    gateway_fault(
        "tools-answer-empty",
        "where tools are declared and none is called, the answer is empty",
        {"API-TOOLS-012": r"expected no call and 'HX-OK', got calls of \[\] and the text ''"},
        before=_made(_answer(""), _both(_declares("set_alarm"), _says("HX-OK"))),
    ),
    gateway_fault(
        "tools-undeclared-called",
        "a tool is called that the client did not declare",
        {"API-TOOLS-013": r"expected no call of erase_disk, .*got calls of \['erase_disk'\]"},
        before=_made(_answer(None, _call(1, ("erase_disk", {"disk": "all"}))), _says("erase_disk")),
    ),
    gateway_fault(
        "tools-choice-none-crash",
        "tool_choice none is an internal error",
        {"API-TOOLS-014": "expected a chat completion, got 500"},
        before=_made(CRASH, lambda request: _chosen(request) == "none"),
    ),
    gateway_fault(
        "tools-choice-named-calls-all",
        "a tool_choice that names a tool calls all of them",
        {"API-TOOLS-015": r"got calls of \['set_alarm', 'play_song'\]"},
        before=_made(
            _answer(None, _call(1, ALARM), _call(2, SONG)), lambda request: isinstance(_chosen(request), dict)
        ),
    ),
    gateway_fault(
        "tools-last-called",
        "whichever tool the model calls, the last one that is declared is called",
        {"API-TOOLS-016": r"expected the calls .*got \[\('play_song'"},
        before=_made(_answer(None, _call(1, SONG)), TWO_TOOLS),
    ),
)
