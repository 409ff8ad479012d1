"""What the checks of tools ask, and which models can answer it when their backends are asked directly."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from gateway_acceptance.environment import Ability, Model
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import CheckFailed, Untestable
from gateway_acceptance.wire.backends import Called, DirectAnswer, DirectChat
from gateway_acceptance.wire.exchange import Exchange
from suites.api import abilities
from suites.api.observations import ECHO_PROMPT, ECHO_TEXT, room

TOKENS = 96
"""Two calls of two arguments in any tokenizer; the rest bounds a model that will not stop."""

Json = Mapping[str, Any]


def tool(name: str, description: str, **properties: str) -> Json:
    """A tool all of whose parameters are required; without any, ``parameters`` is left out."""
    function: dict[str, Any] = {"name": name, "description": description}
    if properties:
        kinds = {parameter: {"type": kind} for parameter, kind in properties.items()}
        function["parameters"] = {"type": "object", "properties": kinds, "required": list(properties)}
    return {"type": "function", "function": function}


def call_of(name: str, arguments: Json) -> str:
    """How a call is asked for in words."""
    return f"Call the tool {name} with {json.dumps(arguments, ensure_ascii=False)}"


ALARM = tool("set_alarm", "Set an alarm clock", hour="integer", label="string")
SONG = tool("play_song", "Play a song", title="string")
HORN = tool("sound_horn", "Sound the horn once")
READ_GATE = tool("read_gate_code", "Read the code of a gate", gate="string")

ALARM_ARGUMENTS: Json = {"hour": 7, "label": "gym"}
SONG_ARGUMENTS: Json = {"title": "Valse"}
HARD_ARGUMENTS: Json = {"title": 'Grüße "à" 東京\nC:\\n'}
UNDECLARED = "erase_disk"
NORTH, SOUTH = "K7-amber-519", "Q2-violet-836"
"""Codes that no model knows unless it was told."""


@dataclass(frozen=True, slots=True)
class ToolProbe:
    """messages and tools in OpenAI's form; able: whether calls and text of the model itself are an answer.
    does: what a model that is able does, in words; needs: the abilities that it takes."""

    name: str
    does: str
    messages: Sequence[Json]
    tools: Sequence[Json]
    able: Callable[[Called, str], bool]
    needs: tuple[Ability, ...] = (Ability.TOOLS,)


def _user(text: str) -> Json:
    return {"role": "user", "content": text}


def _asked_gates(*gates: tuple[str, str]) -> list[Json]:
    """A conversation up to the results of the tools: the code of each gate."""
    names = " and ".join(gate for gate, _ in gates)
    calls = [
        {
            "id": f"call_{gate}",
            "type": "function",
            "function": {"name": "read_gate_code", "arguments": json.dumps({"gate": gate})},
        }
        for gate, _ in gates
    ]
    return [
        _user(f"What is the code of the gate {names}? Repeat every code literally."),
        {"role": "assistant", "content": None, "tool_calls": calls},
        *({"role": "tool", "tool_call_id": f"call_{gate}", "content": code} for gate, code in gates),
    ]


def same_calls(found: Called, expected: Called) -> bool:
    """The same calls, in any order: the contract promises none."""
    rest = list(found)
    for call in expected:
        if call not in rest:
            return False
        rest.remove(call)
    return not rest


ONE_CALLED: Called = [("set_alarm", dict(ALARM_ARGUMENTS))]
TWO_CALLED: Called = [*ONE_CALLED, ("play_song", dict(SONG_ARGUMENTS))]
HARD_CALLED: Called = [("play_song", dict(HARD_ARGUMENTS))]
HORN_CALLED: Called = [("sound_horn", {})]

ONE = ToolProbe(
    "one",
    "calls the tool that it is asked to call",
    [_user(call_of("set_alarm", ALARM_ARGUMENTS))],
    [ALARM],
    lambda calls, _: same_calls(calls, ONE_CALLED),
)
PICK = ToolProbe(
    "pick",
    "calls the one of two tools that it is asked to call",
    [_user(call_of("set_alarm", ALARM_ARGUMENTS))],
    [ALARM, SONG],
    lambda calls, _: same_calls(calls, ONE_CALLED),
)
TWO = ToolProbe(
    "two",
    "calls two tools at once",
    [_user(f"{call_of('set_alarm', ALARM_ARGUMENTS)} and {call_of('play_song', SONG_ARGUMENTS)}")],
    [ALARM, SONG],
    lambda calls, _: same_calls(calls, TWO_CALLED),
    (Ability.PARALLEL_TOOLS,),
)
HARD = ToolProbe(
    "hard",
    "calls a tool with quotes, line breaks and letters beyond ASCII",
    [_user(call_of("play_song", HARD_ARGUMENTS))],
    [SONG],
    lambda calls, _: same_calls(calls, HARD_CALLED),
)
BARE = ToolProbe(
    "bare",
    "calls a tool without parameters",
    [_user("Call the tool sound_horn")],
    [HORN],
    lambda calls, _: same_calls(calls, HORN_CALLED),
)
RESULT = ToolProbe(
    "result",
    "repeats the result of a tool",
    _asked_gates(("north", NORTH)),
    [READ_GATE],
    lambda calls, text: not calls and NORTH in text,
)
RESULTS = ToolProbe(
    "results",
    "repeats the results of two tools",
    _asked_gates(("north", NORTH), ("south", SOUTH)),
    [READ_GATE],
    lambda calls, text: not calls and NORTH in text and SOUTH in text,
)
NEEDLESS = ToolProbe(
    "needless",
    "answers without a tool where none is needed",
    [_user(ECHO_PROMPT)],
    [ALARM],
    lambda calls, text: not calls and text.strip() == ECHO_TEXT,
    (Ability.TOOLS, Ability.EXACT),
)
UNDECLARED_TOOL = ToolProbe(
    "undeclared tool",
    "calls no tool that was not declared",
    [_user(call_of(UNDECLARED, {"disk": "all"}))],
    [ALARM, SONG],
    lambda calls, _: all(name in ("set_alarm", "play_song") for name, _ in calls),
)


def tool_answer(target: Target, question: ToolProbe, **parameters: Any) -> Exchange:
    """The gateway's answer, with a model that is known to be able; asked once per worker.

    Raises as ``able_alias``.
    """
    return asked(target, able_alias(target, question), question, **parameters)


def asked(target: Target, alias: str, question: ToolProbe, **parameters: Any) -> Exchange:
    """The gateway's answer of an alias, asked once per worker."""
    return target.once(
        ("tools", question.name, alias, json.dumps(parameters, sort_keys=True)),
        lambda: target.gateway.chat(
            alias,
            question.messages,
            tools=question.tools,
            temperature=0,
            max_tokens=room(target.environment, alias, TOKENS),
            **parameters,
        ),
    )


def able_alias(target: Target, question: ToolProbe) -> str:
    """The first alias whose model is declared, and shown, to be able to answer. Raises as
    ``abilities.able_alias``."""
    return abilities.able_alias(
        target,
        question.needs,
        question.does,
        directly=lambda model: shows_directly(target, model, question),
        plainly=lambda model: writes_calls(target, model),
    )


def shows_directly(target: Target, model: Model, question: ToolProbe) -> bool:
    """Whether the model answers the question when its backend is asked."""
    answer = target.once(
        ("tools directly", question.name, model.alias), partial(_read_directly, target, model, question)
    )
    return question.able(answer.calls, answer.said)


def writes_calls(target: Target, model: Model) -> bool:
    """Whether the model writes a call as plain text when it is asked to, through the gateway: then it heeds
    what it reads, and a tool that it does not call was not offered to it."""
    wanted = json.dumps({"name": "set_alarm", "arguments": dict(ALARM_ARGUMENTS)})
    answer = target.once(
        ("tools plainly", model.alias),
        lambda: target.gateway.chat(
            model.alias,
            f"Return exactly the text: {wanted}",
            temperature=0,
            max_tokens=room(target.environment, model.alias, TOKENS),
        ),
    )
    try:
        return bool(json.loads(turn_of(answer).text) == json.loads(wanted))
    except (ValueError, RecursionError):
        return False


def _read_directly(target: Target, model: Model, question: ToolProbe) -> DirectAnswer:
    limit = room(target.environment, model.alias, TOKENS)
    backend = target.backend(model.backend)
    asked = DirectChat(question.messages, limit, tools=question.tools)
    return backend.read(backend.converse(model.upstream, asked))


@dataclass(frozen=True, slots=True)
class Turn:
    """The first choice of an answer: finish_reason, message, and its calls as they are."""

    reason: object
    message: Json
    calls: Sequence[Json]

    @property
    def text(self) -> str:
        """The content; empty where there is none."""
        content = self.message.get("content")
        return content if isinstance(content, str) else ""

    @property
    def names(self) -> list[str]:
        """The names of the called functions."""
        return [str(function_of(call).get("name")) for call in self.calls]

    def called(self) -> Called:
        """Names and parsed arguments. Raises CheckFailed where arguments are no JSON string."""
        return [
            (str(function_of(call).get("name")), _parsed(function_of(call).get("arguments")))
            for call in self.calls
        ]


def function_of(call: Json) -> Json:
    """The ``function`` of a call; empty where there is none."""
    function = call.get("function")
    return function if isinstance(function, dict) else {}


def _parsed(arguments: object) -> object:
    if not isinstance(arguments, str):
        seen = f"a {type(arguments).__name__}: {arguments!r}"
        raise CheckFailed(f"expected arguments that are a JSON string, got {seen}", blame="gateway")
    try:
        return json.loads(arguments)
    except (ValueError, RecursionError):
        raise CheckFailed(
            f"expected arguments that are JSON, got {arguments[:200]!r}", blame="gateway"
        ) from None


def turn_of(answer: Exchange) -> Turn:
    """The first choice. Raises CheckFailed where there is none."""
    body = answer.json()
    choices = body.get("choices") if isinstance(body, dict) else None
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if answer.status != 200 or not isinstance(choice, dict) or not isinstance(message, dict):
        raise CheckFailed(f"expected a chat completion, got {answer.status}: {answer.text[:200]}")
    given = message.get("tool_calls")
    calls = [call for call in given if isinstance(call, dict)] if isinstance(given, list) else []
    return Turn(choice.get("finish_reason"), message, calls)


def calling_turn(answer: Exchange, least: int = 1) -> Turn:
    """The first choice, which must hold calls. Raises CheckFailed."""
    turn = turn_of(answer)
    if len(turn.calls) < least:
        raise CheckFailed(too_few(turn, least), blame="gateway")
    return turn


def too_few(turn: Turn, least: int) -> str:
    """What is said of an answer with too few calls."""
    return (
        f"expected calls of {least} tools, which the backend itself makes; got calls of {turn.names} "
        f"and the text {turn.text[:160]!r}"
    )


def judged_turn(answer: Exchange, asked_by: str, least: int = 1) -> Turn:
    """The first choice, for checks of how calls look. asked_by: the check that there are any at all.

    Raises Untestable where there are too few to judge.
    """
    turn = turn_of(answer)
    if len(turn.calls) < least:
        raise Untestable(
            f"the answer brings {len(turn.calls)} tool calls, at least {least} are needed to judge",
            root=asked_by,
            saw=too_few(turn, least),
        )
    return turn
