"""Sentinels: questions of smoke whose right answer rules out what many checks look for.

A sentinel accuses nobody. Where its answer is not the expected one, it wakes the checks that it stands for:
they ask and judge as in nightly, and what they find is theirs. Where the run has found something by itself
nothing is woken: one cause is one finding. Design: docs/every-exchange.md, "Sentinels".
"""

from __future__ import annotations

import functools
import importlib
import inspect
import itertools
import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from gateway_acceptance.check import Check, Effect
from gateway_acceptance.plugin.at_once import at_once
from gateway_acceptance.plugin.limited import unless_limited
from gateway_acceptance.plugin.outcome import Outcome, outcome_of
from gateway_acceptance.plugin.parametrise import AXES
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.plugin.thinking import unless_spent
from gateway_acceptance.policy import forbidden
from gateway_acceptance.problem import Problem
from gateway_acceptance.subjects import SUBJECTS
from gateway_acceptance.verdict import CheckFailed, NotApplicable, NotPermitted, Untestable, Verdict

MOST_REQUESTS = 150
"""That woken checks send to one environment: where everything is broken, the first hundred say enough."""
MOST_SECONDS = 60.0
"""Of them, likewise: a gateway that is late is late each time."""
MOST_LINES = 4
"""Of sentinels that are asked at once, where the environment declares as many."""
LEFT = 0.5
"""Of the run's whole budget this share is left to the checks that the run is made of."""
RUNNING = re.compile(r"check [A-Z0-9-]+")
NEVER_WOKEN = frozenset({Effect.MUTATE, Effect.DISRUPT})


@dataclass(frozen=True, slots=True)
class Sentinel:
    """after: smoke's check behind which it stands; ask: its question, whether the answer is the expected one
    (CheckFailed is none; what is not declared, or cannot be told, wakes nobody); line: with whom it is asked
    one after another, while other lines are asked at the same time: of questions whose answers no time is
    judged of, and which need nothing of those of other lines. Empty: nothing else is asked meanwhile. wakes:
    all checks of a file
    (``suites.api.chat.test_context``), one (``suites.api.chat.test_context:test_order``), or of one the case
    of a parameter (``suites.api.advisories.test_advisories:test_probe[skills]``). otherwise: likewise, what
    is woken only if none of those fails: a search for what they do not know, which takes longer than they."""

    name: str
    after: str
    wakes: Sequence[str]
    ask: Callable[[Target], bool]
    line: str = ""
    otherwise: Sequence[str] = ()


@dataclass
class WakingCosts:
    """What woken checks have cost in one environment; done: the names of those that were woken; asked:
    sentinels."""

    requests: int = 0
    seconds: float = 0.0
    done: set[str] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)

    @property
    def over(self) -> bool:
        """Nothing more is woken."""
        return self.requests >= MOST_REQUESTS or self.seconds >= MOST_SECONDS


class Waking:
    """Of one process. sentinels: asked for when the first case has run; wanted: whether a check is to judge
    an environment; meanwhile: what the process has to do anyway, and may do while lines of them are asked."""

    def __init__(
        self,
        sentinels: Callable[[], Sequence[Sentinel]],
        wanted: Callable[[Check, str], bool],
        meanwhile: Callable[[], object] | None = None,
    ) -> None:
        self._make, self._wanted, self._meanwhile = sentinels, wanted, meanwhile
        self._sentinels: Sequence[Sentinel] | None = None
        self._spent: dict[str, WakingCosts] = {}

    def after(self, check: Check, target: Target, *, red: bool, selected: Collection[str]) -> None:
        """A case of smoke has been judged. red: whether the run has found anything against this environment;
        selected: the checks that it judges itself. Raises ImportError, AttributeError for a sentinel that
        names no check."""
        if red:
            return
        if self._sentinels is None:
            self._sentinels = self._make()
        spent = self._spent.setdefault(target.environment.name, WakingCosts())
        here = [one for one in self._sentinels if one.after == check.id and one.name not in spent.asked]
        spent.asked |= {one.name for one in here}
        quiet = self._asked_at_once([one for one in here if one.line], target)
        for sentinel in here:
            as_expected = quiet[sentinel.name] if sentinel.name in quiet else _quiet(sentinel, target)
            if not as_expected:
                self._wake(sentinel, target, spent, selected)

    def _asked_at_once(self, sentinels: Sequence[Sentinel], target: Target) -> dict[str, bool]:
        """Which of them have nothing to tell: a thread and a notebook for each line."""
        lines: dict[str, list[Sentinel]] = {}
        for one in sentinels:
            lines.setdefault(one.line, []).append(one)
        if not lines:
            return {}

        def ask(line: Sequence[Sentinel]) -> dict[str, bool]:
            with target.of_a_thread() as own:
                try:
                    return {one.name: _answer(one, own) for one in line}
                finally:
                    target.notebook.meter.took(own.notebook.meter)

        with _apart(target):
            asked = [functools.partial(ask, line) for line in lines.values()]
            policy, bounds = target.environment.policy, target.environment.bounds
            most = min(MOST_LINES, bounds.concurrency, policy.concurrency or MOST_LINES)
            found = at_once(asked, most, self._meanwhile)
        return {name: quiet for line in found for name, quiet in line.items()}

    def _wake(
        self, sentinel: Sentinel, target: Target, spent: WakingCosts, selected: Collection[str]
    ) -> None:
        failed = self._woken(sentinel.wakes, target, spent, selected)
        if not failed:
            self._woken(sentinel.otherwise, target, spent, selected)

    def _woken(
        self, names: Sequence[str], target: Target, spent: WakingCosts, selected: Collection[str]
    ) -> bool:
        """Let the checks of these names judge. Returns whether any failed, be it as its product is known to
        do."""
        failed = False
        for name in names:
            if name in spent.done or _enough(spent, target) or target.breaker.trouble() is not None:
                continue
            spent.done.add(name)
            for owner in checks_at(name):
                wanted = owner.check.id not in selected and self._wanted(owner.check, target.environment.name)
                if wanted and not _enough(spent, target):
                    failed |= _judge(owner, target, spent)
        return failed


def _enough(spent: WakingCosts, target: Target) -> bool:
    """Whether nothing more is woken: what woke may send is sent, or the run needs the rest for itself."""
    return spent.over or target.budget.share() > 1 - LEFT


@dataclass(frozen=True, slots=True)
class Owner:
    """A check and its function. case: the value of its parameter, empty for all of them."""

    check: Check
    function: Callable[..., object]
    case: str = ""


def checks_at(name: str) -> Iterator[Owner]:
    """The checks of a file, or the one of a function. Raises ImportError, AttributeError."""
    place, _, only = name.partition(":")
    module = importlib.import_module(place)
    name, _, case = only.removesuffix("]").partition("[")
    for function in vars(module).values() if not only else [getattr(module, name)]:
        for mark in getattr(function, "pytestmark", ()):
            if mark.name == "check":
                yield Owner(mark.args[0], function, case)


def _quiet(sentinel: Sentinel, target: Target) -> bool:
    """Whether a sentinel has nothing to tell."""
    with _apart(target):
        return _answer(sentinel, target)


def _answer(sentinel: Sentinel, target: Target) -> bool:
    """The same, of what its question says."""
    try:
        return sentinel.ask(target)
    except CheckFailed:
        return False
    except (NotApplicable, NotPermitted, Untestable):
        return True
    except Exception as error:  # noqa: BLE001  (an answer that cannot be read, or a mistake of ours)
        if outcome_of(error, "call").verdict is Verdict.HARNESS_ERROR:
            target.watch.mistakes.append(f"the sentinel {sentinel.name!r} fell over: {error!r}")
        return False


def _judge(owner: Owner, target: Target, spent: WakingCosts) -> bool:
    """Let a woken check judge, each case of it, and hand over what it finds. Returns whether one failed."""
    environment, failed = target.environment, False
    if owner.check.effect in NEVER_WOKEN or forbidden(environment.policy, owner.check.effect):
        return failed
    for arguments in cases_of(owner.function, target, owner.case):
        if _enough(spent, target):
            break
        begun = time.monotonic()
        with _apart(target, owner.check):
            outcome = _outcome(owner, arguments, target)
            exchanges = list(target.notebook.exchanges)
        spent.requests += len(exchanges)
        spent.seconds += time.monotonic() - begun
        if outcome.verdict is Verdict.HARNESS_ERROR:
            target.watch.mistakes.append(f"{owner.check.id}, woken, fell over: {outcome.message}")
        if outcome.verdict is Verdict.FAILED:
            failed = True
            problems = outcome.problems or (outcome.message,)
            target.watch.found(
                owner.check.id,
                _alias(arguments),
                [Problem("", problem) for problem in problems],
                exchanges,
            )
    return failed


def _outcome(owner: Owner, arguments: Mapping[str, Any], target: Target) -> Outcome:
    error: BaseException | None = None
    try:
        owner.function(**arguments)
    except Exception as raised:  # noqa: BLE001  (as pytest does: what it means, outcome_of says)
        error = raised
    environment, seen = target.environment, target.notebook.exchanges
    outcome = unless_limited(outcome_of(error, "call"), seen, environment.gateway.url, owner.check)
    return unless_spent(outcome, seen, environment)


def cases_of(function: Callable[..., object], target: Target, case: str = "") -> list[dict[str, Any]]:
    """What a check is called with, once for each value of its axis; nothing where it asks for what only
    pytest can give. case: of its own parameters this value alone."""
    names = list(inspect.signature(function).parameters)
    environment = target.environment
    given: dict[str, Callable[[], Any]] = {
        "target": lambda: target,
        "environment": lambda: environment,
        "gateway": lambda: target.gateway,
        "any_gateway": lambda: target.gateway,
        "live_gateway": lambda: target.gateway,
        "sdk": lambda: target.sdk,
        "note": lambda: lambda _name, _value: None,
        "waivable": lambda: False,
        "in_smoke": lambda: True,
    }
    axes: dict[str, list[Any]] = {
        name: [_of_axis(name, value, target) for value in AXES[name][1](environment)]
        for name in names
        if name in AXES
    }
    for mark in getattr(function, "pytestmark", ()):
        if mark.name == "parametrize" and isinstance(mark.args[0], str):
            axes[mark.args[0]] = [value for value in mark.args[1] if case in ("", value)]
    if [name for name in names if name not in given and name not in axes]:
        return []
    fixed = {name: given[name]() for name in names if name in given}
    return [{**fixed, **dict(zip(axes, chosen, strict=True))} for chosen in itertools.product(*axes.values())]


def _of_axis(axis: str, value: str, target: Target) -> object:
    return target.backend(value) if axis == "backend" else value


def _alias(arguments: Mapping[str, Any]) -> str:
    alias = arguments.get("chat_model") or arguments.get("embedding_model") or ""
    return str(alias)


@contextmanager
def _apart(target: Target, check: Check | None = None) -> Iterator[None]:
    """What is asked meanwhile is no evidence of the running case, and adds nothing to its subjects. check:
    that asks, where it is another one."""
    notebook, stated, observed = target.notebook, SUBJECTS.stated, SUBJECTS.observed
    kept = notebook.exchanges, notebook.facts, notebook.pictures, notebook.key_places.exposing
    SUBJECTS.begin()
    notebook.exchanges, notebook.facts, notebook.pictures = [], {}, {}
    agent = notebook.agent
    if check is not None:
        notebook.key_places.exposing = check.effect is Effect.EXPOSE
        notebook.agent = RUNNING.sub(f"check {check.id}", agent)
    try:
        yield
    finally:
        SUBJECTS.stated, SUBJECTS.observed = stated, observed
        notebook.agent = agent
        notebook.exchanges, notebook.facts, notebook.pictures, notebook.key_places.exposing = kept
