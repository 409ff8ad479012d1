"""Sentinels of embeddings, text completions, models, and refusals."""

from __future__ import annotations

import re

from gateway_acceptance.environment import Ability, ModelKind
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.plugin.waking import Sentinel
from suites.api.chat.probes import SEEDS
from suites.api.completions.probes import (
    COMPLETIONS,
    TextStream,
    complete,
    completion_text,
    text_stream,
)
from suites.api.embeddings.probes import BATCH, alone, beside, embedding_alias, vectors
from suites.api.embeddings.rules import same
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
from suites.api.observations import ECHO_TEXT, comparable_alias, listed_models
from suites.sentinels.refusals import WITH_THE_KEY

EMBEDDINGS = "suites.api.embeddings"
COUNTED = "Count from 1 to 99"
TEXT_TOKENS = 16
JOINED = f"{ECHO_TEXT} \U0001f469\u200d\U0001f469\u200d\U0001f467 \U0001f3f3\ufe0f\u200d\U0001f308"
"""Emoji that are one by what joins them, which careless hops take for nothing."""
JOINED_TOKENS = 48
"""Each of their code points is up to four."""


def embedded(target: Target) -> bool:
    """A text alone, as a string in base64, has the vector that it has among others, as floats; one that
    stands among them twice has one vector, and one without its letters beyond ASCII another; among many
    others as well. Of one server: two may round differently."""
    environment, alias = target.environment, embedding_alias(target.environment)
    if len(environment.deployments_of(alias)) != 1:
        return True
    (single,) = vectors(alone(target), 1)
    _, _, of_ascii, _, last = vectors(*beside(target, alias))[: len(BATCH)]
    ends = dict.fromkeys((alias, environment.aliases_of(ModelKind.EMBEDDING)[-1]))
    steady = all(_one_vector_for_one_text(target, one) for one in ends)
    return same(single, last) and not same(of_ascii, last) and steady


def _one_vector_for_one_text(target: Target, alias: str) -> bool:
    """Whether what stands in a batch at the first and the fourth place has one vector."""
    found = vectors(*beside(target, alias))
    return same(found[0], found[3])


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
    """A streamed text completion with a seed, where the model is declared to heed one, of a text with letters
    that are joined. Its chunks have one id, or each its own, as LiteLLM's have: what an id of some of them
    says, nobody knows. Who refuses a seed is asked without."""
    need(target.environment, COMPLETIONS)
    alias = comparable_alias(target.environment)
    seeded = target.environment.can(alias, Ability.SEED)
    stream = target.once(("completions", "joined", str(seeded)), lambda: _joined_stream(target, seeded))
    if seeded and stream.problems and not stream.ids:
        stream = target.once(("completions", "joined", str(False)), lambda: _joined_stream(target, False))
    ids = set(stream.ids)
    formal = "" not in ids and len(ids) in (1, len(stream.ids))
    return not stream.problems and stream.text.strip() == JOINED and formal


def _joined_stream(target: Target, seeded: bool) -> TextStream:
    seed = {"seed": SEEDS[0]} if seeded else {}
    return text_stream(target, f"Return exactly the text: {JOINED}", JOINED_TOKENS, **seed)


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
        "a text alone and among others",
        "API-EMB-001",
        (f"{EMBEDDINGS}.test_vectors", f"{EMBEDDINGS}.test_wire"),
        embedded,
    ),
    Sentinel(
        "a text completion", "API-OPS-001", ("suites.api.completions.test_completions",), text_completions
    ),
    Sentinel(
        "a text stream",
        "API-OPS-001",
        ("suites.api.completions.test_completions", "suites.api.streams.test_text:test_unicode"),
        text_streams,
        otherwise=("suites.api.properties.test_properties:test_valid_stream",),
    ),
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
