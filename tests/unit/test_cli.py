"""The console command: lists for people and machines; bad input is a sentence and exit code 4."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gateway_acceptance.cli.main import main
from gateway_acceptance.cli.root import project_root
from gateway_acceptance.embedded import NotStarted
from gateway_acceptance.usage import UsageProblem

ROOT = Path(__file__).parents[2]


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    out, err = capsys.readouterr()
    assert isinstance(ended.value.code, int)
    return ended.value.code, out, err


@pytest.mark.parametrize("arguments", [[], ["chekcs"], ["checks", "--suite", "web"], ["checks", "--jsn"]])
def test_bad_input_is_exit_code_4(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    code, out, err = said(capsys, *arguments)
    assert (code, out) == (4, "")
    assert "see gateway-acceptance" in err


@pytest.mark.parametrize(
    ("raised", "code", "words"),
    [
        (UsageProblem(["one", "two"]), 4, "gateway-acceptance: one\ngateway-acceptance: two\n"),
        (NotStarted("no port", "last line"), 3, "gateway-acceptance: no port\nlast line\n"),
        (KeyboardInterrupt(), 2, ""),
    ],
)
def test_how_a_command_ends(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    raised: BaseException,
    code: int,
    words: str,
) -> None:
    def fails(_: Path) -> None:
        raise raised

    monkeypatch.setattr("gateway_acceptance.cli.main.collect", fails)
    assert said(capsys, "checks") == (code, "", words)


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGHUP])
def test_a_command_that_is_ended_by_its_pid_ends_what_it_began(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, sent: signal.Signals
) -> None:
    begun: list[str] = []

    def ended(_: Path) -> None:
        begun.append("a lab")
        try:
            signal.raise_signal(sent)
        finally:
            begun.clear()

    before = signal.getsignal(sent)
    monkeypatch.setattr("gateway_acceptance.cli.main.collect", ended)
    assert said(capsys, "checks") == (2, "", "")
    assert begun == []
    assert signal.getsignal(sent) == before


def test_checks_and_claims_for_machines(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the project itself, from a folder below it."""
    monkeypatch.chdir(ROOT / "suites" / "api")
    code, out, _ = said(capsys, "checks", "--json", "--suite", "backends")
    checks: list[dict[str, Any]] = json.loads(out)
    assert code == 0
    assert {check["suite"] for check in checks} == {"backends"}
    keys = ["id", "title", "level", "effect", "suite", "claims", "profiles", "spec"]
    assert all(list(check) == keys for check in checks)
    assert [check["id"] for check in checks] == sorted(check["id"] for check in checks)
    code, out, _ = said(capsys, "claims", "--json")
    claims = {claim["id"]: claim for claim in json.loads(out)}
    assert "BACKEND-REACH-001" in claims["STA-03"]["checks"]


def test_the_root_is_found_from_below(tmp_path: Path) -> None:
    for name in ("suites/api", "environments"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "suites" / "claims.toml").touch()
    assert project_root(tmp_path / "suites" / "api") == tmp_path
    assert project_root(tmp_path) == tmp_path


def test_elsewhere_the_current_folder_is_the_root(tmp_path: Path) -> None:
    assert project_root(tmp_path) == tmp_path


def test_an_unknown_fault_is_named_wherever_it_stands(capsys: pytest.CaptureFixture[str]) -> None:
    """``--only`` may be repeated; nothing of it is lost."""
    code, _, err = said(capsys, "mutation-matrix", "--only", "no-such", "--only", "no-other")
    assert code == 4
    assert "--only no-such: there is no such fault" in err
    assert "--only no-other: there is no such fault" in err


def test_who_has_read_enough_closes_the_pipe() -> None:
    """``gateway-acceptance … | head``: no traceback, and a shell's code for it."""
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-c", "from gateway_acceptance.cli.main import main; main(['claims'])"]
    with os.fdopen(writer, "wb") as closed:
        ended = subprocess.run(command, cwd=ROOT, stdout=closed, stderr=subprocess.PIPE, check=False)
    assert (ended.returncode, ended.stderr) == (128 + signal.SIGPIPE, b"")
