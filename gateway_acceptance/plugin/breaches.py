"""What exchanges broke of checks' rules, from the worker that saw it to a case of the check in the record.

Deviations and waivers apply as to the check itself: what they cover is no breach. Design:
docs/every-exchange.md.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from gateway_acceptance.check import Check
from gateway_acceptance.deviations import forbidden, general_lines, names_of
from gateway_acceptance.environment import Environment, ModelKind
from gateway_acceptance.plugin.blame import located_by
from gateway_acceptance.plugin.outcome import Outcome, Ran, case_of, waivers_in_scope
from gateway_acceptance.plugin.worker import WorkerState
from gateway_acceptance.policy import forbidden as not_permitted
from gateway_acceptance.record import Selected
from gateway_acceptance.verdict import Verdict
from gateway_acceptance.wire.watch import Breach

CASE = "every-exchange::"
"""How the names of these cases begin: no test function made them."""
MOST_LINES = 12
"""Problems of one case, at most."""
GATEWAY = "gateway"
DECLARED = "declared"
"""Where a case on its way to the controller holds its check's declaration."""

Document = dict[str, Any]


Find = Callable[[str], Check | None]


def breached(state: WorkerState, environment: Environment, find: Find) -> list[Document]:
    """The cases of what was broken in an environment since this was asked last: red ones alone. Each brings
    its check's declaration (``declared``). find: a check by its id; of one that there is not nothing is
    told."""
    target = state.targets.get(environment.name)
    if target is None:
        return []
    found = []
    for breach in target.watch.taken():
        check = find(breach.check)
        if check is None or not_permitted(environment.policy, check.effect):
            continue
        parameters = _parameters(breach, environment)
        problems = [str(problem) for problem in breach.problems.values()]
        if state.learning is not None:
            _learn(check, problems, environment, state)
        left = _unaccepted(breach, check, problems, parameters, environment, state)
        if left:
            case = _case(check, breach, left, parameters, environment, state)
            found.append({**case, DECLARED: json.loads(json.dumps(asdict(check)))})
    return found


def red_so_far(state: WorkerState, environment: Environment, find: Find) -> set[str]:
    """The checks of which the running case has broken anything that nobody accepted."""
    target = state.targets.get(environment.name)
    red = set()
    for breach in target.watch.seen() if target is not None else ():
        check = find(breach.check)
        problems = [str(problem) for problem in breach.problems.values()]
        if check is not None and _unaccepted(
            breach, check, problems, _parameters(breach, environment), environment, state
        ):
            red.add(check.id)
    return red


def mistakes(state: WorkerState, environment: str) -> list[str]:
    """Rules that could not judge an exchange of an environment."""
    target = state.targets.get(environment)
    return [] if target is None else list(target.watch.mistakes)


def _parameters(breach: Breach, environment: Environment) -> dict[str, str]:
    if not breach.alias:
        return {}
    chat = breach.alias in environment.aliases_of(ModelKind.CHAT)
    return {"chat_model" if chat else "embedding_model": breach.alias}


def _unaccepted(
    breach: Breach,
    check: Check,
    problems: Sequence[str],
    parameters: dict[str, str],
    environment: Environment,
    state: WorkerState,
) -> list[str]:
    """The problems that neither the product's release shows by itself, nor one waiver describes with them."""
    known, names = state.known(environment.name), names_of(environment)
    left = [
        problem
        for problem in problems
        if forbidden(state.harms, check.id, problem)
        or not any(known.covers(check.id, text, names) for text in breach.alike(problem))
    ]
    for waiver in waivers_in_scope(check.id, parameters, environment, state):
        if all(waiver.covers(problem) for problem in left):
            return []
    return left


def _learn(check: Check, problems: Sequence[str], environment: Environment, state: WorkerState) -> None:
    """As ``outcome.learn``, of what an exchange broke."""
    names = names_of(environment)
    kept = [problem for problem in problems if not forbidden(state.harms, check.id, problem)]
    entry = {
        "check": check.id,
        "level": check.level.value,
        "title": check.title,
        "problems": [line for problem in kept for line in general_lines(problem, names)],
        "version": state.version(environment.name),
    }
    assert state.learning is not None
    with state.learning.open("a", encoding="utf-8") as file:
        file.write(json.dumps(entry) + "\n")


def _case(
    check: Check,
    breach: Breach,
    problems: Sequence[str],
    parameters: Mapping[str, str],
    environment: Environment,
    state: WorkerState,
) -> Document:
    name = "-".join([environment.name, *parameters.values()])
    outcome = Outcome(Verdict.FAILED, "\n".join(problems), GATEWAY)
    if state.planted is None:
        with contextlib.suppress(Exception):  # blame is an extra: it must not cost the run its record
            outcome = located_by(outcome, breach.exchanges, parameters, environment, state)
    return case_of(
        Ran(environment.name, check.id, f"{CASE}{check.id}[{name}]", parameters),
        outcome,
        time.time(),
        0.0,
        breach.exchanges,
        state.redactor,
        state.way(environment.name),
    )


def added(cases: Sequence[Document], breaches: Iterable[Document]) -> tuple[list[Document], list[Selected]]:
    """The cases to add to a run's own, and what stands for their selection. Those of several workers are one;
    where the check itself has failed in that environment, it has said so."""
    failed = {(case["environment"], case["check"]) for case in cases if case["verdict"] == Verdict.FAILED}
    merged: dict[str, Document] = {}
    for breach in breaches:
        if (breach["environment"], breach["check"]) in failed:
            continue
        known = merged.setdefault(breach["nodeid"], breach)
        if known is not breach:
            lines = dict.fromkeys([*known["message"].splitlines(), *breach["message"].splitlines()])
            known["message"] = "\n".join([*lines][:MOST_LINES])
    own = list(merged.values())
    chosen = [
        Selected(case["nodeid"], case["check"], case["environment"], case["parameters"]) for case in own
    ]
    return own, chosen
