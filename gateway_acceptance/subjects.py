"""What the running case judged: its subjects, counted. Design: docs/verdicts.md, "Subjects are counted".

One process runs one case at a time, so there is one account. Checks and what they stand on add to it; the
plugin begins it anew for each case and reads it at the end.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

NOTHING = "nothing judged"
"""How the sentence of a case begins that passed without a subject."""


ANSWERS = "answers"
"""The kind of subject that every exchange brings. Where a check states what it judged, that alone counts: an
address that refuses connections may be just what is right."""


KINDS_SHOWN = 3
"""Of sums over many checks; each check's own counts stand beside it."""


@dataclass(slots=True)
class Subjects:
    """An account. stated: what the check says that it judged, the kind in the plural -> how many; observed:
    what its clients brought it, likewise, and whether anything was missing of it."""

    stated: dict[str, int] = field(default_factory=dict)
    observed: dict[str, int] = field(default_factory=dict)

    def begin(self) -> None:
        """A new case begins."""
        self.stated, self.observed = {}, {}

    def state(self, counts: Mapping[str, int]) -> None:
        """Add what was judged. Raises ValueError for a negative count."""
        for kind, count in counts.items():
            if count < 0:
                raise ValueError(f"{count} {kind} cannot have been judged")
            self.stated[kind] = self.stated.get(kind, 0) + count

    def observe(self, kind: str, count: int) -> None:
        """Note what a client brought; looked at again, it is the same."""
        self.observed[kind] = max(count, self.observed.get(kind, 0))

    @property
    def counts(self) -> dict[str, int]:
        """What the case judged: as the check stated it, else what was observed."""
        return dict(self.stated or self.observed)

    def missing(self) -> str:
        """Why nothing was judged, in words; empty where every kind that was stated or observed has a
        subject."""
        seen = {kind: count for kind, count in self.observed.items() if kind != ANSWERS or not self.stated}
        absent = [kind for kind, count in {**seen, **self.stated}.items() if not count]
        if absent:
            present = {kind: count for kind, count in self.counts.items() if count}
            beside = f" ({summary(present)})" if present else ""
            return f"{NOTHING}: no {' and no '.join(singular(kind) for kind in absent)}{beside}"
        return "" if self.counts else f"{NOTHING}: the check looked at no answer and no fact"


SUBJECTS = Subjects()
"""Of the case that runs in this process."""


def judged(counts: Mapping[str, int] | None = None, **more: int) -> None:
    """State what the running check judged, the subject first, then what it is of: ``judged(chunks=214,
    streams=4)``. A kind with none of it makes the case untestable, unless it failed."""
    SUBJECTS.state({**(counts or {}), **more})


def summary(counts: Mapping[str, int]) -> str:
    """``214 chunks of 4 streams``; empty where nothing was counted."""
    return " of ".join(f"{count} {kind if count != 1 else singular(kind)}" for kind, count in counts.items())


def most_of(counts: Mapping[str, int]) -> str:
    """Sums of many checks, the largest first: ``214 chunks, 40 answers and 6 other kinds``; empty where
    nothing was counted."""
    ranked = sorted(((count, kind) for kind, count in counts.items() if count), reverse=True)
    first = [f"{count} {kind if count != 1 else singular(kind)}" for count, kind in ranked[:KINDS_SHOWN]]
    rest = len(ranked) - len(first)
    return ", ".join(first) + (f" and {rest} other kind{'s' if rest > 1 else ''}" if rest else "")


def singular(kind: str) -> str:
    """``entries of the tree`` -> ``entry of the tree``: its last word before ``of``, ``with`` or ``in``."""
    found = re.match(r"(.*?)(?= (?:of|with|in|that|on)\b|$)", kind)
    head = found[1] if found else kind
    for ending, other in (("ies", "y"), ("sses", "ss"), ("xes", "x"), ("ches", "ch"), ("s", "")):
        if head.endswith(ending):
            return head[: -len(ending)] + other + kind[len(head) :]
    return kind
