"""Checks that pass beside an absence and may: each looked at, with what it judged there."""

from __future__ import annotations

from collections.abc import Mapping

SETTLED: Mapping[tuple[str, str], str] = {}
"""(fault of absence, or ``*`` for every one; check) -> what the check judged though that was absent."""
