"""What the holder of a limited key got, and what the answers told."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from urllib.parse import urlsplit

from gateway_acceptance.environment import Environment
from gateway_acceptance.problem import Problem
from gateway_acceptance.wire.exchange import Exchange
from suites.api.access.rules import grants_access, judged_the_body

REFUSED = range(400, 500)


def listed_wrongly(answer: Exchange, may: Collection[str]) -> list[Problem]:
    """What is wrong with the list of models that a limited key sees."""
    document = answer.json() if answer.status == 200 else None
    entries = document.get("data") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        return [Problem("", f"expected the list of its models, got {answer.status}")]
    seen = {str(entry.get("id")) for entry in entries if isinstance(entry, dict)}
    found = [Problem("", f"{alias} is listed, which the key may not use") for alias in sorted(seen - {*may})]
    return found + [
        Problem("", f"{alias} is not listed, which the key may use") for alias in may if alias not in seen
    ]


def not_refused(answers: Mapping[str, Exchange]) -> list[Problem]:
    """The models that were not refused with a client error. answers: by alias."""
    return [
        Problem("", f"{alias}: expected a refusal for the limited key, got {answer.status}")
        for alias, answer in answers.items()
        if answer.status not in REFUSED
    ]


def reached(what: str, answer: Exchange, wrong: Exchange) -> list[Problem]:
    """Whether management let the limited key in. wrong: the answer to a made-up key there."""
    if grants_access(answer):
        return [Problem("", f"{what}: the limited key is served there, with {answer.status}")]
    if judged_the_body(answer, (wrong,)):
        return [
            Problem("", f"{what}: the limited key is past the guard, the body was judged: {answer.status}")
        ]
    return []


def information_leak(
    what: str, answer: Exchange, environment: Environment, may: Sequence[str], asked: str
) -> list[Problem]:
    """What a refusal tells the holder of a limited key: other models than the one that was asked for, their
    upstreams, backends. Names that are part of an allowed one are not told."""
    text = answer.text
    for known in sorted((*may, asked), key=len, reverse=True):
        text = text.replace(known, "") if known else text
    others = [alias for alias in environment.aliases if alias not in (*may, asked)]
    places = [urlsplit(url).netloc for backend in environment.backends for url in backend.urls]
    return [
        Problem("", f"{what}: the refusal names {name}")
        for name in (*others, *places)
        if name and name in text
    ]
