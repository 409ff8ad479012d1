"""API-STREAM: server-sent events of chat completions."""

from gateway_acceptance.check import MUST, SPEND, Level, check
from gateway_acceptance.environment import Ability, Environment
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.problem import Problem, at_level
from gateway_acceptance.verdict import NoAnswer, NotApplicable, require
from gateway_acceptance.wire.gateway import GatewayClient
from gateway_acceptance.wire.reasoning import spent_in
from gateway_acceptance.wire.stream import read_chat_stream
from suites.api.asking import single_chat
from suites.api.chat.probes import counts
from suites.api.exact import require_exact
from suites.api.observations import COUNT_TO, ECHO_PROMPT, balanced_or_first, echo_room, strays, wanted_of
from suites.api.reasoning import require_unspent
from suites.api.streams.probes import StreamKind, observed


@check(
    "API-STREAM-001",
    "a stream is whole: framing, ids, roles, one finish, [DONE], and the text that was asked for",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    profile="smoke",
    spec="openai:CreateChatCompletionStreamResponse",
)
def test_complete_stream(
    target: Target, gateway: GatewayClient, environment: Environment, in_smoke: bool
) -> None:
    """The state machine over the raw bytes; the official SDK accepts a stream that simply ends. In smoke it
    is the count that the checks of its text ask for, of a model that is declared to count; its usage chunk is
    judged by API-STREAM-070 and the following."""
    alias = balanced_or_first(environment)
    counting = _counting(environment) if in_smoke else None
    if counting is not None and (seen := observed(target, StreamKind.USAGE)) is not None:
        if seen.exchange.error:
            raise NoAnswer(f"{seen.exchange.method} {seen.exchange.url}: {seen.exchange.error}")
        alias, stream = counting, seen.stream
        wanted, strayed = f"the numbers from 1 to {COUNT_TO}", not counts(stream.text())
    else:
        answer = target.once(
            ("stream", alias),
            lambda: gateway.chat(
                alias, ECHO_PROMPT, temperature=0, max_tokens=echo_room(environment), stream=True
            ),
        )
        stream = read_chat_stream(answer.status or 0, answer.headers, answer.chunks)
        wanted, strayed = wanted_of(environment, alias), strays(environment, alias, stream.text())
    problems = [
        problem
        for problem in at_level(stream.problems, Level.MUST)
        if counting is None or not problem.rule.startswith("stream.usage.")
    ]
    if strayed:
        require_unspent(spent_in(stream), problems)
        if counting is None:
            require_exact(target, alias)
        text = f"expected the stream to spell {wanted}, got {stream.text()[:200]!r}"
        problems.append(Problem("stream.text", text))
    require(problems, blame="gateway")


def _counting(environment: Environment) -> str | None:
    """The alias whose streams are compared, where it is declared to count."""
    try:
        alias = single_chat(environment).alias
    except NotApplicable:
        return None
    return alias if environment.can(alias, Ability.COUNT) else None
