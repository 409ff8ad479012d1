"""HOST-PY: the virtual environment that the gateway runs from."""

from gateway_acceptance.check import MUST, READ, check
from gateway_acceptance.environment import Environment
from gateway_acceptance.host.facts import MachineFacts
from gateway_acceptance.verdict import NotApplicable, Untestable, require
from suites.host.deployment.extract import Facts, declared, declared_host
from suites.host.distributions import rules


def installed(host: MachineFacts) -> Facts:
    """What was seen of the virtual environment. Raises NotApplicable, Untestable."""
    path = declared(declared_host(host).virtual_environment, "virtual_environment")
    found: Facts = host["python"]
    if not found["exists"]:
        raise Untestable(f"{path} is no virtual environment (see HOST-DEPLOY-011)", "deploy again")
    return found


def require_litellm(environment: Environment) -> None:
    """Raises NotApplicable for another product."""
    if environment.gateway.product != "litellm":
        raise NotApplicable(
            f"the environment's product is {environment.gateway.product}, not litellm",
            declared="gateway.product",
        )


@check(
    "HOST-PY-001",
    "the installed LiteLLM is the declared version",
    level=MUST,
    effect=READ,
    claims=("INF-11", "SYS-10"),
    spec="PyPA: recording installed projects",
)
def test_version(host: MachineFacts, environment: Environment) -> None:
    require_litellm(environment)
    wanted = declared(environment.gateway.version, "gateway.version")
    require(rules.other_version(installed(host)["packages"], wanted))


@check(
    "HOST-PY-002",
    "the installed LiteLLM is no known-compromised release",
    level=MUST,
    effect=READ,
    claims=("INF-11", "SEC-06"),
    spec="github.com/BerriAI/litellm/issues/24512",
)
def test_not_compromised(host: MachineFacts, environment: Environment) -> None:
    require_litellm(environment)
    require(rules.compromised(installed(host)["packages"]))


@check(
    "HOST-PY-003",
    "no foreign file runs at Python's start",
    level=MUST,
    effect=READ,
    claims=("INF-11", "SEC-06"),
    spec="docs.python.org/3/library/site.html; litellm_init.pth of the compromised releases",
)
def test_startup(host: MachineFacts) -> None:
    require(rules.foreign_startup(installed(host), str(declared_host(host).virtual_environment)))
