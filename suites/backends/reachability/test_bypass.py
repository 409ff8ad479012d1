"""BACKEND-BYPASS: only the gateway reaches the servers behind it."""

from gateway_acceptance.check import READ, SHOULD, check
from gateway_acceptance.environment import Environment
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.problem import Problem
from gateway_acceptance.verdict import CheckFailed, NoAnswer, NotApplicable, require
from gateway_acceptance.wire.backend import BackendClient


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
    (direct = false). Any answer is one too many, be it Ollama's or not."""
    closed = [backend for backend in environment.backends if not backend.direct]
    if not closed:
        raise NotApplicable(
            "the environment declares access to every backend from here (direct = true)",
            declared="backends.direct",
        )
    problems = []
    for backend in closed:
        try:
            answer = f"version {BackendClient(backend, target.sender).version()}"
        except NoAnswer:
            continue
        except CheckFailed as failure:
            answer = str(failure)
        problems.append(Problem("", f"{backend.name} answers past the gateway, at {backend.url}: {answer}"))
    require(problems, blame="backend", judged={"addresses of backends": len(closed)})
