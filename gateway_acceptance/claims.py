"""The status tracker's statements (``suites/claims.toml``): what checks are the evidence of."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway_acceptance.environment.load import nearest
from gateway_acceptance.usage import UsageProblem

SECTIONS = (
    "Current Status",
    "Infrastructure Setup",
    "Validated Functionality",
    "Available Models",
    "System Configuration",
    "Resource Utilisation",
    "Security Requirements",
)
"""The tracker's sections, in the order in which STATUS.md shows them."""

SECURITY = "Security Requirements"
NOT_VERIFIED = "not verified"
"""What a claim is for which no check was executed; a word of claims only, not a verdict of checks."""

CLAIM_ID = re.compile(r"[A-Z]{3}-\d{2}")
KEYS = ("id", "section", "text", "mend", "about")
REQUIRED = ("id", "section", "text")


class ClaimsError(UsageProblem):
    """What is wrong with the file of claims: one sentence per mistake, with file, entry and mend."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One statement of the tracker. mend: the command that makes it true, or empty. about: the alias or
    backend that it speaks of; cases of any check that concern just that are its evidence."""

    id: str
    section: str
    text: str
    mend: str = ""
    about: str | None = None


def load_claims(path: Path) -> tuple[Claim, ...]:
    """Read all claims, in the file's order. Raises ClaimsError with one sentence per mistake."""
    document = _read(path)
    unknown = [key for key in document if key != "claim"]
    mistakes = [f"{path}: unknown key {key!r}; the file is a list of [[claim]] entries" for key in unknown]
    entries = document.get("claim", [])
    if not isinstance(entries, list) or not entries:
        raise ClaimsError([*mistakes, f"{path}: there is no claim; add [[claim]] entries"])
    first_at: dict[str, int] = {}
    for number, entry in enumerate(entries, start=1):
        if not isinstance(entry, dict):
            mistakes.append(f"{path}: entry {number} is no table; write it as [[claim]]")
            continue
        name = entry.get("id")
        place = f"{path}: entry {number} ({name})" if isinstance(name, str) else f"{path}: entry {number}"
        mistakes += [f"{place}: {mistake}" for mistake in _mistakes(entry)]
        if isinstance(name, str) and first_at.setdefault(name, number) != number:
            mistakes.append(f"{place}: entry {first_at[name]} has the same id; give each claim its own")
    if mistakes:
        raise ClaimsError(mistakes)
    return tuple(Claim(**{key: value.strip() for key, value in entry.items()}) for entry in entries)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ClaimsError([f"{path}: cannot be read ({error.strerror}); check the path"]) from None
    except UnicodeDecodeError:
        raise ClaimsError([f"{path}: is not UTF-8 text; save it as UTF-8"]) from None
    except tomllib.TOMLDecodeError as error:
        raise ClaimsError([f"{path}: is not valid TOML: {error}; mend that line"]) from None


def _mistakes(entry: Mapping[str, Any]) -> list[str]:
    found = [
        f"unknown key {key!r}{nearest(key, KEYS)}; known are: {', '.join(KEYS)}"
        for key in entry
        if key not in KEYS
    ]
    found += [f"{key} is missing; add it" for key in REQUIRED if key not in entry]
    wrong = [key for key in KEYS if key in entry and not _is_words(entry[key])]
    found += [f"{key} must be a text that is not empty (found {entry[key]!r}); correct it" for key in wrong]
    name, section = entry.get("id"), entry.get("section")
    if _is_words(name) and not CLAIM_ID.fullmatch(str(name)):
        found.append(f"id {name!r} is not of the form FUN-01; rename it")
    if _is_words(section) and section not in SECTIONS:
        found.append(
            f"unknown section {section!r}{nearest(str(section), SECTIONS)}; known are: {', '.join(SECTIONS)}"
        )
    return found


def _is_words(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())
