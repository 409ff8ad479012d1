"""Which scenario an embedding request belongs to: LiteLLM forwards no client headers on that route."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class EmbeddingGate:
    """Lets one embedding request through at a time and says, while it is under way, whose it is."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._scenario: str | None = None

    @asynccontextmanager
    async def hold(self, scenario: str | None) -> AsyncIterator[None]:
        """Wait for one's turn, and hold it until the answer is complete."""
        async with self._lock:
            self._scenario = scenario
            try:
                yield
            finally:
                self._scenario = None

    def scenario(self) -> str | None:
        """The scenario of the embedding request under way."""
        return self._scenario
