"""What cannot be signed, one reason at a time; nothing is written then."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway_acceptance.cli.main import main
from gateway_acceptance.signoff.refusals import of_another_list, of_another_suite, unsound_waivers
from gateway_acceptance.signoff.verify import verify
from tests.unit.signing import APPROVER, CASES, ENDED, SIGNED, WAIVER, Ground, a_case, bound, ground


@dataclass
class Desk:
    """A project, a key, and the command line."""

    ground: Ground
    key: Path
    capsys: pytest.CaptureFixture[str]

    def signoff(self, *more: str, **given: str) -> tuple[int, str, str]:
        """Exit code, output, errors. given: options that replace the good ones."""
        options = {
            **{"env": "mini", "version": "1.0", "approver": APPROVER, "key": str(self.key)},
            **{name.replace("_", "-"): value for name, value in given.items()},
        }
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        return self.run("signoff", *words, *more)

    def run(self, *words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(words)
        out, err = self.capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, out, err

    @property
    def written(self) -> list[Path]:
        """Everything below the place of sign-offs."""
        return sorted((self.ground.root / "reports" / "signoffs").rglob("*"))

    @property
    def out(self) -> Path:
        """Where version 1.0 lands."""
        return self.ground.root / "reports" / "signoffs" / "mini" / "1.0"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Desk:
    made = ground(tmp_path / "project")
    monkeypatch.chdir(made.root)
    _at(monkeypatch, SIGNED)
    here = {"version": "0.1.0", "commit": "a" * 40, "dirty": False}
    monkeypatch.setattr("gateway_acceptance.cli.signoff.suite_identity", lambda _: here)
    return Desk(made, made.key(), capsys)


def _at(monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    monkeypatch.setattr("gateway_acceptance.cli.signoff.utc_now", lambda: now)


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
    gateway = {"url": "https://gateway.example", "key_variable": "MINI_KEY"}
    tables: dict[str, Any] = {"kind": "production", "gateway": gateway}
    desk.ground.declare(**tables)
    desk.ground.run(tables=tables)
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


def _newer_red(desk: Desk) -> None:
    good = desk.ground.run().name
    later: dict[str, Any] = {
        "id": "20260601T010000Z",
        "started": "2026-06-01T01:00:00.000Z",
        "ended": "2026-06-01T01:01:00.000Z",
    }
    started = "2026-06-01T01:00:30.000Z"
    desk.ground.run([a_case("API-A-001", "failed", message="no", started=started)], **later)
    latest = desk.ground.runs / "mini" / "latest"
    latest.unlink()
    latest.symlink_to(good)


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
    "a newer red run": (_newer_red, "the newer run 20260601T010000Z is NOT READY"),
    "no evidence": (_no_evidence, "1 cases say that they asked and show no exchange, such as lost"),
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
    _at(monkeypatch, ENDED + age)
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
    _at(monkeypatch, ENDED + timedelta(days=30))
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
    desk.ground.run([a_case("API-A-001", "failed", message="no")])
    assert desk.signoff()[0] == 1
    assert desk.signoff(run=first.name)[0] == 0


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


def test_differences_from_the_last_accepted_release(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.ground.run([CASES[0], a_case("API-A-002"), a_case("API-A-003")], waived=False)
    assert desk.signoff(version="0.9")[0] == 0
    _at(monkeypatch, SIGNED + timedelta(minutes=1))
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
    _at(monkeypatch, SIGNED + timedelta(minutes=1))
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


@pytest.mark.parametrize(
    ("here", "words"),
    [
        ({"commit": "a" * 40, "dirty": False}, None),
        ({"commit": "a" * 40, "dirty": True}, "the suite at hand is changed since its commit"),
        ({"commit": None, "dirty": None}, "neither a git checkout nor a package"),
    ],
)
def test_the_suite_at_hand_must_be_the_one_that_judged(here: dict[str, Any], words: str | None) -> None:
    found = of_another_suite({"run": {"id": "x", "suite": {"commit": "a" * 40}}}, here)
    assert len(found) == (words is not None)
    assert words is None or words in found[0]


def test_a_last_release_that_does_not_verify_is_passed_over(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.ground.run()
    assert desk.signoff(version="0.9")[0] == 0
    (desk.out.parent / "0.9" / "signoff.pdf").unlink()
    _at(monkeypatch, SIGNED + timedelta(minutes=1))
    code, _, err = desk.signoff()
    assert code == 0
    assert "0.9 is passed over, for it does not verify: signoff.pdf is missing" in err
    assert json.loads((desk.out / "signoff.json").read_text(encoding="utf-8"))["previous"] is None


def test_a_disk_that_is_full_leaves_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: object) -> bytes:
        raise OSError(28, "No space left on device")

    desk.ground.run()
    monkeypatch.setattr("gateway_acceptance.signoff.write.paper", full)
    code, _, err = desk.signoff()
    assert (code, "cannot be written (No space left on device); nothing was signed" in err) == (4, True)
    assert [path.name for path in desk.written] == ["mini"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["nowhere"], "nowhere: is no directory; give that of a sign-off"),
        ([".", "--allowed-signers", "nothing"], "--allowed-signers nothing: cannot be read"),
        ([".", "--public-key", "nothing"], "--public-key nothing: cannot be read"),
        ([".", "--public-key", "environments/mini.toml"], "is no line of a public SSH key"),
        ([".", "--allowed-signers", "environments/mini.toml"], "line 1 cannot be used"),
    ],
)
def test_bad_input_of_verify(desk: Desk, words: list[str], sentence: str) -> None:
    code, out, err = desk.run("verify", *words)
    assert (code, out, sentence in err) == (4, "", True)


def anchor(desk: Desk) -> str:
    """The allowed signers, kept outside of the sign-off."""
    kept = desk.ground.root / "signers"
    kept.write_text((desk.out / "allowed_signers").read_text(encoding="utf-8"), encoding="utf-8")
    return str(kept)


def test_what_the_sign_off_brings_along_is_no_anchor(desk: Desk) -> None:
    desk.ground.run()
    desk.signoff()
    code, out, _ = desk.run("verify", str(desk.out), "--allowed-signers", str(desk.out / "allowed_signers"))
    assert (code, "lies in the sign-off itself and says nothing of its signer" in out) == (5, True)
    assert desk.run("verify", str(desk.out))[0] == 5


@pytest.mark.parametrize(
    ("options", "finding"),
    [
        (["--env", "other"], "--env other: the sign-off is of mini"),
        (["--version", "2.0"], "--version 2.0: the sign-off is of 1.0"),
        (["--gateway", "https://x.example"], "--gateway https://x.example: the sign-off is of http://127"),
        (["--commit", "bbbb"], "--commit bbbb: the suite that judged was of aaaa"),
        (["--max-age", "7"], "--max-age 7: it was signed 30.0 days ago"),
    ],
)
def test_verify_says_what_it_was_not_expected_to_be(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, options: list[str], finding: str
) -> None:
    desk.ground.run()
    desk.signoff()
    _at(monkeypatch, SIGNED + timedelta(days=30))
    code, out, _ = desk.run("verify", str(desk.out), "--allowed-signers", anchor(desk), *options)
    assert (code, finding in out) == (1, True), out
    good = ["--env", "mini", "--version", "1.0", "--commit", "aaaa", "--max-age", "31"]
    assert desk.run("verify", str(desk.out), "--allowed-signers", anchor(desk), *good)[0] == 0


def test_what_verify_says_of_a_good_one(desk: Desk) -> None:
    desk.ground.run()
    desk.signoff()
    code, out, err = desk.run("verify", str(desk.out), "--allowed-signers", anchor(desk))
    assert (code, err) == (0, "")
    assert out.startswith(
        "mini 1.0: READY, all 2 claims are verified\nThis is not production: mini is of kind"
    )
    assert f"signed by {APPROVER} at 2026-06-01 02:01:00 UTC" in out
    assert "the key is ada@example.org's" in out


def test_a_run_that_brings_shorter_lists_along(desk: Desk) -> None:
    """A record made up whole holds one claim, and a list of the checks that it likes."""
    record = json.loads((desk.ground.run() / "record.json").read_text(encoding="utf-8"))
    frozen = {"release": [check["id"] for check in record["checks"]]}
    claims = [claim["id"] for claim in record["claims"]]
    assert of_another_list(record, frozen, claims) == []
    (shorter,) = of_another_list(record, {"release": [*frozen["release"], "API-Z-009"]}, claims)
    assert "was held against a shorter list than this suite's: API-Z-009 are not in it" in shorter
    (silent,) = of_another_list(record, frozen, [*claims, "FUN-99"])
    assert "says nothing of 1 claims that this suite makes of it (FUN-99)" in silent


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({}, None),
        ({"observed": "."}, "'W-1': observed matches any failure whatever"),
        ({"expires": "9999-12-31"}, "'W-1' is accepted until 9999-12-31"),
        ({"opened": "2026-06-02"}, "'W-1' is opened on 2026-06-02, which is yet to come"),
        ({"reason": "TODO"}, "'W-1' is not complete"),
        ({"observed": ".", "used": False}, None),
    ],
)
def test_what_no_file_of_waivers_may_say_is_not_signed(changed: dict[str, Any], sentence: str | None) -> None:
    entry = {**json.loads(WAIVER.model_dump_json()), "used": True, **changed}
    found = unsound_waivers({"waivers": [entry]}, SIGNED)
    assert len(found) == (sentence is not None)
    assert sentence is None or sentence in found[0]
