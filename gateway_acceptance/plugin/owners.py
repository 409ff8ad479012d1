"""The check that owns a rule, also where a run did not collect it."""

from __future__ import annotations

import importlib
from functools import cache
from pathlib import Path

from gateway_acceptance.check import Check


@cache
def declared(check_id: str, suites: Path) -> Check | None:
    """The declaration of a check in the test files below ``suites``; None where there is none. It imports the
    one file that names it: only where something was broken does anybody ask."""
    quoted = f'"{check_id}"'
    for path in sorted(suites.rglob("test_*.py")):
        if quoted not in path.read_text(encoding="utf-8"):
            continue
        parts = path.relative_to(suites.parent).with_suffix("").parts
        found = _of_module(".".join(parts), check_id)
        if found is not None:
            return found
    return None


def _of_module(name: str, check_id: str) -> Check | None:
    for value in vars(importlib.import_module(name)).values():
        for mark in getattr(value, "pytestmark", ()):
            if mark.name == "check" and mark.args and mark.args[0].id == check_id:
                known: Check = mark.args[0]
                return known
    return None
