"""HOST-HARD: the sandbox, three ways: as declared, as systemd loaded it, as the kernel holds the process."""

from gateway_acceptance.check import MUST, READ, check
from gateway_acceptance.environment.host import Host
from gateway_acceptance.host.facts import MachineFacts
from gateway_acceptance.verdict import NotApplicable, Untestable, require
from suites.host.unit import sandbox
from suites.host.unit.directives import against_loaded
from suites.host.unit.live_directives import against_process, live
from suites.host.user.facts import loaded_unit


@check(
    "HOST-HARD-001",
    "the directive is loaded with the declared value",
    level=MUST,
    effect=READ,
    claims="STA-04",
    spec="systemd.exec(5); systemctl(1) show",
)
def test_loaded(directive: tuple[MachineFacts, str]) -> None:
    """Values are compared by meaning: lists as sets, sizes in bytes. A filter of system calls must allow no
    call beyond the declared ones, as this machine's systemd expands its groups."""
    machine, name = directive
    wanted = machine.declared.hardening[name]
    require(against_loaded(name, wanted, loaded_unit(machine), machine.declared.unit))


@check(
    "HOST-HARD-002",
    "the directive is in force in the live process",
    level=MUST,
    effect=READ,
    claims="STA-04",
    spec="proc(5) status, limits, mountinfo, ns",
)
def test_in_force(directive: tuple[MachineFacts, str]) -> None:
    """Of filters of system calls and what systemd makes of them the kernel tells that there is one."""
    machine, name = directive
    wanted = machine.declared.hardening[name]
    require(against_process(name, wanted, live(machine), machine.declared.unit))


@check(
    "HOST-HARD-003",
    "the service is no more exposed than declared",
    level=MUST,
    effect=READ,
    claims="STA-04",
    spec="systemd-analyze(1) security",
)
def test_exposure(machine: MachineFacts) -> None:
    most = machine.declared.exposure
    if most is None:
        raise NotApplicable("the environment declares no exposure", declared="host.exposure")
    unit = loaded_unit(machine)
    if unit["exposure"] is None:
        raise Untestable(
            f"{machine.name}: systemd-analyze security gives no exposure",
            f"try it there: systemd-analyze security {machine.declared.unit}",
        )
    require(sandbox.too_exposed(unit, most, machine.declared.unit))


@check(
    "HOST-HARD-004",
    "the live process holds none of root's capabilities",
    level=MUST,
    effect=READ,
    claims=("STA-04", "SEC-06"),
    spec="capabilities(7); proc(5) CapEff, CapPrm, CapInh, CapAmb",
)
def test_no_capabilities(machine: MachineFacts) -> None:
    """Those that the environment declares as AmbientCapabilities are left to it."""
    require(sandbox.held_capabilities(live(machine), machine.declared))


@check(
    "HOST-HARD-005",
    "the live process meets the deployment's tree read-only",
    level=MUST,
    effect=READ,
    claims=("STA-04", "SEC-06"),
    spec="systemd.exec(5) ProtectSystem=strict, ReadOnlyPaths; proc(5) mountinfo",
)
def test_tree_is_read_only(host: MachineFacts) -> None:
    """Beyond ownership: even a file that the account owns cannot be changed. What is declared writable is
    left out."""
    assert isinstance(host.declared, Host)
    declared = host.declared.hardening
    if declared.get("ProtectSystem") != "strict" and "ReadOnlyPaths" not in declared:
        raise NotApplicable(
            "the environment declares neither ProtectSystem=strict nor ReadOnlyPaths",
            declared="host.hardening",
        )
    require(sandbox.writable_tree(live(host), host.declared))


@check(
    "HOST-HARD-006",
    "what the service must write is not shut by its sandbox",
    level=MUST,
    effect=READ,
    claims="STA-05",
    spec="systemd.exec(5) ReadWritePaths; proc(5) mountinfo",
)
def test_writable_paths(host: MachineFacts) -> None:
    assert isinstance(host.declared, Host)
    if not host.declared.writable:
        raise NotApplicable("the environment declares nothing writable", declared="host.writable")
    require(sandbox.read_only_data(live(host), host.declared))
