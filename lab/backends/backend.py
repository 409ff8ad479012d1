"""One logical Ollama server: its models, what it served, how busy it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from lab.backends.counts import Counts
from lab.backends.models import Inventory, ModelSpec, normalise

KEEP_ALIVE = timedelta(minutes=5)  # how long Ollama keeps an unused model loaded


class Backend:
    """A server that may listen at many addresses; all of them share its models and its counts.

    name: as the environment knows it (``llm-01``). models: upstream name to spec; names are normalised.
    token_delay_s: seconds between two tokens, settable at any time. embed_scenario: asked for the scenario
    of a request without header (the embedding route of LiteLLM forwards none); None is healthy.
    Raises ValueError where two names mean the same model.
    """

    def __init__(
        self,
        name: str,
        models: Mapping[str, ModelSpec],
        version: str = "0.12.6",
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
        self.counts = Counts()
        self._in_flight = 0
        self._expires: dict[str, datetime] = {}

    @property
    def in_flight(self) -> int:
        """Slots in use: requests to models that are being answered, or kept waiting, now."""
        return self._in_flight

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Hold one slot; it is free again however the request ends."""
        self._in_flight += 1
        try:
            yield
        finally:
            self._in_flight -= 1

    def used(self, model: str) -> None:
        """Note that a model is loaded from now on."""
        self._expires[normalise(model)] = datetime.now(UTC) + KEEP_ALIVE

    def unloaded(self, model: str) -> None:
        """Note that a model was unloaded on request."""
        self._expires.pop(normalise(model), None)

    def running(self) -> dict[str, datetime]:
        """The models used since the start, and when each would be unloaded (UTC)."""
        return dict(self._expires)
