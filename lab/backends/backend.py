"""One logical Ollama server: its models, what it served, how busy it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from lab.backends.counts import Counts
from lab.backends.models import Inventory, ModelSpec, normalise

KEEP_ALIVE = timedelta(minutes=5)  # how long Ollama keeps an unused model loaded


class BackendServer:
    """A server that may listen at many addresses; all of them share its models and its counts.

    name: as the environment knows it (``llm-01``). models: upstream name to spec; names are normalised.
    token_delay_s: seconds between two tokens, settable at any time. embed_scenario: asked for the scenario
    of a request without header (the embedding route of LiteLLM forwards none); None is healthy. ``outage``,
    settable at any time, is the scenario in force at all addresses without one of their own.
    Raises ValueError where two names mean the same model.
    """

    def __init__(
        self,
        name: str,
        models: Mapping[str, ModelSpec],
        version: str = "0.35.0",
        *,
        token_delay_s: float = 0.0,
        embed_scenario: Callable[[], str | None] | None = None,
    ) -> None:
        self.name = name
        self.models: Inventory = {normalise(model): spec for model, spec in models.items()}
        if len(self.models) != len(models):
            raise ValueError(f"backend {name}: two names mean the same model: {', '.join(models)}")
        self.version = version
        self.token_delay_s = token_delay_s
        self.embed_scenario = embed_scenario
        self.outage: str | None = None
        self.counts = Counts()
        self._in_flight = 0
        self._expires: dict[tuple[str, str], datetime] = {}
        self._busy: Counter[tuple[str, str]] = Counter()

    @property
    def in_flight(self) -> int:
        """Slots in use: requests to models that are being answered, or kept waiting, now."""
        return self._in_flight

    @contextmanager
    def slot(self, model: str = "", scenario: str = "") -> Iterator[None]:
        """Hold one slot of a model; it is free again however the request ends."""
        self.occupy(model, scenario)
        try:
            yield
        finally:
            self.release(model, scenario)

    def occupy(self, model: str, scenario: str) -> None:
        """Take a slot, to be given back by ``release``."""
        self._in_flight += 1
        self._busy[normalise(model), scenario] += 1

    def release(self, model: str, scenario: str) -> None:
        """Give a slot back. A model that is idle then has its time until unloading begin anew, as in Ollama's
        server/sched.go: while a request to it is under way, its ``expires_at`` stands still."""
        key = normalise(model), scenario
        self._in_flight -= 1
        self._busy[key] -= 1
        if not self._busy[key] and key in self._expires:
            self._expires[key] = datetime.now(UTC) + KEEP_ALIVE

    def used(self, model: str, scenario: str = "") -> None:
        """Note that a model is loaded from now on."""
        self._expires.setdefault((normalise(model), scenario), datetime.now(UTC) + KEEP_ALIVE)

    def unloaded(self, model: str, scenario: str = "") -> None:
        """Note that a model was unloaded on request."""
        self._expires.pop((normalise(model), scenario), None)

    def running(self, scenario: str = "") -> dict[str, datetime]:
        """The models used since the start, and when each would be unloaded (UTC). Every scenario has its own,
        so that what a faulty backend holds is not held by the healthy one."""
        return {model: at for (model, where), at in self._expires.items() if where == scenario}
