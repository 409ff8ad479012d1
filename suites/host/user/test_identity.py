"""HOST-IDENT: it is the machine that is meant, and its clock can be trusted."""

from gateway_acceptance.check import MUST, READ, check
from gateway_acceptance.host.facts import MachineFacts
from gateway_acceptance.verdict import CheckFailed, NotApplicable


@check(
    "HOST-IDENT-001",
    "the machine owns the declared address",
    level=MUST,
    effect=READ,
    claims=("SYS-01", "SYS-03"),
    profile="smoke",
    spec="ip addr",
)
def test_owns_its_address(machine: MachineFacts) -> None:
    """Whatever name or forward led there: a deployment judged on the wrong machine proves nothing."""
    wanted = machine.declared.address
    if wanted is None:
        raise NotApplicable(f"no address of {machine.name} is declared", declared="host.address")
    owned = machine["machine"]["addresses"]
    if wanted not in owned:
        decide = "fix: give it that address, or declare the one it has"
        raise CheckFailed(f"{machine.name} does not own {wanted}; it has {', '.join(owned)}; {decide}")


@check(
    "HOST-IDENT-002",
    "the machine has the declared name",
    level=MUST,
    effect=READ,
    spec="gethostname(2)",
)
def test_has_its_name(machine: MachineFacts) -> None:
    """A qualified name counts as the short one that begins it."""
    wanted, found = machine.declared.name, machine["machine"]["name"]
    if wanted is None:
        raise NotApplicable(f"no name of {machine.name} is declared", declared="host.name")
    if wanted not in (found, found.split(".")[0]):
        raise CheckFailed(
            f"{machine.name} calls itself {found}, declared is {wanted}; "
            f"fix: sudo hostnamectl set-hostname {wanted}"
        )


@check(
    "HOST-IDENT-003",
    "the machine's clock is right within the declared bound",
    level=MUST,
    effect=READ,
    spec="timedatectl",
)
def test_clock_is_right(machine: MachineFacts) -> None:
    """Against the suite's own clock, which was read before and after the look: what lies between the two
    readings cannot be told, so only what lies outside by more than the bound is a failure."""
    clock, bound = machine["clock"], machine.declared.clock_s
    behind, ahead = machine.asked - clock["first"], clock["last"] - machine.answered
    off = max(behind, ahead)
    if off > bound:
        way = "behind" if behind > ahead else "ahead"
        raise CheckFailed(
            f"the clock of {machine.name} is at least {off:.1f} s {way}, declared are {bound:g} s at most; "
            "fix: set it, and have it kept (timedatectl set-ntp true, or chrony)"
        )
