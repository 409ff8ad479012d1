"""Numbers of the whole run."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gateway_acceptance.record_model.base import Count, RecordPart
from gateway_acceptance.verdict import Verdict


class Totals(RecordPart):
    """Cases by verdict (one that no case has may be missing), checks, and what the run spent."""

    passed: Count = 0
    deviation: Count = 0
    waived: Count = 0
    not_applicable: Annotated[Count, Field(alias="not applicable")] = 0
    not_permitted: Annotated[Count, Field(alias="not permitted")] = 0
    inconclusive: Count = 0
    untestable: Count = 0
    failed: Count = 0
    harness_error: Annotated[Count, Field(alias="harness error")] = 0
    checks_selected: Count
    checks_executed: Count
    requests: Count
    tokens: Count

    def cases(self, verdict: str) -> int:
        """How many cases have a verdict; 0 for a word that is none of a case."""
        return int(getattr(self, verdict.replace(" ", "_"), 0)) if verdict in set(Verdict) else 0
