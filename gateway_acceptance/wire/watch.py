"""Every exchange is judged by everything that applies to it. Design: docs/every-exchange.md.

``Watch`` is told each exchange that has ended, reads it once and asks the rules of its kind. It never sends,
never raises for what a target sent, and keeps a bounded amount.
"""

from __future__ import annotations

import threading
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from gateway_acceptance.environment import Environment
from gateway_acceptance.problem import Problem
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.memory import Memory
from gateway_acceptance.wire.seen import Kind, SeenExchange, seen_exchange

MOST_PROBLEMS = 12
"""Different problems of one check and alias that are told; what breaks once breaks a thousand times."""
MOST_EVIDENCE = 3
"""Exchanges that are kept as evidence of one check and alias."""

Judge = Callable[[SeenExchange, Memory], Iterable[Problem]]


@dataclass(frozen=True, slots=True)
class UniversalRule:
    """check: the id of the check that owns the rule; kinds: of exchange that it speaks of; judge: what is
    wrong with one, in the words of that check; alike: the same words of the check's other questions, by
    which what a product does by itself is known."""

    check: str
    kinds: frozenset[Kind]
    judge: Judge
    alike: Callable[[str], Sequence[str]] = lambda text: (text,)


@dataclass(slots=True)
class Breach:
    """What exchanges of one alias broke of one check's rules. alias: empty where it is of none; alike: as of
    the rule."""

    check: str
    alias: str
    alike: Callable[[str], Sequence[str]]
    problems: dict[str, Problem] = field(default_factory=dict)
    exchanges: list[Exchange] = field(default_factory=list)

    def add(self, problem: Problem, exchange: Exchange) -> None:
        """One more problem; the same again says nothing new."""
        text = str(problem)
        if text in self.problems or len(self.problems) >= MOST_PROBLEMS:
            return
        self.problems[text] = problem
        if len(self.exchanges) < MOST_EVIDENCE and exchange not in self.exchanges[-1:]:
            self.exchanges.append(exchange)


class Watch:
    """Over one environment, in one process. rules: by whom they are owned, in any order."""

    def __init__(self, environment: Environment, key: str, rules: Sequence[UniversalRule]) -> None:
        self._environment, self._key = environment, key
        self._rules: dict[Kind, list[UniversalRule]] = {
            kind: [rule for rule in rules if kind in rule.kinds] for kind in Kind
        }
        self._lock = threading.Lock()
        self._memory = Memory()
        self._breaches: dict[tuple[str, str], Breach] = {}
        self._served: dict[str, Counter[str]] = {}
        self.suspended = False
        """While a check takes something down on purpose."""
        self.mistakes: list[str] = []
        """Rules that could not judge: mistakes of ours, one sentence each."""

    def after(self, exchange: Exchange) -> None:
        """Of ``Conduct``: an exchange has ended."""
        if self.suspended:
            return
        seen = seen_exchange(exchange, self._environment, self._key)
        if seen is None:
            return
        with self._lock:
            if seen.kinds & {Kind.CHAT, Kind.EMBEDDINGS} or (seen.drawn and exchange.served_by):
                self._served.setdefault(seen.drawn, Counter())[exchange.served_by] += 1
            for kind in seen.kinds:
                for rule in self._rules[kind]:
                    self._judge(rule, seen)

    def _judge(self, rule: UniversalRule, seen: SeenExchange) -> None:
        try:
            problems = list(rule.judge(seen, self._memory))
        except Exception as error:  # noqa: BLE001  (a rule of ours fell over an answer: told as what it is)
            place = traceback.extract_tb(error.__traceback__)[-1]
            said = f"{type(error).__name__} in {place.name}, line {place.lineno}"
            sentence = f"a rule of {rule.check} could not judge an exchange: {said}"
            if sentence not in self.mistakes:
                self.mistakes.append(sentence)
            return
        for problem in problems:
            breach = self._breaches.setdefault(
                (rule.check, seen.alias), Breach(rule.check, seen.alias, rule.alike)
            )
            breach.add(problem, seen.exchange)

    def served(self, alias: str) -> Counter[str]:
        """How many answers of an alias were served by whom in this process so far, by their headers; under
        the empty name those that did not say it (but of streams, which are BACKEND-WITNESS-005's)."""
        with self._lock:
            return Counter(self._served.get(alias, ()))

    def found(
        self, check: str, alias: str, problems: Sequence[Problem], exchanges: Sequence[Exchange]
    ) -> None:
        """What a check that smoke woke has found. exchanges: that it made."""
        with self._lock:
            breach = self._breaches.setdefault((check, alias), Breach(check, alias, lambda text: (text,)))
            for problem in problems:
                breach.problems.setdefault(str(problem), problem)
            breach.exchanges += exchanges[-MOST_EVIDENCE:]

    def seen(self) -> list[Breach]:
        """What was broken since ``taken`` was asked, left where it is."""
        with self._lock:
            return list(self._breaches.values())

    def taken(self) -> list[Breach]:
        """What was broken since this was asked last."""
        with self._lock:
            found, self._breaches = list(self._breaches.values()), {}
        return found
