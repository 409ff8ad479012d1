"""What Allure's report shows of earlier runs: one bounded file per environment, beside its run directories.

One line per run, written from the record when the run is sealed. The file is no evidence, and nothing is
judged by it: without it, or without a line of it, a report only shows less of the past.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gateway_acceptance.judgement import VOID
from gateway_acceptance.record_model import Record
from gateway_acceptance.report.allure import STATUSES, case_identity, message
from gateway_acceptance.report.reading import case_name, cut, milliseconds, utc

HISTORY = "allure-history.jsonl"
RUNS_KEPT = 10
"""Of an environment, the newest."""
MESSAGE_AT_MOST = 300
"""Characters of what a case said; the run's own record has all of it."""

Point = dict[str, Any]
"""What Allure 3.18 calls a history data point: one run."""


def history_point(record: Record) -> Point:
    """One run as Allure reads it back. The record is redacted already."""
    run = record.run
    results = {}
    for check, case in record.cases():
        identity = case_identity(record, check, case)
        start = milliseconds(case.started or run.started)
        took = round(case.duration_s * 1000)
        results[history_key(identity)] = {
            "id": _md5(run.id + identity),
            "name": f"{check.id} {case_name(record, check, case)}",
            "fullName": case.nodeid,
            "status": STATUSES.get(case.verdict, "broken"),
            "message": cut(message(case), MESSAGE_AT_MOST),
            "start": start,
            "stop": start + took,
            "duration": took,
            "labels": [],
            "url": "",
            "historyId": history_key(identity),
            "reportLinks": [],
        }
    return {
        "uuid": run.id,
        "name": f"{run.state}, {utc(run.ended)}",
        "timestamp": milliseconds(run.ended),
        "knownTestCaseIds": [key.partition(".")[0] for key in results],
        "testResults": results,
        "metrics": {},
        "url": "",
    }


def history_key(identity: str) -> str:
    """By what Allure 3.18 knows a result again: it makes its own of testCaseId and of the parameters that are
    not excluded (ours all are), and takes no heed of the historyId in the result's file."""
    return f"{_md5(identity)}.{_md5('')}"


def earlier_runs(file: Path, record: Record) -> list[Point]:
    """The runs of the file that ended before the record's began, oldest first. Lines that are none are
    passed over, for Allure would stop at them."""
    begun = milliseconds(record.run.started)
    return [point for point in _points(file) if point["timestamp"] <= begun]


def remember(file: Path, record: Record) -> None:
    """Add the run, once, and let go of the oldest. A void run is not remembered. Raises OSError."""
    if record.run.state == VOID:
        return
    point = history_point(record)
    kept = [one for one in _points(file) if one["uuid"] != point["uuid"]]
    newest = sorted([*kept, point], key=lambda one: int(one["timestamp"]))[-RUNS_KEPT:]
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    temporary.write_text(history_lines(newest), encoding="utf-8")
    temporary.replace(file)


def history_lines(points: list[Point]) -> str:
    """The file's text."""
    return "".join(f"{json.dumps(point, ensure_ascii=False)}\n" for point in points)


def _points(file: Path) -> list[Point]:
    if not file.is_file():
        return []
    try:
        lines = file.read_text(encoding="utf-8").split("\n")
    except (OSError, ValueError):
        return []
    return [point for point in map(_point, lines) if point is not None]


def _point(line: str) -> Point | None:
    try:
        point = json.loads(line)
    except ValueError:
        return None
    complete = (
        isinstance(point, Mapping)
        and isinstance(point.get("uuid"), str)
        and isinstance(point.get("timestamp"), int)
        and isinstance(point.get("testResults"), Mapping)
    )
    return dict(point) if complete else None


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
