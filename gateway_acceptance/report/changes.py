"""What changed between two runs of one environment."""

from __future__ import annotations

from dataclasses import dataclass

from gateway_acceptance.claims import NOT_VERIFIED
from gateway_acceptance.record_model import Record, RecordedCheck
from gateway_acceptance.report.reading import is_executed, is_red
from gateway_acceptance.verdict import Verdict


@dataclass(frozen=True, slots=True)
class VerdictChange:
    """One check (or claim) whose verdict is not what it was; an empty word: it was not there."""

    id: str
    title: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Changes:
    """Everything that changed, by kind. newly_waived: accepted now and not before; moved: other changes of
    verdict, for example not permitted to passed."""

    fixed: tuple[VerdictChange, ...]
    broken: tuple[VerdictChange, ...]
    newly_waived: tuple[VerdictChange, ...]
    moved: tuple[VerdictChange, ...]
    newly_not_verified: tuple[VerdictChange, ...]
    new: tuple[VerdictChange, ...]
    gone: tuple[VerdictChange, ...]

    def __bool__(self) -> bool:
        return any(getattr(self, name) for name in self.__slots__)

    @property
    def kinds(self) -> list[tuple[str, tuple[VerdictChange, ...], bool]]:
        """(title, the changes, whether they stand open) of every kind that occurs, the first matters most."""
        all_kinds = (
            ("Broken", self.broken, True),
            ("Fixed", self.fixed, True),
            ("Newly accepted", self.newly_waived, True),
            ("Newly not verified", self.newly_not_verified, True),
            ("Verdict changed otherwise", self.moved, False),
            ("New checks", self.new, False),
            ("Checks no longer in the run", self.gone, False),
        )
        return [kind for kind in all_kinds if kind[1]]


def changes(record: Record, previous: Record) -> Changes:
    """Compare by check id. A check that only one of the runs selected is ``new`` or ``gone``."""
    before = {check.id: check for check in previous.checks if check.cases}
    after = {check.id: check for check in record.checks if check.cases}
    differing = [
        VerdictChange(name, after[name].title, word_of(before[name]), word_of(after[name]))
        for name in after
        if name in before and before[name].verdict != after[name].verdict
    ]
    waived = [one for one in differing if one.after in (Verdict.WAIVED, Verdict.DEVIATION)]
    fixed = [
        one
        for one in differing
        if is_red(one.before) and not is_red(one.after) and is_executed(one.after) and one not in waived
    ]
    broken = [one for one in differing if not is_red(one.before) and is_red(one.after)]
    return Changes(
        fixed=tuple(fixed),
        broken=tuple(broken),
        newly_waived=tuple(waived),
        moved=tuple(one for one in differing if one not in (*fixed, *broken, *waived)),
        newly_not_verified=_newly_not_verified(record, previous),
        new=tuple(
            VerdictChange(name, check.title, "", word_of(check))
            for name, check in after.items()
            if name not in before
        ),
        gone=tuple(
            VerdictChange(name, check.title, word_of(check), "")
            for name, check in before.items()
            if name not in after
        ),
    )


def word_of(check: RecordedCheck) -> str:
    """A check's verdict in a word; empty where it had no case."""
    return check.verdict.value if check.verdict else ""


def _newly_not_verified(record: Record, previous: Record) -> tuple[VerdictChange, ...]:
    before = {claim.id: claim.verdict for claim in previous.claims}
    return tuple(
        VerdictChange(claim.id, claim.text, before[claim.id], NOT_VERIFIED)
        for claim in record.claims
        if claim.verdict == NOT_VERIFIED and before.get(claim.id, NOT_VERIFIED) != NOT_VERIFIED
    )
