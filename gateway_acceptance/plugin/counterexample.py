"""Properties: Hypothesis draws requests, and the smallest that breaks the property is the evidence.

The same seed draws the same requests everywhere. Nothing is kept of the requests that were answered well:
the notebook holds the counterexample (or the last request), so that it is what the report shows.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from gateway_acceptance.problem import Problem
from gateway_acceptance.verdict import (
    CheckFailed,
    Inconclusive,
    NotApplicable,
    NotPermitted,
    Untestable,
)
from gateway_acceptance.wire.exchange import Exchange, Notebook

if TYPE_CHECKING:  # imported by whoever draws: a collection draws nothing
    from hypothesis import settings
    from hypothesis.strategies import SearchStrategy

SEED_VARIABLE = "GATEWAY_ACCEPTANCE_SEED"
DEFAULT_SEED = 20260401
"""Any number; that it stays the same is what makes two runs comparable."""

SEARCH = 40
"""Requests that may be spent on the search for a smaller counterexample, beyond the examples themselves."""

SPOKEN = (NotPermitted, NotApplicable, Untestable, Inconclusive)
"""Verdicts that are no counterexample: they end the exploration."""

Drawn = TypeVar("Drawn")


@dataclass(frozen=True, slots=True)
class ExplorationBudget:
    """How much is explored. examples: requests that are drawn; seconds: after which no more are sent; enough:
    how many must have been answered well for the property to be believed."""

    examples: int
    seconds: float
    enough: int


@dataclass
class _Exploration(Generic[Drawn]):
    notebook: Notebook
    broken: Callable[[Drawn], Sequence[Problem]]
    most: int
    ends: float
    before: list[Exchange]
    attempts: int = 0
    stopped: Exception | None = None
    found: Sequence[Problem] = ()
    evidence: list[Exchange] = field(default_factory=list)

    def attempt(self, drawn: Drawn) -> None:
        """One request. Raises CheckFailed where it breaks the property."""
        if self.stopped or self.attempts >= self.most or time.monotonic() > self.ends:
            return
        self.attempts += 1
        self.notebook.exchanges[:] = self.before
        try:
            problems = self.broken(drawn)
        except SPOKEN as spoken:
            self.stopped = spoken
            return
        except CheckFailed as failure:
            problems = failure.problems
        if problems or not self.found:
            self.evidence = self.notebook.exchanges[len(self.before) :]
        if problems:
            self.found = problems
            raise CheckFailed(problems)


def explore(
    notebook: Notebook,
    drawn: SearchStrategy[Drawn],
    broken: Callable[[Drawn], Sequence[Problem]],
    bounds: ExplorationBudget,
    *,
    blame: Callable[[], str] = str,
) -> int:
    """Draw requests and judge each; return how many were answered well.

    broken: asks, and returns what is wrong with the answer; NoAnswer counts as broken. blame: called after a
    failure. Raises CheckFailed with one problem, which tells of the smallest counterexample found; whatever
    of NotPermitted, Untestable and their like ``broken`` raised; Inconclusive where time ran out early.
    """
    chosen = seed_of_the_run()
    exploration = _Exploration(
        notebook,
        broken,
        bounds.examples + SEARCH,
        time.monotonic() + bounds.seconds,
        list(notebook.exchanges),
    )
    _run(exploration, drawn, bounds.examples, chosen)
    if exploration.found:
        words = "; ".join(str(problem) for problem in exploration.found)
        text = f"{words} (seed {chosen}, {SEED_VARIABLE} sets another)"
        culprit = blame()
        notebook.exchanges[:] = [*exploration.before, *exploration.evidence]
        raise CheckFailed(text, blame=culprit)
    notebook.exchanges[:] = [*exploration.before, *exploration.evidence]
    if exploration.stopped is not None:
        raise exploration.stopped
    if exploration.attempts < min(bounds.enough, bounds.examples):
        raise Inconclusive(
            f"only {exploration.attempts} requests were answered within {bounds.seconds:g} s, "
            f"{bounds.enough} are needed to judge"
        )
    return exploration.attempts


def collected(drawn: SearchStrategy[Drawn], examples: int, chosen: int) -> list[Drawn]:
    """What the strategy yields in so many examples, in the order drawn: the same for the same seed.
    Nothing is judged, so nothing is shrunk."""
    from hypothesis import HealthCheck, Phase, given, seed, settings

    found: list[Drawn] = []

    @seed(chosen)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(drawn)
    def collect(value: Drawn) -> None:
        found.append(value)

    with _same_everywhere():
        collect()
    return found


def seed_of_the_run() -> int:
    """The seed: the same in every run, unless the environment variable sets another. Raises Untestable."""
    text = os.environ.get(SEED_VARIABLE, "")
    if not text:
        return DEFAULT_SEED
    try:
        return int(text)
    except ValueError:
        raise Untestable(f"{SEED_VARIABLE} is {text!r}", "set it to an integer, or not at all") from None


@contextmanager
def _same_everywhere() -> Iterator[None]:
    """Hypothesis also tries constants that it finds in whatever modules are loaded: the same seed would draw
    other requests in another selection of checks."""
    from unittest import mock

    from hypothesis.internal.cache import LRUCache
    from hypothesis.internal.conjecture import providers
    from hypothesis.internal.constants_ast import Constants

    with (
        mock.patch.object(providers, "_get_local_constants", Constants),
        mock.patch.object(providers, "CONSTANTS_CACHE", LRUCache(1024)),
    ):
        yield


def drawing(examples: int, steps: int = 50) -> settings:
    """How Hypothesis draws here: from the seed alone, without a memory, and down to the smallest that fails.
    steps: of a machine with states."""
    from hypothesis import HealthCheck, Phase, settings

    return settings(
        database=None,
        deadline=None,
        print_blob=False,
        report_multiple_bugs=False,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        max_examples=examples,
        stateful_step_count=steps,
    )


def _run(exploration: _Exploration[Drawn], drawn: SearchStrategy[Drawn], examples: int, chosen: int) -> None:
    from hypothesis import given, seed
    from hypothesis.errors import Flaky, Unsatisfiable

    @seed(chosen)
    @drawing(examples)
    @given(drawn)
    def holds(value: Drawn) -> None:
        exploration.attempt(value)

    with _same_everywhere():
        try:
            holds()
        except (CheckFailed, Flaky):
            # Flaky: it was not seen again when asked again; that it was seen once is failure enough
            if not exploration.found:
                raise
        except AssertionError as error:  # of Hypothesis, or of the judge: nothing that the target did
            raise RuntimeError(f"while requests were drawn: {error}") from error
        except Unsatisfiable:
            if exploration.attempts == 0 and exploration.stopped is None:
                raise
