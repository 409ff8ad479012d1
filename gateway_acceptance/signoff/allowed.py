"""``allowed_signers``: whose key is whose, read exactly as ssh-keygen reads it (ssh-keygen(1), ALLOWED
SIGNERS): lists of patterns, options, times. Where ssh-keygen passes over a line, it is told."""

from __future__ import annotations

import calendar
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from gateway_acceptance.signoff.keys import BadKey, PublicKey, blob_of, key_of_line, public_line

EMAIL = re.compile(r"<([^\s<>@,]+@[^\s<>@,]+)>")
WHITESPACE = " \t\r\n"
LAST = calendar.timegm((9999, 12, 31, 0, 0, 0))
PATTERN_AT_MOST = 1022
"""Characters of one pattern of a list; with a longer one the list matches nothing."""
OPTION = re.compile(r'(?i:(cert-authority)|(namespaces|valid-after|valid-before)=(?:"((?:[^"\\]|\\.)*)")?)')
TIME = re.compile(r"(?i)(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)(\d\d)?)?(z|utc)?", re.ASCII)
LEAST, MOST = (1, 1, 0, 0, 0), (12, 31, 23, 59, 60)
"""Of month, day, hour, minute and second. As for ssh-keygen, February 31 is March 3."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """One line: who and for what (lists of patterns; namespaces None for all), from when to when (both
    included), with which key."""

    principals: str
    namespaces: str | None
    after: datetime | None
    before: datetime | None
    key: PublicKey


def principal_of(approver: str) -> str:
    """How ssh-keygen is told who it was: the address in the name where there is one, else the name itself
    with everything in its way replaced. Two people's names may give the same; their keys do not."""
    address = EMAIL.search(approver)
    if address:
        return address[1]
    return re.sub(r"[^\w.@+-]+", "-", approver).strip("-") or "approver"


def line_of(principal: str, namespace: str, key: PublicKey) -> str:
    """A line for one key in one namespace."""
    return f'{principal} namespaces="{namespace}" {public_line(key)}\n'


def read_allowed(text: str) -> tuple[list[Allowed], list[str]]:
    """(the lines that can be used, a sentence for each that cannot). Certificates are not supported."""
    found: list[Allowed] = []
    problems: list[str] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip(WHITESPACE) and not line.lstrip(" \t").startswith("#"):
            try:
                found.append(_read(line))
            except (BadKey, ValueError) as error:
                problems.append(f"line {number} cannot be used: {error}")
    return found, problems


def why_not(
    lines: Sequence[Allowed], principal: str, namespace: str, key: PublicKey, moments: Mapping[str, datetime]
) -> str | None:
    """Why no line allows this signature at every one of these moments, or None where one does. moments: by
    what they are in words."""
    own = [line for line in lines if blob_of(line.key) == blob_of(key)]
    if not own:
        return "it does not hold the key that signed"
    named = [line for line in own if in_list(principal, line.principals)]
    if not named:
        return f"the key that signed is not {principal}'s there"
    meant = [line for line in named if line.namespaces is None or in_list(namespace, line.namespaces)]
    if not meant:
        return f"the key that signed may not be used for {namespace} there"
    for words, moment in moments.items():
        if not any(_valid(line, moment) for line in meant):
            at = f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
            return f"the key that signed was not valid there {words} ({at})"
    if not any(all(_valid(line, moment) for moment in moments.values()) for line in meant):
        return f"no single line allows it {' and '.join(moments)}"
    return None


def why_no_key(
    lines: Sequence[Allowed], namespace: str, key: PublicKey, moments: Mapping[str, datetime]
) -> str | None:
    """The same for whoever owns the key: as ``ssh-keygen -Y find-principals`` asks."""
    own = [line for line in lines if blob_of(line.key) == blob_of(key)]
    if not own:
        return "it is none of the keys there"
    return why_not([replace(line, principals="*") for line in own], "*", namespace, key, moments)


def in_list(text: str, patterns: str) -> bool:
    """Whether a list of patterns names the text: ``*`` and ``?`` are wild, brackets are not; one that begins
    with ``!`` and matches takes it out, whatever else does."""
    found = False
    for entry in patterns.split(","):
        negated, pattern = entry.startswith("!"), entry.removeprefix("!")
        if len(pattern) > PATTERN_AT_MOST:
            return False
        if _matches(text, pattern):
            if negated:
                return False
            found = True
    return found


def moment_of(text: str) -> datetime:
    """YYYYMMDD[HHMM[SS]][Z]; without Z (or UTC) it is local time. Raises ValueError."""
    found = TIME.fullmatch(text)
    year, *rest = (int(one or 0) for one in found.groups()[:6]) if found else (0, 0)
    if found is None or not all(low <= one <= high for low, one, high in zip(LEAST, rest, MOST, strict=True)):
        raise ValueError(f"{text!r} is no time (YYYYMMDD[HHMM[SS]][Z])")
    fields = (year, *rest, 0, 0, -1)
    seconds = calendar.timegm(fields) if found[7] else time.mktime(fields)  # type: ignore[arg-type]
    if seconds <= 0:
        raise ValueError(f"{text!r} is before 1970")
    return datetime.fromtimestamp(min(seconds, LAST), UTC)


def _valid(line: Allowed, moment: datetime) -> bool:
    return (line.after is None or moment >= line.after) and (line.before is None or moment <= line.before)


def _matches(text: str, pattern: str) -> bool:
    wild = {"*": ".*", "?": "."}
    simple = re.sub(r"\*+", "*", pattern)
    return (
        re.fullmatch("".join(wild.get(one) or re.escape(one) for one in simple), text, re.DOTALL) is not None
    )


def _read(line: str) -> Allowed:
    principals, rest = _first_word(line.lstrip(" \t"))
    options: Mapping[str, str] = {}
    try:
        key = key_of_line(rest)
    except BadKey:
        text, rest = _up_to_space(rest)
        if not rest:
            raise
        options = _options(text)
        key = key_of_line(rest)
    if "cert-authority" in options:
        raise ValueError("certificates are not supported")
    after, before = (
        moment_of(options[name]) if name in options else None for name in ("valid-after", "valid-before")
    )
    if after is not None and before is not None and before <= after:
        raise ValueError("valid-before is no later than valid-after")
    return Allowed(principals, options.get("namespaces"), after, before, key)


def _first_word(line: str) -> tuple[str, str]:
    """The principals, in whose place a quoted part may hold white space, and the rest of the line."""
    place = next((at for at, one in enumerate(line) if one in f'{WHITESPACE}"'), None)
    if place is None:
        raise ValueError("there is no key")
    if line[place] == '"':
        end = line.find('"', place + 1)
        if end < 0:
            raise ValueError("a quote is not closed")
        word, rest = line[:place] + line[place + 1 : end], line[end + 1 :]
    else:
        word, rest = line[:place], line[place + 1 :]
    return word, rest.lstrip(WHITESPACE)


def _up_to_space(text: str) -> tuple[str, str]:
    """The options, in which quoted parts may hold white space, and the rest."""
    found = re.match(r'(?:[^ \t"\\]|\\.|"(?:[^"\\]|\\.)*")*', text)
    assert found is not None
    return found[0], text[found.end() :].lstrip(" \t")


def _options(text: str) -> dict[str, str]:
    """Each once, with a value in quotes. Raises ValueError where ssh-keygen would not read them."""
    found: dict[str, str] = {}
    at = 0
    while at < len(text):
        match = OPTION.match(text, at)
        if match is not None:
            name = (match[1] or match[2]).lower()
            if match[2] and match[3] is None:
                raise ValueError(f"the option {name} has no value in quotes")
            if name in found and match[2]:
                raise ValueError(f"the option {name} is there twice")
            found[name] = re.sub(r'\\"', '"', match[3] or "")
            at = match.end()
        if at < len(text):
            if text[at] != "," or at + 1 == len(text):
                raise ValueError(f"{text[at:][:60]!r} is none of its options")
            at += 1
    return found
