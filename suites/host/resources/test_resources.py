"""HOST-RES: disk, memory, open files."""

from gateway_acceptance.check import MUST, READ, SHOULD, check
from gateway_acceptance.host.facts import MachineFacts
from gateway_acceptance.verdict import Untestable, require
from suites.host.deployment.extract import declared
from suites.host.resources import rules
from suites.host.tree.rules import declared_host
from suites.host.user.facts import loaded_unit


@check(
    "HOST-RES-001",
    "the declared disk space is free",
    level=MUST,
    effect=READ,
    claims="RES-03",
    spec="statvfs(3)",
)
def test_free_disk(machine: MachineFacts) -> None:
    """Of the root, /var/log, the tree, and a backend's models, each where it is a disk of its own."""
    resources = machine["resources"]
    require(rules.little_disk(resources, machine.declared), judged={"disks": len(resources["disks"])})


@check(
    "HOST-RES-002",
    "the declared memory is available",
    level=MUST,
    effect=READ,
    claims="STA-05",
    spec="proc(5) MemAvailable",
)
def test_free_memory(machine: MachineFacts) -> None:
    require(rules.little_memory(machine["resources"], machine.declared))


@check(
    "HOST-RES-003",
    "the structure takes no more disk than declared",
    level=SHOULD,
    effect=READ,
    claims="RES-02",
    spec="deployment: disk",
)
def test_tree_size(host: MachineFacts) -> None:
    declared(declared_host(host).tree_mb, "tree_mb")
    require(rules.large_tree(host["tree"], declared_host(host)))


@check(
    "HOST-RES-004",
    "the tree with its virtual environment takes no more disk than declared",
    level=SHOULD,
    effect=READ,
    claims="RES-03",
    spec="deployment: disk",
)
def test_environment_size(host: MachineFacts) -> None:
    declared(declared_host(host).environment_mb, "environment_mb")
    require(rules.large_environment(host["tree"], declared_host(host)))


@check(
    "HOST-RES-005",
    "the process is far from its limit of open files",
    level=MUST,
    effect=READ,
    claims="STA-05",
    spec="getrlimit(2) RLIMIT_NOFILE",
)
def test_open_files(machine: MachineFacts) -> None:
    if not machine["process"]["pid"]:
        raise Untestable(
            f"{machine.name}: {machine.declared.unit} has no process (see HOST-UNIT-002)",
            f"look there at: systemctl status {machine.declared.unit}",
        )
    limits = machine["process"]["limits"]
    require(rules.many_open_files(machine.part("process", "descriptors"), limits, machine.declared.unit))


@check(
    "HOST-RES-006",
    "everything that the service is started from is below the tree",
    level=MUST,
    effect=READ,
    claims="RES-01",
    spec="systemd.service(5) ExecStart; systemd.exec(5) WorkingDirectory",
)
def test_below_the_tree(host: MachineFacts) -> None:
    require(rules.outside(loaded_unit(host), declared_host(host)))
