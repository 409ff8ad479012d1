"""The environment as it was declared: the parts of its file that the record repeats."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import ConfigDict, Field

from gateway_acceptance.record_model.base import Declared, Positive, RecordPart, Texts


class DeclaredModel(Declared):
    """One alias; a balanced group is one as well, its backends and upstreams joined by commas."""

    alias: str
    kind: str
    backend: str | None = None
    upstream: str | None = None
    dimensions: int | None = None


class DeclaredGroup(Declared):
    """A balanced alias and its strategy."""

    alias: str
    kind: str
    strategy: str


class DeclaredBackend(Declared):
    """A backend and its address."""

    name: str
    url: str


class DeclaredHost(Declared):
    """The gateway's machine."""

    name: str | None = None
    hostname: str | None = None


class DeclaredPolicy(Declared):
    """effects: those that the environment permits; requests, tokens, seconds: its budget."""

    effects: Texts
    requests: int
    tokens: int
    seconds: int | float


class RecordedTracker(RecordPart):
    """How many hours a proof counts."""

    fresh_h: Positive


class DeclaredEnvironment(RecordPart):
    """As declared: docs/environments.md."""

    model_config = ConfigDict(extra="allow")

    models: Sequence[DeclaredModel]
    groups: Sequence[DeclaredGroup]
    backends: Sequence[DeclaredBackend]
    host: DeclaredHost | None
    tracker: Annotated[
        RecordedTracker | None, Field(description="records that were written before it was may lack it")
    ] = None
    policy: DeclaredPolicy
