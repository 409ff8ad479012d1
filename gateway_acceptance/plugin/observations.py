"""What several checks look at is asked for once: by one worker, or by the whole run."""

from __future__ import annotations

import copy
import hashlib
import pickle
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from http import HTTPStatus
from pathlib import Path
from typing import TypeVar

from gateway_acceptance.plugin.made_once import made_once
from gateway_acceptance.wire.exchange import Exchange, Notebook

READINESS, MODELS = "the gateway's readiness", "the gateway's models"
"""How the run calls what its first look was answered: who judges the same question judges these."""

Observed = TypeVar("Observed")

MOST_KEPT = 16 << 20
"""Bytes of large answers that one worker keeps for the checks that will want them; what is beyond is asked
again."""
LARGE = 1 << 20
"""Of all that was asked for one observation."""


class Observations:
    """Those of one environment."""

    def __init__(self, environment: str, folder: Path, notebook: Notebook) -> None:
        """folder: private to the run, shared by its workers."""
        self._environment, self._folder, self._notebook = environment, folder, notebook
        self._seen: dict[tuple[str, ...], tuple[list[Exchange], object]] = {}
        self._large: dict[tuple[str, ...], int] = {}
        self._making: AbstractContextManager[object] = nullcontext()
        self._in_threads = threading.RLock()

    def of_a_thread(self, notebook: Notebook) -> Observations:
        """The same ones, for who asks at the same time as others like it, and writes into a notebook of its
        own: one of them makes what several want."""
        other = copy.copy(self)
        other._notebook, other._making = notebook, self._in_threads
        return other

    def once(self, name: tuple[str, ...], observe: Callable[[], Observed]) -> Observed:
        """The same for several checks of a worker: made once, evidence of each of them, once in each."""
        shared, notebook = self._shared(*name), self._notebook
        notebook.meter.used(shared)
        with self._making:
            if name in self._seen:
                exchanges, result = self._seen[name]
                self._show(exchanges)
                return result  # type: ignore[return-value]
            held, notebook.exchanges = notebook.exchanges, []
            try:
                with notebook.meter.sharing(shared):
                    observed = observe()
            finally:  # all that it rests on, also what the case has shown before
                made, notebook.exchanges = notebook.exchanges, held
                self._show(made)
            self._seen[name] = (made, observed)
            self._forget_beyond(name)
            return observed

    def _show(self, exchanges: Sequence[Exchange]) -> None:
        """Make them evidence of the running case, as far as they are not."""
        shown = self._notebook.exchanges
        here = {id(exchange) for exchange in shown}
        shown.extend(exchange for exchange in exchanges if id(exchange) not in here)

    def _forget_beyond(self, newest: tuple[str, ...]) -> None:
        """The large ones that were made first, as far as there are too many of them."""
        size = sum(len(data) for one in self._seen[newest][0] for _, data in one.chunks)
        if size > LARGE:
            self._large[newest] = size
        while sum(self._large.values()) > MOST_KEPT:
            oldest = next(iter(self._large))
            del self._large[oldest], self._seen[oldest]

    def once_per_run(self, name: str, observe: Callable[[], Observed]) -> Observed:
        """The same for all workers of the run: one makes it while the others wait for it. observe: what it
        returns must be picklable. Where it raises, nothing is kept, and the next one observes anew."""
        shared_name = self._shared(name)
        self._notebook.meter.used(shared_name)
        digest = hashlib.sha256(name.encode()).hexdigest()[:16]
        path = self._folder / f"once-{self._environment}-{digest}"

        own: list[Observed] = []

        def make() -> bytes:
            with self._notebook.meter.sharing(shared_name):
                own.append(observe())
            return pickle.dumps(own[0])

        content = made_once(path, make)
        if own:
            return own[0]
        made: Observed = pickle.loads(content)  # noqa: S301  (of this run, in its private folder)
        return made

    def kept(self, name: str, ask: Callable[[], Exchange]) -> Exchange:
        """An answer of 200 that the run asks for once; any other is asked for again by whoever wants it."""
        try:
            return self.once_per_run(f"kept {name}", lambda: _good(ask()))
        except _NotKept as other:
            return other.exchange

    def shown(self, name: str, ask: Callable[[], Exchange]) -> Exchange:
        """The same, evidence of the running case."""
        before = len(self._notebook.exchanges)
        exchange = self.kept(name, ask)
        if len(self._notebook.exchanges) == before:
            self._notebook.exchanges.append(exchange)
        return exchange

    def _shared(self, *name: str) -> str:
        """How the meter calls a shared observation; one worker may hold several environments."""
        return " / ".join((self._environment, *map(str, name)))


class _NotKept(Exception):  # noqa: N818  (an answer that is no success)
    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        super().__init__()


def _good(exchange: Exchange) -> Exchange:
    if exchange.status != HTTPStatus.OK:
        raise _NotKept(exchange)
    return exchange
