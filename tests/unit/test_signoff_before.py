"""What a sign-off tells of the release before, and of the runs since."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway_acceptance.report.past import read_past
from gateway_acceptance.report.status_model import status_model
from gateway_acceptance.report.tracker import render_page, render_status
from gateway_acceptance.run_directory import record_at
from gateway_acceptance.signoff.signers import allowed_in
from gateway_acceptance.signoff.trusted import known_by
from gateway_acceptance.signoff.verify import verify
from tests.unit.desk import Desk, at_a_desk, set_clock
from tests.unit.signing import CASES, CLAIMS, SIGNED, a_case


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Desk:
    return at_a_desk(tmp_path, monkeypatch, capsys)


def test_differences_from_the_last_accepted_release(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.ground.run([CASES[0], a_case("API-A-002"), a_case("API-A-003")], waived=False)
    assert desk.signoff(version="0.9")[0] == 0
    set_clock(monkeypatch, SIGNED + timedelta(minutes=1))
    desk.ground.run()
    assert desk.signoff()[0] == 0
    previous = json.loads((desk.out / "signoff.json").read_text(encoding="utf-8"))["previous"]
    assert previous["release"] == "0.9"
    assert [(one["id"], one["before"], one["after"]) for one in previous["moved"]] == [
        ("API-A-002", "passed", "waived"),
        ("API-A-003", "passed", "not applicable"),
    ]
    assert previous["newly_accepted"] == ["W-1"]
    assert verify(desk.out, datetime.now(UTC)).findings == []


def test_a_foreign_sign_off_beside_ours_is_no_release(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole and signed, by a key that nobody knows: neither ours nor in the file of allowed signers."""
    desk.ground.run()
    stranger = desk.ground.key("stranger")
    assert desk.signoff(version="0.9", key=str(stranger), approver="Mallory <m@example.org>")[0] == 0
    set_clock(monkeypatch, SIGNED + timedelta(minutes=1))
    code, _, err = desk.signoff()
    assert (code, "0.9 is passed over: SHA256:" in err, "neither --key is nor" in err) == (0, True, True)
    assert json.loads((desk.out / "signoff.json").read_text(encoding="utf-8"))["previous"] is None
    shutil.rmtree(desk.out)
    known = desk.ground.root / "known"
    shutil.copyfile(desk.out.parent / "0.9" / "allowed_signers", known)
    assert desk.signoff(allowed_signers=str(known))[0] == 0
    assert json.loads((desk.out / "signoff.json").read_text(encoding="utf-8"))["previous"]["release"] == "0.9"
    ours = desk.ground.root / "ours"
    shutil.copyfile(desk.out / "allowed_signers", ours)
    code, out, _ = desk.run("verify", str(desk.out), "--allowed-signers", str(ours))
    assert (code, "does not allow the signature of the previous release" in out) == (1, True)


def test_all_runs_since_the_last_release_are_told(desk: Desk) -> None:
    red = [a_case("API-A-001", "failed", message="no"), *CASES[1:]]
    at = [{**case, "started": "2026-05-31T23:00:30.000Z"} for case in red]
    times: dict[str, Any] = {"started": "2026-05-31T23:00:00.000Z", "ended": "2026-05-31T23:01:00.000Z"}
    desk.ground.run(at, id="20260531T230000Z", **times)
    desk.ground.run()
    code, _, err = desk.signoff()
    assert code == 0, err
    document = json.loads((desk.out / "signoff.json").read_text(encoding="utf-8"))
    assert [(one["run"], one["state"]) for one in document["runs"]] == [
        ("20260531T230000Z", "NOT READY"),
        ("20260601T000000Z", "READY"),
    ]
    assert "2: 1 NOT READY, 1 READY" in (desk.out / "signoff.html").read_text(encoding="utf-8")


def test_a_last_release_that_does_not_verify_is_passed_over(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.ground.run()
    assert desk.signoff(version="0.9")[0] == 0
    (desk.out.parent / "0.9" / "signoff.pdf").unlink()
    set_clock(monkeypatch, SIGNED + timedelta(minutes=1))
    code, _, err = desk.signoff()
    assert code == 0
    assert "0.9 is passed over, for it does not verify: signoff.pdf is missing" in err
    assert json.loads((desk.out / "signoff.json").read_text(encoding="utf-8"))["previous"] is None


def test_only_an_anchor_says_which_release_was_accepted(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """For the tracker: a foreign sign-off beside ours is none; without an anchor it says so."""
    desk.ground.run()
    assert desk.signoff(version="0.9")[0] == 0
    signers = desk.ground.root / "signers"
    shutil.copyfile(desk.out.parent / "0.9" / "allowed_signers", signers)
    stranger = str(desk.ground.key("stranger"))
    set_clock(monkeypatch, SIGNED + timedelta(minutes=1))
    assert desk.signoff(version="1.0", key=stranger, approver="Mallory <m@example.org>")[0] == 0
    runs = desk.ground.runs
    unread = read_past(runs, "mini")
    assert unread.accepted is not None
    assert (unread.accepted.version, unread.accepted.by) == ("1.0", "")
    lines = allowed_in(signers)
    told = read_past(runs, "mini", known_by(lines, signers))
    assert told.accepted is not None
    assert (told.accepted.version, told.accepted.by) == ("0.9", "ada@example.org")
    (sentence,) = told.passed_over
    assert "the sign-off 1.0 is passed over: signers does not allow m@example.org's signature" in sentence
    inside = desk.out.parent / "0.9" / "allowed_signers"
    assert read_past(runs, "mini", known_by(lines, inside)).accepted is None
    record = record_at(desk.ground.latest)
    for past, words in ((unread, "unverified"), (told, "by ada@example")):
        view = status_model(record, past, CLAIMS)
        for page in (render_status(view), render_page(view)):
            assert words in page
            assert ("unverified" in page) is (past is unread)
