"""BACKEND-ADV: the releases behind the gateway have no published hole."""

from gateway_acceptance.advisories import AdvisoryFinding, Base, NotComparable, concerning, load_base, words
from gateway_acceptance.check import MUST, READ, SHOULD, check
from gateway_acceptance.environment import Environment
from gateway_acceptance.environment.products import BACKEND_PACKAGES
from gateway_acceptance.subjects import judged
from gateway_acceptance.verdict import NoAnswer, NotApplicable, Untestable, require
from gateway_acceptance.wire.backends import BackendClient


def found(backend: BackendClient, environment: Environment) -> tuple[Base, list[AdvisoryFinding]]:
    """The base, and what of it concerns the version that the backend tells. Raises NotApplicable,
    Untestable."""
    base = load_base(environment.advisory_base)
    package = BACKEND_PACKAGES.get(backend.backend.product)
    if package is None:
        raise NotApplicable(
            f"{backend.backend.name} is {backend.backend.product}, without advisories",
            declared="backends.product",
        )
    if not base.of(*package):
        raise Untestable(
            f"the advisory base ({base.origin}) knows nothing of {package[1]}",
            "update it: gateway-acceptance advisories update FILE",
        )
    try:
        version = backend.version()
    except NoAnswer as silent:
        raise Untestable(
            f"{backend.backend.name} does not tell its version: {silent}", "see BACKEND-REACH-001"
        ) from None
    judged({"advisories": len(base.of(*package)), "releases": 1})
    try:
        return base, concerning(base, *package, version, environment.advisories.without)
    except NotComparable:
        raise Untestable(
            f"{backend.backend.name} tells the version {version[:40]!r}, which cannot be compared",
            "install a numbered release of it",
        ) from None


@check(
    "BACKEND-ADV-001",
    "the backend's release has no hole that is critical or known to be exploited",
    level=MUST,
    effect=READ,
    claims="SEC-08",
    profile="smoke",
    spec="osv.dev; cisa.gov: Known Exploited Vulnerabilities",
)
def test_no_heavy_hole(backend: BackendClient, environment: Environment) -> None:
    """By the version that it tells at /api/version."""
    base, findings = found(backend, environment)
    where = f"{backend.backend.name} is"
    problems = words.problems(base, where, findings, MUST)
    require(problems, blame="backend", alarm=words.alarm(base, where, findings))


@check(
    "BACKEND-ADV-002",
    "the backend's release has no other published hole",
    level=SHOULD,
    effect=READ,
    claims="SEC-08",
    spec="osv.dev",
)
def test_no_hole(backend: BackendClient, environment: Environment) -> None:
    """Those that are neither critical nor known to be exploited."""
    base, findings = found(backend, environment)
    require(words.problems(base, f"{backend.backend.name} is", findings, SHOULD), blame="backend")
