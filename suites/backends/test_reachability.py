"""BACKEND-REACH, BACKEND-INV: are the servers behind the gateway there, with what it needs of them."""

from collections.abc import Callable

from gateway_acceptance.check import MUST, READ, check
from gateway_acceptance.environment import Environment
from gateway_acceptance.verdict import CheckFailed
from gateway_acceptance.wire.backend import BackendClient, full_name


@check(
    "BACKEND-REACH-001",
    "the backend answers with its version",
    level=MUST,
    effect=READ,
    claims=("STA-03",),
    profile="smoke",
    spec="ollama:GET /api/version",
)
def test_reachable(backend: BackendClient, note: Callable[[str, object], None]) -> None:
    """Asked directly, from where the suite runs."""
    note(f"{backend.backend.name}.version", backend.version())


@check(
    "BACKEND-INV-001",
    "the backend holds every model that the gateway needs of it",
    level=MUST,
    effect=READ,
    claims=("STA-03",),
    profile="smoke",
    spec="ollama:GET /api/tags",
)
def test_models_present(
    backend: BackendClient, environment: Environment, note: Callable[[str, object], None]
) -> None:
    """Listed in configuration does not mean servable: the model must lie on the backend."""
    name = backend.backend.name
    held = backend.models()
    wanted = [full_name(upstream) for upstream in environment.upstreams_on(name)]
    for model in wanted:
        if model in held:
            note(f"{name}.{model}.digest", held[model][:19])
    missing = [model for model in wanted if model not in held]
    if missing:
        raise CheckFailed(
            f"{name} lacks {', '.join(missing)}; it holds {', '.join(sorted(held)) or 'no model'}; "
            f"mend with: ollama pull {missing[0]}",
            blame="backend",
        )
