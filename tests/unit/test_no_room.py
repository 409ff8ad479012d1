"""Folders that cannot be written: each sentence names what helps there."""

from __future__ import annotations

import errno
from pathlib import Path

from gateway_acceptance.plugin.no_room import unwritable

RUNS = Path("/checkout/reports/runs")


def _refused(path: str | None) -> OSError:
    return OSError(errno.EROFS, "Read-only file system", path)


def test_results_may_go_elsewhere() -> None:
    for path in (f"{RUNS}/local", str(RUNS), str(RUNS.parent), None):
        assert "choose another place with --runs" in unwritable(_refused(path), RUNS)


def test_what_an_embedded_environment_keeps_goes_nowhere_else() -> None:
    said = unwritable(_refused("/checkout/.lab/local"), RUNS)
    assert said.startswith(
        "/checkout/.lab/local cannot be written: Read-only file system; make it writable: "
    )
    assert "choose another place" not in said
