"""HOST-BACKEND: what only a backend's machine has. Unit, process and network are as of every machine."""

from gateway_acceptance.check import MUST, READ, SHOULD, check
from gateway_acceptance.environment import Environment
from gateway_acceptance.environment.host import BackendHost
from gateway_acceptance.host.facts import MachineFacts
from gateway_acceptance.verdict import Untestable, require
from suites.host.backends import rules
from suites.host.deployment.extract import declared


def declared_backend(machine: MachineFacts) -> BackendHost:
    """What the environment declares of a backend's machine."""
    assert isinstance(machine.declared, BackendHost)
    return machine.declared


@check(
    "HOST-BACKEND-001",
    "the installed Ollama is the declared version",
    level=MUST,
    effect=READ,
    claims="STA-03",
    spec="ollama --version",
)
def test_version(backend_host: MachineFacts) -> None:
    wanted = declared(declared_backend(backend_host).version, "backends.host.version")
    require(rules.other_version(backend_host.part("ollama", "version"), wanted))


@check(
    "HOST-BACKEND-002",
    "every model that the gateway needs is on the backend's disk",
    level=MUST,
    effect=READ,
    claims="STA-03",
    spec="ollama: models/manifests/HOST/NAMESPACE/MODEL/TAG",
)
def test_models_on_disk(backend_host: MachineFacts, environment: Environment) -> None:
    declared(declared_backend(backend_host).models, "backends.host.models")
    found = backend_host.part("ollama", "manifests")
    if found is None:
        raise Untestable(f"{backend_host.name}: what lies on its disk was not told", "look at the machine")
    require(rules.models_missing(found, environment.upstreams_on(backend_host.name), backend_host.name))


@check(
    "HOST-BACKEND-003",
    "the service keeps its models in the declared directory",
    level=MUST,
    effect=READ,
    claims="STA-03",
    spec="docs.ollama.com/faq: OLLAMA_MODELS",
)
def test_models_directory(backend_host: MachineFacts) -> None:
    wanted = declared_backend(backend_host)
    declared(wanted.models, "backends.host.models")
    entry = backend_host["account"]["entry"]
    if entry is None:
        raise Untestable(f"{backend_host.name} has no account {wanted.user}", "install Ollama there")
    require(rules.other_models_directory(backend_host["unit"], wanted, entry["home"]))


@check(
    "HOST-BACKEND-004",
    "the backend is not open to every web page",
    level=MUST,
    effect=READ,
    claims="STA-04",
    spec="docs.ollama.com/faq: OLLAMA_ORIGINS; Ollama has no authentication (ollama issue 16236)",
)
def test_origins(backend_host: MachineFacts) -> None:
    require(rules.open_to_browsers(backend_host["unit"], backend_host.declared.unit))


@check(
    "HOST-BACKEND-005",
    "the Ollama that answers the gateway is the one that is installed",
    level=SHOULD,
    effect=READ,
    claims="STA-03",
    spec="ollama:GET /api/version",
)
def test_running_version(backend_host: MachineFacts, host: MachineFacts) -> None:
    """An upgrade without a restart; that a backend is reached at all is HOST-NET-005."""
    answer = host["reach"][backend_host.name]
    if answer["version"] is None:
        raise Untestable(
            f"{backend_host.name} tells the gateway's machine no version ({answer['error']})",
            "see HOST-NET-005",
        )
    installed = backend_host.part("ollama", "version")
    require(rules.older_process(answer["version"], installed, backend_host.declared.unit))
