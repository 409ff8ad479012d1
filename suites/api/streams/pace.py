"""When the tokens of a stream arrive: at the gateway's client, and at a client of the backend itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway_acceptance.environment import Model
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import CheckFailed, Inconclusive
from gateway_acceptance.wire.backends import DirectChat
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.stream import ChatStream
from gateway_acceptance.wire.stream_choice import brings_text
from suites.api.asking import read, single_chat, stream_of

SLOW_PROMPT = "Speak slowly. Count from 1 to 60"
"""Long enough to be slow on any hardware; the lab's backends take the words themselves to heart."""
SLOW_TOKENS = 400
LEAST_SPREAD_S = 0.25
"""Seconds from the backend's first to its last token below which nothing can be said about buffering."""
SPREAD_SHARE = 0.2
"""Of the backend's own spread, what must at least be left behind the gateway. A buffer leaves nothing."""
BURST_SHARE = 0.75
"""Of all tokens, how many may arrive within a tenth of the backend's spread: a busy client sees some at once,
a buffer gives (nearly) all."""
STREAMS = 3
"""A gateway that buffers does it every time; a client that was not given the processor, never so often."""

Times = Sequence[float]


@dataclass(frozen=True, slots=True)
class ArrivalTimes:
    """Seconds since sending at which each piece of text arrived; exchange: the evidence."""

    times: tuple[float, ...]
    exchange: Exchange

    @property
    def spread_s(self) -> float:
        """From the first piece to the last."""
        return self.times[-1] - self.times[0] if self.times else 0.0

    def burst(self, window_s: float) -> float:
        """The largest share of all pieces that arrived within ``window_s``; 1 where there are none."""
        if not self.times:
            return 1.0
        return largest_within(self.times, window_s) / len(self.times)


def largest_within(times: Times, window_s: float) -> int:
    """The most of these (ascending) times that lie within one window."""
    largest = first = 0
    for last, at in enumerate(times):
        while at - times[first] > window_s:
            first += 1
        largest = max(largest, last - first + 1)
    return largest


def times_of_stream(stream: ChatStream) -> tuple[float, ...]:
    """When each event with text arrived."""
    return tuple(event.at for event in stream.events if brings_text(event.data))


def slow_stream(target: Target) -> Exchange:
    """A long answer, streamed by the gateway: the first of those that are measured."""
    alias = single_chat(target.environment).alias
    return target.once(
        ("stream", "slow"), lambda: stream_of(target, alias, SLOW_PROMPT, max_tokens=SLOW_TOKENS)
    )


def backend_pace(target: Target) -> ArrivalTimes:
    """The same question asked of the backend itself.

    Raises Untestable, and Inconclusive where it is too quick for a buffer to be told from none."""
    model = single_chat(target.environment)
    target.backend(model.backend)  # Untestable where it may not be asked
    pace = target.once(("stream", "slow", "backend"), lambda: _backend_pace(target, model))
    if pace.spread_s < LEAST_SPREAD_S:
        raise Inconclusive(
            f"{model.backend} itself takes only {pace.spread_s:.3f} s from the first token to the last, "
            f"at least {LEAST_SPREAD_S:g} s are needed to see a buffer"
        )
    return pace


def _backend_pace(target: Target, model: Model) -> ArrivalTimes:
    backend = target.backend(model.backend)
    asked = DirectChat([{"role": "user", "content": SLOW_PROMPT}], SLOW_TOKENS, stream=True)
    exchange = backend.converse(model.upstream, asked)
    return ArrivalTimes(backend.times_of_text(exchange), exchange)


def gateway_paces(target: Target) -> list[ArrivalTimes]:
    """The gateway's streams of the same question, measured one after the other until one is as it should be.

    Raises CheckFailed where one is no stream with text."""
    alias, backend = single_chat(target.environment).alias, backend_pace(target)
    paces: list[ArrivalTimes] = []
    for number in range(STREAMS):
        exchange = (
            slow_stream(target)
            if number == 0
            else stream_of(target, alias, SLOW_PROMPT, max_tokens=SLOW_TOKENS)
        )
        pace = ArrivalTimes(times_of_stream(read(exchange)), exchange)
        if not pace.times:
            raise CheckFailed(
                f"expected a stream with text, got {exchange.status}: {exchange.text[:200]}", blame="gateway"
            )
        paces.append(pace)
        if not (buffers(pace, backend) or bursts(pace, backend)):
            break
    return paces


def buffers(pace: ArrivalTimes, backend: ArrivalTimes) -> bool:
    """Whether the whole text arrived more or less at once."""
    return pace.spread_s < SPREAD_SHARE * backend.spread_s


def bursts(pace: ArrivalTimes, backend: ArrivalTimes) -> bool:
    """Whether most of the text arrived at once, whatever came before it."""
    return pace.burst(backend.spread_s / 10) > BURST_SHARE
