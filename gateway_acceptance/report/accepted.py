"""The last accepted release of an environment, by its sign-offs, ``ENVIRONMENT/VERSION/``.

Without an anchor no signature is looked at, and the views say so: whatever lies in the folder is only what a
run is compared with. With one (``--allowed-signers``) only what somebody known has signed counts.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from gateway_acceptance.record_model import NoRecord, Record, record_of
from gateway_acceptance.report.ages import instant
from gateway_acceptance.run_directory import RECORD

SIGNOFF = "signoff.json"
PARTS = ("run", "target", "checks", "claims", "waivers")
"""Of a record: what a comparison reads."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """One release that was signed. version: the name of its directory; signed: when (ISO, UTC); by: whose
    signature it has, as an anchor knows it; empty where nobody looked."""

    version: str
    signed: str
    record: Record
    by: str = ""


Known = Callable[[Path], tuple[str, str]]
"""(who signed the sign-off of a directory, why nobody that is known did): one of them is empty."""


def newest_accepted(
    signoffs: Path, environment: str, known: Known | None = None
) -> tuple[Accepted | None, list[str]]:
    """(the newest by the time of signing, a sentence for each that cannot be read, or is a stranger's).
    known: by an anchor; None where there is none, and no signature is looked at."""
    found: list[tuple[datetime, Accepted]] = []
    skipped = []
    for path in sorted((signoffs / environment).glob(f"*/{SIGNOFF}")):
        try:
            accepted = _accepted(path, environment)
            if known is not None:
                by, unknown_signer = known(path.parent)
                if unknown_signer:
                    raise ValueError(unknown_signer)  # noqa: TRY301
                accepted = replace(accepted, by=by)
            found.append((instant(accepted.signed), accepted))
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            why = error.strerror if isinstance(error, OSError) else error
            skipped.append(f"the sign-off {path.parent.name} is passed over: {why}")
    newest = max(found, key=lambda pair: pair[0], default=(None, None))[1]
    return newest, skipped


def _accepted(path: Path, environment: str) -> Accepted:
    document, content = _read(path), _read(path.with_name(RECORD))
    if not isinstance(document.get("signed"), str):
        raise TypeError(f"{SIGNOFF} does not say when it was signed")
    missing = [part for part in PARTS if part not in content]
    if missing:
        raise ValueError(f"{RECORD} is no record: it has no {missing[0]}")
    try:
        record = record_of(content)
    except NoRecord as problem:
        raise ValueError(f"{RECORD} {problem}") from None
    if record.run.environment != environment:
        raise ValueError(f"{RECORD} is of the environment {record.run.environment!r}")
    return Accepted(path.parent.name, document["signed"], record)


def _read(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        raise ValueError(f"{path.name} is no JSON") from None
    if not isinstance(document, dict):
        raise TypeError(f"{path.name} is no object")
    return document
