"""HOST-UNIT: the service as systemd knows it, on every declared machine."""

from gateway_acceptance.check import MUST, READ, SHOULD, check
from gateway_acceptance.environment.host import Host
from gateway_acceptance.host.facts import MachineFacts
from gateway_acceptance.verdict import NotApplicable, Untestable, require
from suites.host.unit import rules as unit_rules
from suites.host.user.facts import live_process, loaded_unit


@check(
    "HOST-UNIT-001",
    "the declared unit is installed, and outlives a boot",
    level=MUST,
    effect=READ,
    claims=("SYS-06", "INF-11"),
    spec="systemd.unit(5)",
)
def test_installed(machine: MachineFacts) -> None:
    require(unit_rules.not_installed(machine["unit"], machine.declared.unit))


@check(
    "HOST-UNIT-002",
    "the unit is active and running",
    level=MUST,
    effect=READ,
    claims="STA-01",
    profile="smoke",
    spec="systemd: org.freedesktop.systemd1(5) ActiveState",
)
def test_active(machine: MachineFacts) -> None:
    """Said of one moment; that it stays so is HOST-UNIT-004."""
    require(unit_rules.not_active(machine["unit"], machine.declared.unit))


@check(
    "HOST-UNIT-003",
    "the unit is enabled: it comes back after a boot",
    level=MUST,
    effect=READ,
    claims=("INF-11", "STA-01"),
    spec="systemctl(1) is-enabled",
)
def test_enabled(machine: MachineFacts) -> None:
    require(unit_rules.not_enabled(loaded_unit(machine), machine.declared.unit))


@check(
    "HOST-UNIT-004",
    "the service is stable: one process, no restart over the declared time",
    level=MUST,
    effect=READ,
    claims="STA-05",
    spec="org.freedesktop.systemd1(5) NRestarts, Result; LiteLLM under SystemCallFilter=~@resources",
)
def test_stable(machine: MachineFacts) -> None:
    """A service that crashes every few seconds and is restarted is *active* nearly always. Judged is the age
    of the process; automatic restarts before the declared time are history."""
    unit = loaded_unit(machine)
    found = unit_rules.not_stable(
        unit, machine["process"], machine["clock"]["last"], machine.declared.stable_s, machine.declared.unit
    )
    require(found)


@check(
    "HOST-UNIT-005",
    "systemd finds nothing wrong with the unit",
    level=MUST,
    effect=READ,
    claims="INF-11",
    spec="systemd-analyze(1) verify",
)
def test_valid(machine: MachineFacts) -> None:
    """A directive that systemd does not know (a slip in its name) is passed over with a warning in the log: a
    sandbox that is not there."""
    unit = loaded_unit(machine)
    require(unit_rules.not_valid(unit, machine.declared.unit))
    if unit.get("verify_unseen"):
        raise Untestable(
            f"the suite's account cannot see what {machine.declared.unit} starts: {unit['verify_unseen'][0]} "
            "(see HOST-TREE-003 and HOST-TREE-005)",
            "where these are green, the account needs the group that may go there",
        )


@check(
    "HOST-UNIT-006",
    "what systemd has loaded is what the unit's files say",
    level=MUST,
    effect=READ,
    claims=("STA-04", "INF-11"),
    spec="org.freedesktop.systemd1(5) NeedDaemonReload",
)
def test_reloaded(machine: MachineFacts) -> None:
    require(unit_rules.not_reloaded(loaded_unit(machine), machine.declared.unit))


@check(
    "HOST-UNIT-007",
    "the process was started after the last change of its unit, configuration and secrets",
    level=MUST,
    effect=READ,
    claims=("STA-04", "INF-11"),
    spec="proc(5) starttime; inode(7) mtime",
)
def test_restarted(machine: MachineFacts) -> None:
    """What was edited and reloaded is not in force before a restart. Judged by times of modification."""
    unit, process = loaded_unit(machine), live_process(machine)
    entries = [file["entry"] for file in unit["files"]]
    if isinstance(machine.declared, Host):
        found = machine["files"].get(machine.declared.configuration or "", {})
        entries += [found.get("entry"), *(file["entry"] for file in machine["secrets"])]
    seen = [entry for entry in entries if entry]
    untold = ", ".join(str(entry["path"]) for entry in seen if "mtime" not in entry)
    if untold:  # root names them to an account that may not enter their directory, without times
        raise Untestable(
            f"{machine.name}: when {untold} changed is not to be had",
            "let the suite's account enter the directory (o+x); what lies in it stays unreadable",
        )
    require(unit_rules.not_restarted(seen, process["started"], machine.declared.unit))


@check(
    "HOST-UNIT-008",
    "the unit starts the declared program with the declared configuration",
    level=MUST,
    effect=READ,
    claims=("SYS-10", "INF-11"),
    spec="systemd.service(5) ExecStart",
)
def test_command(host: MachineFacts) -> None:
    assert isinstance(host.declared, Host)
    if host.declared.virtual_environment is None and host.declared.configuration is None:
        raise NotApplicable(
            "the environment declares neither virtual_environment nor configuration",
            declared="host.virtual_environment",
        )
    require(unit_rules.other_command(loaded_unit(host), host.declared))


@check(
    "HOST-UNIT-009",
    "the unit's working directory is the declared one",
    level=MUST,
    effect=READ,
    claims="SYS-09",
    spec="systemd.exec(5) WorkingDirectory",
)
def test_working_directory(host: MachineFacts) -> None:
    assert isinstance(host.declared, Host)
    if host.declared.working_directory is None:
        raise NotApplicable(
            "the environment declares no working_directory", declared="host.working_directory"
        )
    require(unit_rules.other_directory(loaded_unit(host), host.declared))


@check(
    "HOST-UNIT-010",
    "the unit is configured to run as the declared user and group",
    level=MUST,
    effect=READ,
    claims=("SYS-07", "STA-04"),
    spec="systemd.exec(5) User, Group",
)
def test_user(machine: MachineFacts) -> None:
    require(unit_rules.other_account(loaded_unit(machine), machine.declared))


@check(
    "HOST-UNIT-011",
    "the service is started again when it fails",
    level=MUST,
    effect=READ,
    claims="STA-05",
    spec="systemd.service(5) Restart",
)
def test_restart_policy(machine: MachineFacts) -> None:
    require(unit_rules.no_return(loaded_unit(machine), machine.declared.unit))


@check(
    "HOST-UNIT-012",
    "the service is started when the network is there",
    level=SHOULD,
    effect=READ,
    claims="STA-05",
    spec="systemd.special(7) network-online.target: both After and Wants; Ollama's own unit has After alone",
)
def test_dependencies(machine: MachineFacts) -> None:
    pulls_it_in = isinstance(machine.declared, Host)
    require(
        unit_rules.not_after_the_network(loaded_unit(machine), machine.declared.unit, pulls_it_in=pulls_it_in)
    )


@check(
    "HOST-UNIT-013",
    "no drop-in undoes the unit's account, command or sandbox",
    level=MUST,
    effect=READ,
    claims=("STA-04", "SYS-07"),
    spec="systemd.unit(5) drop-ins",
)
def test_drop_ins(machine: MachineFacts) -> None:
    """A drop-in that makes a value as declared is welcome, and so is one about anything else."""
    require(unit_rules.undone_by_drop_ins(loaded_unit(machine), machine.declared))


@check(
    "HOST-UNIT-014",
    "only root can change the unit's files",
    level=MUST,
    effect=READ,
    claims="SEC-06",
    spec="systemd reads them as root: who writes them is root",
)
def test_unit_files_are_roots(machine: MachineFacts) -> None:
    require(unit_rules.open_to_others(loaded_unit(machine)))


@check(
    "HOST-UNIT-015",
    "no secret stands in the unit",
    level=MUST,
    effect=READ,
    claims="SYS-08",
    spec="systemd.exec(5): Environment= is not for secrets, every user may read it",
)
def test_no_secret_in_the_unit(machine: MachineFacts) -> None:
    require(unit_rules.secrets_in(loaded_unit(machine), machine.declared.unit))
