"""What the gateway does wrong is seen before models that talk and do not obey as well."""

from __future__ import annotations

from lab.weak_matrix import run_weak, text
from tests.live.conftest import ROOT


def test_faults_are_found_before_models_that_obey_nobody() -> None:
    found = run_weak(ROOT, [], "", print)
    assert found.complete, text(found)
