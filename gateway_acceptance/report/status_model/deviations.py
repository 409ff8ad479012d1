"""What the product's release does not keep, as a run saw it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway_acceptance.record_model import Record


@dataclass(frozen=True, slots=True)
class DeviationLine:
    """What the product does not keep. cases: how many showed it; link: upstream, or empty."""

    check: str
    title: str
    level: str
    cases: int
    link: str


@dataclass(frozen=True, slots=True)
class NotKept:
    """What is known of the product's release. release: its name, or empty where nothing is known; notes:
    sentences, what is better than the release among them."""

    release: str = ""
    lines: Sequence[DeviationLine] = ()
    notes: Sequence[str] = ()


def not_kept(record: Record) -> NotKept:
    """The deviations of the product that this run saw, those of a MUST first, and what is to be said."""
    known = record.deviations
    if not known:
        return NotKept()
    release = " ".join(filter(None, (known.product, known.version, known.variant)))
    seen = [
        DeviationLine(one.check, one.title, one.level, one.cases, one.link)
        for one in known.known
        if one.cases
    ]
    better = [one.check for one in known.known if one.absent]
    notes = [known.note] if known.note else []
    notes += [f"better than its release: {', '.join(better)}"] if better else []
    return NotKept(release, sorted(seen, key=lambda one: (one.level != "MUST", one.check)), notes)
