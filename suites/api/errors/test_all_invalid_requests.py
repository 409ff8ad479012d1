"""API-ERR: what holds for every error, and for the gateway after all of them."""

from gateway_acceptance.check import MUST, SHOULD, SPEND, check
from gateway_acceptance.environment import Environment, ModelKind
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.problem import Problem
from gateway_acceptance.verdict import CheckFailed, require
from gateway_acceptance.wire.gateway import GatewayClient
from suites.api.errors.leaks import LeakKind
from suites.api.errors.probes import alias_of
from suites.api.errors.rules import (
    all_invalid_requests,
    envelope_problems,
    helpful_problems,
    leak_problems,
    message_of,
)
from suites.api.extract import answered_by_a_model
from suites.api.observations import ask_echo

FIRST_ERROR = 400
CWE = "CWE-209: error messages that contain sensitive information"


@check("API-ERR-038", "no error tells a stack trace", level=MUST, effect=SPEND, claims="FUN-01", spec=CWE)
def test_no_trace(target: Target, gateway: GatewayClient) -> None:
    """Over every of the invalid requests."""
    require(_leaks(target, LeakKind.TRACE), blame="gateway", judged=_refusals(target))


@check("API-ERR-039", "no error tells a file path", level=MUST, effect=SPEND, claims="FUN-01", spec=CWE)
def test_no_path(target: Target, gateway: GatewayClient) -> None:
    """Paths tell the operating system, the user and the versions that are installed."""
    require(_leaks(target, LeakKind.PATH), blame="gateway", judged=_refusals(target))


@check(
    "API-ERR-040", "no error tells an internal address", level=MUST, effect=SPEND, claims="FUN-01", spec=CWE
)
def test_no_address(target: Target, gateway: GatewayClient) -> None:
    """Ollama asks for no key: who knows its address can pass the gateway by."""
    require(_leaks(target, LeakKind.ADDRESS), blame="gateway", judged=_refusals(target))


@check("API-ERR-041", "no error tells the key", level=MUST, effect=SPEND, claims="FUN-04", spec=CWE)
def test_no_key(target: Target, gateway: GatewayClient) -> None:
    """Errors end up in logs and tickets. The key itself, a large part of it, or its hash."""
    require(_leaks(target, LeakKind.KEY), blame="gateway", judged=_refusals(target))


@check(
    "API-ERR-042",
    "an error's message names the field or the problem",
    level=SHOULD,
    effect=SPEND,
    claims="FUN-01",
    spec="openai:Error.message",
)
def test_helpful(target: Target, gateway: GatewayClient) -> None:
    """A person has to find out what to change, without the server's source."""
    found = [
        problem for bad, answer in all_invalid_requests(target) for problem in helpful_problems(bad, answer)
    ]
    require(found, blame="gateway", judged=_refusals(target))


@check(
    "API-ERR-043",
    "an error has type, message, param and code",
    level=SHOULD,
    effect=SPEND,
    claims="FUN-01",
    spec="openai:Error.required",
)
def test_literal_contract(target: Target, gateway: GatewayClient) -> None:
    """The literal contract, of all errors that have an envelope."""
    found: list[Problem] = []
    for bad, answer in all_invalid_requests(target):
        if message_of(answer) is not None:
            found += envelope_problems(bad, answer, SHOULD)
    require(found, blame="gateway", judged=_refusals(target))


@check(
    "API-ERR-044",
    "after all bad requests a good one is served",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec="openai:CreateChatCompletionResponse; environment: models",
)
def test_afterwards(target: Target, gateway: GatewayClient, environment: Environment) -> None:
    """A worker that died, or a deployment that was cooled down because clients made mistakes, shows here."""
    asked = len(all_invalid_requests(target))
    answer = ask_echo(target, alias_of(environment, ModelKind.CHAT))
    if not answered_by_a_model(answer):
        raise CheckFailed(
            f"after {asked} bad requests: expected 200, got {answer.status}: {answer.text[:200]}",
            blame="gateway",
        )


def _refusals(target: Target) -> dict[str, int]:
    """What is judged: the answers that refuse, or fail. A success tells nothing of errors."""
    errors = [answer for _, answer in all_invalid_requests(target) if (answer.status or 0) >= FIRST_ERROR]
    return {"errors": len(errors)}


def _leaks(target: Target, kind: LeakKind) -> list[Problem]:
    return [
        problem
        for bad, answer in all_invalid_requests(target)
        for problem in leak_problems(bad, answer, target.environment, target.key, kind)
    ]
