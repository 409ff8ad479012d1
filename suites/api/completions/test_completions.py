"""API-COMP: the legacy endpoint /v1/completions, whole where the environment declares it."""

from gateway_acceptance.check import MUST, READ, SHOULD, SPEND, Level, check
from gateway_acceptance.environment import Environment
from gateway_acceptance.environment.abilities import Ability
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.problem import Problem, at_level
from gateway_acceptance.subjects import judged
from gateway_acceptance.verdict import CheckFailed, Inconclusive, NotApplicable, Untestable, require
from gateway_acceptance.wire.gateway import GatewayClient
from gateway_acceptance.wire.schema import envelope_broken, problems_of
from suites.api.completions.probes import (
    COMPLETIONS,
    TextStream,
    ask_echo_text,
    complete,
    completed,
    completion_text,
    text_stream,
)
from suites.api.endpoints import malformed_refusal, need, unpromised
from suites.api.exact import require_exact
from suites.api.extract import body_of
from suites.api.observations import balanced_or_first, comparable_alias, strays, wanted_of

COUNTING = "Count from 1 to 9"
SHORT = 3
"""Fewer tokens than any tokenizer needs to count to nine."""


@check(
    "API-COMP-001",
    "a text completion has the documented shape",
    level=MUST,
    effect=SPEND,
    claims="STA-06",
    spec="openai:CreateCompletionResponse",
)
def test_shape(target: Target, gateway: GatewayClient, environment: Environment) -> None:
    """Its own shape: not a chat completion's."""
    body = body_of(completed(target))
    require(at_level(problems_of(body, "completion"), Level.MUST), blame="gateway")


@check(
    "API-COMP-002",
    "a text completion answers its prompt",
    level=MUST,
    effect=SPEND,
    claims="STA-06",
    spec="openai:CreateCompletionResponse.choices.text",
)
def test_text(target: Target, gateway: GatewayClient, environment: Environment) -> None:
    """The validation prompt, at temperature 0, as on the chat endpoint. A model that is not declared to obey
    may say what it likes, so that nothing shows whether it was asked just this."""
    text, alias = completion_text(completed(target)), comparable_alias(environment)
    exact = environment.can(alias, Ability.EXACT)
    if strays(environment, alias, text):
        require_exact(target, alias)
        exactly = "exactly " if exact else ""
        raise CheckFailed(f"expected {exactly}{wanted_of(environment, alias)}, got {text[:200]!r}")
    if not exact:
        raise NotApplicable(f"{alias} does not declare {Ability.EXACT}", declared="models.abilities")


@check(
    "API-COMP-003",
    "the usage of a text completion adds up",
    level=MUST,
    effect=SPEND,
    claims="STA-06",
    spec="openai:CompletionUsage",
)
def test_usage(target: Target, gateway: GatewayClient, environment: Environment) -> None:
    """Prompt and completion make the total, and neither is free."""
    usage = body_of(completed(target)).get("usage")
    if not isinstance(usage, dict):
        raise CheckFailed(f"expected usage, got {usage!r}", blame="gateway")
    prompt, answer, total = (
        usage.get(name) for name in ("prompt_tokens", "completion_tokens", "total_tokens")
    )
    counts = [count for count in (prompt, answer, total) if isinstance(count, int) and count > 0]
    if len(counts) < 3 or counts[0] + counts[1] != counts[2]:
        raise CheckFailed(f"expected tokens that add up, got {prompt} and {answer}, total {total}")


@check(
    "API-COMP-004",
    "max_tokens limits a text completion, and its finish_reason says so",
    level=MUST,
    effect=SPEND,
    claims="STA-06",
    spec="openai:CreateCompletionRequest.max_tokens",
)
def test_limit(target: Target, gateway: GatewayClient, environment: Environment) -> None:
    """Without ``length``, nobody knows that a text was cut."""
    need(environment, COMPLETIONS)
    answer = complete(target, COUNTING, max_tokens=SHORT)
    text, body = completion_text(answer), body_of(answer)
    if "9" in text:
        raise CheckFailed(f"expected at most {SHORT} tokens, got {text[:200]!r}")
    reason = body["choices"][0].get("finish_reason")
    if reason != "length":
        raise CheckFailed(f"expected finish_reason 'length' of a text that was cut, got {reason!r}")


@check(
    "API-COMP-005",
    "a list of prompts gets a choice for each",
    level=MUST,
    effect=SPEND,
    claims="STA-06",
    spec="openai:CreateCompletionRequest.prompt",
)
def test_batch(target: Target, gateway: GatewayClient, environment: Environment) -> None:
    """Or the list is refused with the envelope. A prompt that is dropped in silence is lost work that looks
    done. That they come in their order shows in the words of a model that is declared to obey; of another,
    where each choice is what the model says to the other prompt alone."""
    need(environment, COMPLETIONS)
    texts = ["HX-ONE", "HX-TWO"]
    prompts = [f"Return exactly the text: {text}" for text in texts]
    answer = complete(target, prompts, max_tokens=16)
    if answer.status in (400, 422):
        return require(envelope_broken(answer.status, answer.headers, answer.body), blame="gateway")
    choices = body_of(answer).get("choices")
    said = [str(choice.get("text")).strip() for choice in choices] if isinstance(choices, list) else []
    if len(said) != len(texts):
        count = "one" if len(said) == 1 else len(said)
        raise CheckFailed(f"expected a choice for each of 2 prompts, got {count}", blame="gateway")
    if environment.can(comparable_alias(environment), Ability.EXACT):
        if said != texts:
            raise CheckFailed(
                f"expected a choice for each of 2 prompts, {texts}, got {said}", blame="gateway"
            )
        return judged(choices=len(said))
    alone = [completion_text(complete(target, prompt, max_tokens=16)).strip() for prompt in prompts]
    if said != alone and said == alone[::-1]:
        raise CheckFailed(
            f"expected the choices as each prompt alone gets them, {alone}, got {said}", blame="gateway"
        )
    return judged(choices=len(said))


@check(
    "API-COMP-006",
    "a streamed text completion is whole",
    level=MUST,
    effect=SPEND,
    claims="STA-06",
    spec="openai:CreateCompletionRequest.stream",
)
def test_stream(target: Target, gateway: GatewayClient, environment: Environment) -> None:
    """Chunks of the right kind, one finish_reason, and [DONE] as the last word."""
    require(at_level(_stream(target).problems, Level.MUST), blame="gateway")


@check(
    "API-COMP-007",
    "a streamed text completion spells the same text as a whole one",
    level=MUST,
    effect=SPEND,
    claims="STA-06",
    spec="openai:CreateCompletionRequest.stream",
)
def test_stream_text(target: Target, gateway: GatewayClient, environment: Environment) -> None:
    """The joined ``text`` of its chunks. A model that is not declared to obey is held to what it says without
    streaming; where the two differ, each is asked once more."""
    text, alias = _stream(target).text, comparable_alias(environment)
    if strays(environment, alias, text):
        require_exact(target, alias)
        wanted = wanted_of(environment, alias)
        raise CheckFailed(f"expected the stream to spell {wanted}, it spells {text[:200]!r}")
    if environment.can(alias, Ability.EXACT):
        return
    complete_text = completion_text(completed(target))
    if text == complete_text:
        return
    again, streamed_again = completion_text(ask_echo_text(target)), text_stream(target).text
    if (again, streamed_again) != (complete_text, text):
        raise Inconclusive(f"{alias} answers the same question differently: {again[:80]!r}, {text[:80]!r}")
    raise CheckFailed(
        f"expected the stream to spell {complete_text[:200]!r} as without streaming, "
        f"it spells {text[:200]!r}",
        blame="gateway",
    )


@check(
    "API-COMP-008",
    "all chunks of a streamed text completion have the same id",
    level=SHOULD,
    effect=SPEND,
    claims="STA-06",
    spec="openai:CreateCompletionResponse.id",
)
def test_stream_id(target: Target, gateway: GatewayClient, environment: Environment) -> None:
    """By the id, clients tell streams apart that they read at the same time."""
    ids = _stream(target).ids
    if not ids:
        raise Untestable("nothing judged: the stream brings no chunk", "see API-COMP-006")
    if "" in ids:
        raise CheckFailed("expected one id in all chunks, got chunks without id", blame="gateway")
    if len(set(ids)) != 1:
        raise CheckFailed(
            f"expected one id in all chunks, got {len(set(ids))} in {len(ids)} chunks", blame="gateway"
        )


@check(
    "API-COMP-009",
    "a text completion without a prompt or of an unknown model is refused",
    level=MUST,
    effect=READ,
    claims="STA-06",
    spec="openai:guides/error-codes 400",
)
def test_refusals(target: Target, gateway: GatewayClient, environment: Environment) -> None:
    """4xx with the envelope: both are the caller's mistakes."""
    need(environment, COMPLETIONS)
    bodies = {
        "without a prompt": {"model": balanced_or_first(environment), "max_tokens": 1},
        "of an unknown model": {"model": "no-such-model", "prompt": "hello", "max_tokens": 1},
    }
    answers = {what: gateway.request("POST", COMPLETIONS, json_body=body) for what, body in bodies.items()}
    require(
        [
            Problem("", f"a completion {what}: {problem.message}: {answer.text[:200]}")
            for what, answer in answers.items()
            for problem in envelope_broken(answer.status or 0, answer.headers, answer.body)
        ],
        blame="gateway",
    )


@check(
    "API-COMP-010",
    "the completions endpoint is honest where it is not promised",
    level=MUST,
    effect=SPEND,
    claims="STA-06",
    spec="openai:ErrorResponse",
)
def test_not_promised(target: Target, gateway: GatewayClient, environment: Environment) -> None:
    """It refuses with 4xx, or answers all the same; an internal error without envelope is neither."""
    if COMPLETIONS.rsplit("/", 1)[-1] in environment.gateway.endpoints:
        raise NotApplicable("the environment promises it (gateway.endpoints)", declared="gateway.endpoints")
    answer = unpromised(
        target, comparable_alias(environment), lambda: complete(target, COUNTING, max_tokens=SHORT)
    )
    require(malformed_refusal(answer), blame="gateway")


def _stream(target: Target) -> TextStream:
    return target.once(("completions", "stream"), lambda: text_stream(target))
