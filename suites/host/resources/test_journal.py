"""HOST-LOG: the journal of the service."""

from gateway_acceptance.check import MUST, READ, SHOULD, check
from gateway_acceptance.host.facts import MachineFacts
from gateway_acceptance.verdict import require
from suites.host.deployment.extract import declared
from suites.host.resources import rules


@check(
    "HOST-LOG-001",
    "the journal is kept and bounded",
    level=SHOULD,
    effect=READ,
    claims="RES-03",
    spec="journald.conf(5) Storage, SystemMaxUse",
)
def test_bounded(machine: MachineFacts) -> None:
    """journald rotates by itself; a bound that nobody chose is a tenth of the disk."""
    require(rules.unbounded_journal(machine["resources"]))


@check(
    "HOST-LOG-002",
    "the journal grows no faster than declared",
    level=SHOULD,
    effect=READ,
    claims="RES-03",
    spec="journalctl(1)",
)
def test_growth(machine: MachineFacts) -> None:
    declared(machine.declared.log_mb_per_day, "log_mb_per_day")
    require(rules.fast_journal(machine["journal"], machine["clock"]["last"], machine.declared))


@check(
    "HOST-LOG-003",
    "the journal gives no secret away",
    level=MUST,
    effect=READ,
    claims="SYS-08",
    spec="deployment: secrets are in a root-owned file alone",
)
def test_no_secret(machine: MachineFacts) -> None:
    """What looks like a key, in the unit's newest lines of this boot; the look masks it on the machine."""
    require(rules.secrets_in_journal(machine["journal"], machine.declared))
