"""BACKEND-INV: the backends' models are the ones that were declared, and can what they are used for."""

from collections.abc import Callable

from gateway_acceptance.check import MUST, READ, SHOULD, SPEND, check
from gateway_acceptance.environment import Environment, ModelKind
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.problem import Problem
from gateway_acceptance.verdict import NotApplicable, Untestable, require
from gateway_acceptance.wire.backends import BackendClient, Offer
from suites.backends.inventory import rules as inventory_rules

TEXT = "the same text for every model"


@check(
    "BACKEND-INV-002",
    "a model on the backend has the declared digest",
    level=MUST,
    effect=READ,
    claims="STA-03",
    spec="ollama:GET /api/tags: digest",
)
def test_digests(backend: BackendClient, environment: Environment) -> None:
    """A tag such as phi3:latest means another model after the next pull; the digest does not."""
    name = backend.backend.name
    wanted = [served for _, served in environment.deployments if served.backend == name]
    if not any(served.digest for served in wanted):
        raise NotApplicable(
            f"the environment declares no digest of a model on {name}", declared="models.digest"
        )
    backend.require(Offer.DIGESTS)
    require(inventory_rules.other_digests(wanted, backend.models()), blame="backend")


@check(
    "BACKEND-INV-003",
    "an embedding model has the declared dimensions, asked straight from its backend",
    level=MUST,
    effect=SPEND,
    claims="FUN-02",
    spec="ollama:POST /api/embed",
)
def test_dimensions(
    target: Target, embedding_model: str, environment: Environment, note: Callable[[str, object], None]
) -> None:
    """Past the gateway: what is wrong here is not the gateway's fault (see API-EMB-001)."""
    problems = []
    declared = {model.alias: model.dimensions for model in environment.models}.get(embedding_model)
    for served in environment.deployments_of(embedding_model):
        found = len(target.backend(served.backend).embed(served.upstream, TEXT))
        note(f"{served.backend}.{served.upstream}.dimensions", found)
        if declared is not None and found != declared:
            problems.append(
                Problem(
                    "",
                    f"{served.upstream} on {served.backend} has {found} dimensions, declared are {declared}",
                )
            )
    if declared is None:
        raise NotApplicable(
            f"the environment declares no dimensions of {embedding_model}", declared="models.dimensions"
        )
    require(problems, blame="backend")


@check(
    "BACKEND-INV-004",
    "models support the capabilities they are used for",
    level=MUST,
    effect=READ,
    claims="STA-03",
    spec="ollama:POST /api/show: capabilities",
)
def test_capabilities(backend: BackendClient, environment: Environment) -> None:
    """An embedding model behind a chat alias, or the other way round, is found without a token."""
    name = backend.backend.name
    backend.require(Offer.CAPABILITIES)
    kinds = {
        (backend.name_of(served.upstream), kind)
        for kind in ModelKind
        for alias in environment.aliases_of(kind)
        for served in environment.deployments_of(alias)
        if served.backend == name
    }
    problems, reported = [], False
    for model, kind in sorted(kinds):
        capabilities = backend.capabilities(model)
        if capabilities is not None:
            reported = True
            problems += inventory_rules.cannot(model, kind, capabilities)
    if not reported:
        raise Untestable(f"{name} tells no capabilities of its models", "update Ollama to 0.6.4 or later")
    require(problems, blame="backend")


@check(
    "BACKEND-INV-005",
    "the backend tells which models are loaded, and has all of them",
    level=SHOULD,
    effect=READ,
    claims="STA-03",
    spec="ollama:GET /api/ps",
)
def test_loaded(
    backend: BackendClient, environment: Environment, note: Callable[[str, object], None]
) -> None:
    """Warm or cold is recorded for each model that the gateway needs: the first answer of a cold one is
    slow. A loaded model that is not listed was deleted or replaced while in memory."""
    name, loaded = backend.backend.name, backend.loaded()
    for model in environment.upstreams_on(name):
        note(f"{name}.{model}", "warm" if backend.name_of(model) in loaded else "cold")
    require(inventory_rules.loaded_unheld(loaded, backend.models()), blame="backend")
