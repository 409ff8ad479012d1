"""The last accepted release of an environment: the newest sign-off that verifies."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from gateway_acceptance.seal import digest_of
from gateway_acceptance.signoff.document import compared
from gateway_acceptance.signoff.layout import RECORD, SIGNOFF
from gateway_acceptance.signoff.verify import verify


def last_accepted(signoffs: Path, environment: str, now: datetime) -> tuple[Path | None, list[str]]:
    """(the directory of the newest sign-off before now, a sentence for each newer one that does not verify).

    signoffs: the folder with ENVIRONMENT/RELEASE below it.
    """
    dated = []
    for path in sorted((signoffs / environment).glob(f"*/{SIGNOFF}")):
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            signed = datetime.fromisoformat(document["signed"])
            if document["environment"] == environment and signed <= now:
                dated.append((signed, path.parent))
        except (OSError, ValueError, KeyError, TypeError):
            continue
    passed_over: list[str] = []
    for _, directory in sorted(dated, reverse=True):
        found = verify(directory, now).findings
        if not found:
            return directory, passed_over
        passed_over.append(f"{directory.name} is passed over, for it does not verify: {found[0]}")
    return None, passed_over


def comparison(record: Mapping[str, Any], directory: Path | None) -> dict[str, Any] | None:
    """What changed since that sign-off, as ``signoff.json`` holds it."""
    if directory is None:
        return None
    before = json.loads((directory / RECORD).read_text(encoding="utf-8"))
    release = json.loads((directory / SIGNOFF).read_text(encoding="utf-8"))["release"]
    return compared(record, before, release, digest_of(directory / RECORD))
