"""The last accepted release of an environment: the newest sign-off that verifies, by somebody known."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from gateway_acceptance.documents import Unreadable, json_of
from gateway_acceptance.signoff.layout import SIGNOFF
from gateway_acceptance.signoff.verify import Verified, verify

Known = Callable[[Verified], str]
"""Why a sign-off's signer is nobody that is known, in a few words; empty where they are known."""


def last_accepted(
    signoffs: Path, environment: str, now: datetime, known: Known
) -> tuple[Path | None, list[str]]:
    """(the directory of the newest sign-off before now, a sentence for each newer one that does not verify,
    or is a stranger's).

    signoffs: the folder with ENVIRONMENT/RELEASE below it.
    """
    dated = []
    for path in sorted((signoffs / environment).glob(f"*/{SIGNOFF}")):
        try:
            document: Any = json_of(path)
            signed = datetime.fromisoformat(document["signed"])
            if document["environment"] == environment and signed <= now:
                dated.append((signed, path.parent))
        except (Unreadable, ValueError, KeyError, TypeError):
            continue
    passed_over: list[str] = []
    for _, directory in sorted(dated, reverse=True):
        seen = verify(directory, now)
        if seen.findings:
            passed_over.append(f"{directory.name} is passed over, for it does not verify: {seen.findings[0]}")
            continue
        why = known(seen)
        if not why:
            return directory, passed_over
        passed_over.append(f"{directory.name} is passed over: {why}")
    return None, passed_over
