"""HOST-REACH: a machine that cannot be looked at is one failure; all its other checks are untestable then."""

from gateway_acceptance.check import MUST, READ, check
from gateway_acceptance.host.facts import NoFacts
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.subjects import judged
from gateway_acceptance.verdict import CheckFailed


@check(
    "HOST-REACH-001",
    "the machine can be looked at as declared",
    level=MUST,
    effect=READ,
    profile="smoke",
    spec="docs/host.md",
)
def test_facts_can_be_collected(target: Target, machine_name: str) -> None:
    """Through testinfra, with the declared account."""
    try:
        target.machines.facts(machine_name)
        judged(machines=1)
    except NoFacts as failure:
        raise CheckFailed(f"{machine_name}: {failure.why}; {failure.fix}") from None
