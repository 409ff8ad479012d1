"""How a bad request is asked, and what is wrong with the answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from http import HTTPStatus

from gateway_acceptance.check import MUST, READ, SPEND, Effect, Level, check
from gateway_acceptance.environment import Environment
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.problem import Problem, at_level
from gateway_acceptance.verdict import require
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.gateway import GatewayClient
from gateway_acceptance.wire.schema import error_problems
from gateway_acceptance.wire.sender import tokens_needed
from suites.api.errors.leaks import LeakKind, leaks_of_answer
from suites.api.errors.probes import ALL, BY_NAME, NO_MODEL, BadRequest, offered
from suites.api.observations import ECHO_TOKENS

SHOWN = 90
"""Characters of an answer that a problem quotes."""

Refusal = Callable[[Target, GatewayClient], None]


def answer_to(target: Target, bad: BadRequest) -> Exchange:
    """The answer to a bad request, asked once per worker."""

    def ask() -> Exchange:
        body = bad.body(target.environment)
        headers = [("content-type", bad.content_type)] if body else []
        tokens = tokens_needed(body.decode("utf-8", "replace"), ECHO_TOKENS) if body else 0
        return target.gateway.request(bad.method, bad.path, body=body, headers=headers, tokens=tokens)

    return target.once(("bad request", bad.name), ask)


def all_invalid_requests(target: Target) -> list[tuple[BadRequest, Exchange]]:
    """Every bad request that concerns what is declared, with its answer."""
    return [(bad, answer_to(target, bad)) for bad in offered(ALL, target.environment)]


def refusal_problems(bad: BadRequest, answer: Exchange) -> list[Problem]:
    """What is wrong with the answer to a bad request: its status, or its envelope."""
    status = status_problems(bad, answer)
    return status if _served(answer) else [*status, *envelope_problems(bad, answer, Level.MUST)]


def forbids_the_model(status: int | None, text: str, model: str) -> bool:
    """Whether a refusal says that the key may not use that model, as those say whose keys have a list of
    models (LiteLLM's of a key with ``models``): it tells nobody which others there are."""
    return status == HTTPStatus.FORBIDDEN and model in text


def status_problems(bad: BadRequest, answer: Exchange) -> list[Problem]:
    """A status that does not blame the request. Other 4xx are wrong too: 401 sends people to their key."""
    unknown = HTTPStatus.NOT_FOUND in bad.statuses and forbids_the_model(answer.status, answer.text, NO_MODEL)
    if answer.status in bad.statuses or unknown:
        return []
    expected = " or ".join(map(str, bad.statuses))
    text = "it was served" if _served(answer) else _start(answer)
    return [Problem("refusal.status", f"{bad.name}: expected {expected}, got {answer.status}: {text}")]


def envelope_problems(bad: BadRequest, answer: Exchange, level: Level) -> list[Problem]:
    """What the error's form lacks at a level; the status is judged by ``status_problems``."""
    found = at_level(error_problems(answer.status or 0, answer.headers, answer.body), level)
    return [_of(bad, problem) for problem in found if problem.rule != "error.status"]


def helpful_problems(bad: BadRequest, answer: Exchange) -> list[Problem]:
    """A message that names neither the field nor the problem; answers without envelope are not judged."""
    message = message_of(answer)
    if _served(answer) or message is None or any(word in message.lower() for word in bad.words):
        return []
    wanted = ", ".join(bad.words)
    return [
        Problem(
            "refusal.unhelpful", f"{bad.name}: expected a message with one of: {wanted}; got {_start(answer)}"
        )
    ]


def leak_problems(
    bad: BadRequest, answer: Exchange, environment: Environment, key: str, kind: LeakKind
) -> list[Problem]:
    """What an error tells of one kind, in its body or its headers: one problem for each bad request."""
    if _served(answer):
        return []
    seen = [leak.seen for leak in leaks_of_answer(answer, environment, key) if leak.kind is kind]
    if not seen:
        return []
    rule = f"leak.{kind.value.replace(' ', '_')}"
    return [Problem(rule, f"{bad.name}: {kind.value} in the answer ({answer.status}): {seen[0]}")]


def message_of(answer: Exchange) -> str | None:
    """``error.message`` of an envelope, or None where there is none."""
    try:
        body = answer.json()
    except AssertionError:
        return None
    error = body.get("error") if isinstance(body, dict) else None
    message = error.get("message") if isinstance(error, dict) else None
    return message if isinstance(message, str) else None


def refusal(
    check_id: str,
    title: str,
    *names: str,
    level: Level = MUST,
    effect: Effect = SPEND,
    claims: str = "FUN-01",
) -> Refusal:
    """A check: these bad requests (names of ``error_requests``) are refused as OpenAI's contract says.

    SPEND, unless the effect says otherwise: a gateway that serves the request all the same pays for it.
    """
    bads = [BY_NAME[name] for name in names]

    def refused(target: Target, gateway: GatewayClient) -> None:
        asked = offered(bads, target.environment)
        require(
            all_problems(asked, lambda bad: refusal_problems(bad, answer_to(target, bad))),
            blame="gateway",
            judged={"refusals": len(asked)},
        )

    refused.__doc__ = f"{title}: status, content type and envelope. Source: openai:guides/error-codes 400."
    return check(
        check_id, title, level=level, effect=effect, claims=claims, spec="openai:guides/error-codes"
    )(refused)


def refused_unread(check_id: str, title: str, *names: str) -> Refusal:
    """As ``refusal``, for bodies that no model can ever see."""
    return refusal(check_id, title, *names, effect=READ)


def all_problems(
    bads: Iterable[BadRequest], judge: Callable[[BadRequest], Sequence[Problem]]
) -> list[Problem]:
    """The problems of all bad requests, in their order."""
    return [problem for bad in bads for problem in judge(bad)]


def _served(answer: Exchange) -> bool:
    return answer.status is not None and answer.status < 400


def _start(answer: Exchange) -> str:
    text = answer.text
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def _of(bad: BadRequest, problem: Problem) -> Problem:
    return Problem(
        problem.rule, f"{bad.name}: {problem.message}", problem.where, problem.level, problem.source
    )
