"""``verify --suite``: a sign-off held against a checkout of the commit that judged, or against its wheel."""

from __future__ import annotations

import hashlib
import json
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway_acceptance.environment.resolved import resolved_document
from tests.unit.desk import Desk, at_a_desk
from tests.unit.signing import CATALOGUE, CLAIMS, PROFILES, bound

HEAD = "from gateway_acceptance.check import MUST, READ, check\n"
CHECK = """
@check("{0.id}", "{0.title}", level=MUST, effect=READ, claims={0.claims}, profile="smoke")
def test_{1}(environment):
    pass
"""
CLAIM = '[[claim]]\nid = "{0.id}"\nsection = "{0.section}"\ntext = "{0.text}"\n'
GIT = ["git", "-c", "user.name=nobody", "-c", "user.email=nobody@example.org"]


def files() -> dict[str, str]:
    """A suite as small as that of the runs of ``signing``."""
    lists = {name: [check.id for check in CATALOGUE] if name == "smoke" else [] for name in PROFILES}
    return {
        "suites/test_all.py": HEAD + "".join(CHECK.format(one, at) for at, one in enumerate(CATALOGUE)),
        "suites/profiles.toml": "".join(f"{name} = {json.dumps(ids)}\n" for name, ids in lists.items()),
        "suites/claims.toml": "".join(CLAIM.format(one) for one in CLAIMS),
        "gateway_acceptance/audit.py": "RULE = 1\n",
    }


def digests(told: dict[str, str]) -> dict[str, str]:
    return {name: hashlib.sha256(text.encode()).hexdigest() for name, text in told.items()}


def checkout(root: Path, told: dict[str, str]) -> str:
    """Write and commit it. Returns the commit."""
    for name, text in told.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "all"]):
        subprocess.run([*GIT, *words], cwd=root, check=True)
    done = subprocess.run([*GIT, "rev-parse", "HEAD"], cwd=root, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def wheel(path: Path, told: dict[str, str], commit: str, *, dirty: bool = False) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in told.items():
            code = name.startswith("gateway_acceptance/")
            archive.writestr(name if code else f"gateway_acceptance/_data/{name}", text)
        archive.writestr(
            "gateway_acceptance/_data/build.json", json.dumps({"commit": commit, "dirty": dirty})
        )
    return path


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Desk:
    return at_a_desk(tmp_path, monkeypatch, capsys)


def judged(desk: Desk, told: dict[str, str], commit: str, number: str = "0/") -> None:
    """A sign-off of a run that these files judged."""
    environment = desk.ground.environment()
    named = {f"{number}{name}": digest for name, digest in digests(told).items()}
    whole = {"files": {**named, "own/waivers.toml": "f" * 64}, "environment": resolved_document(environment)}
    suite = {"version": "0.1.0", "commit": commit, "dirty": False}
    binding = bound(environment)
    start = {**binding["start"], "files": {"sha256": _sum(whole["files"]), "count": len(whole["files"])}}
    desk.ground.run(suite=suite, binding={"start": start, "end": start, "whole": whole})


def _sum(told: dict[str, str]) -> str:
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def signed(desk: Desk, monkeypatch: pytest.MonkeyPatch, commit: str) -> str:
    """The anchor of the sign-off, which is written."""
    here = {"version": "0.1.0", "commit": commit, "dirty": False}
    monkeypatch.setattr("gateway_acceptance.cli.signoff.suite_identity", lambda _: here)
    code, _, err = desk.signoff()
    assert code == 0, err
    kept = desk.ground.root / "signers"
    kept.write_text((desk.out / "allowed_signers").read_text(encoding="utf-8"), encoding="utf-8")
    return str(kept)


def test_the_suite_that_judged(desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    root = tmp_path / "checkout"
    commit = checkout(root, files())
    judged(desk, files(), commit)
    known = signed(desk, monkeypatch, commit)
    built = wheel(tmp_path / "suite.whl", files(), commit)
    for place in (root, built):
        words = ["verify", str(desk.out), "--allowed-signers", known, "--suite", str(place)]
        code, out, err = desk.run(*words)
        assert (code, err) == (0, ""), out
        assert f"the suite is that of {place}: commit {commit}, 4 files, 3 checks" in out


def _edited(root: Path) -> None:
    (root / "suites" / "test_all.py").write_text("", encoding="utf-8")


def _committed(name: str, text: str) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        (root / name).write_text(text, encoding="utf-8")
        subprocess.run([*GIT, "add", "-A"], cwd=root, check=True)
        subprocess.run([*GIT, "commit", "-q", "-m", "more"], cwd=root, check=True)

    return change


ANOTHER: dict[str, tuple[Callable[[Path], None], str]] = {
    "a changed checkout": (_edited, "it is changed since its commit: suites/test_all.py"),
    "another commit": (_committed("README", "x"), " judged"),
    "another rule": (
        _committed("gateway_acceptance/audit.py", "RULE = 2\n"),
        "files that judged are otherwise there: gateway_acceptance/audit.py",
    ),
    "more files": (_committed("suites/more.py", "X = 1\n"), "files of it did not judge: suites/more.py"),
    "a root conftest.py": (_committed("conftest.py", ""), "files of it did not judge: conftest.py"),
    "a longer list": (
        _committed("suites/profiles.toml", 'smoke = []\nnightly = []\nrelease = ["API-A-009"]\n'),
        "was held against a shorter list than this suite's: API-A-009",
    ),
    "another claim": (
        _committed("suites/claims.toml", CLAIM.format(CLAIMS[0]).replace("it works", "it sings")),
        "words 1 claims otherwise than this suite (FUN-01)",
    ),
    "a check declared otherwise": (
        _committed("suites/test_all.py", files()["suites/test_all.py"].replace("is alive", "is well")),
        "declares checks otherwise than this suite: API-A-001 (title)",
    ),
}


@pytest.mark.parametrize("what", ANOTHER)
def test_another_suite(desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, what: str) -> None:
    root = tmp_path / "checkout"
    commit = checkout(root, files())
    judged(desk, files(), commit)
    known = signed(desk, monkeypatch, commit)
    change, sentence = ANOTHER[what]
    change(root)
    code, out, _ = desk.run("verify", str(desk.out), "--allowed-signers", known, "--suite", str(root))
    assert (code, sentence in out) == (1, True), out


def test_a_wheel_that_did_not_judge(desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    commit = "a" * 40
    judged(desk, files(), commit)
    known = signed(desk, monkeypatch, commit)
    changed = {**files(), "gateway_acceptance/audit.py": "RULE = 2\n"}
    for built, sentence in (
        (wheel(tmp_path / "1.whl", files(), "b" * 40), f"it is of the commit {'b' * 40}"),
        (wheel(tmp_path / "2.whl", files(), commit, dirty=True), "it was built from a changed checkout"),
        (wheel(tmp_path / "3.whl", changed, commit), "are otherwise there: gateway_acceptance/audit.py"),
    ):
        words = ["verify", str(desk.out), "--allowed-signers", known, "--suite", str(built)]
        code, out, err = desk.run(*words)
        assert (code, sentence in out) == (1, True), out + err


def test_a_run_that_does_not_list_its_files(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    commit = checkout(tmp_path / "checkout", files())
    desk.ground.run(suite={"version": "0.1.0", "commit": commit, "dirty": False})
    known = signed(desk, monkeypatch, commit)
    words = ["verify", str(desk.out), "--allowed-signers", known, "--suite", str(tmp_path / "checkout")]
    code, out, _ = desk.run(*words)
    assert (code, "the record does not list the files that judged" in out) == (1, True), out


def test_what_is_no_suite(desk: Desk, tmp_path: Path) -> None:
    desk.ground.run()
    desk.signoff()
    (tmp_path / "text").write_text("no wheel", encoding="utf-8")
    out = tmp_path / "out.whl"
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("gateway_acceptance/../../x.py", "")
    empty: Any = wheel(tmp_path / "empty.whl", {}, "a" * 40)
    for place, sentence in (
        (tmp_path / "nowhere", "is neither a git checkout nor a wheel of the suite; give one"),
        (tmp_path / "text", "is neither a git checkout nor a wheel of the suite; give one"),
        (tmp_path, "is no git checkout of the suite that can be read; give its top folder"),
        (out, "which leads out of it"),
        (empty, "it holds no suites/profiles.toml: it is no wheel of the suite"),
    ):
        code, _, err = desk.run("verify", str(desk.out), "--suite", str(place))
        assert (code, sentence in err) == (4, True), err
