"""API-CHAT: what decides how an answer is drawn, and how probable it was.

Compared is one deployment with itself, never an alias: across backends neither a seed nor temperature 0
reproduces (Ollama #5274, #586).
"""

from gateway_acceptance.check import SHOULD, SPEND, Level, check
from gateway_acceptance.environment import Model
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.problem import at_level
from gateway_acceptance.verdict import CheckFailed, require
from gateway_acceptance.wire.gateway import GatewayClient
from gateway_acceptance.wire.schema import problems_of
from suites.api.chat.own_words import asked_again, own
from suites.api.chat.probes import SEEDS, drawn, drawn_directly, may_be_asked, model_that
from suites.api.extract import choices_of, first_text, refused_honestly, require_said

SEED = "openai:CreateChatCompletionRequest.seed: a best effort to sample deterministically"
TOP = 2


@check(
    "API-CHAT-019",
    "the same seed gives the same answer from one deployment",
    level=SHOULD,
    effect=SPEND,
    claims="FUN-06",
    spec=SEED,
)
def test_seed_same(target: Target, gateway: GatewayClient) -> None:
    """Where the backend itself reproduces."""

    def reproduces(model: Model) -> bool:
        return _same_twice(target, model, {"temperature": 1, "seed": SEEDS[0]})

    alias = model_that(target, "reproduces an answer with a seed", reproduces)
    require_said(drawn(target, alias, 1, _seeded(SEEDS[0])))
    first, second = (first_text(drawn(target, alias, turn, _seeded(SEEDS[0]))) for turn in (1, 2))
    if first != second:
        raise CheckFailed(f"expected the same answer twice, got {first!r} and {second!r}", blame="gateway")


@check(
    "API-CHAT-020",
    "the seed reaches the model",
    level=SHOULD,
    effect=SPEND,
    claims="FUN-06",
    spec=SEED,
)
def test_seed_other(target: Target, gateway: GatewayClient) -> None:
    """Where other seeds give other answers at the backend itself, they do so through the gateway."""

    def varies(model: Model) -> bool:
        options = [{"temperature": 1, "seed": seed} for seed in SEEDS]
        return len({drawn_directly(target, model, 1, given) for given in options}) == len(SEEDS)

    alias = model_that(target, "answers otherwise with another seed", varies)
    texts = {first_text(drawn(target, alias, 1, _seeded(seed))) for seed in SEEDS}
    if len(texts) == 1:
        may_be_asked(target, alias)
        raise CheckFailed(
            f"expected other answers with the seeds {SEEDS}, got always {texts.pop()!r}", blame="gateway"
        )


@check(
    "API-CHAT-021",
    "at temperature 0 one deployment gives the same answer to an open question",
    level=SHOULD,
    effect=SPEND,
    claims="FUN-06",
    spec="openai:CreateChatCompletionRequest.temperature; Ollama #5274",
)
def test_temperature_zero(target: Target, gateway: GatewayClient) -> None:
    """The validation prompt leaves a model no choice; this one does. Where the backend itself reproduces."""

    def reproduces(model: Model) -> bool:
        return _same_twice(target, model, {"temperature": 0})

    alias = model_that(target, "reproduces an answer at temperature 0", reproduces)
    require_said(drawn(target, alias, 1, {"temperature": 0}))
    first, second = (first_text(drawn(target, alias, turn, {"temperature": 0})) for turn in (1, 2))
    if first != second:
        raise CheckFailed(f"expected the same answer twice, got {first!r} and {second!r}", blame="gateway")


@check(
    "API-CHAT-022",
    "temperature 0 reaches the model",
    level=SHOULD,
    effect=SPEND,
    claims="FUN-06",
    spec="openai:CreateChatCompletionRequest.temperature",
)
def test_temperature_reaches(target: Target, gateway: GatewayClient) -> None:
    """0 is a value, and false in many languages: some gateways take it for none. Where the backend's answer
    at temperature 0 is another than that without one, the gateway's is the former."""
    given: dict[str, int] = {"seed": SEEDS[0]}

    def differs(model: Model) -> bool:
        cold = drawn_directly(target, model, 1, {"temperature": 0, **given})
        return cold != drawn_directly(target, model, 1, given)

    alias = model_that(target, "answers otherwise at temperature 0", differs)
    cold = first_text(drawn(target, alias, 1, {"temperature": 0, **given}))
    warm = first_text(drawn(target, alias, 1, given))
    if cold == warm:
        may_be_asked(target, alias)
        raise CheckFailed(
            f"expected another answer at temperature 0, got {cold!r} both times", blame="gateway"
        )


@check(
    "API-CHAT-023",
    "log probabilities are given, or refused",
    level=SHOULD,
    effect=SPEND,
    claims="FUN-01",
    spec="openai:CreateChatCompletionRequest.logprobs",
)
def test_logprobs(target: Target, gateway: GatewayClient) -> None:
    """Silence is neither: who weighs answers by them finds null, or nothing."""
    answer = asked_again(target, max_tokens=own(target).limit, logprobs=True, top_logprobs=TOP)
    if refused_honestly(answer):
        return
    logprobs = choices_of(answer)[0].get("logprobs")
    if not isinstance(logprobs, dict) or not logprobs.get("content"):
        raise CheckFailed(f"expected log probabilities, or a refusal, got {logprobs!r}", blame="gateway")
    require(at_level(problems_of(logprobs, "logprobs"), Level.MUST), blame="gateway")


def _seeded(seed: int) -> dict[str, int]:
    return {"temperature": 1, "seed": seed}


def _same_twice(target: Target, model: Model, options: dict[str, int]) -> bool:
    return drawn_directly(target, model, 1, options) == drawn_directly(target, model, 2, options)
