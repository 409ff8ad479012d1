"""Validators of bodies: pure functions from a JSON value to every problem it has.

``problems_of`` holds a value against one of ``schemas/``; the others add what no schema can say. Those rules
are in ``BODY_RULES``; ``parse_json`` reads a body as strictly as the standards do.
"""

from __future__ import annotations

import array
import base64
import binascii
import math
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from gateway_acceptance.check import Level
from gateway_acceptance.problem import Problem, at_level
from gateway_acceptance.wire import body_rules as rules
from gateway_acceptance.wire.body_rules import BODY_RULES
from gateway_acceptance.wire.rule import collapse, is_finite, is_index, is_integer, media_type, quoted
from gateway_acceptance.wire.schema_files import NoSuchSchemaError, problems_of
from gateway_acceptance.wire.strict_json import parse_json, parse_json_text

__all__ = [
    "BODY_RULES",
    "NoSuchSchemaError",
    "chat_completion_problems",
    "embedding_problems",
    "embedding_vector",
    "error_problems",
    "model_list_problems",
    "parse_json",
    "problems_of",
]

CREATED_TOLERANCE_S = 7200
"""LiteLLM's default timeout lets an answer take 6000 s; the rest is for clocks that differ."""

FLOAT_BYTES = 4


def chat_completion_problems(
    body: object, *, expected_choices: int = 1, now: float | None = None
) -> list[Problem]:
    """What is wrong with an answer of ``/v1/chat/completions`` that is not streamed.

    expected_choices: the request's ``n``. now: Unix seconds when the answer came; without it, ``created``
    is not compared with the time.
    """
    problems = problems_of(body, "chat-completion")
    if isinstance(body, dict):
        problems += _chat_choices(body.get("choices"), expected_choices)
        problems += _chat_usage(body.get("usage"))
        problems += _chat_created(body.get("created"), now)
    return collapse(problems)


def _chat_choices(choices: object, expected: int) -> Iterator[Problem]:
    if not isinstance(choices, list):
        return
    if len(choices) != expected:
        yield rules.CHAT_COUNT.problem(f"expected {expected} choices, got {len(choices)}", "/choices")
    found = [choice.get("index") for choice in choices if isinstance(choice, dict)]
    indexes = [index for index in found if isinstance(index, int)]
    if sorted(indexes) != list(range(len(choices))):
        yield rules.CHAT_INDEX.problem(f"the indexes are {quoted(found)}, expected each from 0", "/choices")
    for position, choice in enumerate(choices):
        message = choice.get("message") if isinstance(choice, dict) else None
        if isinstance(message, dict):
            yield from _chat_choice(choice.get("finish_reason"), message, f"/choices/{position}")


def _chat_choice(reason: object, message: dict[str, Any], where: str) -> Iterator[Problem]:
    calls = message.get("tool_calls")
    if reason == "tool_calls" and not calls:
        yield rules.CHAT_NO_CALL.problem("finish_reason is tool_calls, and there is none", where)
    if calls and reason in ("stop", "function_call"):
        seen = f"a tool was called, and finish_reason is {quoted(reason)}"
        yield rules.CHAT_CALL_UNSAID.problem(seen, f"{where}/finish_reason")
    instead = ("tool_calls", "function_call", "refusal", "reasoning_content", "reasoning", "audio")
    if reason == "stop" and message.get("content") is None and not any(message.get(key) for key in instead):
        yield rules.CHAT_NO_CONTENT.problem(
            "content is null or absent, and nothing stands for it", f"{where}/message/content"
        )
    if isinstance(calls, list):
        finished = reason not in ("length", "content_filter")
        yield from _tool_calls([call for call in calls if isinstance(call, dict)], finished, where)


def _tool_calls(calls: Sequence[dict[str, Any]], finished: bool, where: str) -> Iterator[Problem]:
    ids = Counter(str(call["id"]) for call in calls if isinstance(call.get("id"), str))
    for doubled in (call_id for call_id, count in ids.items() if count > 1):
        seen = f"{ids[doubled]} tool calls have the id {quoted(doubled)}"
        yield rules.CHAT_CALL_IDS.problem(seen, f"{where}/message/tool_calls")
    for position, call in enumerate(calls):
        function = call.get("function")
        arguments = function.get("arguments") if isinstance(function, dict) else None
        if finished and isinstance(arguments, str) and not isinstance(parse_json_text(arguments)[0], dict):
            yield rules.CHAT_ARGUMENTS.problem(
                f"the arguments are no JSON object: {quoted(arguments)}",
                f"{where}/message/tool_calls/{position}/function/arguments",
            )


def _chat_usage(usage: object) -> Iterator[Problem]:
    if usage is None:
        yield rules.CHAT_USAGE_MISSING.problem("usage is absent", "/usage")
    if not isinstance(usage, dict):
        return
    prompt, completion, total = (
        usage.get(name) for name in ("prompt_tokens", "completion_tokens", "total_tokens")
    )
    counts = [count for count in (prompt, completion, total) if isinstance(count, int) and is_index(count)]
    if len(counts) == 3 and counts[0] + counts[1] != counts[2]:
        yield rules.CHAT_USAGE_SUM.problem(
            f"prompt {quoted(prompt)} and completion {quoted(completion)} are not total {quoted(total)}",
            "/usage",
        )


def _chat_created(created: object, now: float | None) -> Iterator[Problem]:
    if now is None or not isinstance(created, int) or not is_integer(created):
        return
    if not now - CREATED_TOLERANCE_S <= created <= now + CREATED_TOLERANCE_S:
        seen = f"created is {quoted(created)}, and the time was {round(now)}"
        yield rules.CHAT_CREATED.problem(f"{seen}; {CREATED_TOLERANCE_S} s apart at most", "/created")


def embedding_problems(
    body: object, *, inputs: int, dimensions: int | None, distinct: bool = True
) -> list[Problem]:
    """What is wrong with an answer of ``/v1/embeddings``.

    inputs: how many texts were sent. dimensions: the length of the model's vectors, None where it is not
    known; then they must only agree. distinct: the texts differ in meaning.
    """
    problems = problems_of(body, "embedding-response")
    data = body.get("data") if isinstance(body, dict) else None
    if isinstance(data, list):
        problems += _embeddings(data, inputs, dimensions, distinct)
    return collapse(problems)


def _embeddings(data: list[Any], inputs: int, dimensions: int | None, distinct: bool) -> Iterator[Problem]:
    if len(data) != inputs:
        yield rules.EMBEDDING_COUNT.problem(f"expected {inputs} vectors, got {len(data)}", "/data")
    vectors = []
    for position, entry in enumerate(data):
        if not isinstance(entry, dict):
            continue
        where = f"/data/{position}"
        if entry.get("index") != position:
            seen = f"index is {quoted(entry.get('index'))}, expected {position}"
            yield rules.EMBEDDING_INDEX.problem(seen, f"{where}/index")
        raw = entry.get("embedding")
        vector = embedding_vector(raw)
        if vector is not None:
            vectors.append(vector)
            yield from _vector(vector, dimensions or len(vectors[0]), f"{where}/embedding")
        elif isinstance(raw, str):
            yield rules.EMBEDDING_BASE64.problem(f"no base64 of floats: {quoted(raw)}", f"{where}/embedding")
        elif isinstance(raw, list):
            seen = "a component is no finite number"
            yield rules.EMBEDDING_FINITE.problem(seen, f"{where}/embedding")
    if distinct and len(vectors) > 1 and all(vector == vectors[0] for vector in vectors):
        yield rules.EMBEDDING_SAME.problem(f"all {len(vectors)} vectors are {quoted(vectors[0])}", "/data")


def _vector(vector: list[float], dimensions: int, where: str) -> Iterator[Problem]:
    if len(vector) != dimensions:
        yield rules.EMBEDDING_DIMENSIONS.problem(
            f"expected {dimensions} components, got {len(vector)}", where
        )
    if not all(map(math.isfinite, vector)):
        yield rules.EMBEDDING_FINITE.problem("a component of the base64 is not finite", where)
    if vector and not any(vector):
        yield rules.EMBEDDING_ZERO.problem(f"all {len(vector)} components are 0", where)


def embedding_vector(value: object) -> list[float] | None:
    """The vector of an ``embedding``: an array of numbers, or base64 of little-endian 32-bit floats.

    None where it is neither. Components of base64 may be NaN or infinite.
    """
    if isinstance(value, list):
        if set(map(type, value)) == {float}:
            return value.copy() if all(map(math.isfinite, value)) else None
        return [float(item) for item in value] if all(map(is_finite, value)) else None
    if not isinstance(value, str):
        return None
    try:
        raw = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return None
    if len(raw) % FLOAT_BYTES:
        return None
    floats = array.array("f", raw)
    if sys.byteorder == "big":
        floats.byteswap()
    return floats.tolist()


def model_list_problems(body: object) -> list[Problem]:
    """What is wrong with an answer of ``/v1/models``."""
    problems = problems_of(body, "model-list")
    data = body.get("data") if isinstance(body, dict) else None
    if isinstance(data, list):
        ids = Counter(str(model["id"]) for model in data if isinstance(model, dict) and "id" in model)
        doubled = {name: count for name, count in ids.items() if count > 1}
        problems += [
            rules.MODELS_UNIQUE.problem(f"{quoted(name)} is listed {count} times", "/data")
            for name, count in doubled.items()
        ]
    return collapse(problems)


def error_problems(status: int, headers: Sequence[tuple[str, str]], body_bytes: bytes) -> list[Problem]:
    """What is wrong with the answer to a request that had to be refused: status, content type, envelope."""
    problems = []
    if not 400 <= status <= 499:
        problems.append(
            rules.ERROR_STATUS.problem(f"expected a status from 400 to 499, got {status}", "status")
        )
    kind = media_type(headers)
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        seen = f"expected application/json, got {quoted(kind or 'none')}"
        problems.append(rules.ERROR_CONTENT_TYPE.problem(seen, "content-type"))
    body, unreadable = parse_json(body_bytes)
    problems += unreadable
    if body is not None or not unreadable:
        problems += problems_of(body, "error-envelope")
    return collapse(problems)


def envelope_broken(status: int, headers: Sequence[tuple[str, str]], body_bytes: bytes) -> list[Problem]:
    """Those of ``error_problems`` that break clients. What only good practice asks for (``param``, ``code``)
    fails no MUST."""
    return at_level(error_problems(status, headers, body_bytes), Level.MUST)
