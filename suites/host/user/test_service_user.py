"""HOST-USER: the service's account can do its work and nothing else."""

from typing import Any

from gateway_acceptance.check import MUST, READ, check
from gateway_acceptance.host.facts import MachineFacts
from gateway_acceptance.problem import Problem
from gateway_acceptance.verdict import CheckFailed, require
from suites.host.user.facts import ended

NO_LOGIN = ("/usr/sbin/nologin", "/sbin/nologin", "/bin/false", "/usr/bin/false")


def _account(machine: MachineFacts) -> dict[str, Any]:
    found: dict[str, Any] = machine["account"]
    if found["entry"] is None:
        raise CheckFailed(
            f"{machine.name} has no account {machine.declared.user}; fix: sudo useradd --system "
            f"--no-create-home --shell /usr/sbin/nologin {machine.declared.user}"
        )
    return found


@check(
    "HOST-USER-001",
    "the service's account is a system account",
    level=MUST,
    effect=READ,
    claims=("INF-10", "STA-04"),
    spec="login.defs(5) SYS_UID_MAX",
)
def test_is_a_system_account(machine: MachineFacts) -> None:
    """Neither root nor a person."""
    account = _account(machine)
    uid, most = account["entry"]["uid"], account["sys_uid_max"]
    if not 0 < uid <= most:
        raise CheckFailed(
            f"{machine.declared.user} has the uid {uid}; a system account has one from 1 to {most}; "
            "fix: make it anew with useradd --system, and give it what it owned"
        )


@check(
    "HOST-USER-002",
    "the service's account has no login shell",
    level=MUST,
    effect=READ,
    claims=("SEC-06", "INF-10"),
    spec="nologin(8)",
)
def test_has_no_shell(machine: MachineFacts) -> None:
    """Nobody works as it."""
    shell = _account(machine)["entry"]["shell"]
    if shell not in NO_LOGIN:
        user = machine.declared.user
        raise CheckFailed(
            f"{user} has the shell {shell or '(the default one)'}; "
            f"fix: sudo usermod -s /usr/sbin/nologin {user}"
        )


@check(
    "HOST-USER-003",
    "the service's account has no password",
    level=MUST,
    effect=READ,
    claims="SEC-06",
    spec="shadow(5)",
)
def test_has_no_password(machine: MachineFacts) -> None:
    """Locked: neither a password that could be guessed nor an empty one."""
    _account(machine)
    state = machine.part("account", "password")
    if state != "locked":
        user = machine.declared.user
        seen = "an empty password" if state == "none" else "a password"
        raise CheckFailed(f"{user} has {seen}; fix: sudo usermod -p '!' {user}")


@check(
    "HOST-USER-004",
    "the service's account has no sudo rule",
    level=MUST,
    effect=READ,
    claims="SEC-06",
    spec="sudoers(5)",
)
def test_has_no_sudo_rule(machine: MachineFacts) -> None:
    """Any rule is a way out of the hardened unit's rights."""
    _account(machine)
    require(
        [
            Problem(
                "", f"{machine.declared.user} may run by sudo: {line}; remove the rule from /etc/sudoers.d"
            )
            for line in machine.part("account", "sudo")
        ]
    )


@check(
    "HOST-USER-005",
    "the service's account has no authorized keys",
    level=MUST,
    effect=READ,
    claims="SEC-06",
    spec="sshd(8) AUTHORIZED_KEYS FILE FORMAT",
)
def test_has_no_authorized_keys(machine: MachineFacts) -> None:
    """Nobody logs in as it."""
    _account(machine)
    require(
        [Problem("", f"there is {path}; fix: sudo rm {path}") for path in machine.part("account", "keys")]
    )


@check(
    "HOST-USER-006",
    "the service's account is in the declared groups only",
    level=MUST,
    effect=READ,
    claims="SEC-06",
    spec="group(5)",
)
def test_is_in_declared_groups_only(machine: MachineFacts) -> None:
    """Its own group first; docker, sudo or adm would each be more than it needs."""
    account, declared = _account(machine), machine.declared
    wanted = {declared.own_group, *declared.groups}
    problems = [
        Problem("", f"{declared.user} is in the group {name}; fix: sudo gpasswd -d {declared.user} {name}")
        for name in sorted(set(account["groups"]) - wanted - {account["primary"]})
    ]
    if account["primary"] != declared.own_group:
        problems.append(
            Problem(
                "",
                f"the primary group of {declared.user} is {account['primary']}, "
                f"expected {declared.own_group}; "
                f"fix: sudo usermod -g {declared.own_group} {declared.user}",
            )
        )
    require(problems)


@check(
    "HOST-USER-007",
    "nothing but the service runs as its account",
    level=MUST,
    effect=READ,
    claims=("SEC-06", "STA-04"),
    spec="proc(5)",
)
def test_nothing_else_runs_as_it(machine: MachineFacts) -> None:
    """A process outside the unit has none of its hardening."""
    unit = machine.declared.unit
    _account(machine)
    require(
        [
            Problem(
                "",
                f"{process['comm']} (pid {process['pid']}, in {process['unit'] or 'no unit'}) runs as "
                f"{machine.declared.user} outside {unit}; fix: "
                f"{ended(process['unit'], process['pid'])}",
            )
            for process in machine.part("account", "processes")
            if process["unit"] != unit
        ]
    )
