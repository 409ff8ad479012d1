"""BACKEND-REACH, BACKEND-INV-001: are the servers behind the gateway there, with what it needs of them."""

from collections.abc import Callable

from gateway_acceptance.check import MUST, READ, SHOULD, SPEND, check
from gateway_acceptance.environment import Environment, ModelKind
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import CheckFailed, NotApplicable
from gateway_acceptance.wire.backends import BackendClient, Offer
from gateway_acceptance.wire.exchange import Exchange


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


ATTEMPTS = 3
"""Times that a backend is asked for its latency; the fastest counts: a busy machine delays some."""
RUNNING = "Ollama is running"
NAME_ITS_KEY = "; fix: if it demands a key, name the variable that holds it as backends.key_variable"
"""llama.cpp with a key lists its models to everybody, and serves nobody without it."""


@check(
    "BACKEND-REACH-002",
    "the backend answers a question without a model within the declared time",
    level=MUST,
    effect=READ,
    claims="STA-03",
    spec="environment: bounds.health_s",
)
def test_latency(
    backend: BackendClient, environment: Environment, note: Callable[[str, object], None]
) -> None:
    """The way to it and its front, without any model: what is slow here is not the model's fault."""
    bound = environment.bounds.health_s
    taken = min(backend.alive().elapsed_s for _ in range(ATTEMPTS))
    note(f"{backend.backend.name}.latency_ms", round(1000 * taken, 1))
    if taken > bound:
        raise CheckFailed(
            f"the fastest of {ATTEMPTS} answers of {backend.backend.name} took {taken:.2f} s, "
            f"{bound:g} s are declared",
            blame="backend",
        )


@check(
    "BACKEND-REACH-003",
    "the backend says at its root that Ollama is running",
    level=SHOULD,
    effect=READ,
    claims="STA-03",
    spec="ollama:server/routes.go: GET /",
)
def test_root(backend: BackendClient) -> None:
    """What health probes and load balancers ask."""
    answer = backend.root()
    if answer.status != 200 or answer.text.strip() != RUNNING:
        raise CheckFailed(
            f"expected 200 and {RUNNING!r} from {answer.url}, got {answer.status}: {answer.text[:120]}",
            blame="backend",
        )


@check(
    "BACKEND-REACH-004",
    "the backends of a balanced alias run the same version",
    level=SHOULD,
    effect=READ,
    claims="FUN-05",
    spec="ollama:GET /api/version",
)
def test_same_version(target: Target, group: str, environment: Environment) -> None:
    """Else the same request has another outcome from draw to draw: templates, tools and limits change with
    Ollama's version."""
    names = sorted({deployment.backend for deployment in environment.group(group).deployments})
    versions = {name: target.backend(name).version() for name in names}
    if len(set(versions.values())) > 1:
        running = ", ".join(f"{name} runs {version}" for name, version in versions.items())
        raise CheckFailed(f"the backends of {group} differ: {running}", blame="backend")


@check(
    "BACKEND-REACH-005",
    "a model that is loaded begins to answer within the declared time",
    level=MUST,
    effect=SPEND,
    claims="STA-03",
    spec="environment: bounds.first_token_s; ollama:POST /api/generate without a prompt loads the model",
)
def test_warm_answer(
    backend: BackendClient, environment: Environment, note: Callable[[str, object], None]
) -> None:
    """One token, or one vector, asked directly. A cold model is loaded first, and how long that took is
    recorded; where others drove it out of memory meanwhile, the time of loading it again does not count: a
    cold start is not slowness. Nor is a wait behind somebody else's long answer: what took too long is asked
    again, twice at most."""
    name, bound = backend.backend.name, environment.bounds.first_token_s
    alias, model = next(
        ((alias, served.upstream) for alias, served in environment.deployments if served.backend == name),
        ("", ""),
    )
    if not model:
        raise NotApplicable(f"nothing is deployed on {name}", declared="models.backend")
    embeds = alias in environment.aliases_of(ModelKind.EMBEDDING)
    if Offer.LOADED in backend.offers and backend.name_of(model) not in backend.loaded():
        load = backend.embedding(model, "load") if embeds else backend.load(model)
        _require_ok(load)
        note(f"{name}.{model}.cold_start_s", round(load.elapsed_s, 3))
    taken: list[float] = []
    while len(taken) < ATTEMPTS and not any(one <= bound for one in taken):
        answer = backend.embedding(model, "yes") if embeds else backend.chat(model, "Say yes", max_tokens=1)
        _require_ok(answer)
        taken.append(backend.warm_s(answer))
    fastest = min(taken)
    note(f"{name}.{model}.warm_s", round(fastest, 3))
    if fastest > bound:
        raise CheckFailed(
            f"{model} on {name}, loaded, took {fastest:.1f} s to begin in the fastest of {ATTEMPTS} answers, "
            f"{bound:g} s are declared",
            blame="backend",
        )


def _require_ok(answer: Exchange) -> None:
    if answer.status == 200:
        return
    fix = NAME_ITS_KEY if answer.status in (401, 403) else ""
    raise CheckFailed(
        f"expected 200 from {answer.url}, got {answer.status}: {answer.text[:200]}{fix}", blame="backend"
    )


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
    wanted = [backend.name_of(upstream) for upstream in environment.upstreams_on(name)]
    for model in wanted:
        if model in held and Offer.DIGESTS in backend.offers:
            note(f"{name}.{model}.digest", held[model][:19])
    missing = [model for model in wanted if model not in held]
    if missing:
        raise CheckFailed(
            f"{name} lacks {', '.join(missing)}; it holds {', '.join(sorted(held)) or 'no model'}; "
            f"fix: {backend.fix_of_missing(missing[0])}",
            blame="backend",
        )
