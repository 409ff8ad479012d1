"""HOST-ACCESS: what the service's account can really read and write, tried as that account."""

import shlex
from collections.abc import Sequence

from gateway_acceptance.check import MUST, READ, check
from gateway_acceptance.host.facts import MachineFacts
from gateway_acceptance.problem import Problem
from gateway_acceptance.verdict import NotApplicable, require
from suites.host.tree import rules


@check(
    "HOST-ACCESS-001",
    "the service's account can read everything of the deployment",
    level=MUST,
    effect=READ,
    claims="SEC-05",
    spec="access(2)",
)
def test_can_read(host: MachineFacts) -> None:
    """Modes are one thing, and what the kernel says to that very account is another."""
    user = host.declared.user
    require(
        [
            Problem("", f"{user} cannot read {path}; fix: sudo chmod a+r {shlex.quote(path)}")
            for path in _met(host, "unreadable")
        ]
    )


@check(
    "HOST-ACCESS-002",
    "the service's account can enter every directory of the deployment",
    level=MUST,
    effect=READ,
    claims="SEC-05",
    spec="access(2)",
)
def test_can_enter(host: MachineFacts) -> None:
    """A directory without its search bit hides everything below it."""
    user = host.declared.user
    require(
        [
            Problem("", f"{user} cannot enter {path}; fix: sudo chmod 755 {shlex.quote(path)}")
            for path in _met(host, "unsearchable")
        ]
    )


@check(
    "HOST-ACCESS-003",
    "the service's account can write nothing of the deployment but what is declared",
    level=MUST,
    effect=READ,
    claims="SEC-06",
    spec="access(2)",
)
def test_cannot_write(host: MachineFacts) -> None:
    """Code or configuration that the service can change outlives its restart."""
    declared = rules.declared_host(host)
    allowed = [f"{declared.tree}/{path}" for path in declared.writable]
    require(
        [
            Problem(
                "",
                f"{declared.user} can write {path}; "
                f"fix: sudo chown root {shlex.quote(path)} && sudo chmod go-w {shlex.quote(path)}",
            )
            for path in _met(host, "writable")
            if not rules.below(path, allowed)
        ]
    )


@check(
    "HOST-ACCESS-004",
    "the service's account cannot read the files with secrets itself",
    level=MUST,
    effect=READ,
    claims=("SEC-06", "SYS-08"),
    spec="systemd.exec(5) EnvironmentFile",
)
def test_cannot_read_secrets(host: MachineFacts) -> None:
    """systemd reads them as root before it starts the service, which needs no access of its own."""
    declared = rules.declared_host(host)
    if not declared.secrets:
        raise NotApplicable("the environment declares no files with secrets", declared="host.secrets")
    require(
        [
            Problem(
                "",
                f"{declared.user} can read {path}; fix: sudo chown root:root {path} && sudo chmod 600 {path}",
            )
            for path in _met(host, "secrets_readable", of="secrets")
        ]
    )


@check(
    "HOST-ACCESS-005",
    "the service's account cannot write the files with secrets",
    level=MUST,
    effect=READ,
    claims=("SEC-06", "SYS-08"),
    spec="access(2)",
)
def test_cannot_write_secrets(host: MachineFacts) -> None:
    """Who can write them chooses the next key."""
    declared = rules.declared_host(host)
    if not declared.secrets:
        raise NotApplicable("the environment declares no files with secrets", declared="host.secrets")
    require(
        [
            Problem(
                "",
                f"{declared.user} can write {path}; "
                f"fix: sudo chown root:root {path} && sudo chmod 600 {path}",
            )
            for path in _met(host, "secrets_writable", of="secrets")
        ]
    )


def _met(host: MachineFacts, name: str, of: str = "tree") -> Sequence[str]:
    """What the account met. of: the section that says whether there was anything to meet."""
    assert host[of] is not None
    found: Sequence[str] = host.part("access", name)
    return found
