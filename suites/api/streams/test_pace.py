"""API-STREAM: that a stream is one: tokens pass the gateway when they come, not when all are there."""

from collections.abc import Callable

from gateway_acceptance.check import MUST, SPEND, check
from gateway_acceptance.environment import Ability
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import CheckFailed, NotApplicable, Untestable, require
from gateway_acceptance.wire.gateway import GatewayClient
from suites.api.asking import read, single_chat
from suites.api.streams.pace import (
    LEAST_SPREAD_S,
    backend_pace,
    buffers,
    bursts,
    gateway_paces,
    slow_stream,
)


@check(
    "API-STREAM-085",
    "the first token arrives clearly before the last",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec="openai:CreateChatCompletionRequest.stream; LiteLLM #29557",
)
def test_not_buffered(target: Target, gateway: GatewayClient, note: Callable[[str, object], None]) -> None:
    """A proxy that buffers makes a stream useless while all of its bytes are right. The backend itself is
    asked the same; only where it takes its time is there anything to see. Judged is the best of up to three
    streams."""
    backend, paces = backend_pace(target), gateway_paces(target)
    note("stream.first_token_s", f"{paces[0].times[0]:.3f}")
    note("stream.spread_s", f"{paces[0].spread_s:.3f}")
    if all(buffers(pace, backend) for pace in paces):
        seen = ", ".join(f"{pace.spread_s:.3f} s" for pace in paces)
        raise CheckFailed(
            f"the text is buffered: from the first token to the last the backend itself takes "
            f"{backend.spread_s:.3f} s, of the gateway they come within {seen}",
            blame="gateway",
        )


@check(
    "API-STREAM-086",
    "tokens arrive one after the other, not in one burst after the first",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec="openai:CreateChatCompletionRequest.stream; LiteLLM #29557",
)
def test_no_burst(target: Target, gateway: GatewayClient) -> None:
    """A proxy may let the first event pass and hold back the rest: then the time to the first token looks
    well. Judged is the best of up to three streams."""
    backend, paces = backend_pace(target), gateway_paces(target)
    if all(bursts(pace, backend) for pace in paces):
        window_s = backend.spread_s / 10
        seen = ", ".join(f"{pace.burst(window_s):.0%}" for pace in paces)
        raise CheckFailed(
            f"the text comes in a burst: within {window_s:.3f} s arrive {seen} of all tokens, "
            f"of the backend itself {backend.burst(window_s):.0%}",
            blame="gateway",
        )


@check(
    "API-STREAM-087",
    "what keeps a slow stream alive is a comment, which clients ignore",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec="WHATWG HTML 9.2.6: a line that begins with a colon is ignored",
)
def test_keep_alive(target: Target, gateway: GatewayClient, note: Callable[[str, object], None]) -> None:
    """Gateways send something while a model thinks. An empty data line is an event for clients, and no JSON;
    a word without colon is a field that some of them refuse."""
    exchange = slow_stream(target)
    stream = read(exchange)
    note("stream.comments", len(stream.comments))
    require(
        stream.broken("stream.status", "sse", "stream.data", "stream.event"),
        blame="gateway",
        judged={"chunks": len(stream.chunks)},
    )
    if exchange.error or exchange.elapsed_s < LEAST_SPREAD_S:
        seen = exchange.error or f"it was over after {exchange.elapsed_s:.3f} s"
        alias = single_chat(target.environment).alias
        if not exchange.error and not target.environment.can(alias, Ability.COUNT):
            raise NotApplicable(
                f"{alias} is not declared to count, and its stream {seen.removeprefix('it ')}",
                declared="models.abilities",
            )
        raise Untestable(
            f"no slow stream came to its end ({seen})",
            "see API-STREAM-004, and whether the model heeds a prompt",
        )
