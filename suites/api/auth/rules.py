"""What a refused key must look like, and the wrong keys that it is tried with."""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Iterable
from http import HTTPStatus
from urllib.parse import urljoin, urlsplit

from gateway_acceptance.problem import Problem
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.rule import media_type
from gateway_acceptance.wire.schema import envelope_broken
from suites.api.exposure.printed import printed_forms

SPEC = "openai:guides/error-codes 401"

NOT_SERVED = frozenset({401, 403, 404, 405})
"""A route without a key: refused, or not there at all. 400 and 422 mean that the request was judged first."""

MOVED = frozenset({301, 302, 303, 307, 308})

SHOWN = 200
"""Characters of an answer that a message quotes."""

VARYING = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{16,}|\d{6,}", re.IGNORECASE)
"""What differs from answer to answer for good reasons: request ids, hashes, times."""


SERVED = "it was served"


def not_refused(answer: Exchange, what: str) -> list[Problem]:
    """What is wrong with the answer to a request that had to be refused with 401 and the envelope.

    A wrong status is the only problem then: the body of another answer is judged by nobody.
    """
    if answer.status == 200:
        return [Problem("", f"{what}: expected 401 from {answer.url}, got 200: {SERVED}")]
    if answer.status != 401:
        seen = f"got {answer.status}: {answer.text[:SHOWN]}"
        return [Problem("", f"{what}: expected 401 from {answer.url}, {seen}")]
    return envelope_broken(answer.status, answer.headers, answer.body)


def served_problems(answer: Exchange, what: str) -> list[Problem]:
    """What is wrong where a route need not exist: anything but a refusal."""
    if answer.status in NOT_SERVED:
        return []
    seen = f"got {answer.status}: {answer.text[:SHOWN]}"
    return [Problem("", f"{what}: expected a refusal (401, 403, 404 or 405), {seen}")]


def beside_a_slash(answer: Exchange, path: str) -> str:
    """The path that a redirect leads to, where it is the same but for the slash at its end, as Starlette
    redirects before it asks for a key: what is there tells whether the route is guarded. Empty for any other
    answer."""
    if answer.status not in MOVED:
        return ""
    place = urlsplit(urljoin(answer.url, answer.header("location") or ""))
    asked = urlsplit(answer.url)
    other = path[:-1] if path.endswith("/") else f"{path}/"
    moved = asked.path[:-1] if asked.path.endswith("/") else f"{asked.path}/"
    return other if (place.netloc, place.path) == (asked.netloc, moved) else ""


def made_up() -> str:
    """A well-formed key that nobody was given."""
    return f"sk-{secrets.token_hex(24)}"


def halved(key: str) -> str:
    """The first half of a key. No more of it: what a gateway echoes may end in a report."""
    return key[: len(key) // 2]


def sibling(key: str) -> str:
    """Another key of the same length that begins with the same half."""
    rest = len(key) - len(halved(key))
    made = secrets.token_hex(rest)[:rest]
    return halved(key) + (made if halved(key) + made != key else "x" * rest)


def basic(key: str) -> str:
    """Basic credentials with the key as password. The user name has two letters, so that the encoded key is
    found, and taken out, wherever somebody prints it."""
    return "Basic " + base64.b64encode(f"hx:{key}".encode()).decode()


def refused_among(answers: Iterable[Exchange]) -> int:
    """How many are refusals, or fail: what is served tells nothing of how a key is refused."""
    return sum((answer.status or 0) >= HTTPStatus.BAD_REQUEST for answer in answers)


def refusal_shape(answer: Exchange, key: str) -> tuple[int | None, str, str]:
    """What an answer tells about a key: status, media type, and the text without what varies anyway. key:
    empty where none was sent."""
    text = answer.text
    for name, form in printed_forms(key).items() if key else ():
        text = text.replace(form, f"<{name}>")
    return answer.status, media_type(answer.headers), VARYING.sub("<id>", text)
