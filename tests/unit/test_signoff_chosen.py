"""Nobody chooses the run that suits: newer and simultaneous red ones, other files and views, wide waivers."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from gateway_acceptance.seal import seal
from tests.unit import signing
from tests.unit.declared import document
from tests.unit.desk import Desk, at_a_desk
from tests.unit.signing import ENDED, a_case


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Desk:
    return at_a_desk(tmp_path, monkeypatch, capsys)


def _newer_red(desk: Desk, begun: str = "20260601T010000", ended: str = "2026-06-01T01:01:00.000Z") -> Path:
    """Beside the green run, which ``latest`` still points at."""
    good = desk.ground.run().name
    started = datetime.strptime(f"{begun}+0000", "%Y%m%dT%H%M%S%z")
    moment = f"{started:%Y-%m-%dT%H:%M:%S}.000Z"
    failed = a_case("API-A-001", "failed", message="no", started=moment)
    red = desk.ground.run([failed], id=f"{begun}Z", started=moment, ended=ended)
    latest = desk.ground.runs / "mini" / "latest"
    latest.unlink()
    latest.symlink_to(good)
    return red


def _behind_a_link(desk: Desk) -> None:
    red = _newer_red(desk)
    hidden = desk.ground.root / "hidden"
    red.rename(hidden)
    red.symlink_to(hidden)


RED: dict[str, tuple[Callable[[Desk], object], str]] = {
    "a newer red run": (_newer_red, "the newer run 20260601T010000Z is NOT READY"),
    "a red run of the same second": (
        lambda desk: _newer_red(desk, "20260601T000000", ENDED.isoformat().replace("+00:00", "Z")),
        "the newer run 20260601T000000Z-2 is NOT READY",
    ),
    "a red run that went on at once": (
        lambda desk: _newer_red(desk, "20260531T235959", "2026-06-01T00:00:59.000Z"),
        "the newer run 20260531T235959Z is NOT READY",
    ),
    "a red run behind a link": (_behind_a_link, "the run 20260601T010000Z cannot be read, and may be newer"),
}


@pytest.mark.parametrize("what", RED)
def test_a_red_run_beside_the_green_one(desk: Desk, what: str) -> None:
    prepare, sentence = RED[what]
    prepare(desk)
    code, out, err = desk.signoff()
    assert (code, out, desk.written) == (1, "", [])
    assert sentence in err


def test_an_older_run_by_its_name(desk: Desk) -> None:
    """The newest run is red, and ``latest`` says so."""
    red = _newer_red(desk)
    latest = red.parent / "latest"
    good = latest.resolve().name
    latest.unlink()
    latest.symlink_to(red.name)
    code, _, err = desk.signoff(run=good)
    assert (code, f"the newer run {red.name} is NOT READY" in err, desk.written) == (1, True, []), err
    code, _, err = desk.signoff(run=good, despite_newer="known, and fixed since")
    assert code == 0, err
    told = json.loads((desk.out / "signoff.json").read_text(encoding="utf-8"))["despite"]
    assert told[0].startswith(f"known, and fixed since: the newer run {red.name} is NOT READY")
    assert "known, and fixed since" in (desk.out / "signoff.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("view", ["STATUS.md", "index.html", "badge.svg"])
def test_a_view_that_was_replaced_before_signing(desk: Desk, view: str) -> None:
    run = desk.ground.run()
    (run / view).write_text("PRODUCTION READY: all is well", encoding="utf-8")
    seal(run)
    code, _, err = desk.signoff()
    assert (code, f"{view} is not what the record makes" in err, desk.written) == (1, True, []), err


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"observed": "."}, "'W-1': observed matches any failure whatever"),
        ({"expires": date(9999, 12, 31)}, "'W-1' is accepted until 9999-12-31"),
    ],
)
def test_a_run_with_a_waiver_that_covers_anything(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, changed: dict[str, Any], sentence: str
) -> None:
    monkeypatch.setattr(signing, "WAIVER", signing.WAIVER.model_copy(update=changed))
    desk.ground.run()
    code, _, err = desk.signoff()
    assert (code, sentence in err, desk.written) == (1, True, []), err


def test_a_run_that_is_a_link_is_none(desk: Desk) -> None:
    run = desk.ground.run()
    place = desk.ground.root / "elsewhere" / run.name
    place.parent.mkdir()
    run.rename(place)
    run.symlink_to(place)
    code, _, err = desk.signoff(run=run.name)
    assert (code, f"--run {run.name}: there is no such run" in err, desk.written) == (4, True, [])


@pytest.mark.parametrize("fresh_h", ["inf", "1e300", "2208.1", "nan"])
def test_no_environment_lets_proofs_count_for_ever(desk: Desk, fresh_h: str) -> None:
    desk.ground.run()
    path = desk.ground.root / "environments" / "mini.toml"
    path.write_text(f"{path.read_text(encoding='utf-8')}\n[tracker]\nfresh_h = {fresh_h}\n", encoding="utf-8")
    code, _, err = desk.signoff()
    assert (code, "tracker.fresh_h" in err, desk.written) == (4, True, []), err


def test_another_environment_of_the_same_name(desk: Desk) -> None:
    """Judged and signed by a lenient file that lies elsewhere and calls itself by the project's name."""
    elsewhere = desk.ground.root / "lenient.toml"
    tables: dict[str, Any] = {"bounds": {"answer_s": 999}}
    elsewhere.write_text(tomli_w.dumps(document(**tables)), encoding="utf-8")
    desk.ground.run(tables=tables)
    code, _, err = desk.signoff(env=str(elsewhere))
    assert (code, "lenient.toml calls itself mini, and the project declares that" in err) == (1, True), err
    assert desk.written == []


def test_a_copy_of_the_runs_without_the_red_one(desk: Desk) -> None:
    red = _newer_red(desk)
    copy = desk.ground.root / "chosen" / "mini"
    shutil.copytree(red.parent, copy, symlinks=True)
    shutil.rmtree(copy / red.name)
    code, _, err = desk.signoff(runs=str(copy.parent))
    assert (code, f"the newer run {red.name} is NOT READY" in err, desk.written) == (1, True, [])


def test_an_older_red_run_is_only_counted(desk: Desk) -> None:
    _newer_red(desk, "20260531T235800", "2026-05-31T23:59:00.000Z")
    code, _, err = desk.signoff()
    assert (code, err) == (0, "")
    told = json.loads((desk.out / "signoff.json").read_text(encoding="utf-8"))["runs"]
    assert [(one["run"], one["state"]) for one in told] == [
        ("20260531T235800Z", "NOT READY"),
        ("20260601T000000Z", "READY"),
    ]
