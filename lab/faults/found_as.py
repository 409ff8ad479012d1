"""Faults that a check finds without failing: a premise is gone, the statistics cannot decide, or the release
does so by itself. Declared one by one; without an entry only *failed* is a detection."""

from __future__ import annotations

from collections.abc import Mapping

from gateway_acceptance.verdict import Verdict

UNTESTABLE, INCONCLUSIVE = Verdict.UNTESTABLE.value, Verdict.INCONCLUSIVE.value
BY_ITSELF = Verdict.DEVIATION.value
"""Releases of LiteLLM show the same defect without the fault; on others the check fails."""

FOUND_AS: Mapping[tuple[str, str], str] = {
    ("asked-twice", "BACKEND-BAL-002"): INCONCLUSIVE,
    ("balanced-from-a-cache", "BACKEND-BAL-002"): INCONCLUSIVE,
    ("draws-refused", "BACKEND-BAL-002"): INCONCLUSIVE,
    ("completion-stream-ids", "API-COMP-008"): BY_ITSELF,
    ("cooled-and-counted", "BACKEND-BAL-002"): INCONCLUSIVE,
    ("cooled-by-anothers-error", "BACKEND-BAL-002"): INCONCLUSIVE,
    ("deployment-of-other-model", "BACKEND-BAL-002"): UNTESTABLE,
    ("model-disobeys", "API-CHAT-002"): UNTESTABLE,
    ("header-lies-evenly", "BACKEND-BAL-002"): UNTESTABLE,
    ("headers-contradict", "BACKEND-BAL-002"): UNTESTABLE,
    ("headers-swapped", "BACKEND-BAL-002"): UNTESTABLE,
    ("witness-silent", "BACKEND-BAL-001"): UNTESTABLE,
    ("witness-silent-in-streams", "BACKEND-ROUTE-007"): UNTESTABLE,
    ("backend-stream-dies", "API-STREAM-083"): UNTESTABLE,
    ("host-directories-without-search-bit", "HOST-OWN-001"): UNTESTABLE,
}
"""(fault, check) -> the verdict that is a detection there, beside *failed*."""


def tells(fault: str, check: str, verdict: str) -> bool:
    """Whether an operator who sees this verdict of a check is told of the fault: what is red, and what the
    fault declares; never what a release does by itself."""
    red = (Verdict.FAILED.value, INCONCLUSIVE, FOUND_AS.get((fault, check)))
    return verdict != BY_ITSELF and verdict in red
