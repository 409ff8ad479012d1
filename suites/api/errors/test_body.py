"""API-ERR: bodies that are no request at all, and bodies that are too much of one."""

import json

from gateway_acceptance.check import MUST, READ, SPEND, Level, check
from gateway_acceptance.environment import Environment, ModelKind
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.subjects import judged
from gateway_acceptance.verdict import CheckFailed, NoAnswer, Untestable, require
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.gateway import GatewayClient
from suites.api.errors.probes import BAD, CHAT, NO_MODEL, BadRequest, alias_of, chat
from suites.api.errors.rules import envelope_problems, refused_unread
from suites.api.extract import answered_by_a_model
from suites.api.observations import ECHO_PROMPT, echoed

LARGE_BODY = 20 * 1024 * 1024
"""Bytes: OpenAI's own limit for images is 20 MB, and more than any proxy's default."""

LONG_PROMPT = "word " * 12_000
"""Three times the window that Ollama gives a model by default (4096 tokens)."""

TOO_MUCH = (*BAD, 413)

test_malformed_json = refused_unread(
    "API-ERR-002", "malformed JSON is refused", "malformed JSON at chat", "malformed JSON at embeddings"
)
test_array = refused_unread(
    "API-ERR-003",
    "a body that is no JSON object is refused",
    "an array as body at chat",
    "an array as body at embeddings",
)
test_empty_body = refused_unread(
    "API-ERR-004", "an empty body is refused", "an empty body at chat", "an empty body at embeddings"
)
test_no_utf8 = refused_unread(
    "API-ERR-005",
    "a body that is no UTF-8 is refused",
    "a body that is no UTF-8 at chat",
    "a body that is no UTF-8 at embeddings",
)
test_deeply_nested = refused_unread(
    "API-ERR-006",
    "deeply nested JSON is refused",
    "deeply nested JSON at chat",
    "deeply nested JSON at embeddings",
)
test_form = refused_unread(
    "API-ERR-007", "a form is refused", "a form as body at chat", "a form as body at embeddings"
)


@check(
    "API-ERR-008",
    "JSON under another content type is served or refused, and never an internal error",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec="RFC 9110 section 15.5.16",
)
def test_other_content_type(target: Target, gateway: GatewayClient, environment: Environment) -> None:
    """415 is a server's right, not its duty: OpenAI refuses text/plain, FastAPI reads it. A refusal says
    something only where a question to the same model is served."""
    body = chat()(environment)
    answer = gateway.request("POST", CHAT, body=body, headers=[("content-type", "text/plain")], tokens=64)
    if answer.status not in (200, *BAD, 415):
        raise CheckFailed(
            f"expected 200, 400, 415 or 422 for text/plain, got {_shown(answer)}", blame="gateway"
        )
    served = echoed(target, alias_of(environment, ModelKind.CHAT))
    if not answered_by_a_model(served):
        raise Untestable(
            f"the same model is not served with application/json either: {_shown(served)}",
            "look why it answers no question",
        )


@check(
    "API-ERR-009",
    "a body of 20 MB is answered, and the gateway goes on",
    level=MUST,
    effect=READ,
    claims="FUN-01",
    profile="release",
    spec="RFC 9110 section 15.5.14",
)
def test_large_body(gateway: GatewayClient) -> None:
    """For a model that does not exist, so nothing is generated. A server may close the connection before it
    has read everything; then it must still be there."""
    content = "x" * LARGE_BODY
    body = json.dumps({"model": NO_MODEL, "messages": [{"role": "user", "content": content}]}).encode()
    try:
        answer = gateway.request("POST", CHAT, body=body, headers=[("content-type", "application/json")])
    except NoAnswer as failure:
        if "connection broke" not in str(failure):
            raise
    else:
        if answer.status not in (*TOO_MUCH, 404):
            raise CheckFailed(
                f"expected 400, 404, 413 or 422 for 20 MB, got {_shown(answer)}", blame="gateway"
            )
    after = gateway.models()
    if after.status != 200:
        raise CheckFailed(f"after a body of 20 MB: expected 200, got {_shown(after)}", blame="gateway")


@check(
    "API-ERR-010",
    "a prompt longer than the window is answered or refused, and never an internal error",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    profile="release",
    spec="openai:guides/error-codes context_length_exceeded",
)
def test_long_prompt(gateway: GatewayClient, environment: Environment) -> None:
    """Whether an answer is honest about what it read is another check's question."""
    answer = gateway.chat(
        alias_of(environment, ModelKind.CHAT), LONG_PROMPT + ECHO_PROMPT, temperature=0, max_tokens=4
    )
    if answer.status == 200:
        judged({"answers of a model": int(answered_by_a_model(answer))})
        return
    if answer.status not in TOO_MUCH:
        raise CheckFailed(
            f"expected 200, 400, 413 or 422 for 12000 words, got {_shown(answer)}", blame="gateway"
        )
    long = BadRequest("a prompt of 12000 words", chat(), ())
    require(envelope_problems(long, answer, Level.MUST), blame="gateway")


def _shown(answer: Exchange) -> str:
    return f"{answer.status}: {answer.text[:120]}"
