"""The stage of outages: takes backends away, keeps requests flowing, notes what came of each."""

from __future__ import annotations

import itertools
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Self

from gateway_acceptance.disruptor import Disruptor, Load, OutageKind
from gateway_acceptance.environment import Environment, ModelKind
from gateway_acceptance.outage.program import ObservedRequest, Program, RequestKind, Span
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import NoAnswer
from gateway_acceptance.wire.backends import BackendClient, client_of
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.meter import Chance
from gateway_acceptance.wire.sender import Deadline, tokens_needed

POLL_S = 0.1
"""Between two looks whether something that is waited for has come."""
SLACK_S = 5.0
"""Beyond what is declared: on two busy cores LiteLLM's timer of 5 s was seen to fire after more than 7."""
LONGEST_POLL_S = 1.0
MOST_PATIENCE_S = 10.0
"""With a gateway that waits longer, outages that only its patience ends are left out: they take too long."""
TOKENS = 96
LONG = " ".join(f"w{number}" for number in range(24))
"""So many words that a stream is under way for a while."""


def pauses() -> Iterator[float]:
    """Seconds between one look and the next at what is waited for: soon at first, then less often."""
    seconds = POLL_S
    while True:
        yield seconds
        seconds = min(2 * seconds, LONGEST_POLL_S)


def polls_within(seconds: float) -> int:
    """How many looks there can be, after the first one, at what is waited for so long; a last one at its
    end."""
    looks = 1
    for pause in pauses():
        if seconds <= 0:
            return looks
        looks, seconds = looks + 1, seconds - pause
    raise AssertionError("pauses have no end")


Ask = tuple[RequestKind, str]
"""What a request asks for, and of which alias (empty for a health route)."""


@dataclass
class OutageStage:
    """One program under way. ``with`` gives everything back at its end, however it ends."""

    target: Target
    disruptor: Disruptor
    program: Program = field(default_factory=Program)
    _begun: float = field(default_factory=time.monotonic)
    _mark: str = field(default_factory=lambda: f"outage-{uuid.uuid4().hex[:8]}")
    _pulses: int = 0
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.environment: Environment = self.target.environment
        self._away: dict[str, Span] = {}
        self._pool = ThreadPoolExecutor(self.environment.bounds.concurrency)
        self.program.before = self._held()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            for backend in list(self._away):
                self._restore(backend)
        finally:
            self._pool.shutdown()

    @property
    def now(self) -> float:
        """Seconds since the program's start."""
        return time.monotonic() - self._begun

    @property
    def away(self) -> dict[str, OutageKind]:
        """The backends that are away now."""
        return {name: span.kind for name, span in self._away.items()}

    @property
    def deadline_s(self) -> float:
        """Seconds in which the gateway promises an answer, whatever its backends do."""
        promised = self.environment.outage
        return promised.patience_s * (1 + promised.retries) + SLACK_S

    def take_down(self, kind: OutageKind, backend: str, *asks: Ask) -> list[ObservedRequest]:
        """Begin an outage while these requests are under way; the last of them come after it."""

        def begin() -> None:
            if backend in self._away:
                self._away[backend].ended = self.now
            span = Span(backend, kind, asked=self.now)
            self.program.spans.append(span)
            self.disruptor.apply(kind, backend)
            if backend in self._away:
                self._away[backend].restored = self.now
            self._away[backend] = span
            span.begun = self.now

        self.program.steps.append(f"{kind.value} {backend}")
        return self._pulse(asks, begin)

    def revive(self, backend: str, *asks: Ask) -> list[ObservedRequest]:
        """End an outage while these requests are under way."""
        self.program.steps.append(f"revive {backend}")
        return self._pulse(asks, lambda: self._restore(backend))

    def send(self, *asks: Ask) -> list[ObservedRequest]:
        """These requests, as many at once as the environment declares."""
        self.program.steps.append("send")
        return self._pulse(asks, lambda: None)

    def again(self, *asks: Ask) -> list[ObservedRequest]:
        """More requests, still of the step before."""
        return self._pulse(asks, lambda: None, anew=False)

    def settle(self) -> Program:
        """Give every backend back, wait until none is left out any more, and look whether all aliases are
        served again; then what the backends counted."""
        touched = {span.backend for span in self.program.spans}
        for backend in list(self._away):
            self._restore(backend)
        ends = max((span.restored for span in self.program.spans), default=0.0)
        ends += self.environment.outage.cooldown_s
        time.sleep(max(0.0, ends - self.now))  # a deployment that failed is left out for so long
        for model in self.environment.models:
            if model.backend in touched:
                self._until_served(model.alias, model.kind, ends + SLACK_S)
        ends = self.now + SLACK_S
        while True:  # before the counts: the suite's own connections are none of these
            self.program.after = self._held()
            if self.now > ends or not any(load.slots for load in self.program.after.values()):
                break
            time.sleep(POLL_S)
        for declared in self.environment.backends:
            if declared.counts is not None:
                self._count(client_of(declared, self.target.sender))
        return self.program

    def _held(self) -> dict[str, Load]:
        return {backend.name: self.disruptor.load(backend.name) for backend in self.environment.backends}

    def other_alias(self) -> Ask | None:
        """A request that no backend that is away has to do with."""
        kinds = {ModelKind.EMBEDDING: RequestKind.EMBEDDING, ModelKind.CHAT: RequestKind.CHAT}
        models = sorted(self.environment.models, key=lambda model: model.kind is ModelKind.CHAT)
        return next(
            ((kinds[model.kind], model.alias) for model in models if model.backend not in self._away), None
        )

    def _restore(self, backend: str) -> None:
        span = self._away[backend]
        span.ended = min(span.ended, self.now)
        self.disruptor.restore(backend)
        span.restored = self.now
        del self._away[backend]

    def _pulse(
        self, asks: Sequence[Ask], change: Callable[[], None], *, anew: bool = True
    ) -> list[ObservedRequest]:
        self._pulses += anew
        mark = f"{self._mark}-{self._pulses:02d}"
        before = len(asks) // 3
        first = [self._pool.submit(self._ask, *ask, mark) for ask in asks[:before]]
        change()
        rest = [self._pool.submit(self._ask, *ask, mark) for ask in asks[before:]]
        seen = [future.result() for future in (*first, *rest)]
        self.program.seen += seen
        return seen

    def _ask(self, way: RequestKind, alias: str, mark: str) -> ObservedRequest:
        gateway, begun = self.target.gateway, self.now
        own = f"{mark}-{next(self._numbers):04d}"  # nobody else's answer is the right one
        text = {RequestKind.STREAM: f"{own} {LONG}", RequestKind.EMBEDDING: "no mark"}.get(way, own)
        exchange, error = None, ""
        try:
            exchange = self._sent(way, alias, text)
        except NoAnswer as failure:
            error = str(failure)
        header = gateway.product.deployment_id
        return ObservedRequest(
            way, alias, begun, self.now, exchange, error,
            mark=mark if way in (RequestKind.CHAT, RequestKind.STREAM) else "",
            expects=text if way in (RequestKind.CHAT, RequestKind.STREAM) else "",
            witness=exchange.served_by if exchange is not None else "",
            deployment=(exchange.header(header) or "") if exchange is not None and header else "",
            step=len(self.program.steps),
        )  # fmt: skip

    def _sent(self, way: RequestKind, alias: str, text: str) -> Exchange:
        gateway = self.target.gateway
        patience = Deadline(self.environment.gateway.connect_deadline_s, self.deadline_s)
        if way is RequestKind.LIVENESS:
            return gateway.get(alias, key=None, deadline=patience)
        if way is RequestKind.EMBEDDING:
            body = {"model": alias, "input": text, "encoding_format": "float"}
            return gateway.request(
                "POST",
                "/v1/embeddings",
                json_body=body,
                tokens=tokens_needed(text, 0),
                deadline=patience,
            )
        prompt = f"Return exactly the text: {text}"
        chat = {
            "model": alias,
            "messages": [{"role": "user", "content": prompt}],
            "temperature": 0,
            "max_tokens": TOKENS,
            "stream": way is RequestKind.STREAM,
        }
        tokens = tokens_needed(prompt, TOKENS)
        return gateway.request(
            "POST", "/v1/chat/completions", json_body=chat, tokens=tokens, deadline=patience
        )

    def _until_served(self, alias: str, kind: ModelKind, ends: float) -> None:
        way = RequestKind.EMBEDDING if kind is ModelKind.EMBEDDING else RequestKind.CHAT
        seen = self._ask(way, alias, "settled")
        waits = pauses()
        with self.target.notebook.meter.chance(Chance.WAIT, polls_within(SLACK_S)):
            while not seen.served:
                if self.now > ends:
                    text = seen.error or f"{seen.status} {seen.exchange.text[:160] if seen.exchange else ''}"
                    self.program.unsettled = f"{alias} is not served again after {ends:.0f} s: {text}"
                    return
                time.sleep(min(next(waits), max(POLL_S, ends - self.now)))
                seen = self._ask(way, alias, "settled")

    def _count(self, client: BackendClient) -> None:
        for mark in dict.fromkeys(seen.mark for seen in self.program.seen if seen.mark):
            counted = dict(self.program.counted.get(mark, {}))
            counted[client.backend.name] = client.counts(mark)
            self.program.counted[mark] = counted
