"""What a run leaves: one directory for each environment, complete, the same whoever executed the checks."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from typing import Any

import pytest

from tests.plugin.gateway import Gateway, serving
from tests.plugin.project import ALIVE, Project, Run, a_check, new_project
from tests.unit.test_published_schemas import problems

DRAWING = '<svg xmlns="http://www.w3.org/2000/svg"></svg>'
CHECKS = [
    ALIVE,
    a_check(1, "assert gateway.chat(chat_model, 'hi', max_tokens=4).status == 200", "gateway, chat_model"),
    a_check(2, "assert 1 == 2", "environment"),
    a_check(3, "raise Untestable('no tree', 'plant one')"),
    a_check(
        4,
        f"note('answer', 42)\npicture('shares', '{DRAWING}')\nbackend.get('/alive')",
        "backend, note, picture",
    ),
    a_check(5, "pass", "environment, group"),
    a_check(6, "pass", "gateway"),
]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """The same project, executed by one process and by two workers."""
    with serving() as gateway:
        project = new_project(tmp_path_factory.mktemp("results"))
        project.environment(gateway.url)
        project.checks(*CHECKS)
        return {workers: project.run("-n", workers) for workers in ("0", "2")}


def test_the_run_directory_is_complete(runs: dict[str, Run]) -> None:
    folder = runs["0"].directories["mini"]
    assert re.fullmatch(r"\d{8}T\d{6}Z", folder.name)
    assert sorted(path.name for path in folder.iterdir()) == [
        *[
            "STATUS.md",
            "allure-results",
            "badge.svg",
            "index.html",
            "junit.xml",
            "pictures",
            "record.json",
            "seal.json",
            "status.json",
        ]
    ]
    assert [path.read_text() for path in (folder / "pictures").iterdir()] == [DRAWING]
    record = runs["0"].record()
    status = json.loads((folder / "status.json").read_text(encoding="utf-8"))
    assert (status["state"], status["run"]) == (record["run"]["state"], folder.name)
    cases = ET.parse(folder / "junit.xml").getroot().iter("testcase")  # noqa: S314
    results = (folder / "allure-results").glob("*-result.json")
    count = sum(len(check["cases"]) for check in record["checks"])
    assert len(list(cases)) == len(list(results)) == count == len(CHECKS)
    assert "SMOKE FAILED" in (folder / "STATUS.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["record.json", "status.json", "seal.json"])
@pytest.mark.parametrize("workers", ["0", "2"])
def test_what_is_written_fits_its_published_schema(runs: dict[str, Run], workers: str, name: str) -> None:
    document = json.loads((runs[workers].directories["mini"] / name).read_text(encoding="utf-8"))
    assert problems(name, document) == []


def test_latest_points_to_the_newest_run(runs: dict[str, Run]) -> None:
    link = runs["2"].directories["mini"].parent / "latest"
    assert link.is_symlink()
    assert link.resolve() == runs["2"].directories["mini"] != runs["0"].directories["mini"]


def test_two_workers_give_the_same_record_as_one_process(runs: dict[str, Run]) -> None:
    assert timeless(runs["0"].record()) == timeless(runs["2"].record())


def test_the_record_says_what_was_seen(runs: dict[str, Run]) -> None:
    record = runs["2"].record()
    assert record["target"]["facts"] == {"answer": "42"}
    assert runs["2"].verdict("API-T-005") == "not applicable"
    (case,) = runs["2"].cases("API-T-001")
    assert [exchange["status"] for exchange in case["evidence"]] == [200]
    assert "Bearer $MINI_KEY" in case["evidence"][0]["curl"]


def test_each_environment_has_results_of_its_own(project: Project, gateway: Gateway) -> None:
    project.environment(gateway.url, "other")
    project.checks(ALIVE)
    run = project.run("--env=mini", "--env=other")
    assert run.code == 0
    assert sorted(run.directories) == ["mini", "other"]
    for name, folder in run.directories.items():
        record = run.record(name)
        assert record["run"]["environment"] == name
        assert [case["nodeid"] for case in run.cases("API-OPS-001", name)] == [
            f"suites/test_checks.py::test_alive[{name}]"
        ]
        assert len(list((folder / "allure-results").glob("*-result.json"))) == 1


def timeless(value: Any) -> Any:
    """The same without times, and what depends on who asked first."""
    moving = {
        "id",
        "started",
        "ended",
        "duration_s",
        "elapsed_s",
        "first_byte_s",
        "proven",
        "arguments",
        "sent_at",
    }
    if isinstance(value, dict):
        kept = {key: timeless(item) for key, item in value.items() if key not in moving or _named(value, key)}
        if "nodeid" in value and isinstance(value.get("evidence"), list):
            for exchange in kept["evidence"]:
                exchange["headers"].pop("date", None)
        return kept
    if isinstance(value, list):
        items = [timeless(item) for item in value]
        return sorted(items, key=lambda item: item["nodeid"]) if items and "nodeid" in items[0] else items
    return value


def _named(value: dict[str, Any], key: str) -> bool:
    return key == "id" and "title" in value
