"""The earlier runs and the last accepted release, of files; damaged ones are named, none is fatal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gateway_acceptance.record_model import record_of
from gateway_acceptance.report.accepted import newest_accepted
from gateway_acceptance.report.history import past_run, read_history
from gateway_acceptance.report.past import read_past
from gateway_acceptance.report.status_json import status_document
from gateway_acceptance.seal import seal
from gateway_acceptance.verdict import Verdict
from tests.unit.records import case, check, record


def a_record(run_id: str = "20260301T100000Z", **run: Any) -> dict[str, Any]:
    red = check("API-B-001", case("b", Verdict.FAILED, "no"), claims=["FUN-02"])
    return record(check("API-A-001", claims=["FUN-01"]), red, id=run_id, **run)


def put(runs: Path, run_id: str = "20260301T100000Z", *, sealed: bool = True, **run: Any) -> Path:
    """A run's directory with its small file."""
    folder = runs / "lab" / run_id
    folder.mkdir(parents=True)
    (folder / "status.json").write_text(json.dumps(status_document(record_of(a_record(run_id, **run)))))
    if sealed:
        seal(folder)
    return folder


def test_a_run_in_short(tmp_path: Path) -> None:
    put(tmp_path)
    (run,) = read_history(tmp_path, "lab").runs
    assert (run.id, run.state, run.profile, run.exit_code) == (
        "20260301T100000Z",
        "NIGHTLY FAILED",
        "nightly",
        1,
    )
    assert (run.verdicts, run.proven) == (
        {"FUN-01": "passed", "FUN-02": "failed"},
        {"FUN-01": "2026-03-01T10:00:02Z"},
    )
    assert (run.red_cases, run.fingerprint, run.product_version) == (1, None, "1.106.2")


def test_the_newest_come_first_and_older_ones_are_counted(tmp_path: Path) -> None:
    for day in range(1, 6):
        put(tmp_path, f"2026030{day}T100000Z")
    found = read_history(tmp_path, "lab", limit=3)
    assert [run.id[:8] for run in found.runs] == ["20260305", "20260304", "20260303"]
    assert (found.more, found.damaged) == (2, ())
    assert read_history(tmp_path, "lab", without="20260305T100000Z").runs[0].id == "20260304T100000Z"
    assert read_history(tmp_path, "lab", limit=0).more == 5


def test_no_runs_no_history(tmp_path: Path) -> None:
    assert read_history(tmp_path, "lab").runs == ()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "there is no status.json"),
        ("{", "status.json is no JSON"),
        ("[" * 100_000, "status.json is no JSON"),
        ("[]", "status.json is no object"),
        ("{}", "status.json is of the environment None"),
        ('{"environment": "lab"}', "status.json is not whole (KeyError: 'claims')"),
        ('{"environment": "lab", "claims": 3, "run": "x"}', "status.json is not whole"),
        ('{"environment": "other"}', "status.json is of the environment 'other'"),
    ],
)
def test_a_damaged_run_is_named_and_left_out(tmp_path: Path, content: str | None, told: str) -> None:
    folder = tmp_path / "lab" / "20260301T100000Z"
    folder.mkdir(parents=True)
    if content is not None:
        (folder / "status.json").write_text(content)
    put(tmp_path, "20260302T100000Z")
    found = read_history(tmp_path, "lab")
    assert [run.id for run in found.runs] == ["20260302T100000Z"]
    (sentence,) = found.damaged
    assert sentence.startswith("run 20260301T100000Z is left out: ")
    assert told in sentence


@pytest.mark.parametrize(
    "damage",
    [
        {"started": "yesterday"},
        {"proven": {"FUN-01": 3}},
        {"fingerprint": ["a"]},
        {"state": 3},
        {"exit_code": "x"},
    ],
)
def test_what_is_not_of_its_kind_is_damaged(damage: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError)):
        past_run({**status_document(record_of(a_record())), **damage}, "lab")


def test_a_file_that_was_edited_or_never_sealed_is_left_out_unless_it_says_void(tmp_path: Path) -> None:
    edited = put(tmp_path) / "status.json"
    edited.write_text(edited.read_text().replace("NIGHTLY FAILED", "NIGHTLY PASSED"))
    put(tmp_path, "20260302T100000Z", sealed=False)
    put(tmp_path, "20260303T100000Z", sealed=False, state="VOID")
    found = read_history(tmp_path, "lab")
    assert [run.id[:8] for run in found.runs] == ["20260303"]
    assert len(found.damaged) == 2
    assert "status.json is not what was sealed when the run ended" in found.damaged[0]


def test_a_status_from_before_times_of_proof_is_a_run_without_proofs() -> None:
    document = status_document(record_of(a_record()))
    for name in ("proven", "fingerprint", "fresh_h"):
        del document[name]
    assert past_run(document, "lab").proven == {}


def sign(
    signoffs: Path, version: str, signed: Any, record_text: str | None = None, run_id: str = "r"
) -> None:
    folder = signoffs / "lab" / version
    folder.mkdir(parents=True)
    (folder / "signoff.json").write_text(json.dumps({"signed": signed}))
    (folder / "record.json").write_text(record_text or json.dumps(a_record(run_id)))


def test_the_last_accepted_is_the_newest_by_its_signature_not_by_its_name(tmp_path: Path) -> None:
    sign(tmp_path, "2.0", "2026-03-01T12:00:00+02:00", run_id="older")
    sign(tmp_path, "1.9", "2026-03-01T10:30:00Z", run_id="newer")
    found, skipped = newest_accepted(tmp_path, "lab")
    assert found is not None
    assert (found.version, found.signed, skipped) == ("1.9", "2026-03-01T10:30:00Z", [])
    assert found.record.run.id == "newer"


def test_no_release_was_accepted(tmp_path: Path) -> None:
    assert newest_accepted(tmp_path, "lab") == (None, [])


@pytest.mark.parametrize(
    ("signed", "text", "told"),
    [
        (3, None, "signoff.json does not say when it was signed"),
        ("tomorrow", None, "Invalid isoformat string"),
        ("2027-01-01T00:00:00Z", "{", "record.json is no JSON"),
        ("2027-01-01T00:00:00Z", "[]", "record.json is no object"),
        ("2027-01-01T00:00:00Z", '{"run": {}}', "record.json is no record: it has no target"),
        ("2027-01-01T00:00:00Z", json.dumps(a_record(environment="other")), "is of the environment 'other'"),
    ],
)
def test_a_damaged_signoff_is_passed_over_with_a_sentence(
    tmp_path: Path, signed: Any, text: str | None, told: str
) -> None:
    sign(tmp_path, "1.0", "2026-03-01T10:00:00Z")
    sign(tmp_path, "1.1", signed, text)
    found, (sentence,) = newest_accepted(tmp_path, "lab")
    assert found is not None
    assert found.version == "1.0"
    assert sentence.startswith("the sign-off 1.1 is passed over: ")
    assert told in sentence


def test_the_past_of_a_run_comes_of_both_folders(tmp_path: Path) -> None:
    folder = put(tmp_path / "runs")
    (folder / "record.json").write_text(json.dumps(a_record()))
    (folder.parent / "latest").symlink_to(folder.name)
    sign(tmp_path / "signoffs", "1.0", "2026-03-01T10:00:00Z")
    past = read_past(tmp_path / "runs", "lab")
    assert past.previous is not None
    assert past.previous.run.id == "20260301T100000Z"
    assert past.accepted is not None
    assert past.accepted.version == "1.0"
    assert len(past.history.runs) == 1
