"""HOST-PY: the virtual environment that the gateway runs from."""

from datetime import UTC, datetime

from gateway_acceptance.advisories import AdvisoryFinding, Base, load_base, words
from gateway_acceptance.check import MUST, READ, SHOULD, check
from gateway_acceptance.environment import Environment, product_of
from gateway_acceptance.host.facts import MachineFacts
from gateway_acceptance.subjects import judged
from gateway_acceptance.verdict import NotApplicable, Untestable, require
from suites.host.deployment.extract import Facts, declared
from suites.host.distributions import rules
from suites.host.tree.rules import declared_host, require_seen


def installed(host: MachineFacts) -> Facts:
    """What was seen of the virtual environment. Raises NotApplicable, Untestable."""
    path = declared(declared_host(host).virtual_environment, "virtual_environment")
    found: Facts = host["python"]
    require_seen(host, path, found)
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


def known_holes(host: MachineFacts, environment: Environment) -> tuple[Base, list[AdvisoryFinding]]:
    """The base, and what it says of the installed distributions. Raises NotApplicable, Untestable,
    and CheckFailed where the product itself is not among them."""
    packages = installed(host)["packages"]
    require(rules.without_product(packages, product_of(environment.gateway).package))
    if not packages:
        raise Untestable("the virtual environment has no distribution", "deploy again")
    base = load_base(environment.advisory_base)
    judged({"distributions": len(packages), "advisories": len(base.advisories)})
    return base, rules.known_holes(base, packages, environment.advisories.without)


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
    "no installed distribution is a known-compromised release",
    level=MUST,
    effect=READ,
    claims=("INF-11", "SEC-06", "SEC-08"),
    spec="osv.dev; github.com/BerriAI/litellm/issues/24512",
)
def test_not_compromised(host: MachineFacts, environment: Environment) -> None:
    """Releases that were published to attack whoever installs them."""
    _, findings = known_holes(host, environment)
    require(rules.compromised(findings))


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


@check(
    "HOST-ADV-001",
    "no installed distribution has a hole that is critical or known to be exploited",
    level=MUST,
    effect=READ,
    claims="SEC-08",
    spec="osv.dev; cisa.gov: Known Exploited Vulnerabilities",
)
def test_no_heavy_hole(host: MachineFacts, environment: Environment) -> None:
    """Every distribution of the virtual environment, the gateway's own among them, by its metadata there."""
    base, findings = known_holes(host, environment)
    require(rules.holes(base, findings, MUST), alarm=words.alarm(base, rules.WHERE, findings))


@check(
    "HOST-ADV-002",
    "no installed distribution has another published hole",
    level=SHOULD,
    effect=READ,
    claims="SEC-08",
    spec="osv.dev",
)
def test_no_hole(host: MachineFacts, environment: Environment) -> None:
    """Those that are neither critical nor known to be exploited."""
    base, findings = known_holes(host, environment)
    require(rules.holes(base, findings, SHOULD))


@check(
    "HOST-ADV-003",
    "the interpreter still gets security fixes",
    level=SHOULD,
    effect=READ,
    claims="SEC-08",
    spec="devguide.python.org/versions",
)
def test_interpreter(host: MachineFacts) -> None:
    """The Python that the virtual environment was made with."""
    version = installed(host)["version"]
    if not version:
        raise Untestable("the virtual environment does not tell its Python", "deploy again")
    require(rules.unsupported(version, datetime.now(UTC).date()))
