"""``allowed_signers``: whose key is whose, as ssh-keygen reads it (ssh-keygen(1), ALLOWED SIGNERS)."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase

from gateway_acceptance.signoff.keys import BadKey, PublicKey, blob_of, key_of_line, public_line

OPTION = re.compile(r"^(cert-authority|(?:namespaces|valid-after|valid-before)=.*)$", re.IGNORECASE)
EMAIL = re.compile(r"<([^\s<>@,]+@[^\s<>@,]+)>")


@dataclass(frozen=True, slots=True)
class Allowed:
    """One line: who (patterns), for what (patterns, empty for all), from when to when, with which key."""

    principals: Sequence[str]
    namespaces: Sequence[str]
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
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip() and not line.strip().startswith("#"):
            try:
                found.append(_read(line))
            except (BadKey, ValueError) as error:
                problems.append(f"line {number} cannot be used: {error}")
    return found, problems


def why_not(
    lines: Sequence[Allowed], principal: str, namespace: str, key: PublicKey, signed: datetime
) -> str | None:
    """Why no line allows this signature, or None where one does."""
    own = [line for line in lines if blob_of(line.key) == blob_of(key)]
    if not own:
        return "it does not hold the key that signed"
    named = [line for line in own if any(fnmatchcase(principal, name) for name in line.principals)]
    if not named:
        return f"the key that signed is not {principal}'s there"
    meant = [
        line
        for line in named
        if not line.namespaces or any(fnmatchcase(namespace, name) for name in line.namespaces)
    ]
    if not meant:
        return f"the key that signed may not be used for {namespace} there"
    if not any(
        (line.after is None or signed >= line.after) and (line.before is None or signed < line.before)
        for line in meant
    ):
        return "the key that signed was not valid there at the time of signing"
    return None


def _read(line: str) -> Allowed:
    words = shlex.split(line, comments=True, posix=True)
    principals = words[0].split(",")
    options: dict[str, str] = {}
    rest = words[1:]
    if rest and OPTION.match(rest[0]):
        options = _options(line)
        rest = rest[1:]
    if "cert-authority" in options:
        raise ValueError("certificates are not supported")
    return Allowed(
        principals,
        options.get("namespaces", "").split(",") if options.get("namespaces") else (),
        _time(options["valid-after"]) if "valid-after" in options else None,
        _time(options["valid-before"]) if "valid-before" in options else None,
        key_of_line(" ".join(rest)),
    )


def _options(line: str) -> dict[str, str]:
    """The options of a line; the commas between them are not those within quotes."""
    raw = re.match(r'\s*(?:"[^"]*"|\S+)\s+((?:[^\s"]|"[^"]*")+)', line)
    assert raw is not None
    pairs = re.findall(r'([a-zA-Z-]+)(?:=(?:"([^"]*)"|([^,\s]*)))?', raw[1])
    return {name.lower(): quoted or plain for name, quoted, plain in pairs}


def _time(text: str) -> datetime:
    """YYYYMMDD[HHMM[SS]][Z]; without Z it is local time, as in ssh-keygen."""
    form = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}.get(len(text.rstrip("Z")))
    if form is None:
        raise ValueError(f"{text!r} is no time")
    moment = datetime.strptime(text.rstrip("Z"), form)
    return moment.replace(tzinfo=UTC) if text.endswith("Z") else moment.astimezone()
