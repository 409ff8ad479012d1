"""Sentinels of embeddings, text completions, models, and refusals."""

from __future__ import annotations

import re

from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.plugin.waking import Sentinel
from suites.api.completions.probes import COMPLETIONS, complete, completion_text, text_stream
from suites.api.endpoints import need
from suites.api.errors.leaks import LeakKind
from suites.api.errors.probes import BY_NAME, BadRequest
from suites.api.errors.rules import (
    answer_to,
    helpful_problems,
    leak_problems,
    refusal_problems,
)
from suites.api.extract import body_of
from suites.api.observations import ECHO_TEXT, listed_models
from suites.sentinels.refusals import WITH_THE_KEY

COUNTED = "Count from 1 to 99"
TEXT_TOKENS = 16


def text_completions(target: Target) -> bool:
    """A count that is cut, and nothing beside its numbers; the usage adds up."""
    need(target.environment, COMPLETIONS)
    answer = complete(target, COUNTED, max_tokens=TEXT_TOKENS)
    body, text = body_of(answer), completion_text(answer)
    usage = body.get("usage")
    given = usage if isinstance(usage, dict) else {}
    counts = [given.get(name) for name in ("prompt_tokens", "completion_tokens", "total_tokens")]
    prompt, said, total = (count if isinstance(count, int) else 0 for count in counts)
    well_formed = (
        body.get("object") == "text_completion" and prompt > 0 and said > 0 and prompt + said == total
    )
    return well_formed and "1" in text and "40" not in text and not re.search(r"[^\d\s,.]", text)


def text_streams(target: Target) -> bool:
    """A streamed text completion."""
    stream = target.once(("completions", "stream"), lambda: text_stream(target))
    return not stream.problems and stream.text.strip() == ECHO_TEXT and "" not in stream.ids


def retrieved(target: Target) -> bool:
    """The first model, as the list has it."""
    alias = target.environment.aliases[0]
    answer = target.gateway.get(f"/v1/models/{alias}")
    listed = listed_models(target).json()
    entries = listed.get("data") if isinstance(listed, dict) else None
    known = [_served_model(entry) for entry in entries] if isinstance(entries, list) else []
    return answer.status == 200 and _served_model(answer.json()) in known


def _served_model(model: object) -> object:
    """What both places tell of a model; what is none stays as it is."""
    return (
        {name: model.get(name) for name in ("id", "object", "created")} if isinstance(model, dict) else model
    )


def malformed(target: Target) -> bool:
    """Malformed JSON: refused, in the envelope, helpfully, and without telling what is nobody's business."""
    return _refused_well(target, BY_NAME["malformed JSON at chat"])


def _refused_well(target: Target, bad: BadRequest) -> bool:
    answer = answer_to(target, bad)
    leaked = [
        problem
        for kind in LeakKind
        for problem in leak_problems(bad, answer, target.environment, target.key, kind)
    ]
    body = answer.json()
    error = body.get("error") if isinstance(body, dict) else None
    formal = isinstance(error, dict) and error.keys() >= {"message", "type", "param", "code"}
    return formal and not (refusal_problems(bad, answer) or helpful_problems(bad, answer) or leaked)


MODEL_CHECKS = ("suites.api.models.test_behaviour", "suites.api.sdk.test_models")
SDK_ERRORS = "suites.api.sdk.test_errors"
TEXT_COMPLETIONS = "suites.api.completions.test_completions"
INVALID = "suites.api.errors.test_all_invalid_requests"
ENDPOINT_SENTINELS = (
    Sentinel(
        "a text completion", "API-OPS-001", ("suites.api.completions.test_completions",), text_completions
    ),
    Sentinel("a text stream", "API-OPS-001", ("suites.api.completions.test_completions",), text_streams),
    Sentinel(
        "one model",
        "API-MODELS-001",
        MODEL_CHECKS,
        retrieved,
    ),
    Sentinel(
        "malformed JSON",
        "API-ERR-001",
        (
            "suites.api.errors.test_body:test_malformed_json",
            INVALID,
            "suites.api.properties.test_properties:test_mutated_chat",
            "suites.api.properties.test_properties:test_mutated_embeddings",
            SDK_ERRORS,
        ),
        malformed,
        WITH_THE_KEY,
    ),
)
