"""API-ADV: the gateway's release has no published hole, and no probe finds one open."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from gateway_acceptance.advisories import AdvisoryFinding, Base, words
from gateway_acceptance.check import MUST, PROBE, READ, SHOULD, Effect, check
from gateway_acceptance.environment import Environment
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.subjects import judged
from gateway_acceptance.verdict import CheckFailed, require
from gateway_acceptance.wire.gateway import GatewayClient
from suites.api.advisories import extract, probes

WHERE = "the gateway is"
Note = Callable[[str, object], None]


def found(target: Target, environment: Environment) -> tuple[Base, list[AdvisoryFinding]]:
    """The base, and what of it concerns the gateway's release. Raises NotApplicable, Untestable."""
    base = extract.base_of(environment)
    package = extract.package_of(environment, base)
    versions = extract.known_versions(extract.reported_versions(target), environment, package[0])
    judged({"advisories": len(base.of(*package)), "releases": len(versions)})
    return base, extract.findings_of(base, package, versions, environment)


def probe_results(target: Target, findings: list[AdvisoryFinding]) -> dict[str, str]:
    """What the probes of judged findings show, each asked once; nothing where nothing is found, or where the
    policy permits no probe."""
    if Effect.PROBE not in target.environment.policy.effects:
        return {}
    names = {one.advisory.probe for one in findings if one.judged and one.advisory.probe in probes.PROBES}
    return {name: _probe(target, name) for name in sorted(names)}


def _probe(target: Target, name: str) -> str:
    return target.once(("advisory probe", name), lambda: probes.run(target.gateway, name))


@check(
    "API-ADV-001",
    "the gateway's release has no hole that is critical or known to be exploited",
    level=MUST,
    effect=READ,
    claims="SEC-08",
    profile="smoke",
    spec="osv.dev; cisa.gov: Known Exploited Vulnerabilities",
)
def test_no_heavy_hole(target: Target, gateway: GatewayClient, environment: Environment, note: Note) -> None:
    """By the version that it tells (a header of its answers, its readiness, its description), or that is
    declared where it tells none. Beside each finding stands what its harmless probe shows."""
    base, findings = found(target, environment)
    note("advisories", f"{base.dated}, {len(base.advisories)} advisories, {base.origin}")
    heavy = [one for one in findings if one.judged and one.advisory.heavy]
    problems = words.problems(base, WHERE, heavy, MUST, probe_results(target, heavy))
    require(problems, blame="gateway", alarm=words.alarm(base, WHERE, heavy))


@check(
    "API-ADV-002",
    "the gateway's release has no other published hole",
    level=SHOULD,
    effect=READ,
    claims="SEC-08",
    spec="osv.dev",
)
def test_no_hole(target: Target, gateway: GatewayClient, environment: Environment) -> None:
    """Those that are neither critical nor known to be exploited. What is of low confidence, or whose code the
    release does not have, is told by ``gateway-acceptance advisories`` and never red."""
    base, findings = found(target, environment)
    lighter = [one for one in findings if one.judged and not one.advisory.heavy]
    require(words.problems(base, WHERE, lighter, SHOULD, probe_results(target, lighter)), blame="gateway")


@check(
    "API-ADV-003",
    "no harmless probe finds a published hole open",
    level=MUST,
    effect=PROBE,
    claims="SEC-08",
    spec="osv.dev; docs/advisories.md: probes",
)
@pytest.mark.parametrize("probe", list(probes.PROBES))
def test_probe(
    target: Target, gateway: GatewayClient, environment: Environment, note: Note, probe: str
) -> None:
    """Whatever the version: an open door is open. Only what the product's own advisories name is asked."""
    extract.package_of(environment, base := extract.base_of(environment))
    result = _probe(target, probe)
    note(f"probe.{probe}", result)
    judged(probes=int(result != probes.UNDECIDED))
    if result == probes.OPEN:
        names = ", ".join(one.name for one in base.advisories if one.probe == probe) or "a published hole"
        shows = probes.PROBES[probe].shows
        text = f"anybody without a key {shows}: {names}"
        raise CheckFailed(f"probe {probe}: open: {text}", blame="gateway", alarm=text)


@check(
    "API-ADV-004",
    "the advisory base is not older than the declared bound",
    level=SHOULD,
    effect=READ,
    claims="SEC-08",
    spec="environment: advisories.max_age_days",
)
def test_base_is_recent(environment: Environment, note: Note) -> None:
    """What was published since is not judged by any check."""
    base, bound = extract.base_of(environment), environment.advisories.max_age_days
    age = (datetime.now(UTC).date() - base.dated).days
    note("advisories.age_days", age)
    judged(advisories=len(base.advisories))
    if age > bound:
        raise CheckFailed(
            f"the advisory base ({base.origin}) is of {base.dated}, {age} days old; {bound} are declared. "
            "Fix: gateway-acceptance advisories update FILE, with an export of osv.dev "
            "(PyPI/all.zip), or update the suite"
        )
