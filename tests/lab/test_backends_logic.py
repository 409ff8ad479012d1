"""The backends' pure logic: tokens, windows, replies, tools, schemas, vectors."""

from __future__ import annotations

import itertools
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.backends import tokens
from lab.backends.embedding import embed, normalised, shortened
from lab.backends.generation import Generation, generate, limited
from lab.backends.models import ModelSpec, normalise
from lab.backends.replies import UNKNOWN_CODE_WORD, UNKNOWN_NAME
from lab.backends.requests import Message, Options, Prompt, prompt_of_chat, prompt_of_generate
from lab.backends.schema_instance import instance
from lab.backends.tool_calls import ScriptedCall, asked_for
from lab.backends.window import TURN_TOKENS, cost, fit

WINDOW = 4096


def say(*contents: str, window: int = WINDOW, system: str = "", **fields: Any) -> Generation:
    """The answer to a conversation: user and assistant speak by turns, the user last."""
    roles = itertools.cycle(["user", "assistant"])
    turns = [Message("system", system)] if system else []
    turns += [Message(role, content) for role, content in zip(roles, contents, strict=False)]
    return generate("phi3:latest", Prompt(tuple(turns), **fields), window)


@given(st.text())
def test_tokens_join_to_the_text(text: str) -> None:
    assert "".join(tokens.split(text)) == text
    assert tokens.first(text, 3) + tokens.without_first(text, 3) == text


@pytest.mark.parametrize(
    ("text", "number"), [("", 0), ("HX-OK", 3), ("one two, three.", 5), ("a\n\nb ", 3), ("x" * 40, 3)]
)
def test_token_counts(text: str, number: int) -> None:
    assert tokens.count(text) == number


@pytest.mark.parametrize(
    ("request_text", "answer"),
    [
        ("Return exactly the text: HX-OK", "HX-OK"),
        ("Please reply with exactly:   two  words  ", "two  words"),
        ("Return exactly the text: Grüße 東京 🎉\nand nothing else", "Grüße 東京 🎉"),
        ('Return exactly the text: Return exactly the text: "x"', 'Return exactly the text: "x"'),
        ("Count from 1 to 5", "1 2 3 4 5"),
    ],
)
def test_instructions_that_are_obeyed(request_text: str, answer: str) -> None:
    assert say(request_text).text == answer


def test_only_the_last_user_message_commands() -> None:
    assert say("Return exactly the text: A", "A", "Return exactly the text: B").text == "B"


def test_system_message() -> None:
    rule = "Be kind.\nAlways answer with exactly: SYSTEM-OK"
    assert say("hello", system=rule).text == "SYSTEM-OK"
    assert say("Return exactly the text: USER-OK", system=rule).text == "USER-OK"


def test_memory() -> None:
    assert say("My name is Zoë-7.", "Hello!", "What is my name?").text == "Zoë-7"
    assert say("What is my name?").text == UNKNOWN_NAME


@pytest.mark.parametrize("separate", [True, False])
def test_canary_within_and_beyond_the_window(separate: bool) -> None:
    canary, filler, question = "The code word is HX-42.", "blah " * 300, "What is the code word?"
    contents = [canary, filler, question] if separate else [f"{canary} {filler} {question}"]
    within, beyond = say(*contents), say(*contents, window=100)
    assert (within.text, beyond.text) == ("HX-42", UNKNOWN_CODE_WORD)
    assert within.prompt_tokens > 300
    assert beyond.prompt_tokens <= 100


def test_the_window_keeps_system_and_last_turn() -> None:
    turns = [Message("system", "rule"), Message("user", "old " * 50), Message("user", "new")]
    assert fit(turns, 20) == ([turns[0], turns[2]], cost(turns[0]) + cost(turns[2]))
    kept, counted = fit([Message("user", "a b c d e f")], TURN_TOKENS + 2)
    assert (kept[0].content, counted) == (" e f", TURN_TOKENS + 2)


def test_window_sizes() -> None:
    assert ModelSpec("chat").window(None) == 4096
    assert ModelSpec("chat", context_length=512).window(8192) == 512
    assert ModelSpec("chat").window(64) == 64


def test_free_text_is_deterministic_and_depends_on_its_input() -> None:
    cold, seeded = Options(temperature=0), Options(seed=7)
    texts = [
        say("Tell me something.").text,
        say("Tell me more.").text,
        say("Tell me something.", options=cold).text,
        say("Tell me something.", options=seeded).text,
        say("Tell me something.", system="Be brief.").text,
    ]
    assert len(set(texts)) == len(texts)
    assert say("Tell me something.", options=seeded).text == texts[3]
    assert all(tokens.count(text) >= 16 and text.endswith(".") for text in texts)


@pytest.mark.parametrize(
    ("limit", "stop", "text", "reason"),
    [
        (-1, [], "1 2 3 4 5", "stop"),
        (0, [], "1 2 3 4 5", "stop"),
        (3, [], "1 2 3", "length"),
        (5, [], "1 2 3 4 5", "length"),
        (6, [], "1 2 3 4 5", "stop"),
        (-1, ["4"], "1 2 3 ", "stop"),
        (-1, ["5", " 3 4"], "1 2", "stop"),
        (2, ["4"], "1 2", "length"),
        (-1, ["", "9"], "1 2 3 4 5", "stop"),
    ],
)
def test_limits(limit: int, stop: list[str], text: str, reason: str) -> None:
    assert limited("1 2 3 4 5", limit, stop) == (text, reason)


def test_counts_of_a_generation() -> None:
    generation = say("Count from 1 to 50", options=Options(num_predict=7))
    assert (generation.eval_tokens, generation.done_reason) == (7, "length")
    assert generation.prompt_tokens == TURN_TOKENS + 5
    assert say("Count from 1 to 3", options=Options(stop=("1",))).eval_tokens == 1


WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
CLOCK = {"type": "function", "function": {"name": "get_time", "parameters": {}}}


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        ('Call the tool get_weather with {"city": "Paris"}', [("get_weather", {"city": "Paris"})]),
        (
            'Call the tool get_time with {} and the tool get_weather with {"city": "Oslo"}.',
            [("get_time", {}), ("get_weather", {"city": "Oslo"})],
        ),
        (
            'Call the tool get_weather with {"city": "A"} and call the tool get_weather with {"city": "B"}',
            [("get_weather", {"city": "A"}), ("get_weather", {"city": "B"})],
        ),
        ("Use `get_weather`; I do mean get_weather.", [("get_weather", {"city": "text"})]),
        ('Call the tool get_weather with {"city": "get_time"}', [("get_weather", {"city": "get_time"})]),
        ("Call the tool get_weather with {broken", [("get_weather", {"city": "text"})]),
        ("What about get_weathers?", []),
    ],
)
def test_tools_asked_for(text: str, calls: list[tuple[str, dict[str, Any]]]) -> None:
    assert asked_for(text, [WEATHER, CLOCK]) == tuple(ScriptedCall(*call) for call in calls)


def test_tools_in_a_conversation() -> None:
    tools = (WEATHER, CLOCK)
    assert [call.name for call in say("Use get_time", tools=tools).tool_calls] == ["get_time"]
    assert say("Return exactly the text: get_time", tools=tools).text == "get_time"
    asked = Message("user", "Use get_time"), Message("assistant", ""), Message("tool", "12:30")
    answer = generate("phi3:latest", Prompt(asked, tools=tools), WINDOW)
    assert (answer.text, answer.tool_calls) == ("The tool answered: 12:30", ())


def test_json_mode() -> None:
    assert say("hello", format="json").text.startswith('{"answer": ')
    assert say('Reply with exactly: {"ok": true}', format="json").text == '{"ok": true}'


def test_tools_that_a_gateway_wrote_into_the_prompt() -> None:
    described = (
        f'Answer with {{"name": "function_name"}}. The functions are:\n{WEATHER}\n{CLOCK}\n{{broken function'
    )
    asked = 'Call the tool get_weather with {"city": "Paris"}'
    call = '{"name": "get_weather", "arguments": {"city": "Paris"}}'
    assert say(asked, system=described, format="json").text == call
    assert say("hello", system=described, format="json").text.startswith('{"answer": ')


SCHEMAS: list[dict[str, Any]] = [
    {
        "type": "object",
        "properties": {"a": {"type": "string"}, "b": {"type": "integer"}},
        "required": ["a", "b"],
    },
    {"enum": ["red", "green"]},
    {"const": 7},
    {"type": "array", "items": {"type": "integer", "minimum": 3}, "minItems": 3, "uniqueItems": True},
    {"type": "array", "prefixItems": [{"type": "string"}, {"type": "boolean"}], "minItems": 2},
    {"type": ["null", "number"], "exclusiveMinimum": 1, "exclusiveMaximum": 2},
    {"type": "integer", "minimum": 5, "multipleOf": 4},
    {"type": "integer", "maximum": -2},
    {"type": "string", "minLength": 10, "maxLength": 12},
    {"type": "string", "format": "date-time"},
    {"anyOf": [{"type": "boolean"}, {"type": "null"}]},
    {"allOf": [{"required": ["a"]}, {"properties": {"a": {"const": 1}}}], "required": ["b"]},
    {
        "$defs": {"step": {"type": "object", "properties": {"x": {"type": "number"}}, "required": ["x"]}},
        "type": "object",
        "properties": {"steps": {"type": "array", "items": {"$ref": "#/$defs/step"}, "minItems": 2}},
        "required": ["steps"],
        "additionalProperties": False,
    },
    {"type": "object"},
]


@pytest.mark.parametrize("schema", SCHEMAS, ids=str)
def test_an_instance_satisfies_its_schema(schema: dict[str, Any]) -> None:
    made = instance(schema)
    jsonschema.Draft202012Validator(schema).validate(made)
    assert instance(schema) == made


def test_what_a_model_would_say_is_chosen_from_an_enum() -> None:
    schema = {"type": "object", "required": ["said"], "properties": {"said": {"enum": ["one", "two"]}}}
    assert instance(schema, "two") == {"said": "two"}
    assert instance(schema, "three") == instance(schema) == {"said": "one"}


def test_a_schema_without_finite_instance() -> None:
    endless = {
        "$defs": {"n": {"required": ["n"], "properties": {"n": {"$ref": "#/$defs/n"}}}},
        "$ref": "#/$defs/n",
    }
    with pytest.raises(ValueError, match="without end"):
        instance(endless)


def test_vectors() -> None:
    vector = embed("m", "text", 384)
    assert (len(vector), embed("m", "text", 384)) == (384, vector)
    assert sum(value * value for value in vector) == pytest.approx(1, abs=1e-6)
    for model, text in (("m", "Text"), ("m", "text "), ("n", "text")):
        other = embed(model, text, 384)
        assert abs(sum(a * b for a, b in zip(vector, other, strict=True))) < 0.3
    assert shortened(vector, 2) == normalised(vector[:2])
    assert shortened(vector, 500) == vector
    assert normalised([0, 0]) == [0, 0]


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("phi3", "phi3:latest"),
        ("a/b", "a/b:latest"),
        ("a/b:c", "a/b:c"),
        ("host:1/a/b", "host:1/a/b:latest"),
        ("", ""),
    ],
)
def test_normalised_names(name: str, full: str) -> None:
    assert normalise(name) == full


def test_prompts() -> None:
    chat = prompt_of_chat({"messages": [{"role": "tool", "tool_name": "f", "content": None}], "stream": None})
    assert chat.messages == (Message("tool", "", "f"),)
    assert chat.stream
    written = prompt_of_generate(
        {"prompt": "lead\n### System:\nrule\n\n### User:\nhello\n\n", "system": "first"}
    )
    assert [(turn.role, turn.content.strip()) for turn in written.messages] == [
        ("system", "first"),
        ("user", "lead"),
        ("system", "rule"),
        ("user", "hello"),
    ]
