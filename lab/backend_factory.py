"""The backends that an environment declares, as lab backends with the models that they need."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from gateway_acceptance.environment import Environment, ModelKind
from lab.backends import BackendServer, ModelSpec

CHAT = {
    "llama3.2": ModelSpec("chat", family="llama", parameter_size="3.2B"),
    "phi3": ModelSpec("chat", family="phi3", parameter_size="3.8B", capabilities=("completion",)),
    "gemma2": ModelSpec("chat", family="gemma2", parameter_size="2.6B", capabilities=("completion",)),
}
"""As Ollama's library describes them; phi3 and gemma2 call no tools."""

WEAK = "weak"
"""The option of ``[embedded]`` by which every chat model talks and none obeys."""
OTHER_CHAT = ModelSpec("chat")


def backends_of(
    environment: Environment, *, embed_scenario: Callable[[], str | None] | None = None
) -> dict[str, BackendServer]:
    """One lab backend for each declared one, holding just what the gateway needs of it."""
    weak = environment.embedded is not None and bool(environment.embedded.options.get(WEAK))
    kinds: dict[tuple[str, str], ModelSpec] = {}
    for model in environment.models:
        kinds[model.backend, model.upstream] = _spec(model.upstream, model.kind, model.dimensions)
    for group in environment.groups:
        for member in group.deployments:
            kinds.setdefault((member.backend, member.upstream), _spec(member.upstream, group.kind, None))
    return {
        backend.name: BackendServer(
            backend.name,
            {
                upstream: replace(spec, obeys=not weak)
                for (name, upstream), spec in kinds.items()
                if name == backend.name
            },
            embed_scenario=embed_scenario,
        )
        for backend in environment.backends
    }


def _spec(upstream: str, kind: ModelKind, dimensions: int | None) -> ModelSpec:
    if kind is ModelKind.EMBEDDING:
        return ModelSpec(
            "embedding",
            dimensions=dimensions or 768,
            family="bert",
            parameter_size="137M",
            context_length=512,
        )
    return CHAT.get(upstream.split(":")[0], OTHER_CHAT)
