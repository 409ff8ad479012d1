"""No check passes on what is not there, errs on it, or calls it not applicable: each fault of absence against
all checks."""

from __future__ import annotations

from lab.absence_matrix import run_absence_matrix
from tests.live.conftest import ROOT


def test_nothing_is_said_of_what_is_absent() -> None:
    found = run_absence_matrix(ROOT, [], "", print)
    assert [str(breach) for breach in found.breaches] == []
    assert list(found.errors) == []
    assert list(found.observed) == []
    assert found.complete, (found.verdicts, found.control)
