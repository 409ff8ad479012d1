"""Since when a waiver is needless: what the newest earlier run that ended tells."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from gateway_acceptance.plugin.recorder import needless_since
from gateway_acceptance.record_model import document_of
from tests.unit.test_record import a_case, a_waiver, built


def run(runs: Path, name: str, content: object) -> None:
    folder = runs / "mini" / name
    folder.mkdir(parents=True)
    (folder / "record.json").write_text(json.dumps(content), encoding="utf-8")


def record(since: dict[str, str], *, unfinished: bool = False) -> dict[str, Any]:
    made = document_of(built([a_case("API-A-001")], waivers=[a_waiver()], needless=since))
    made["basis"]["unfinished"] = unfinished
    return made


def test_the_newest_that_ended_tells(tmp_path: Path) -> None:
    assert needless_since(tmp_path, "mini", None) == {}
    run(tmp_path, "20260501T000000Z", record({"W": "2026-05-01"}))
    run(tmp_path, "20260502T000000Z", record({"W": "2026-05-02"}))
    run(tmp_path, "20260503T000000Z", record({}, unfinished=True))
    run(tmp_path, "20260504T000000Z", ["no record"])
    assert needless_since(tmp_path, "mini", None) == {"W": "2026-05-02"}
    assert needless_since(tmp_path, "other", None) == {}


def test_one_that_kept_no_history_tells_of_none(tmp_path: Path) -> None:
    run(tmp_path, "20260501T000000Z", document_of(built([a_case("API-A-001")], waivers=[a_waiver()])))
    assert needless_since(tmp_path, "mini", None) == {}
