"""API-RESP: the newer endpoint /v1/responses, whole where the environment declares it."""

from gateway_acceptance.check import MUST, READ, SPEND, Level, check
from gateway_acceptance.environment import Environment
from gateway_acceptance.environment.abilities import Ability
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.problem import Problem, at_level
from gateway_acceptance.verdict import CheckFailed, NotApplicable, require
from gateway_acceptance.wire.gateway import GatewayClient
from gateway_acceptance.wire.schema import envelope_broken, problems_of
from suites.api.endpoints import malformed_refusal, need, unpromised
from suites.api.exact import require_exact
from suites.api.extract import body_of
from suites.api.observations import balanced_or_first, strays, wanted_of
from suites.api.responses.probes import (
    LEAST_TOKENS,
    RESPONSES,
    ask,
    output_text,
    response_answer,
    response_stream,
)

LONG = "Count from 1 to 99"
"""More than LEAST_TOKENS in any tokenizer."""


@check(
    "API-RESP-001",
    "the responses endpoint is honest where it is not promised",
    level=MUST,
    effect=SPEND,
    claims="STA-06",
    spec="openai:ErrorResponse",
)
def test_not_promised(target: Target, gateway: GatewayClient, environment: Environment) -> None:
    """It refuses with 4xx, or answers all the same; an internal error without envelope is neither. The
    official SDK's users try it first nowadays."""
    if "responses" in environment.gateway.endpoints:
        raise NotApplicable("the environment promises it (gateway.endpoints)", declared="gateway.endpoints")
    answer = unpromised(target, balanced_or_first(environment), lambda: ask(target, "hello"))
    require(malformed_refusal(answer), blame="gateway")


@check(
    "API-RESP-002",
    "a response has the documented shape",
    level=MUST,
    effect=SPEND,
    claims="STA-06",
    spec="openai:Response",
)
def test_shape(target: Target, gateway: GatewayClient, environment: Environment) -> None:
    """Its own shape: not a chat completion's under another path."""
    require(at_level(problems_of(body_of(response_answer(target)), "response"), Level.MUST), blame="gateway")


@check(
    "API-RESP-003",
    "a response answers its input",
    level=MUST,
    effect=SPEND,
    claims="STA-06",
    spec="openai:Response.output",
)
def test_text(target: Target, gateway: GatewayClient, environment: Environment) -> None:
    """The validation prompt, at temperature 0, as on the chat endpoint; and it is completed. A model that is
    not declared to obey may say what it likes, and more than it was given tokens for."""
    body, alias = body_of(response_answer(target)), balanced_or_first(environment)
    text, status = output_text(body), body.get("status")
    exact = environment.can(alias, Ability.EXACT)
    ends = ("completed",) if exact else ("completed", "incomplete")
    if strays(environment, alias, text) or status not in ends:
        require_exact(target, alias)
        wanted = f"{'exactly ' if exact else ''}{wanted_of(environment, alias)}, {' or '.join(ends)}"
        raise CheckFailed(f"expected {wanted}; got {text[:200]!r}, {status}")


@check(
    "API-RESP-004",
    "the usage of a response adds up",
    level=MUST,
    effect=SPEND,
    claims="STA-06",
    spec="openai:ResponseUsage",
)
def test_usage(target: Target, gateway: GatewayClient, environment: Environment) -> None:
    """Input and output make the total, under the names of this endpoint."""
    usage = body_of(response_answer(target)).get("usage")
    if not isinstance(usage, dict):
        raise CheckFailed(f"expected usage, got {usage!r}", blame="gateway")
    given, made, total = (usage.get(name) for name in ("input_tokens", "output_tokens", "total_tokens"))
    counts = [count for count in (given, made, total) if isinstance(count, int) and count > 0]
    if len(counts) < 3 or counts[0] + counts[1] != counts[2]:
        raise CheckFailed(f"expected tokens that add up, got {given} and {made}, total {total}")


@check(
    "API-RESP-005",
    "a response that was cut says so",
    level=MUST,
    effect=SPEND,
    claims="STA-06",
    spec="openai:Response.incomplete_details",
)
def test_incomplete(target: Target, gateway: GatewayClient, environment: Environment) -> None:
    """``incomplete``, because of max_output_tokens."""
    need(environment, RESPONSES)
    body = body_of(ask(target, LONG, max_output_tokens=LEAST_TOKENS))
    details = body.get("incomplete_details")
    reason = details.get("reason") if isinstance(details, dict) else None
    if (body.get("status"), reason) != ("incomplete", "max_output_tokens"):
        raise CheckFailed(
            f"expected status incomplete because of max_output_tokens, got {body.get('status')} and {reason}"
        )


@check(
    "API-RESP-006",
    "a streamed response is whole",
    level=MUST,
    effect=SPEND,
    claims="STA-06",
    spec="openai:ResponseStreamEvent",
)
def test_stream(target: Target, gateway: GatewayClient, environment: Environment) -> None:
    """From response.created to the end, in order; SDKs build the response from these events."""
    require(response_stream(target).problems, blame="gateway")


@check(
    "API-RESP-007",
    "a streamed response spells the text that it ends with",
    level=MUST,
    effect=SPEND,
    claims="STA-06",
    spec="openai:ResponseTextDeltaEvent",
)
def test_stream_text(target: Target, gateway: GatewayClient, environment: Environment) -> None:
    """The joined deltas, and the output of the last event."""
    stream = response_stream(target)
    final = output_text(stream.final)
    alias = balanced_or_first(environment)
    if stream.text != final or strays(environment, alias, stream.text):
        require_exact(target, alias)
        raise CheckFailed(
            f"expected {wanted_of(environment, alias)} in deltas and at the end, "
            f"got {stream.text[:200]!r} and {final[:200]!r}"
        )


@check(
    "API-RESP-008",
    "a response without input or of an unknown model is refused",
    level=MUST,
    effect=READ,
    claims="STA-06",
    spec="openai:guides/error-codes 400",
)
def test_refusals(target: Target, gateway: GatewayClient, environment: Environment) -> None:
    """4xx with the envelope: both are the caller's mistakes."""
    need(environment, RESPONSES)
    bodies = {
        "without input": {"model": balanced_or_first(environment)},
        "of an unknown model": {"model": "no-such-model", "input": "hello"},
    }
    answers = {what: gateway.request("POST", RESPONSES, json_body=body) for what, body in bodies.items()}
    require(
        [
            Problem("", f"a response {what}: {problem.message}: {answer.text[:200]}")
            for what, answer in answers.items()
            for problem in envelope_broken(answer.status or 0, answer.headers, answer.body)
        ],
        blame="gateway",
    )


@check(
    "API-RESP-009",
    "the instructions of a response are followed",
    level=MUST,
    effect=SPEND,
    claims="STA-06",
    spec="openai:CreateResponse.instructions",
)
def test_instructions(target: Target, gateway: GatewayClient, environment: Environment) -> None:
    """They reach the model as its system message. Only that they have an effect is judged, not how well a
    model obeys: the answer differs from the one without them."""
    need(environment, RESPONSES)
    word = "HX-PEAR"
    text = output_text(body_of(ask(target, "hello", instructions=f"Always answer with exactly: {word}")))
    if word not in text and text == output_text(body_of(ask(target, "hello"))):
        raise CheckFailed(f"expected the instructions to change the answer, got {text[:200]!r} with them")
