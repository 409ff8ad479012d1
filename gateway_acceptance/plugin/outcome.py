"""From what a test did to a verdict, and to the case that the controller records."""

from __future__ import annotations

import json
import sys
import sysconfig
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import gateway_acceptance
from gateway_acceptance.check import Check
from gateway_acceptance.deviations import about, forbidden, general_lines, names_of
from gateway_acceptance.environment import Environment
from gateway_acceptance.places import data_root
from gateway_acceptance.plugin.of_the_sdk import reading_an_answer, untold
from gateway_acceptance.plugin.parametrise import environment_of, parameters_of
from gateway_acceptance.plugin.worker import WorkerState
from gateway_acceptance.redaction import Redactor
from gateway_acceptance.subjects import ANSWERS, NOTHING, SUBJECTS, Subjects, summary
from gateway_acceptance.verdict import (
    CheckFailed,
    Inconclusive,
    NotApplicable,
    NotPermitted,
    Untestable,
    Verdict,
)
from gateway_acceptance.waivers import Waiver
from gateway_acceptance.wire.curl import Way
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.subject import answers_among

PACKAGE = Path(gateway_acceptance.__file__).parent
MACHINERY = (PACKAGE, *{Path(sysconfig.get_path(name)) for name in ("stdlib", "purelib", "platlib")})
"""Where an assertion is about the suite or its tools, never about the target."""
SHOWN_MESSAGE = 2000
SHOWN_EXCHANGES = 8
"""Exchanges kept as evidence of one case: the last ones, where a failure shows."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A verdict and its words. problems: the violations one by one, where there are several; detail: longer
    text such as a traceback; alarm: as of ``CheckFailed``; root, saw: as of ``Untestable``."""

    verdict: Verdict
    message: str = ""
    blame: str = ""
    waiver: str = ""
    detail: str = ""
    problems: tuple[str, ...] = ()
    alarm: str = ""
    root: str = ""
    saw: str = ""


SPOKEN: Mapping[type[BaseException], Verdict] = {
    Untestable: Verdict.UNTESTABLE,
    Inconclusive: Verdict.INCONCLUSIVE,
    NotApplicable: Verdict.NOT_APPLICABLE,
    NotPermitted: Verdict.NOT_PERMITTED,
}


def outcome_of(error: BaseException | None, when: str) -> Outcome:
    """The outcome of one phase of a test (``setup``, ``call``, ``teardown``)."""
    if error is None:
        return Outcome(Verdict.PASSED)
    if isinstance(error, Untestable):
        return Outcome(Verdict.UNTESTABLE, str(error), root=error.root, saw=error.saw)
    for kind, verdict in SPOKEN.items():
        if isinstance(error, kind):
            return Outcome(verdict, str(error))
    if isinstance(error, CheckFailed) and when != "teardown":
        problems = tuple(str(problem) for problem in error.problems)
        return Outcome(Verdict.FAILED, str(error), error.blame, problems=problems, alarm=error.alarm)
    detail = "".join(traceback.format_exception(error))  # takes longer than many a check
    if when == "teardown":
        return Outcome(Verdict.HARNESS_ERROR, f"while cleaning up: {_named(error)}", "harness", detail=detail)
    if isinstance(error, AssertionError) and not _ours(error):
        return Outcome(Verdict.FAILED, str(error) or "the assertion is false", detail=_short(detail))
    if isinstance(error, RecursionError) and _in_json(error):
        text = "the answer holds JSON that is nested too deep to be read"
        return Outcome(Verdict.FAILED, text, detail=_short(detail))
    if "openai" in sys.modules:  # else nothing is an error of the SDK, and it takes long to import
        import openai

        if isinstance(error, openai.APIConnectionError) and isinstance(error.__cause__, _ours_in_the_sdk()):
            return outcome_of(error.__cause__, when)
        if isinstance(error, openai.OpenAIError):
            message = f"the official SDK raised {_named(error)}"
            if isinstance(error, openai.APIStatusError):
                message += untold(error.response.text if error.response.is_closed else "")
            return Outcome(Verdict.FAILED, message, detail=_short(detail))
    import httpx2

    if isinstance(error, httpx2.HTTPError) and not isinstance(error, httpx2.LocalProtocolError):
        return Outcome(Verdict.FAILED, f"the answer broke off: {_named(error)}", detail=_short(detail))
    if reading_an_answer(error):
        return Outcome(
            Verdict.FAILED, f"the SDK could not read the answer: {_named(error)}", detail=_short(detail)
        )
    return Outcome(Verdict.HARNESS_ERROR, _named(error), "harness", detail=detail)


def unless_vacuous(outcome: Outcome, subjects: Subjects, exchanges: Sequence[Exchange]) -> Outcome:
    """The same outcome, or UNTESTABLE where the case passed and had nothing to judge."""
    if exchanges:
        subjects.observe(ANSWERS, answers_among(exchanges))
    if outcome.verdict is not Verdict.PASSED:
        return outcome
    missing = subjects.missing()
    return Outcome(Verdict.UNTESTABLE, f"Untestable: {missing}") if missing else outcome


def accepted(outcome: Outcome, check: Check, item: pytest.Item, state: WorkerState) -> Outcome:
    """The same outcome; DEVIATION where the product's release shows exactly this by itself; WAIVED where one
    waiver in scope describes all the rest. Where a part is known, what nobody accepted is told first. An
    untestable case is judged by its root's failure, then by the waivers of what is untestable."""
    if outcome.verdict is Verdict.UNTESTABLE and outcome.root:
        outcome = _accepted_with_its_root(outcome, item, state)
    if outcome.verdict in (Verdict.UNTESTABLE, Verdict.INCONCLUSIVE):
        return _accepted_untold(outcome, check, item, state)
    if outcome.verdict is not Verdict.FAILED:
        return outcome
    problems = outcome.problems or (outcome.message,)
    own = _deviating(problems, check.id, item, state)
    if all(problem in own for problem in problems):
        release = state.known(environment_of(item))
        summary = (
            f"{release.product} {release.version} does so by itself (as {' and '.join(release.judged_by)})"
        )
        return Outcome(Verdict.DEVIATION, outcome.message, outcome.blame, detail=summary)
    unknown = _of_an_unknown_release(problems, check, item, state)
    if unknown:
        return unknown
    waivers = waivers_of(check.id, item, state)
    for waiver in waivers:
        if all(problem in own or waiver.covers(problem) for problem in problems):
            return Outcome(
                Verdict.WAIVED, outcome.message, outcome.blame, waiver.id, f"waived: {waiver.reason}"
            )
    known = [one for one in outcome.problems if one in own or any(waiver.covers(one) for waiver in waivers)]
    if not known:
        return outcome
    first = (*(one for one in outcome.problems if one not in known), *known)
    return replace(outcome, message="\n".join(first), problems=first)


def _of_an_unknown_release(
    problems: Sequence[str], check: Check, item: pytest.Item, state: WorkerState
) -> Outcome | None:
    """UNTESTABLE because of the refused key, where the version is told only to who has one and some release
    shows exactly this by itself: whose fault it is can't be told before the key is fixed."""
    name = environment_of(item)
    known = state.possible(name)
    if known is None or any(forbidden(state.harms, check.id, problem) for problem in problems):
        return None
    names = names_of(state.environment(name))
    trouble = state.targets[name].preflight().trouble
    if trouble is None or not all(known.covers(check.id, problem, names) for problem in problems):
        return None
    summary = "\n".join(
        ("some releases of the product do so by themselves; which one this is, is not known:", *problems)
    )
    return Outcome(Verdict.UNTESTABLE, f"Untestable: {trouble}", "", detail=summary)


def _accepted_untold(outcome: Outcome, check: Check, item: pytest.Item, state: WorkerState) -> Outcome:
    """WAIVED where the operator accepts that the check says nothing here: never of one that looks for open
    doors, leaks or lost data, and never where a check ran and had nothing to judge."""
    if about(state.harms, check.id) or outcome.message.startswith(f"Untestable: {NOTHING}"):
        return outcome
    for waiver in waivers_of(check.id, item, state, outcome.verdict):
        if waiver.covers(outcome.message):
            summary = f"waived, {outcome.verdict.value}: {waiver.reason}"
            return Outcome(Verdict.WAIVED, outcome.message, outcome.blame, waiver.id, summary)
    return outcome


def _deviating(
    problems: Sequence[str], check_id: str, item: pytest.Item, state: WorkerState
) -> frozenset[str]:
    """The problems that the release shows by itself, and that a release may show."""
    name = environment_of(item)
    known, names = state.known(name), names_of(state.environment(name))
    return frozenset(
        problem
        for problem in problems
        if known.covers(check_id, problem, names) and not forbidden(state.harms, check_id, problem)
    )


def learn(outcome: Outcome, check: Check, item: pytest.Item, state: WorkerState) -> None:
    """Write down what a clean release shows, for ``deviations learn``: all problems of a failure, made
    general; the check alone where a case of it was executed and did not fail."""
    if state.learning is None or not outcome.verdict.executed:
        return
    names = names_of(state.environment(environment_of(item)))
    failed = outcome.verdict is Verdict.FAILED
    seen = list(outcome.problems or (outcome.message,)) if failed else []
    kept = [problem for problem in seen if not forbidden(state.harms, check.id, problem)]
    entry = {
        "check": check.id,
        "level": check.level.value,
        "title": check.title,
        "problems": [line for problem in kept for line in general_lines(problem, names)],
        "version": state.version(environment_of(item)),
    }
    with state.learning.open("a", encoding="utf-8") as file:  # one short write: workers do not mix
        file.write(json.dumps(entry) + "\n")


def _accepted_with_its_root(outcome: Outcome, item: pytest.Item, state: WorkerState) -> Outcome:
    """Nothing was there to judge because of another check's failure. Who accepted that failure declared that
    the environment has no such thing: not applicable."""
    missing = outcome.message.removeprefix("Untestable: ")
    if _deviating((outcome.saw,), outcome.root, item, state):
        summary = f"{missing}, whose failure is a deviation of the product (deviations: {outcome.root})"
        return Outcome(Verdict.NOT_APPLICABLE, summary)
    for waiver in waivers_of(outcome.root, item, state):
        if waiver.covers(outcome.saw):
            return Outcome(
                Verdict.NOT_APPLICABLE, f"{missing}, whose failure is accepted (waivers: {waiver.id})"
            )
    return outcome


def waivers_of(
    check_id: str, item: pytest.Item, state: WorkerState, verdict: Verdict = Verdict.FAILED
) -> list[Waiver]:
    """The waivers in scope, not expired, that speak of this case of a check, where it has that verdict."""
    environment = state.environment(environment_of(item))
    return waivers_in_scope(check_id, parameters_of(item), environment, state, verdict)


def waivers_in_scope(
    check_id: str,
    parameters: dict[str, str],
    environment: Environment,
    state: WorkerState,
    verdict: Verdict = Verdict.FAILED,
) -> list[Waiver]:
    """As ``waivers_of``, of a case by its parameters."""
    held = state.waivers.get(environment.name, ())
    if not any(waiver.verdict == verdict and waiver.concerns(check_id, parameters) for waiver in held):
        return []  # nobody need be asked for a version
    version = state.version(environment.name) or None
    today = datetime.now(UTC).date()
    return [
        waiver
        for waiver in held
        if waiver.verdict == verdict
        and waiver.in_scope(environment.name, environment.gateway.product, version)
        and waiver.concerns(check_id, parameters)
        and not waiver.expired(today)
    ]


@dataclass(frozen=True, slots=True)
class Ran:
    """Which case: of what environment and check, by what name, with which parameters."""

    environment: str
    check: str
    nodeid: str
    parameters: Mapping[str, str]


def case_document(
    item: pytest.Item, check: Check, outcome: Outcome, started: float, duration_s: float, state: WorkerState
) -> dict[str, Any]:
    """The case as the record keeps it, redacted; JSON-like, so that it travels from worker to controller."""
    redact: Redactor = state.redactor
    ran = Ran(environment_of(item), check.id, item.nodeid, parameters_of(item))
    summary = replace(outcome, message=outcome.message or _held(outcome))
    way = state.way(ran.environment)
    return case_of(ran, summary, started, duration_s, state.notebook.exchanges, redact, way) | {
        "subjects": SUBJECTS.counts,
        "facts": {name: redact(value) for name, value in state.notebook.facts.items()},
        "pictures": {name: redact(svg) for name, svg in state.notebook.pictures.items()},
    }


def case_of(
    ran: Ran,
    outcome: Outcome,
    started: float,
    duration_s: float,
    exchanges: Sequence[Exchange],
    redact: Redactor,
    way: Way | None = None,
) -> dict[str, Any]:
    """A case as the record keeps it, without subjects, facts and pictures. way: of its requests."""
    return {
        "environment": ran.environment,
        "check": ran.check,
        "nodeid": redact(ran.nodeid),
        "parameters": {name: redact(value) for name, value in ran.parameters.items()},
        "verdict": outcome.verdict.value,
        "message": _cut(redact(outcome.message)),
        "blame": outcome.blame,
        "alarm": redact(outcome.alarm),
        "waiver": outcome.waiver or None,
        "started": utc(started),
        "duration_s": round(duration_s, 4),
        "requests": len(exchanges),
        "evidence": [exchange.evidence(redact, way) for exchange in exchanges[-SHOWN_EXCHANGES:]],
        "subjects": {},
        "facts": {},
        "pictures": {},
        "detail": redact(outcome.detail),
    }


def _held(outcome: Outcome) -> str:
    """What a case that passed held for: its subjects, counted."""
    counted = summary(SUBJECTS.counts) if outcome.verdict is Verdict.PASSED else ""
    return f"held for {counted}" if counted else ""


def utc(seconds: float) -> str:
    """Seconds since the epoch as UTC ISO-8601 with milliseconds and ``Z``."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _ours(error: BaseException) -> bool:
    """Whether the innermost frame is machinery: its assertions are not about the target."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames or Path(frames[-1].filename).is_relative_to(data_root() / "suites"):
        return False  # an installed check lies below the machinery
    return any(Path(frames[-1].filename).is_relative_to(place) for place in MACHINERY)


def _ours_in_the_sdk() -> tuple[type[BaseException], ...]:
    """What the SDK may wrap as a broken connection and is none: our malformed request, our own budget."""
    import httpx2

    return (httpx2.LocalProtocolError, *SPOKEN)


def _in_json(error: BaseException) -> bool:
    """Whether it was raised while JSON was read."""
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames) and Path(frames[-1].filename).is_relative_to(Path(json.__file__).parent)


def _named(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def _short(detail: str) -> str:
    lines = detail.splitlines()
    return "\n".join(lines[-12:])


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN_MESSAGE else f"{text[:SHOWN_MESSAGE]}… (cut)"
