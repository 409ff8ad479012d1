"""What people read of a run, made again from its record alone and compared.

Of STATUS.md and index.html two parts tell of other runs (what changed, the history), which no record holds:
they are left out. Only a run that is READY is looked at so: of others a claim may show an earlier proof.
"""

from __future__ import annotations

import re
from itertools import zip_longest
from pathlib import Path

from gateway_acceptance.claims import Claim
from gateway_acceptance.documents import Unreadable, content_of
from gateway_acceptance.record_model import Record
from gateway_acceptance.report.badge import render_badge
from gateway_acceptance.report.earlier_words import in_earlier_words
from gateway_acceptance.report.past import Past
from gateway_acceptance.report.pictures import pictures
from gateway_acceptance.report.status_model import status_model
from gateway_acceptance.report.tracker import render_page, render_status

READY = ("READY", "PRODUCTION READY")
OF_OTHERS = {
    "STATUS.md": re.compile(
        r"^## (?:Changes since the last run of this environment|Changes since the last accepted release"
        r"|History of runs)\n.*?(?=^## )",
        re.DOTALL | re.MULTILINE,
    ),
    "index.html": re.compile(r'<section aria-labelledby="(?:changes|history)">.*?</section>', re.DOTALL),
}
"""The parts of a view that tell of other runs."""
NOTES = {
    "STATUS.md": re.compile(r"^(\| [^|]*not (?:applicable|permitted) \|.*\|)[^|]*\|$", re.MULTILINE),
    "index.html": re.compile(
        r'(<td role="cell">)(?:<span class="quiet only-wide">—</span>)?'
        r'(?: <span class="quiet">[^<]*</span>)?</td>'
    ),
}
"""What is beside a claim that this run does not speak of: it may tell of an earlier one."""


def unlike(directory: Path, record: Record) -> list[str]:
    """The views of a READY run that its record does not make, a sentence each."""
    if record.run.state not in READY:
        return []
    found = []
    for name, made in _made_again(directory, record).items():
        try:
            there = content_of(directory / name).decode("utf-8")
        except (Unreadable, UnicodeDecodeError) as error:
            found.append(f"{name} cannot be read: {error}")
            continue
        if _own(name, there) not in (_own(name, made), _own(name, in_earlier_words(made))):
            found.append(f"{name} is not what the record makes: {_first_difference(name, there, made)}")
    return found


def _made_again(directory: Path, record: Record) -> dict[str, str]:
    claims = [Claim(one.id, one.section, one.text, fix=one.fix, about=one.about) for one in record.claims]
    report = (directory / "report.html").is_file()
    status = status_model(record, Past(), claims, report=report)
    drawn = {one.file: one.svg for one in pictures(record)}
    return {
        "badge.svg": render_badge(status),
        "STATUS.md": render_status(status),
        "index.html": render_page(status),
        **drawn,
    }


def _own(name: str, text: str) -> list[str]:
    """The lines that the record alone makes; blank ones say nothing."""
    if name in OF_OTHERS:
        text = NOTES[name].sub(r"\1", OF_OTHERS[name].sub("", text))
    return [line.strip() for line in text.splitlines() if line.strip()]


def _first_difference(name: str, there: str, made: str) -> str:
    pairs = zip_longest(_own(name, there), _own(name, made), fillvalue="nothing more")
    found, expected = next((one, other) for one, other in pairs if one != other)
    return f"it says {found[:80]!r}, and the record {expected[:80]!r}"
