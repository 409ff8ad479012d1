"""How answers are read: the choice, its text, and what is wrong with them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from gateway_acceptance.check import Level
from gateway_acceptance.problem import Problem, at_level
from gateway_acceptance.verdict import CheckFailed, require
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.reasoning import reasoning_in, reasoning_tokens
from gateway_acceptance.wire.schema import error_problems, parse_json
from gateway_acceptance.wire.subject import is_subject

Json = Mapping[str, Any]

SHOWN = 200
"""Characters of an answer that a message quotes."""

REFUSED = (400, 422)
"""How what the deployment cannot honour is refused honestly; 401, 404 or 429 speak of something else."""

CLOCKS_S = 300
"""How far the gateway's clock and ours may be apart; what is wrong by a time zone, or by a start, is more."""

NUMBER = re.compile(r"\d+")
SNAPSHOT = re.compile(r"-\d{4}-\d{2}-\d{2}$", re.ASCII)
"""The date of what a name stands for today, as OpenAI answers it: ``gpt-4o-2024-08-06``."""


def body_of(answer: Exchange) -> dict[str, Any]:
    """The JSON object of a successful answer. Raises CheckFailed."""
    if answer.status != 200:
        raise CheckFailed(f"expected 200 from {answer.url}, got {answer.status}: {answer.text[:SHOWN]}")
    body, problems = parse_json(answer.body)
    if not isinstance(body, dict):
        raise CheckFailed(problems or f"expected a JSON object from {answer.url}, got {answer.text[:SHOWN]}")
    return body


def choices_of(answer: Exchange) -> list[dict[str, Any]]:
    """All choices. Raises CheckFailed where there is none."""
    found = body_of(answer).get("choices")
    choices = [choice for choice in found if isinstance(choice, dict)] if isinstance(found, list) else []
    if not choices:
        raise CheckFailed(f"expected a choice, got {answer.text[:SHOWN]}")
    return choices


def first_text(answer: Exchange) -> str:
    """The text of the first choice. Raises CheckFailed where there is none."""
    message = choices_of(answer)[0].get("message")
    content = message.get("content") if isinstance(message, dict) else None
    if content is None and reasoning_in(message):
        return ""  # a limit may be spent on thoughts alone
    if not isinstance(content, str):
        raise CheckFailed(f"expected text as content, got {answer.text[:SHOWN]}")
    return content


def answered_by_a_model(answer: Exchange) -> bool:
    """Whether it is a success with a message in it, whatever that says: a word, a thought, or tokens that are
    counted and not shown."""
    body = parse_json(answer.body)[0] if answer.status == 200 and is_subject(answer) else None
    choices = body.get("choices") if isinstance(body, dict) else None
    first = choices[0] if isinstance(choices, list) and choices else None
    return isinstance(first, dict) and isinstance(first.get("message"), dict)


def embedded(answer: Exchange) -> bool:
    """Whether it is a success with a vector in it, of numbers or in base64."""
    body = parse_json(answer.body)[0] if answer.status == 200 else None
    entries = body.get("data") if isinstance(body, dict) else None
    first = entries[0] if isinstance(entries, list) and entries else None
    return isinstance(first, dict) and bool(first.get("embedding"))


def decided(answers: Iterable[Exchange]) -> int:
    """How many answers tell what the gateway made of a request: it was served, or refused as the client's
    mistake or as not offered. An internal error or a rate limit tells nothing."""
    return sum(
        answer.status == HTTPStatus.NOT_IMPLEMENTED
        or (
            answer.status is not None
            and answer.status < HTTPStatus.INTERNAL_SERVER_ERROR
            and answer.status != HTTPStatus.TOO_MANY_REQUESTS
        )
        for answer in answers
    )


def require_said(answer: Exchange) -> None:
    """Raises CheckFailed where an answer has no word and no thought: nothing is shown by what it lacks."""
    message = choices_of(answer)[0].get("message")
    if not first_text(answer).strip() and not reasoning_in(message) and not reasoned(answer):
        raise CheckFailed(f"expected an answer, it says nothing: {answer.text[:SHOWN]}")


def reason_of(answer: Exchange) -> object:
    """The finish_reason of the first choice."""
    return choices_of(answer)[0].get("finish_reason")


def counted(answer: Exchange, name: str) -> int:
    """A count of the usage: ``prompt_tokens`` or ``completion_tokens``. Raises CheckFailed."""
    usage = body_of(answer).get("usage")
    count = usage.get(name) if isinstance(usage, dict) else None
    if not isinstance(count, int) or isinstance(count, bool):
        raise CheckFailed(f"expected usage.{name} to be an integer, got {usage!r}")
    return count


def reported_count(answer: Exchange, name: str) -> int | None:
    """As ``counted``; None where nothing is counted, which others judge."""
    try:
        return counted(answer, name)
    except CheckFailed:
        return None


def tokens_or_words(count: int | None, text: str) -> int:
    """The tokens of a text, as counted; its words where nothing is, or fewer than half of them: no tokenizer
    comes to that, and API-CHAT-012 says so."""
    words = len(text.split())
    return words if count is None or count < words // 2 else count


def reasoned(answer: Exchange) -> int:
    """The tokens of a reasoning that the text does not show; 0 where nothing is told of any."""
    return reasoning_tokens(body_of(answer).get("usage"))


def refused(answer: Exchange) -> bool:
    """Whether the request was refused as one that cannot be honoured."""
    return answer.status in REFUSED


def refused_honestly(answer: Exchange) -> bool:
    """The same. Raises CheckFailed where the refusal is not in OpenAI's envelope."""
    if refused(answer):
        require(_envelope_problems(answer))
    return refused(answer)


def unless_served_or_refused(what: str, answer: Exchange) -> list[Problem]:
    """What is wrong with an answer where a completion or a refusal is right. what: was asked."""
    if refused(answer):
        return _envelope_problems(answer)
    if answer.status == 200 and isinstance(reason_of(answer), str):
        return []
    seen = f"got {answer.status}: {answer.text[:160]}"
    return [Problem("chat.served", f"{what}: expected an answer or a refusal, {seen}")]


def _envelope_problems(answer: Exchange) -> list[Problem]:
    return at_level(error_problems(answer.status or 0, answer.headers, answer.body), Level.MUST)


def wrong_time(created: object, answer: Exchange) -> str:
    """How ``created`` is not between the request and the end of its answer; empty where it is."""
    first, last = answer.sent_at - CLOCKS_S, answer.sent_at + answer.elapsed_s + CLOCKS_S
    if isinstance(created, int) and not isinstance(created, bool) and first <= created <= last:
        return ""
    return f"expected Unix seconds from {first:.0f} to {last:.0f}, got {created!r}"


def numbers_in(text: str) -> list[int]:
    """The whole numbers of a text, in order: how a count reads, whatever stands between."""
    return [int(number) for number in NUMBER.findall(text)]


def outside(count: int, least: int, text: str, most_beside: int) -> str:
    """How a count of tokens does not fit a text; empty where it does.

    A token is at least one byte, so the text's bytes, and what may stand beside it, are the most.
    """
    most = len(text.encode()) + most_beside
    return "" if least <= count <= most else f"expected {least} to {most} tokens, got {count}"


def same_text(text: str, expected: str) -> bool:
    """The same text; white space around it is a model's habit."""
    return text.strip() == expected.strip()


def codes(text: str) -> str:
    """A text as its code points, where what differs may not show."""
    return " ".join(f"{ord(character):04X}" for character in text)


def first_difference(text: str, expected: str) -> str:
    """Where two texts part, in words; empty where they are the same."""
    if text == expected:
        return ""
    at = next(
        (place for place, (one, other) in enumerate(zip(text, expected, strict=False)) if one != other),
        min(len(text), len(expected)),
    )
    wanted, seen = codes(expected[at : at + 4]) or "the end", codes(text[at : at + 4]) or "the end"
    return f"expected {wanted} at character {at} of {len(expected)}, got {seen}"


def mixed_up(answers: Mapping[str, str], *, obeys: bool = True) -> list[str]:
    """What is wrong with answers that should each be the text they were asked for: asked -> answered. obeys:
    whether the model is declared to repeat a text; else only another's text says that they were mixed up."""
    found = []
    for asked, text in answers.items():
        strange = [other for other in answers if other != asked and other in text]
        if strange:
            found.append(f"who asked for {asked} got {', '.join(strange)}")
        elif obeys and asked not in text:
            found.append(f"who asked for {asked} got {text[:80]!r}")
    return found


def any_answered(answers: Mapping[str, str]) -> bool:
    """Whether any of them holds a text that was asked for: asked -> answered."""
    return any(asked in text for text in answers.values() for asked in answers)


def repeated(values: Iterable[object]) -> list[str]:
    """The values that occur more than once, as JSON, sorted."""
    shown = [json.dumps(value) for value in values]
    return sorted({value for value in shown if shown.count(value) > 1})


def names(model: object, alias: str, upstreams: Sequence[str]) -> bool:
    """Whether an answer's ``model`` is what was asked: the alias, or an upstream model behind it.

    A provider before the name is allowed, as LiteLLM writes it: ``ollama_chat/phi3:latest``; and a date
    after it (``SNAPSHOT``).
    """
    right = names_of(alias, upstreams)
    if not isinstance(model, str):
        return False
    return any(
        one == name or one.endswith(f"/{name}") for one in (model, SNAPSHOT.sub("", model)) for name in right
    )


def names_exactly(model: object, alias: str, upstreams: Sequence[str]) -> bool:
    """The same, without a provider."""
    right = names_of(alias, upstreams)
    return isinstance(model, str) and (model in right or SNAPSHOT.sub("", model) in right)


def names_of(alias: str, upstreams: Sequence[str]) -> set[str]:
    """The names of what an alias stands for. ``phi3`` is ``phi3:latest``."""
    return {alias, *upstreams, *(upstream.removesuffix(":latest") for upstream in upstreams)}


def stop_strings_in(stop: str | Sequence[str], text: str) -> list[str]:
    """The stop strings that a text holds; a string is one of them, not its characters."""
    marks = [stop] if isinstance(stop, str) else stop
    return [mark for mark in marks if mark in text]
