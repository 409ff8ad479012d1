"""HOST-PROC: the service's process as the kernel knows it. What counts is what runs, not what a file says."""

from gateway_acceptance.check import MUST, READ, SHOULD, check
from gateway_acceptance.environment.host import Host
from gateway_acceptance.host.facts import MachineFacts
from gateway_acceptance.verdict import NotApplicable, require
from suites.host.process import rules as process_rules
from suites.host.user.facts import live_process, loaded_unit


@check(
    "HOST-PROC-001",
    "the live process runs as the declared user and group, not as root",
    level=MUST,
    effect=READ,
    claims=("STA-04", "SEC-06"),
    profile="smoke",
    spec="proc(5) /proc/PID/status Uid, Gid",
)
def test_user(machine: MachineFacts) -> None:
    """Real, effective, saved and file-system id: each of them."""
    require(process_rules.other_user(live_process(machine), machine["account"], machine.declared))


@check(
    "HOST-PROC-002",
    "every process of the unit runs as the declared user",
    level=MUST,
    effect=READ,
    claims="STA-04",
    spec="systemd.exec(5) User; proc(5) /proc/PID/cgroup",
)
def test_members(machine: MachineFacts) -> None:
    require(process_rules.foreign_members(live_process(machine), machine.declared))


@check(
    "HOST-PROC-003",
    "the live process has no group but the declared ones",
    level=MUST,
    effect=READ,
    claims="SEC-06",
    spec="proc(5) /proc/PID/status Groups",
)
def test_groups(machine: MachineFacts) -> None:
    """Ollama's own installer puts its account into video and render; such groups are declared."""
    process, account = live_process(machine), machine["account"]
    groups = process_rules.other_groups(
        process, machine.declared, account.get("primary"), account.get("groups", ())
    )
    require(groups)


@check(
    "HOST-PROC-004",
    "what runs is what the unit starts",
    level=SHOULD,
    effect=READ,
    claims=("SYS-10", "STA-01"),
    spec="systemd.service(5) ExecStart; proc(5) /proc/PID/cmdline",
)
def test_same_command(machine: MachineFacts) -> None:
    """A program that rewrites its own command line differs here too, without harm."""
    found = process_rules.other_words(live_process(machine), loaded_unit(machine), machine.declared)
    require(found)


@check(
    "HOST-PROC-005",
    "the live process runs from the declared virtual environment",
    level=MUST,
    effect=READ,
    claims="SYS-10",
    spec="proc(5) /proc/PID/cmdline",
)
def test_virtual_environment(host: MachineFacts) -> None:
    assert isinstance(host.declared, Host)
    if host.declared.virtual_environment is None:
        raise NotApplicable(
            "the environment declares no virtual_environment", declared="host.virtual_environment"
        )
    require(process_rules.outside_the_environment(live_process(host), host.declared))


@check(
    "HOST-PROC-006",
    "the file that the live process executes is the one that is installed",
    level=SHOULD,
    effect=READ,
    claims="SYS-10",
    spec="proc(5) /proc/PID/exe: (deleted) after an upgrade without a restart",
)
def test_program_in_place(machine: MachineFacts) -> None:
    live_process(machine)
    require(process_rules.replaced_program(machine.part("process", "links"), machine.declared))


@check(
    "HOST-PROC-007",
    "the live process works in the declared directory",
    level=MUST,
    effect=READ,
    claims="SYS-09",
    spec="proc(5) /proc/PID/cwd",
)
def test_directory(host: MachineFacts) -> None:
    assert isinstance(host.declared, Host)
    if host.declared.working_directory is None:
        raise NotApplicable(
            "the environment declares no working_directory", declared="host.working_directory"
        )
    live_process(host)
    require(process_rules.other_directory(host.part("process", "links"), host.declared))


@check(
    "HOST-PROC-008",
    "no second copy of the service runs outside its unit",
    level=MUST,
    effect=READ,
    claims=("STA-04", "STA-01"),
    spec="proc(5) /proc/PID/cmdline, /proc/PID/cgroup",
)
def test_no_second_copy(machine: MachineFacts) -> None:
    """Started by hand, as root, without the unit's sandbox: it serves beside the unit or instead of it."""
    require(process_rules.second_copies(machine["process"]["copies"], machine.declared))


@check(
    "HOST-PROC-009",
    "no secret stands on the live process's command line",
    level=MUST,
    effect=READ,
    claims="SYS-08",
    spec="proc(5): every user may read /proc/PID/cmdline",
)
def test_no_secret_revealed(machine: MachineFacts) -> None:
    require(process_rules.secrets_revealed(live_process(machine), machine.declared))
