"""Where a key might count besides the declared header: other schemes, the URL, a cookie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.problem import Problem
from gateway_acceptance.wire.exchange import Exchange
from suites.api.auth.rules import basic, made_up, not_refused, refusal_shape
from suites.api.auth.tried import tried

QUERY_NAMES = ("key", "api_key", "access_token")
"""What Google's, Azure's and OAuth's clients call a key in a URL (RFC 6750 section 2.3)."""

OK = 200
COOKIE_NAMES = ("token", "api_key", "Authorization")


@dataclass(frozen=True, slots=True)
class Refusals:
    """How the gateway refuses: who has no key, and who has a wrong one."""

    none: Exchange
    wrong: Exchange
    wrong_key: str


def of_schemes(target: Target, key: str) -> dict[str, Exchange]:
    """The answers to a key that stands in Authorization and is no bearer token, by what it is."""
    forms = {"Basic": basic(key), "Token": f"Token {key}", "no scheme": key}
    return {
        what: tried(target, key=None, headers=[("authorization", value)]) for what, value in forms.items()
    }


def in_query(target: Target, key: str) -> dict[str, Exchange]:
    """The answers to a key in the URL, by its name there."""
    return {f"?{name}=": tried(target, key=None, query=f"{name}={key}") for name in QUERY_NAMES}


def in_cookie(target: Target, key: str) -> dict[str, Exchange]:
    """The answer to a key in a cookie."""
    value = "; ".join(f"{name}={key}" for name in COOKIE_NAMES)
    return {"a cookie": tried(target, key=None, headers=[("cookie", value)])}


def counted(target: Target, answers: Mapping[str, Exchange], key: str) -> list[Problem]:
    """Signs that a made-up key counts at a place: it is served, or refused as a wrong key is and nobody
    without one. Where a gateway says the same to both, only the right key could tell."""

    def observed() -> Refusals:
        wrong = made_up()
        return Refusals(tried(target, key=None), tried(target, key=wrong), wrong)

    refusals = target.once(("auth", "refusals"), observed)
    return [problem for what, answer in answers.items() for problem in read(what, answer, key, refusals)]


def read(what: str, answer: Exchange, key: str, refusals: Refusals) -> list[Problem]:
    """``counted`` of one answer."""
    problems = not_refused(answer, what)
    none, wrong = refusal_shape(refusals.none, ""), refusal_shape(refusals.wrong, refusals.wrong_key)
    if answer.status != OK and none != wrong and refusal_shape(answer, key) == wrong:
        seen = f"the made-up value is refused as a wrong key ({answer.status}), so it is read there"
        problems.append(Problem("", f"{what}: {seen}"))
    return problems


def let_in(answers: Mapping[str, Exchange]) -> list[Problem]:
    """The places where the right key is served. How a refusal looks is judged with made-up values."""
    return [
        Problem("", f"{what}: the right key is served there, got {answer.status}")
        for what, answer in answers.items()
        if answer.status == OK
    ]
