"""Whose an earlier sign-off is, by an anchor that is kept elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from gateway_acceptance.signoff.allowed import Allowed, why_not
from gateway_acceptance.signoff.layout import NAMESPACE
from gateway_acceptance.signoff.verify import verify


def known_by(lines: Sequence[Allowed], anchor: Path) -> Callable[[Path], tuple[str, str]]:
    """What says of a sign-off's directory (who signed it, why nobody known did). lines: of the anchor."""

    def known(directory: Path) -> tuple[str, str]:
        if anchor.resolve().is_relative_to(directory.resolve()):
            return "", f"{anchor} lies in it and says nothing of its signer"
        seen = verify(directory, datetime.now(UTC))
        if seen.findings:
            return "", f"it does not verify: {seen.findings[0]}"
        if seen.signer is None or seen.document is None:
            return "", "it has no signature"
        who = str(seen.document["approver"]["principal"])
        moments = {"at the time of its signing": datetime.fromisoformat(seen.document["signed"])}
        why = why_not(lines, who, NAMESPACE, seen.signer, moments)
        return ("", f"{anchor.name} does not allow {who}'s signature: {why}") if why else (who, "")

    return known
