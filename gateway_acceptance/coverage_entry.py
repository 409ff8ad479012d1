"""One statement of ``suites/coverage.toml``, and what can be wrong with its entry."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from gateway_acceptance.environment.load import nearest

STATEMENT_ID = re.compile(r"[a-z]+(-[a-z]+)*(\.[a-z0-9_]+)+")
KEYS = ("id", "endpoint", "text", "source", "checks", "excluded")
REQUIRED = ("id", "endpoint", "text", "source")
WORDS = (*REQUIRED, "excluded")


@dataclass(frozen=True, slots=True)
class Statement:
    """One promise. source: where it is made, in the words of ``Check.spec``; checks: ids of those that prove
    it; excluded, where there is none: the short name of a reason, and after a colon what it means here."""

    id: str
    endpoint: str
    text: str
    source: str
    checks: tuple[str, ...] = ()
    excluded: str = ""

    @property
    def reason(self) -> str:
        """The short name of why there is no check; empty where there is one."""
        return self.excluded.partition(":")[0].strip()

    @property
    def detail(self) -> str:
        """What the reason means for this statement; may be empty."""
        return self.excluded.partition(":")[2].strip()


def entry_mistakes(
    entry: Mapping[str, Any], endpoints: Collection[str], reasons: Collection[str], known: Collection[str]
) -> list[str]:
    """What is wrong with one entry, in words. known: the ids of all checks."""
    found = [
        f"unknown key {key!r}{nearest(key, KEYS)}; known are: {', '.join(KEYS)}"
        for key in entry
        if key not in KEYS
    ]
    found += [f"{key} is missing; add it" for key in REQUIRED if key not in entry]
    wrong = [key for key in WORDS if key in entry and not is_words(entry[key])]
    found += [f"{key} must be a text that is not empty (found {entry[key]!r}); correct it" for key in wrong]
    name, endpoint, excluded = (entry.get(key) for key in ("id", "endpoint", "excluded"))
    if is_words(name) and not STATEMENT_ID.fullmatch(str(name)):
        found.append(f"id {name!r} is not of the form chat-request.max_tokens; rename it")
    if is_words(endpoint):
        found += _unknown("endpoint", str(endpoint), endpoints)
    if is_words(excluded):
        found += _unknown("reason", str(excluded).partition(":")[0].strip(), reasons)
    if ("checks" in entry) == ("excluded" in entry):
        found.append(
            "there must be either checks or excluded; name the checks that prove it, or say why none"
        )
    return found + (_of_checks(entry["checks"], known) if "checks" in entry else [])


def is_words(value: object) -> bool:
    """Whether a value is a text that says something."""
    return isinstance(value, str) and bool(value.strip())


def _of_checks(checks: object, known: Collection[str]) -> list[str]:
    if not isinstance(checks, list) or not checks or not all(map(is_words, checks)):
        return [f"checks must be a list of check ids that is not empty (found {checks!r}); correct it"]
    repeated = sorted({check_id for check_id in checks if checks.count(check_id) > 1})
    found = [f"{check_id} is named twice; name it once" for check_id in repeated]
    for check_id in checks:
        if check_id not in known:
            found.append(f"there is no check {check_id!r}{nearest(check_id, list(known))}; correct it")
    return found


def _unknown(what: str, name: str, known: Collection[str]) -> list[str]:
    if name in known:
        return []
    return [f"unknown {what} {name!r}{nearest(name, list(known))}; known are: {', '.join(known)}"]
