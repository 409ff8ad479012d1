"""How long load is held, and what may be left of it: ``[soak]`` (docs/soak.md)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gateway_acceptance.environment.table import Table

ONE_BY_ONE = 7
"""Requests whose median time is compared, before the load and after it."""
KINDS_OF_FAILING = 2
"""Requests that cannot be served: of a model that does not exist, and one that is no JSON."""


class Soak(Table):
    """seconds: how long the load is held; requests: what ends it as well, so that its cost is known before;
    concurrency: how many are under way, where that is not ``bounds.concurrency``; failing: requests that
    cannot be served, beside it; memory_mb, open_files: how much more a service may hold afterwards; slower:
    how many times longer an answer may take afterwards; busy: processors that a service may still use
    afterwards, beyond what it used before."""

    seconds: Annotated[float, Field(gt=0, le=600)] = 30.0
    requests: Annotated[int, Field(ge=20, le=20_000)] = 600
    concurrency: Annotated[int, Field(gt=0, le=64)] | None = None
    failing: Annotated[int, Field(ge=10, le=2000)] = 100
    memory_mb: Annotated[float, Field(gt=0)] = 64.0
    open_files: Annotated[int, Field(gt=0)] = 20
    slower: Annotated[float, Field(gt=1)] = 3.0
    busy: Annotated[float, Field(gt=0)] = 0.5

    def most_requests(self, concurrency: int) -> int:
        """Of all its parts. concurrency: where it declares none."""
        warm = (1 + KINDS_OF_FAILING) * (self.concurrency or concurrency)
        return warm + 2 * ONE_BY_ONE + self.requests + self.failing
