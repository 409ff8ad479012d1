"""What the holder of a limited key got, and what the answers told."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from urllib.parse import urlsplit

from gateway_acceptance.environment import Environment
from gateway_acceptance.problem import Problem
from gateway_acceptance.wire.exchange import Exchange
from suites.api.auth.served import grants_access, judged_the_body

CLIENT_ERRORS = range(400, 500)
OF_THE_RIGHTS = (401, 403, 404, 405, 429)
"""Refusals that need not have looked at the values of a body."""
OF_THE_VALUES = re.compile(r"duration|budget|key format|start with|too short|at least|hx-no-such-model", re.I)
"""Words about what ``suites.api.limits.probes.well_formed`` asks for."""


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
        if answer.status not in CLIENT_ERRORS
    ]


def asks_again(answer: Exchange, wrong: Exchange) -> bool:
    """Whether a body of wrong types was judged. That alone tells nothing: many servers hold a body against
    its schema before they ask what its sender may do (FastAPI does so wherever that is asked in the handler).
    wrong: the answer to a made-up key there."""
    return not grants_access(answer) and judged_the_body(answer, (wrong,))


def reached(
    what: str, answer: Exchange, again: Exchange | None = None, *, grants: bool = False
) -> list[Problem]:
    """Whether management let the limited key in. answer: to a body of wrong types, or to none; again: to
    one of the right types that cannot be fulfilled; grants: whether the route needs nothing but the asking
    key to decide. Where it looks something up first (a model that nobody has), to be told that it is not
    there is a right refusal."""
    for one in filter(None, (answer, again)):
        if grants_access(one):
            return [Problem("", f"{what}: the limited key is served there, with {one.status}")]
    if again is not None and grants and _values_were_judged(again, answer):
        seen = f"the values of its body were judged: {again.status}"
        return [Problem("", f"{what}: the limited key is past the guard, {seen}")]
    return []


def _values_were_judged(again: Exchange, answer: Exchange) -> bool:
    """By the handler, and not by the schema that judged the types: with another status."""
    return (
        again.status in CLIENT_ERRORS
        and again.status not in (*OF_THE_RIGHTS, answer.status)
        and OF_THE_VALUES.search(again.text) is not None
    )


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
