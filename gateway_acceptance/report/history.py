"""The earlier runs of an environment, read from their small files; what cannot be relied on is named."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway_acceptance.report.ages import instant
from gateway_acceptance.run_directory import run_directories
from gateway_acceptance.seal import SEAL, digest_of
from gateway_acceptance.verdict import RED

RUNS_AT_MOST = 50
"""So many runs are looked at, the newest; the others are counted. How many are kept is the user's choice."""
STATUS = "status.json"
VOID = "VOID"


@dataclass(frozen=True, slots=True)
class PastRun:
    """What the tracker needs of one run. verdicts: claim id to its verdict; proven: claim id to the time
    (ISO, UTC) of its proof; statements: claim id to what it said there, where that is known; fingerprint: of
    the target at the start, or None where it was not taken."""

    id: str
    started: str
    state: str
    profile: str
    exit_code: int
    product: str
    product_version: str
    verdicts: Mapping[str, str]
    proven: Mapping[str, str]
    fingerprint: Mapping[str, str] | None
    red_cases: int
    statements: Mapping[str, str] = field(default_factory=dict)

    @property
    def void(self) -> bool:
        """Whether the run says nothing in favour of anything."""
        return self.state == VOID


@dataclass(frozen=True, slots=True)
class History:
    """runs: newest first; damaged: a sentence for each that is left out; more: older ones not looked at."""

    runs: tuple[PastRun, ...] = ()
    damaged: tuple[str, ...] = ()
    more: int = field(default=0)


def read_history(runs: Path, environment: str, *, without: str = "", limit: int = RUNS_AT_MOST) -> History:
    """The runs below ``runs/ENVIRONMENT``. without: the id of the run that asks."""
    found = [path for path in run_directories(runs, environment) if path.name != without]
    listed: list[PastRun] = []
    damaged: list[str] = []
    for path in reversed(found[-limit:] if limit else []):
        try:
            run = past_run(_document(path), environment)
            if not run.void and not _sealed(path):
                raise ValueError(f"{STATUS} is not what was sealed when the run ended")  # noqa: TRY301
            listed.append(run)
        except (OSError, ValueError, TypeError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            damaged.append(f"run {path.name} is left out: {reason}")
    return History(tuple(listed), tuple(damaged), max(0, len(found) - limit))


def past_run(document: object, environment: str) -> PastRun:
    """Of the content of a ``status.json``. Raises ValueError or TypeError with what is wrong with it."""
    if not isinstance(document, dict):
        raise TypeError(f"{STATUS} is no object")
    if document.get("environment") != environment:
        raise ValueError(f"{STATUS} is of the environment {document.get('environment')!r}")
    try:
        claims = document["claims"]
        run = PastRun(
            id=_text(document, "run"),
            started=_text(document, "started"),
            state=_text(document, "state"),
            profile=document["profile"] or "",
            exit_code=int(document["exit_code"]),
            product=_text(document, "product"),
            product_version=document["product_version"] or "",
            verdicts={name: str(verdict) for verdict, names in claims.items() for name in names},
            proven=_texts(document.get("proven") or {}),
            fingerprint=None if document.get("fingerprint") is None else _texts(document["fingerprint"]),
            statements=_texts(document.get("statements") or {}),
            red_cases=sum(int(document["totals"].get(word, 0)) for word in RED),
        )
        for moment in (run.started, *run.proven.values()):
            instant(moment)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{STATUS} is not whole ({type(error).__name__}: {error})") from None
    return run


def _document(path: Path) -> Any:
    try:
        return json.loads((path / STATUS).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(f"there is no {STATUS}") from None
    except (ValueError, RecursionError):
        raise ValueError(f"{STATUS} is no JSON") from None


def _sealed(path: Path) -> bool:
    try:
        document = json.loads((path / SEAL).read_text(encoding="utf-8"))
        return bool(document["files"][STATUS] == digest_of(path / STATUS))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _text(document: Mapping[str, Any], name: str) -> str:
    value = document[name]
    if not isinstance(value, str):
        raise TypeError(f"{name} is {value!r}")
    return value


def _texts(value: Mapping[str, Any]) -> dict[str, str]:
    texts = {name: word for name, word in value.items() if isinstance(word, str)}
    if len(texts) != len(value):
        raise TypeError("not only texts where only texts belong")
    return texts
