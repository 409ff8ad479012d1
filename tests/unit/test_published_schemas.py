"""The published schemas of what a run leaves: they fit what is written, and nothing else."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from gateway_acceptance.evaluation import distrusted
from gateway_acceptance.record_model import NoRecord, Record, document_of, record_of
from gateway_acceptance.record_model.schema import FILE, record_schema_text
from gateway_acceptance.seal import SEAL
from tests.unit.finished_run import cases, record, write
from tests.unit.test_record import a_case

FOLDER = Path(__file__).parents[2] / "schemas" / "tracker"
NAMES = ("record.json", "status.json", SEAL)


def problems(name: str, document: object) -> list[str]:
    """What the schema of a file says against a document."""
    schema = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(document)]


RECORDS: dict[str, Record] = {
    "ready": record(),
    "red": record(
        *cases()[:3],
        a_case("API-A-003", "failed", nodeid="t::three", parameters={"chat_model": "chat-one"}),
    ),
    "empty": record(profile=None, marker="x", fingerprint={"start": None, "end": None}),
    "unfinished": record(unfinished=True, elapsed_s=0.1),
    "distrusted": distrusted(record(), "a headline", ["why"]),
}


@pytest.fixture(params=list(RECORDS))
def written(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return write(tmp_path / "run", RECORDS[request.param])


@pytest.mark.parametrize("name", NAMES)
def test_what_is_written_fits_its_schema(written: Path, name: str) -> None:
    assert problems(name, json.loads((written / name).read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("name", NAMES)
def test_the_schemas_are_schemas(name: str) -> None:
    schema = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == name


def _objects(value: object) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if value.get("type") == "object" and "properties" in value:
            yield value
        for child in value.values():
            yield from _objects(child)
    elif isinstance(value, list):
        for child in value:
            yield from _objects(child)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_written_that_is_not_described(name: str) -> None:
    """But the environment, which is described by its own page."""
    schema = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    assert list(_objects(schema))
    open_ones = [one for one in _objects(schema) if one.get("additionalProperties") is not False]
    assert all({"models", "policy"} & set(one["properties"]) for one in open_ones)


WRONG: dict[str, tuple[str, Callable[[dict[str, Any]], object]]] = {
    "another state": ("status.json", lambda it: it.update(state="FINE")),
    "another exit code": ("status.json", lambda it: it.update(exit_code=5)),
    "a local time": ("status.json", lambda it: it.update(ended="2026-06-01T00:01:00+02:00")),
    "a claim's id": ("status.json", lambda it: it["claims"].update(passed=["X"])),
    "a verdict of none": ("status.json", lambda it: it["totals"].update(fine=1)),
    "a part too many": ("status.json", lambda it: it.update(more=1)),
    "a part too few": ("status.json", lambda it: it.pop("red")),
    "a case's verdict": ("record.json", lambda it: it["checks"][0]["cases"][0].update(verdict="fine")),
    "the format": ("record.json", lambda it: it.update(format=1)),
    "no fingerprint": ("record.json", lambda it: it["target"].pop("fingerprint")),
    "a digest": (SEAL, lambda it: it["files"].update(a="0")),
    "an absolute path": (SEAL, lambda it: it["files"].update({"/a": "0" * 64})),
}


@pytest.mark.parametrize("what", list(WRONG))
def test_what_does_not_fit(tmp_path: Path, what: str) -> None:
    name, edit = WRONG[what]
    document = json.loads((write(tmp_path / "run", record()) / name).read_text(encoding="utf-8"))
    changed = copy.deepcopy(document)
    edit(changed)
    assert problems(name, document) == []
    assert problems(name, changed)


def test_the_record_schema_is_generated_from_its_model() -> None:
    """Otherwise: gateway-acceptance schemas --write."""
    assert (FOLDER.parent / FILE).read_text(encoding="utf-8") == record_schema_text()


def test_a_record_that_was_read_is_written_as_it_was(written: Path) -> None:
    document = json.loads((written / "record.json").read_text(encoding="utf-8"))
    assert document_of(record_of(document)) == document


@pytest.mark.parametrize("what", [what for what, (name, _) in WRONG.items() if name == "record.json"])
def test_the_model_refuses_what_the_schema_refuses(what: str) -> None:
    document = document_of(record())
    WRONG[what][1](document)
    with pytest.raises(NoRecord):
        record_of(document)


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (
            lambda it: it["run"].update(more=1),
            "is no whole record (run.more: no field of a record)",
        ),
        (lambda it: it["checks"][0].pop("title"), "is no whole record (checks[0].title: is missing)"),
        (
            lambda it: it["checks"][0]["cases"][0].update(verdict="fine"),
            "checks[0].cases[0].verdict: Input should be 'passed', 'deviation'",
        ),
        (lambda it: it["basis"].update(planted=None), "basis.planted: is null; it is left out where"),
        (lambda it: it["totals"].update(requests=True), "totals.requests: Input should be a valid integer"),
        (lambda it: it.update(format=1), "is of format 1; only format 2"),
        (lambda it: it.update(checks={}), "checks: "),
    ],
)
def test_a_document_that_is_no_record_gets_one_sentence(
    edit: Callable[[dict[str, Any]], object], words: str
) -> None:
    document = document_of(record())
    edit(document)
    with pytest.raises(NoRecord) as refused:
        record_of(document)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("document", [None, [], "x", 1, {}, {"format": True}, {"format": 2}])
def test_what_is_no_record_at_all_is_refused(document: object) -> None:
    with pytest.raises(NoRecord):
        record_of(document)
