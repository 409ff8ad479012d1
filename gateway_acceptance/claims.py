"""The status tracker's statements: templates over the environment (``suites/claims.toml``), and an operator's
own (``claims = "claims.toml"`` in the environment's file). What they say of one environment:
``claims_here.claims_of``."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway_acceptance.coverage_entry import is_words
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

CLAIM_ID = re.compile(r"[A-Z]{3}-\d{2,3}")
TEMPLATE_KEYS = ("id", "section", "text", "fix", "fix_when", "about", "per", "needs", "closed_checks")
OWN_KEYS = ("id", "section", "text", "checks", "fix", "about")
EARLIER = {"mend": "fix"}
"""Keys by the name that they had before; a file that has them is read."""
LISTS = ("needs", "checks", "closed_checks")
PER = ("model", "group", "backend")
"""What a template may stand for, once for each."""


class ClaimsError(UsageProblem):
    """What is wrong with the file of claims: one sentence per mistake, with file, entry and fix."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One statement of the tracker of one environment.

    fix: the command that makes it true, or empty; fix_when: a pattern: it helps only where the evidence says
    so; about: the alias or backend that it speaks of: cases of any check that concern just that are its
    evidence; checks: ids of checks (or of its template) that are its
    evidence without naming it; not_about: what other claims of its kind speak of: cases of these are none."""

    id: str
    section: str
    text: str
    fix: str = ""
    about: str | None = None
    checks: tuple[str, ...] = ()
    not_about: tuple[str, ...] = ()
    fix_when: str = ""


@dataclass(frozen=True, slots=True)
class Template:
    """One statement of the tracker before it speaks of an environment. ``{name}`` in text, fix and about
    stands for words of the environment (``claims_here``). per: stands once for each model, group or backend,
    with numbers from its own on; needs: what must be declared for it to be a statement at all; checks: as of
    ``Claim``; closed_checks: the same, where a backend is closed (``direct = false``)."""

    id: str
    section: str
    text: str
    fix: str = ""
    about: str | None = None
    per: str | None = None
    needs: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    closed_checks: tuple[str, ...] = ()
    fix_when: str = ""


@dataclass(frozen=True, slots=True)
class Absent:
    """A statement that is not part of a deployment. why: what its environment does not declare."""

    id: str
    section: str
    text: str
    why: str


def load_claims(path: Path) -> tuple[Template, ...]:
    """Read the suite's claims, in the file's order. Raises ClaimsError with one sentence per mistake."""
    return _loaded(path, TEMPLATE_KEYS, ("id", "section", "text"))


def load_own_claims(path: Path) -> tuple[Template, ...]:
    """Read an operator's claims: each names the checks that are its evidence, and may stand in a section of
    its own. Raises ClaimsError."""
    return _loaded(path, OWN_KEYS, ("id", "section", "text", "checks"))


def _loaded(path: Path, keys: Sequence[str], required: Sequence[str]) -> tuple[Template, ...]:
    document = _read(path)
    unknown = [key for key in document if key != "claim"]
    mistakes = [f"{path}: unknown key {key!r}; the file is a list of [[claim]] entries" for key in unknown]
    entries = document.get("claim", [])
    if isinstance(entries, list):
        entries = [_in_todays_words(entry) for entry in entries]
    if not isinstance(entries, list) or not entries:
        raise ClaimsError([*mistakes, f"{path}: there is no claim; add [[claim]] entries"])
    first_at: dict[str, int] = {}
    for number, entry in enumerate(entries, start=1):
        if not isinstance(entry, dict):
            mistakes.append(f"{path}: entry {number} is no table; write it as [[claim]]")
            continue
        name = entry.get("id")
        place = f"{path}: entry {number} ({name})" if isinstance(name, str) else f"{path}: entry {number}"
        mistakes += [f"{place}: {mistake}" for mistake in _mistakes(entry, keys, required)]
        if isinstance(name, str) and first_at.setdefault(name, number) != number:
            mistakes.append(f"{place}: entry {first_at[name]} has the same id; give each claim its own")
    if mistakes:
        raise ClaimsError(mistakes)
    return tuple(_template(entry) for entry in entries)


def _in_todays_words(entry: object) -> object:
    """An entry with its keys as they are called now. One that has a key by both names is left as it is."""
    if not isinstance(entry, dict):
        return entry
    return {
        new if (new := EARLIER.get(key, key)) == key or new not in entry else key: value
        for key, value in entry.items()
    }


def _template(entry: Mapping[str, Any]) -> Template:
    words: dict[str, Any] = {key: value.strip() for key, value in entry.items() if key not in LISTS}
    lists: dict[str, Any] = {key: tuple(entry.get(key, ())) for key in LISTS}
    return Template(**words, **lists)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ClaimsError([f"{path}: cannot be read ({error.strerror}); check the path"]) from None
    except UnicodeDecodeError:
        raise ClaimsError([f"{path}: is not UTF-8 text; save it as UTF-8"]) from None
    except tomllib.TOMLDecodeError as error:
        raise ClaimsError([f"{path}: is not valid TOML: {error}; correct that line"]) from None


def _mistakes(entry: Mapping[str, Any], keys: Sequence[str], required: Sequence[str]) -> list[str]:
    found = [
        f"unknown key {key!r}{nearest(key, keys)}; known are: {', '.join(keys)}"
        for key in entry
        if key not in keys
    ]
    found += [f"{key} is missing; add it" for key in required if key not in entry]
    words = [key for key in keys if key in entry and key not in LISTS and not is_words(entry[key])]
    found += [f"{key} must be a text that is not empty (found {entry[key]!r}); correct it" for key in words]
    lists = [key for key in LISTS if key in keys and key in entry and not _are_words(entry[key])]
    found += [f"{key} must be a list of texts (found {entry[key]!r}); correct it" for key in lists]
    name, section = entry.get("id"), entry.get("section")
    if is_words(name) and not CLAIM_ID.fullmatch(str(name)):
        found.append(f"id {name!r} is not of the form FUN-01; rename it")
    if is_words(section) and section not in SECTIONS and "checks" not in keys:
        found.append(
            f"unknown section {section!r}{nearest(str(section), SECTIONS)}; known are: {', '.join(SECTIONS)}"
        )
    if is_words(entry.get("fix_when")) and not _is_pattern(entry["fix_when"]):
        found.append(f"fix_when {entry['fix_when']!r} is no regular expression; correct it")
    if "per" in entry and entry["per"] not in PER:
        found.append(f"per {entry['per']!r} is none of {', '.join(PER)}; correct it")
    return found


def _is_pattern(text: str) -> bool:
    try:
        re.compile(text)
    except re.error:
        return False
    return True


def _are_words(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(is_words(one) for one in value)
