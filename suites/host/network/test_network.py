"""HOST-NET: open sockets of a machine, and who is reached from the gateway's."""

from collections.abc import Callable, Mapping
from typing import Any

from gateway_acceptance.check import MUST, READ, SHOULD, check
from gateway_acceptance.environment import Environment
from gateway_acceptance.host.facts import MachineFacts
from gateway_acceptance.verdict import CheckFailed, NotApplicable, Untestable, require
from suites.host.network import rules as network_rules


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
    sockets = machine["sockets"]
    declared = network_rules.as_declared(sockets, machine.declared)
    require(network_rules.of_another(sockets, machine.declared), judged={"declared sockets": len(declared)})


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
    sockets, unit = machine["sockets"], machine.declared.unit
    own = [socket for socket in sockets if socket["unit"] == unit]
    require(network_rules.beyond_declared(sockets, machine.declared), judged={f"sockets of {unit}": len(own)})


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
        raise NotApplicable(
            f"the environment declares no also_listens of {machine.name}", declared="host.also_listens"
        )
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
    backend = environment.backend(backend_name)
    asked, _ = network_rules.ASKED[backend.product]
    require(network_rules.unreached(backend_name, host["reach"][backend.name], asked), blame="backend")


@check(
    "HOST-NET-006",
    "from the gateway's own machine the backend holds the declared models, with the declared digests",
    level=MUST,
    effect=READ,
    claims=("RES-05", "STA-03"),
    spec="ollama:GET /api/tags",
)
def test_models_seen(host: MachineFacts, backend_name: str, environment: Environment) -> None:
    """Another server may answer there at the same address, and many deployments let nobody else ask."""
    if environment.backend(backend_name).key_variable is not None:
        raise NotApplicable(
            f"{backend_name} demands a key, which the gateway's machine does not get from the suite",
            declared="backends.key_variable",
        )
    answer = _answer(host, backend_name)
    _, listing = network_rules.ASKED[environment.backend(backend_name).product]
    if answer["models"] is None:
        raise CheckFailed(
            f"{backend_name} at {answer['url']}, from the gateway's machine: no list of models "
            f"({answer['error'] or 'it tells none'}); look at it: curl {answer['url']}{listing}",
            blame="backend",
        )
    wanted = [served for _, served in environment.deployments if served.backend == backend_name]
    require(network_rules.other_models(backend_name, answer, wanted, listing), blame="backend")


@check(
    "HOST-NET-007",
    "from the gateway's own machine the backend's embedding models have the declared dimensions",
    level=SHOULD,
    effect=READ,
    claims=("RES-05", "STA-03"),
    spec="ollama:POST /api/show: model_info",
)
def test_dimensions_seen(host: MachineFacts, backend_name: str, environment: Environment) -> None:
    """By the model's description (the width of its last layer), without a token: BACKEND-INV-003 measures a
    vector, where the suite may ask for one."""
    wanted = {
        model.upstream: model.dimensions
        for model in environment.models
        if model.backend == backend_name and model.dimensions
    }
    if not wanted:
        raise NotApplicable(
            f"the environment declares no dimensions of a model on {backend_name}",
            declared="models.dimensions",
        )
    if environment.backend(backend_name).product != "ollama":
        raise NotApplicable(
            f"{backend_name} speaks OpenAI's protocol, which describes no dimensions",
            declared="backends.product",
        )
    answer = _answer(host, backend_name)
    if not any(answer["dimensions"].values()):
        raise Untestable(
            f"{backend_name} tells no dimensions of its models (model_info of /api/show)",
            "update Ollama there",
        )
    require(network_rules.other_dimensions(backend_name, answer, wanted), blame="backend")


@check(
    "HOST-NET-008",
    "the backend answers the gateway's own machine within the declared time",
    level=MUST,
    effect=READ,
    claims=("RES-05", "STA-03"),
    spec="environment: bounds.health_s",
)
def test_latency_seen(
    host: MachineFacts, backend_name: str, environment: Environment, note: Callable[[str, object], None]
) -> None:
    """The fastest of three answers without a model: what is slow here is the way, or the backend's front."""
    answer = _answer(host, backend_name)
    note(f"{backend_name}.latency_from_the_gateway_ms", round(1000 * answer["elapsed_s"], 1))
    asked, _ = network_rules.ASKED[environment.backend(backend_name).product]
    require(network_rules.slow(backend_name, answer, environment.bounds.health_s, asked), blame="backend")


def _answer(host: MachineFacts, backend_name: str) -> Mapping[str, Any]:
    answer: Mapping[str, Any] = host["reach"][backend_name]
    if not answer["reached"]:
        raise Untestable(
            f"the gateway's machine does not reach {backend_name} ({answer['error']})", "see HOST-NET-005"
        )
    return answer


def _require_declared(machine: MachineFacts) -> None:
    if not machine.declared.listens:
        raise NotApplicable(f"the environment declares no listens of {machine.name}", declared="host.listens")
