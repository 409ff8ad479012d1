"""What every endpoint beyond models, chat and embeddings needs: is it promised, and what did it answer."""

from __future__ import annotations

from collections.abc import Callable

from gateway_acceptance.environment import Environment
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.problem import Problem
from gateway_acceptance.verdict import NotApplicable
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.failures import may_leave_out
from gateway_acceptance.wire.gateway import at_retry_after
from gateway_acceptance.wire.rule import quoted
from gateway_acceptance.wire.schema import envelope_broken, parse_json


def need(environment: Environment, endpoint: str) -> None:
    """Raises NotApplicable where the environment does not promise this endpoint."""
    name = endpoint.rsplit("/", 1)[-1]
    if name not in environment.gateway.endpoints:
        raise NotApplicable(
            f"the environment does not promise {endpoint} (gateway.endpoints)", declared="gateway.endpoints"
        )


def unpromised(target: Target, alias: str, ask: Callable[[], Exchange]) -> Exchange:
    """The answer of an endpoint that nobody promised, asked of a model. LiteLLM's router leaves a model out
    for seconds after the server behind it said 404: until it serves again, every other check would be
    refused with 429 for what was asked here."""
    answer = ask()
    if may_leave_out(answer):
        at_retry_after(lambda: target.gateway.chat(alias, "hello", max_tokens=1))
    return answer


def malformed_refusal(answer: Exchange) -> list[Problem]:
    """What is wrong with the answer of an endpoint that nobody promised: an answer in JSON is fine, so is a
    refusal; an error has the envelope."""
    if answer.status == 200:
        body, problems = parse_json(answer.body)
        return problems or (
            [] if isinstance(body, dict) else [Problem("", f"no JSON object: {quoted(body)}")]
        )
    if answer.status in (404, 405):
        return []
    problems = envelope_broken(answer.status or 0, answer.headers, answer.body)
    if problems and not answer.text.lstrip().startswith("{"):
        return [Problem("", f"expected an answer or a refusal, got {answer.status}: {answer.text[:200]}")]
    return [problem for problem in problems if problem.rule != "error.status"]
