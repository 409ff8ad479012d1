"""What checks drew, as files beside STATUS.md and as rows of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from gateway_acceptance.record_model import Record
from gateway_acceptance.report.reading import case_name

FOLDER = "pictures"


@dataclass(frozen=True, slots=True)
class Picture:
    """One drawing. file: its path below the run directory; title: of check and case; name: the drawing's."""

    file: str
    check: str
    title: str
    name: str
    svg: str


def pictures(record: Record) -> list[Picture]:
    """All drawings of a run in the record's order; the file's name tells the case, and is safe for any."""
    found = []
    for check, case in record.cases():
        for name, svg in (case.pictures).items():
            digest = hashlib.sha256(f"{case.nodeid}\n{name}".encode()).hexdigest()[:8]
            file = f"{FOLDER}/{check.id}-{digest}.svg"
            found.append(Picture(file, check.id, case_name(record, check, case), name, svg))
    return found
