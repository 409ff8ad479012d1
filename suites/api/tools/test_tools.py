"""API-TOOLS: what a model's calls of tools become on the wire, not streamed.

Every question was answered by the model itself before, asked past the gateway: its weakness is not the
gateway's fault.
"""

from gateway_acceptance.check import MUST, SHOULD, SPEND, Level, check
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.problem import at_level
from gateway_acceptance.subjects import judged
from gateway_acceptance.verdict import CheckFailed, require
from gateway_acceptance.wire.backends import Called
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.gateway import GatewayClient
from gateway_acceptance.wire.schema import chat_completion_problems
from gateway_acceptance.wire.subject import answers_among
from suites.api.extract import refused_honestly
from suites.api.observations import ECHO_TEXT
from suites.api.tools.probes import (
    BARE,
    HARD,
    HARD_CALLED,
    HORN_CALLED,
    NEEDLESS,
    NORTH,
    ONE,
    ONE_CALLED,
    PICK,
    RESULT,
    RESULTS,
    SOUTH,
    TWO,
    TWO_CALLED,
    UNDECLARED,
    UNDECLARED_TOOL,
    Turn,
    calling_turn,
    judged_turn,
    same_calls,
    tool_answer,
    turn_of,
)

CALLED, PARALLEL = "API-TOOLS-001", "API-TOOLS-008"
"""The checks that there are calls at all; others say how they look."""

CALLS = "openai:ChatCompletionResponseMessage.tool_calls"
CALL = "openai:ChatCompletionMessageToolCall"
CHOICE = "openai:ChatCompletionToolChoiceOption"
RESULTS_SENT = "openai:ChatCompletionRequestToolMessage"


@check(
    "API-TOOLS-001",
    "a tool that the model calls comes in tool_calls",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec=f"{CALLS}; LiteLLM #35711",
)
def test_called(target: Target, gateway: GatewayClient) -> None:
    """A call that comes as text is shown to the user, and the tool never runs."""
    turn = calling_turn(tool_answer(target, ONE))
    if turn.names != ["set_alarm"]:
        raise CheckFailed(f"expected one call of set_alarm, got calls of {turn.names}", blame="gateway")


@check(
    "API-TOOLS-002",
    "an answer that calls a tool finishes with tool_calls",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec="openai:CreateChatCompletionResponse.choices.finish_reason",
)
def test_finish(target: Target, gateway: GatewayClient) -> None:
    """Agents decide by it whether to run tools or to stop; nothing was forced by tool_choice here."""
    turn = judged_turn(tool_answer(target, ONE), CALLED)
    if turn.reason != "tool_calls":
        raise CheckFailed(f"expected finish_reason tool_calls, got {turn.reason!r}", blame="gateway")


@check(
    "API-TOOLS-003",
    "a call has an id, and is of type function",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec=CALL,
)
def test_id_and_type(target: Target, gateway: GatewayClient) -> None:
    """The result is sent back under the id; Ollama itself may give none."""
    (call, *_) = judged_turn(tool_answer(target, ONE), CALLED).calls
    if call.get("type") != "function" or not isinstance(call.get("id"), str) or not call["id"]:
        seen = f"type {call.get('type')!r} and id {call.get('id')!r}"
        raise CheckFailed(f"expected type 'function' and an id, got {seen}", blame="gateway")


@check(
    "API-TOOLS-004",
    "the arguments of a call are JSON text with the values asked for",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec=f"{CALL}.function.arguments",
)
def test_arguments(target: Target, gateway: GatewayClient) -> None:
    """Text, not an object: Ollama's own form must not shine through. Numbers stay numbers."""
    _require_calls(judged_turn(tool_answer(target, ONE), CALLED), ONE_CALLED)


@check(
    "API-TOOLS-005",
    "an answer that calls a tool has the documented shape",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec="openai:CreateChatCompletionResponse",
)
def test_shape(target: Target, gateway: GatewayClient) -> None:
    """Content may be null, but is there."""
    answer = tool_answer(target, ONE)
    judged_turn(answer, CALLED)
    require(at_level(chat_completion_problems(answer.json()), Level.MUST), blame="gateway")


@check(
    "API-TOOLS-006",
    "quotes, line breaks and letters beyond ASCII arrive whole in the arguments",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec=f"{CALL}.function.arguments",
)
def test_hard_arguments(target: Target, gateway: GatewayClient) -> None:
    """JSON within JSON: escaped once too often or once too little, a tool writes something else."""
    _require_calls(calling_turn(tool_answer(target, HARD)), HARD_CALLED)


@check(
    "API-TOOLS-007",
    "a tool that is declared without parameters can be called",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec="openai:FunctionObject.parameters: omitting it defines an empty parameter list",
)
def test_bare(target: Target, gateway: GatewayClient) -> None:
    """Its arguments are an empty object."""
    _require_calls(calling_turn(tool_answer(target, BARE)), HORN_CALLED)


@check(
    "API-TOOLS-008",
    "two tools that the model calls at once come as two calls",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec="openai:ParallelToolCalls",
)
def test_parallel(target: Target, gateway: GatewayClient) -> None:
    """In any order, each with its own arguments."""
    _require_calls(calling_turn(tool_answer(target, TWO), least=2), TWO_CALLED)


@check(
    "API-TOOLS-009",
    "calls of one answer have different ids",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec=f"{CALL}.id",
)
def test_parallel_ids(target: Target, gateway: GatewayClient) -> None:
    """Results are told apart by nothing else."""
    turn = judged_turn(tool_answer(target, TWO), PARALLEL, least=2)
    ids = [call.get("id") for call in turn.calls]
    if not all(isinstance(call_id, str) and call_id for call_id in ids) or len(set(ids)) < len(ids):
        raise CheckFailed(f"expected {len(ids)} different ids, got {ids}", blame="gateway")


@check(
    "API-TOOLS-010",
    "a tool's result is used in the answer",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec=RESULTS_SENT,
)
def test_result(target: Target, gateway: GatewayClient) -> None:
    """A code that is only in the message of role tool. The client made up the call's id, as it may."""
    _require_texts(tool_answer(target, RESULT), NORTH)


@check(
    "API-TOOLS-011",
    "the results of two calls are both used",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec=RESULTS_SENT,
)
def test_results(target: Target, gateway: GatewayClient) -> None:
    """Two messages of role tool in a row, one for each call."""
    _require_texts(tool_answer(target, RESULTS), NORTH, SOUTH)


@check(
    "API-TOOLS-012",
    "tools that are not needed do not change the answer",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec=f"{CHOICE}: auto is the default if tools are present",
)
def test_needless(target: Target, gateway: GatewayClient) -> None:
    """Agents send their tools with every message."""
    turn = turn_of(tool_answer(target, NEEDLESS))
    if turn.calls or turn.text.strip() != ECHO_TEXT:
        raise CheckFailed(f"expected no call and {ECHO_TEXT!r}, got {_shown(turn)}", blame="gateway")


@check(
    "API-TOOLS-013",
    "a tool that the client did not declare is not called",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec="openai:ChatCompletionTool: the tools the model may call",
)
def test_undeclared_tool(target: Target, gateway: GatewayClient) -> None:
    """Asked for one all the same; gateways with tools of their own, or of other clients, must keep them."""
    answer = tool_answer(target, UNDECLARED_TOOL)
    turn = turn_of(answer)
    judged(answers=answers_among([answer]))
    others = [name for name in turn.names if name not in ("set_alarm", "play_song")]
    if others:
        raise CheckFailed(
            f"expected no call of {UNDECLARED}, which nobody declared; got calls of {others}", blame="gateway"
        )


@check(
    "API-TOOLS-014",
    'tool_choice "none" is honoured, or refused',
    level=SHOULD,
    effect=SPEND,
    claims="FUN-01",
    spec=f"{CHOICE}: none means the model will not call any tool; Ollama #17921",
)
def test_choice_none(target: Target, gateway: GatewayClient) -> None:
    """The model would call, and is told not to: whoever says so does not look for calls."""
    answer = tool_answer(target, ONE, tool_choice="none")
    if refused_honestly(answer):
        return
    turn = turn_of(answer)
    judged(answers=answers_among([answer]))
    if turn.calls:
        raise CheckFailed(f"expected no call with tool_choice none, got {_called(turn)}", blame="gateway")


@check(
    "API-TOOLS-015",
    "a tool_choice that names a tool is honoured, or refused",
    level=SHOULD,
    effect=SPEND,
    claims="FUN-01",
    spec="openai:ChatCompletionNamedToolChoice; Ollama #17921",
)
def test_choice_named(target: Target, gateway: GatewayClient) -> None:
    """The model would call the other tool. Extraction into a fixed form is done in this way."""
    answer = tool_answer(target, PICK, tool_choice={"type": "function", "function": {"name": "play_song"}})
    if refused_honestly(answer):
        return
    turn = turn_of(answer)
    if turn.names != ["play_song"]:
        raise CheckFailed(f"expected a call of play_song alone, got {_called(turn)}", blame="gateway")


@check(
    "API-TOOLS-016",
    "of two tools the one that the model calls is called",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec=f"{CALLS}; LiteLLM #12481",
)
def test_pick(target: Target, gateway: GatewayClient) -> None:
    """An agent with one tool is rare; some gateways describe tools in the prompt, and read one back."""
    _require_calls(calling_turn(tool_answer(target, PICK)), ONE_CALLED)


def _require_calls(turn: Turn, expected: Called) -> None:
    found = turn.called()
    if not same_calls(found, expected):
        raise CheckFailed(f"expected the calls {expected}, got {found}", blame="gateway")


def _require_texts(answer: Exchange, *codes: str) -> None:
    turn = turn_of(answer)
    missing = [code for code in codes if code not in turn.text]
    if missing:
        raise CheckFailed(f"expected {' and '.join(missing)} in the answer, got {_shown(turn)}")


def _shown(turn: Turn) -> str:
    return f"calls of {turn.names} and the text {turn.text[:160]!r}"


def _called(turn: Turn) -> str:
    """The same where calls alone matter: what a model says beside them is its own."""
    return f"calls of {turn.names}" if turn.names else _shown(turn)
