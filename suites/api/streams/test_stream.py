"""API-STREAM: server-sent events of chat completions."""

from gateway_acceptance.check import MUST, SPEND, Level, check
from gateway_acceptance.environment import Environment
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.problem import Problem, at_level
from gateway_acceptance.verdict import require
from gateway_acceptance.wire.gateway import GatewayClient
from gateway_acceptance.wire.reasoning import spent_in
from gateway_acceptance.wire.stream import read_chat_stream
from suites.api.observations import ECHO_PROMPT, balanced_or_first, echo_room, strays, wanted_of
from suites.api.reasoning import require_unspent


@check(
    "API-STREAM-001",
    "a stream is whole: framing, ids, roles, one finish, [DONE], and the text that was asked for",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    profile="smoke",
    spec="openai:CreateChatCompletionStreamResponse",
)
def test_complete_stream(target: Target, gateway: GatewayClient, environment: Environment) -> None:
    """The state machine over the raw bytes; the official SDK accepts a stream that simply ends."""
    alias = balanced_or_first(environment)
    answer = target.once(
        ("stream", alias),
        lambda: gateway.chat(
            alias, ECHO_PROMPT, temperature=0, max_tokens=echo_room(environment), stream=True
        ),
    )
    stream = read_chat_stream(answer.status or 0, answer.headers, answer.chunks)
    problems = list(at_level(stream.problems, Level.MUST))
    if strays(environment, alias, stream.text()):
        require_unspent(spent_in(stream), problems)
        text = f"expected the stream to spell {wanted_of(environment, alias)}, got {stream.text()[:200]!r}"
        problems.append(Problem("stream.text", text))
    require(problems, blame="gateway")
