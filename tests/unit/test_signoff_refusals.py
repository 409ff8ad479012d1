"""What cannot be signed, one reason at a time; nothing is written then."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway_acceptance.signoff.verify import verify
from tests.unit.desk import Desk, at_a_desk, set_clock
from tests.unit.records import exchange
from tests.unit.signing import CASES, ENDED, SIGNED, a_case, bound


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Desk:
    return at_a_desk(tmp_path, monkeypatch, capsys)


def test_a_ready_run_is_signed(desk: Desk) -> None:
    desk.ground.run()
    code, out, err = desk.signoff()
    assert (code, err) == (0, "")
    assert "This is not production: mini is of kind staging" in out
    assert verify(desk.out, SIGNED).findings == []
    document = json.loads((desk.out / "signoff.json").read_text(encoding="utf-8"))
    assert (document["state"], document["production"], document["previous"]) == ("READY", False, None)
    assert (desk.out / "record.json").read_bytes() == (desk.ground.latest / "record.json").read_bytes()


def test_production_is_signed_as_production(desk: Desk) -> None:
    identity = {"tls_name": "gateway.example"}
    gateway = {"url": "https://gateway.example", "key_variable": "MINI_KEY", "identity": identity}
    tables: dict[str, Any] = {"kind": "production", "gateway": gateway}
    seen = {"gateway.identity": "as declared: tls_name"}
    desk.ground.declare(**tables)
    desk.ground.run(tables=tables, fingerprint={"start": seen, "end": seen})
    code, out, _ = desk.signoff()
    assert (code, "PRODUCTION READY" in out, "not production" in out) == (0, True, False)


def _failed(desk: Desk) -> None:
    desk.ground.run([*CASES, a_case("API-A-001", "failed", nodeid="other", message="no")])


def _red_record(desk: Desk) -> None:
    """Nobody sealed it again."""
    path = desk.ground.run() / "record.json"
    path.write_text(path.read_text(encoding="utf-8").replace("it is alive", "it is well"), encoding="utf-8")


def _foreign_file(desk: Desk) -> None:
    (desk.ground.run() / "note.txt").write_text("hello", encoding="utf-8")


def _of_another_environment(desk: Desk) -> None:
    run = desk.ground.run()
    other = desk.ground.runs / "other" / "latest"
    other.parent.mkdir()
    run.rename(other)
    desk.ground.declare(name="other")
    (desk.ground.root / "environments" / "mini.toml").rename(desk.ground.root / "environments" / "other.toml")


def _renamed(desk: Desk) -> None:
    """The green run of before, as if it were the newest."""
    run = desk.ground.run()
    newer = run.with_name("20260601T013000Z")
    shutil.copytree(run, newer)
    (run.parent / "latest").unlink()
    (run.parent / "latest").symlink_to(newer.name)


def _exists_already(desk: Desk) -> None:
    desk.ground.run()
    desk.out.mkdir(parents=True)


def _declared_anew(desk: Desk) -> None:
    desk.ground.run()
    desk.ground.declare(gateway={"url": "http://127.0.0.1:5000", "key_variable": "MINI_KEY"}, groups=[])


def _lenient(desk: Desk) -> None:
    """Judged by a file of the same name with other bounds, which stand in no part of the record."""
    desk.ground.run(tables={"bounds": {"answer_s": 999}})


def _at_home(desk: Desk) -> None:
    desk.ground.declare(kind="production")
    desk.ground.run(tables={"kind": "production"})


def _no_evidence(desk: Desk) -> None:
    desk.ground.run([*CASES, a_case("API-A-001", nodeid="lost", requests=2, evidence=[])])


def _altered(desk: Desk, end: dict[str, Any], both: dict[str, Any]) -> None:
    taken = bound(desk.ground.environment())
    binding = {"start": taken["start"] | both, "end": taken["end"] | both | end}
    desk.ground.run(binding=binding)


def _unfit(desk: Desk) -> None:
    _altered(desk, {}, {"problems": ["Python ran with -O (PYTHONOPTIMIZE), which removes assertions"]})


def _rebound(desk: Desk) -> None:
    _altered(desk, {"files": {"sha256": "3" * 64, "count": 3}}, {})


def _of_another_run(desk: Desk) -> None:
    """The evidence of a case, taken from a run of another day."""
    entry = {**exchange(), "error": "", "sent_at": (ENDED - timedelta(days=3)).timestamp()}
    desk.ground.run([{**CASES[0], "requests": 1, "evidence": [entry]}, *CASES[1:]])


def _deep(desk: Desk) -> None:
    """A newer run whose record no reader could take whole."""
    other = desk.ground.run().with_name("20260601T020000Z")
    other.mkdir()
    (other / "record.json").write_text("[" * 200_000, encoding="utf-8")


def _elsewhere(desk: Desk) -> None:
    """``latest`` leads out of the folder of runs."""
    run = desk.ground.run()
    place = desk.ground.root / "elsewhere" / run.name
    place.parent.mkdir()
    run.rename(place)
    latest = run.parent / "latest"
    latest.unlink()
    latest.symlink_to(place)


REFUSED: dict[str, tuple[Callable[[Desk], object], str]] = {
    "a failed check": (
        _failed,
        "is NOT READY (1 reason against it); only READY or PRODUCTION READY is signed",
    ),
    "another profile": (
        lambda desk: desk.ground.run(profile="nightly", marker="nightly"),
        "is of the profile nightly; only the profile release is signed",
    ),
    "no profile": (lambda desk: desk.ground.run(profile=None), "is of the profile none"),
    "a part": (
        lambda desk: desk.ground.run(narrowed=("-k 'chat'",)),
        "was made smaller than its profile (-k 'chat'); only a whole one is signed",
    ),
    "interrupted": (lambda desk: desk.ground.run(interrupted="Ctrl-C"), "is VOID (the run was interrupted"),
    "not ended": (lambda desk: desk.ground.run(unfinished=True), "is VOID (the run began and has not ended)"),
    "a changed suite": (
        lambda desk: desk.ground.run(suite={"version": "1", "commit": "abc", "dirty": True}),
        "was judged by a changed suite (commit abc, dirty); commit, and run again",
    ),
    "an unknown suite": (
        lambda desk: desk.ground.run(suite={"version": "1", "commit": None, "dirty": None}),
        "does not say which commit of the suite judged; judge from a git checkout",
    ),
    "a target that changed": (
        lambda desk: desk.ground.run(fingerprint={"start": {"a": "1"}, "end": {"a": "2"}}),
        "is VOID (the target changed during the run: a was 1, is 2)",
    ),
    "an edited record": (_red_record, "cannot be relied on: record.json was changed after it was sealed"),
    "a foreign file": (_foreign_file, "cannot be relied on: note.txt is foreign"),
    "another environment": (_of_another_environment, "is of the environment mini, not of other"),
    "declared anew": (
        _declared_anew,
        "mini.toml declares otherwise than what was judged (gateway.url, models, groups)",
    ),
    "another policy": (_lenient, "mini.toml declares another environment than the run"),
    "nothing bound": (lambda desk: desk.ground.run(binding=None), "does not bind what it was judged by"),
    "production at home": (_at_home, "calls 127.0.0.1 production: a loopback address is no deployment"),
    "no evidence": (_no_evidence, "1 cases say that they asked and show no exchange, such as lost"),
    "evidence of another run": (_of_another_run, "1 exchanges were sent outside of the run, such as one of"),
    "a newer run that is endless": (_deep, "the run 20260601T020000Z cannot be read, and may be newer"),
    "unfit": (_unfit, "is NOT READY (1 reason against it)"),
    "rebound": (_rebound, "is VOID (what judges changed during the run: files)"),
    "moved": (_renamed, "the run 20260601T000000Z lies under the name 20260601T013000Z; it was moved"),
    "another suite": (
        lambda desk: desk.ground.run(suite={"version": "1", "commit": "c" * 40, "dirty": False}),
        f"was judged by the commit {'c' * 40}, and the suite at hand is at {'a' * 40}; check that commit out",
    ),
    "exists already": (_exists_already, "exists already; a sign-off is never written over"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused(desk: Desk, what: str) -> None:
    prepare, sentence = REFUSED[what]
    prepare(desk)
    before = desk.written
    code, out, err = desk.signoff(env="other" if what == "another environment" else "mini")
    assert (code, out) == (1, "")
    assert sentence in err
    assert err.endswith("gateway-acceptance: not signed, nothing was written\n")
    assert desk.written == before


def test_a_latest_run_that_lies_elsewhere_is_none(desk: Desk) -> None:
    _elsewhere(desk)
    code, _, err = desk.signoff()
    assert (code, "its latest run lies elsewhere" in err, desk.written) == (4, True, [])


@pytest.mark.parametrize(
    ("age", "sentence"),
    [
        (
            timedelta(hours=168, seconds=60),
            "ended 168.0 hours before the signing; a proof counts 168; run again",
        ),
        (timedelta(seconds=-1), "after the signing; correct the clock"),
        (timedelta(days=300), "the waiver W-1 has expired since the run 20260601T000000Z"),
    ],
)
def test_a_run_of_another_time(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, age: timedelta, sentence: str
) -> None:
    desk.ground.run()
    set_clock(monkeypatch, ENDED + age)
    code, _, err = desk.signoff()
    assert (code, sentence in err, desk.written) == (1, True, [])


def test_how_long_a_proof_counts_is_the_environments(desk: Desk) -> None:
    desk.ground.declare(tracker={"fresh_h": 1.5})
    desk.ground.run()
    code, _, err = desk.signoff()
    assert (code, "ended 2.0 hours before the signing; a proof counts 1.5" in err) == (1, True)


def test_all_reasons_are_told_at_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    run = desk.ground.run(profile="nightly", narrowed=("-k x",))
    (run / "note.txt").write_text("hello", encoding="utf-8")
    set_clock(monkeypatch, ENDED + timedelta(days=30))
    _, _, err = desk.signoff()
    for sentence in ("PARTIAL RUN", "profile nightly", "made smaller", "hours before", "is foreign"):
        assert sentence in err


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"version": "../1"}, "--version '../1' is no version"),
        ({"version": ""}, "--version '' is no version"),
        ({"approver": " "}, "--approver ' ' is no name"),
        ({"approver": "Ada\nBob"}, "is no name; give it in one line"),
        ({"approver": "a" * 201}, "is no name; give it in one line of 200 at most"),
        ({"key": "nothing"}, "--key nothing: cannot be read (No such file or directory); check the path"),
        ({"env": "mimi"}, "mimi"),
        ({"despite_newer": ""}, "--despite-newer '' is no reason; give it in one line"),
        ({"despite_newer": "\u200b\u2800 ."}, "is no reason; give it in one line"),
        ({"despite_newer": "first\nsecond"}, "is no reason; give it in one line"),
        ({"despite_newer": "well \u202eydaer"}, "is no reason; give it in one line"),
        ({"despite_newer": "x" * 301}, "is no reason; give it in one line of 300 at most"),
        ({"approver": "\u200b"}, "is no name"),
        ({"url": "here"}, "--url 'here' is no address"),
        ({"run": "x"}, "--run x: there is no such run in"),
        ({"runs": "elsewhere"}, "there is no latest run; run pytest -m release --env mini"),
    ],
)
def test_bad_input(desk: Desk, given: dict[str, str], sentence: str) -> None:
    desk.ground.run()
    code, out, err = desk.signoff(**given)
    assert (code, out, desk.written) == (4, "", [])
    assert sentence in err


def test_all_bad_input_is_told_at_once(desk: Desk) -> None:
    code, _, err = desk.signoff(version="/", approver="", key="nothing")
    assert code == 4
    for word in ("--version", "--approver", "--key", "there is no latest run"):
        assert word in err


def test_another_run_than_the_latest(desk: Desk) -> None:
    first = desk.ground.run()
    desk.ground.run(profile="smoke", marker="smoke")
    assert desk.signoff()[0] == 1
    code, _, err = desk.signoff(run=first.name)
    assert code == 0, err


def test_an_encrypted_key(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.ground.run()
    hidden = str(desk.ground.key("hidden", b"open sesame"))
    code, _, err = desk.signoff(key=hidden)
    assert (code, "the key is encrypted; set the variable" in err) == (4, True)
    monkeypatch.setenv("PHRASE", "wrong")
    code, _, err = desk.signoff(key=hidden, passphrase_variable="PHRASE")
    assert (code, "the passphrase does not open the key" in err) == (4, True)
    monkeypatch.setenv("PHRASE", "open sesame")
    assert desk.signoff(key=hidden, passphrase_variable="PHRASE")[0] == 0
    secret = (desk.ground.root / "hidden").read_bytes().splitlines()[2]
    assert all(secret not in path.read_bytes() for path in desk.written if path.is_file())


def test_a_disk_that_is_full_leaves_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: object) -> bytes:
        raise OSError(28, "No space left on device")

    desk.ground.run()
    monkeypatch.setattr("gateway_acceptance.signoff.write.pdf_of", full)
    code, _, err = desk.signoff()
    assert (code, "cannot be written (No space left on device); nothing was signed" in err) == (4, True)
    assert [path.name for path in desk.written] == ["mini"]
