"""BACKEND-BYPASS: only the gateway reaches the servers behind it."""

from gateway_acceptance.check import READ, SHOULD, check
from gateway_acceptance.environment import Environment
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.problem import Problem
from gateway_acceptance.verdict import NotApplicable, require
from gateway_acceptance.wire.backends import client_of
from suites.backends.reachability.bypass import answered


@check(
    "BACKEND-BYPASS-001",
    "a backend answers nobody but the gateway",
    level=SHOULD,
    effect=READ,
    claims="FUN-04",
    spec="ollama issues 16236, 11941",
)
def test_no_way_past_the_gateway(target: Target, environment: Environment) -> None:
    """Ollama has no authentication: whoever reaches its port needs no key, and can delete its models. Tried
    from where the suite runs, with each backend whose direct access the environment does not declare
    (direct = false), at the places that tell most. Closed is what does not answer, and what refuses strangers
    at each of them (401, 403): any other answer is one too many, be it Ollama's or not. A server that speaks
    OpenAI's protocol can have a key of its own, as a provider in the cloud has: it is closed where it refuses
    a stranger somewhere, and serves him nothing."""
    closed = [backend for backend in environment.backends if not backend.direct]
    if not closed:
        raise NotApplicable(
            "the environment declares access to every backend from here (direct = true)",
            declared="backends.direct",
        )
    problems = []
    for backend in closed:
        ask = client_of(backend, target.sender).get  # its own key, where it is declared, is not sent
        answer = answered(ask, has_keys=backend.product == "openai")
        if answer is not None:
            problems.append(
                Problem("", f"{backend.name} answers past the gateway, at {backend.url}: {answer}")
            )
    require(problems, blame="backend", judged={"addresses of backends": len(closed)})
