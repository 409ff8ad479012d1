"""HOST-NET: open sockets of a machine, and who is reached from the gateway's."""

from gateway_acceptance.check import MUST, READ, check
from gateway_acceptance.environment import Environment
from gateway_acceptance.host.facts import MachineFacts
from gateway_acceptance.verdict import NotApplicable, require
from suites.host import network_rules


@check(
    "HOST-NET-001",
    "the service listens where it is declared to",
    level=MUST,
    effect=READ,
    claims=("SYS-02", "STA-02"),
    profile="smoke",
    spec="ss(8)",
)
def test_listens(machine: MachineFacts) -> None:
    _require_declared(machine)
    require(network_rules.not_listening(machine["sockets"], machine.declared))


@check(
    "HOST-NET-002",
    "the declared sockets belong to the service's own unit and account",
    level=MUST,
    effect=READ,
    claims=("RES-04", "SYS-02"),
    spec="ss(8) -p; proc(5) /proc/PID/cgroup",
)
def test_owner(machine: MachineFacts) -> None:
    """Another program on the port answers in the service's name."""
    _require_declared(machine)
    require(network_rules.of_another(machine["sockets"], machine.declared))


@check(
    "HOST-NET-003",
    "the service listens nowhere else",
    level=MUST,
    effect=READ,
    claims="RES-04",
    spec="ss(8) -p; ollama issues 16236, 11941: Ollama has no authentication",
)
def test_nowhere_else(machine: MachineFacts) -> None:
    """0.0.0.0 where one address is declared counts as elsewhere."""
    _require_declared(machine)
    require(network_rules.beyond_declared(machine["sockets"], machine.declared))


@check(
    "HOST-NET-004",
    "nothing else on the machine listens but what is declared",
    level=MUST,
    effect=READ,
    claims="STA-04",
    spec="ss(8) -p",
)
def test_nothing_else(machine: MachineFacts) -> None:
    if not machine.declared.also_listens:
        raise NotApplicable(f"the environment declares no also_listens of {machine.name}")
    require(network_rules.undeclared(machine["sockets"], machine.declared))


@check(
    "HOST-NET-005",
    "the backend is reached from the gateway's own machine",
    level=MUST,
    effect=READ,
    claims=("RES-05", "STA-03"),
    spec="ollama:GET /api/version",
)
def test_backend_reached(host: MachineFacts, backend_name: str, environment: Environment) -> None:
    """Asked from there, at the URL by which the gateway calls it: whether the suite reaches it is another
    matter."""
    answer = host["reach"][environment.backend(backend_name).name]
    require(network_rules.unreached(backend_name, answer), blame="backend")


def _require_declared(machine: MachineFacts) -> None:
    if not machine.declared.listens:
        raise NotApplicable(f"the environment declares no listens of {machine.name}")
