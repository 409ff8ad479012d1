"""Claims over environments, and the badge: what the newest runs prove, and what makes that worth nothing."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway_acceptance.claims import Claim
from gateway_acceptance.cli.claims_matrix import Column, column, column_of, document, rows, table
from gateway_acceptance.cli.main import main
from gateway_acceptance.record_model import Record
from gateway_acceptance.report.badge import AMBER, GREEN, GREY, RED, badge_svg, colour
from tests.unit import finished_run
from tests.unit.signing import ground
from tests.unit.test_record import a_case

CLAIMS = [
    Claim("FUN-01", "Validated Functionality", "works"),
    Claim("FUN-09", "Validated Functionality", "new"),
]
ENDED = datetime.fromisoformat(finished_run.record().run.ended)
FRESH_H = 24.0


def seen(record: Record, *, after: timedelta = timedelta(hours=1), wrong: tuple[str, ...] = ()) -> Column:
    return column(record, "mini", FRESH_H, ENDED + after, wrong)


def test_a_whole_green_run_is_good() -> None:
    made = seen(finished_run.record(*finished_run.cases()))
    assert (made.state, made.good, made.age) == ("READY", True, "1 hour ago")
    assert made.verdicts["FUN-01"] == "waived"


@pytest.mark.parametrize(("after", "stale"), [(FRESH_H, False), (FRESH_H + 0.01, True)])
def test_an_old_proof_is_stale_and_an_old_failure_stays(after: float, stale: bool) -> None:
    made = seen(finished_run.record(*finished_run.cases()), after=timedelta(hours=after))
    assert (made.stale, made.good) == (stale, not stale)
    assert made.verdicts["FUN-01"] == ("stale" if stale else "waived")
    failed = finished_run.record(a_case("API-A-001", "failed"))
    assert seen(failed, after=timedelta(hours=after)).verdicts["FUN-01"] == "failed"


def test_what_the_audit_finds_makes_every_proof_worthless() -> None:
    made = seen(finished_run.record(*finished_run.cases()), wrong=("x changed",) * 5)
    assert (made.state, made.good, made.verdicts["FUN-01"]) == ("not reliable", False, "stale")
    assert made.notes == ("mini: x changed",) * 3 + ("mini: and 2 findings more",)


def test_a_run_of_another_environment_or_of_tomorrow_is_not_good() -> None:
    record = finished_run.record(*finished_run.cases())
    other = column(record, "other", FRESH_H, ENDED, ())
    assert other.notes == ("other: the run is of the environment mini",)
    early = seen(record, after=timedelta(minutes=-5))
    assert "ended in the future" in early.notes[0]
    assert (other.good, early.good) == (False, False)


def test_a_part_is_not_good() -> None:
    made = seen(finished_run.record(*finished_run.cases(), profile=None, marker="-k x"))
    assert (made.state, made.good) == ("PARTIAL RUN", False)


def test_environments_that_differ_are_marked_and_counted() -> None:
    one = seen(finished_run.record(*finished_run.cases()))
    two = replace(seen(finished_run.record(a_case("API-A-001", "failed"))), environment="two")
    none = Column("new", "no run yet", notes=("new has no run",))
    lines = rows(CLAIMS, [one, two, none])
    assert [(line.id, line.cells, line.differs) for line in lines] == [
        ("FUN-01", ("waived", "failed", "not verified"), True),
        ("FUN-09", ("not verified",) * 3, False),
        ("MOD-01", ("passed", "not verified", "not verified"), True),
    ]
    shown = table([one, two, none], lines)
    assert "2 of 3 claims differ" in shown
    assert any(line.startswith("≠  FUN-01") for line in shown.splitlines())
    assert shown.endswith("new has no run")
    told = json.loads(json.dumps(document([one, two], rows(CLAIMS, [one, two]))))
    assert told["claims"][0]["verdicts"] == {"mini": "waived", "two": "failed"}
    assert [each["good"] for each in told["environments"]] == [True, False]


def test_what_lies_there_is_audited(tmp_path: Path) -> None:
    now = ENDED + timedelta(hours=1)
    assert column_of(tmp_path, "mini", FRESH_H, now).state == "no run yet"
    finished_run.write(tmp_path / "mini" / "latest", finished_run.record())
    assert column_of(tmp_path, "mini", FRESH_H, now).good
    record = tmp_path / "mini" / "latest" / "record.json"
    record.write_text(record.read_text().replace("waived", "passed"))
    assert column_of(tmp_path, "mini", FRESH_H, now).state == "not reliable"
    record.write_text("{")
    assert column_of(tmp_path, "mini", FRESH_H, now).state == "not reliable"


@pytest.mark.parametrize(
    ("state", "stale", "wanted"),
    [
        ("READY", False, GREEN),
        ("PRODUCTION READY", False, GREEN),
        ("SMOKE PASSED", False, GREEN),
        ("READY", True, GREY),
        ("NOT READY", False, RED),
        ("NIGHTLY FAILED", False, RED),
        ("VOID", False, GREY),
        ("PARTIAL RUN", False, GREY),
        ("not reliable", False, AMBER),
    ],
)
def test_a_badge_is_green_for_green_alone(state: str, stale: bool, wanted: str) -> None:
    assert colour(state, stale=stale) == wanted
    drawn = badge_svg("a<b>", state, "2026-01-02", stale=stale)
    root = ET.fromstring(drawn)  # noqa: S314
    title = root.find("{http://www.w3.org/2000/svg}title")
    assert title is not None
    told = str(title.text)
    assert told.startswith("a<b>: ")
    assert state.lower() in told
    assert ("stale" in told) is stale
    assert wanted in drawn


def test_bad_input_is_a_sentence(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for arguments, said in (
        (["--env", "nowhere"], "--env nowhere: there is no such environment and no run of it; known are: "),
        (["--runs", str(tmp_path)], "no environment has a run in"),
    ):
        with pytest.raises(SystemExit) as ended:
            main(["status", *arguments])
        assert ended.value.code == 4
        assert said in capsys.readouterr().err


def test_the_command_says_whether_all_is_good(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Of a run that is long past: stale, so not good."""
    finished_run.write(tmp_path / "mini" / "latest", finished_run.record())
    (tmp_path / "mini" / "latest").rename(tmp_path / "mini" / "20260601T000000Z")
    (tmp_path / "mini" / "latest").symlink_to("20260601T000000Z")
    with pytest.raises(SystemExit) as ended:
        main(["status", "--runs", str(tmp_path), "--badges", str(tmp_path / "badges")])
    assert ended.value.code == 1
    assert "stale" in capsys.readouterr().out
    assert "stale: ready" in (tmp_path / "badges" / "badge-mini.svg").read_text()


CLAIMS_FILE = """
[[claim]]
id = "{}"
section = "Validated Functionality"
text = "it works"
"""


def test_a_production_that_nobody_declares_is_not_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A directory that was made up whole, of an environment without a file."""
    base = ground(tmp_path / "project")
    known_by = {"tls_name": "g.example"}
    gateway = {"url": "https://g.example", "key_variable": "K", "identity": known_by}
    seen = {"gateway.identity": "as declared: tls_name"}
    fingerprint = {"start": seen, "end": seen}
    made = base.run(tables={"kind": "production", "gateway": gateway}, fingerprint=fingerprint)
    assert "PRODUCTION READY" in (made / "record.json").read_text(encoding="utf-8")
    (base.root / "environments" / "mini.toml").unlink()
    (base.root / "suites" / "claims.toml").write_text(CLAIMS_FILE.format("FUN-01"), encoding="utf-8")
    monkeypatch.chdir(base.root)
    with pytest.raises(SystemExit) as ended:
        main(["status"])
    out = capsys.readouterr().out
    assert (ended.value.code, "PRODUCTION READY" in out, "no file declares mini" in out) == (
        1,
        False,
        True,
    ), out


@pytest.mark.parametrize(
    ("binding", "note"),
    [
        ({}, "was held against a shorter list than this suite's: API-Z-009 are not in it"),
        ({}, "says nothing of 1 claims that this suite makes of it (FUN-77)"),
        ({"binding": None}, "does not bind what it was judged by"),
        ({"tables": {"bounds": {"answer_s": 999}}}, "declares another environment than the run"),
    ],
)
def test_a_directory_that_was_made_up_whole_is_not_reliable(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    binding: dict[str, Any],
    note: str,
) -> None:
    """It agrees with itself; the suite at hand makes more claims and lists more checks."""
    base = ground(tmp_path / "project")
    base.run(**binding)
    names = ["API-A-001", "API-A-002", "API-A-003", "API-Z-009"]
    suites = base.root / "suites"
    lists = f"smoke = {json.dumps(names)}\nnightly = []\nrelease = []\n"
    (suites / "profiles.toml").write_text(lists, encoding="utf-8")
    claims = "".join(CLAIMS_FILE.format(name) for name in ("FUN-01", "SEC-01", "FUN-77"))
    (suites / "claims.toml").write_text(claims, encoding="utf-8")
    monkeypatch.chdir(base.root)
    with pytest.raises(SystemExit) as ended:
        main(["status", "--env", "mini"])
    out = capsys.readouterr().out
    assert (ended.value.code, "not reliable" in out, note in out) == (1, True, True), out
