"""The commands that fix claims, where they do: what is advised must help against what was seen."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from gateway_acceptance.claims import Claim
from gateway_acceptance.evaluation import spoken_cases
from gateway_acceptance.record_model import Record, RecordedClaim
from gateway_acceptance.verdict import Verdict

AT_PEACE = frozenset({Verdict.PASSED, Verdict.NOT_APPLICABLE})
"""Verdicts of cases that ask for no fix."""


def fixes_of(record: Record, claims: Iterable[Claim | RecordedClaim]) -> Mapping[str, str]:
    """Id of a claim -> the command that makes it true. Left out are those that would not help: such a claim
    says when it does (``fix_when``), and nothing of its evidence tells of that."""
    useless = {one.id for one in record.claims if one.fix_when and not _seen(one, record)}
    return {one.id: one.fix for one in claims if one.fix and one.id not in useless}


def _seen(claim: RecordedClaim, record: Record) -> bool:
    return any(
        re.search(claim.fix_when, case.message)
        for check in record.checks
        for case in spoken_cases(claim, check)
        if case.verdict not in AT_PEACE
    )
