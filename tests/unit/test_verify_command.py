"""What ``verify`` takes, what it expects, and what it says."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest

from tests.unit.desk import Desk, at_a_desk, set_clock
from tests.unit.signing import APPROVER, SIGNED


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Desk:
    return at_a_desk(tmp_path, monkeypatch, capsys)


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
    for name, made in (("linked", os.symlink), ("the same", os.link)):
        again = desk.ground.root / name
        made(desk.out / "allowed_signers", again)
        code, out, _ = desk.run("verify", str(desk.out), "--allowed-signers", str(again))
        assert (code, "lies in the sign-off itself" in out) == (5, True)


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
    set_clock(monkeypatch, SIGNED + timedelta(days=30))
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
