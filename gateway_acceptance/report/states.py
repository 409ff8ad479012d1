"""A run's state as people see it: a symbol, and how good it is. The states: docs/verdicts.md."""

from __future__ import annotations

STATE_SYMBOLS = {"PRODUCTION READY": "🚀", "READY": "✅", "PARTIAL RUN": "◻️", "NOT READY": "❌", "VOID": "🚫"}
OUTCOME_SYMBOLS = {"PASSED": "✅", "FAILED": "❌"}
"""``SMOKE PASSED``, ``NIGHTLY FAILED`` and their like, by their last word."""

GOOD, PARTLY, BAD, VOID = "good", "partly", "bad", "void"


def state_symbol(state: str) -> str:
    """One symbol, or nothing for a word that no run of ours says."""
    return STATE_SYMBOLS.get(state) or OUTCOME_SYMBOLS.get(state.split(" ")[-1], "")


def tone(state: str) -> str:
    """``good``, ``partly``, ``bad`` or ``void``; what is unknown is never good."""
    if state in ("READY", "PRODUCTION READY") or state.endswith(" PASSED"):
        return GOOD
    if state == "PARTIAL RUN":
        return PARTLY
    return VOID if state == "VOID" else BAD
