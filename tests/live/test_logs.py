"""The key stands in no log after a whole nightly: not in the gateway's, which logs as one does that nobody
told how, not in the backends', not in ours, however much of it is asked for. Some minutes.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway_acceptance.profiles import load_profiles
from gateway_acceptance.redaction import Redactor
from lab.local import start
from lab.loopback_pool import own_net
from lab.state import lab_folder, stop
from tests.live.conftest import KEY_VARIABLE, ROOT, command, environment_at

EVERYTHING_LOGGED = (
    "-o",
    "log_cli=true",
    "-o",
    "log_cli_level=DEBUG",
    "--log-file-level=DEBUG",
    "-rA",
    "-vv",
)
BUDGET_S = 1500


EXPOSING = ("API-AUTH-019", "API-AUTH-020", "API-AUTH-021")
"""They have the effect ``expose``, which no environment of the project permits."""


@dataclass(frozen=True)
class Logged:
    """What was written while a run went on: of the lab in its folder, of us in another, in the terminal."""

    key: str
    lab: Path
    ours: Path
    output: str


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Logged]:
    folder = tmp_path_factory.mktemp("lab")
    ours = tmp_path_factory.mktemp("ours")
    with own_net() as net:
        embedded = environment_at(net, folder, embedded=True, logs="ordinary")
        plain = environment_at(net, folder, embedded=False)
        state = start(embedded, "", ROOT, print, owner=os.getpid())
        try:
            logs = [f"--log-file={ours / 'log'}", f"--debug={ours / 'debug'}", *EVERYTHING_LOGGED]
            done = subprocess.run(
                command(plain, ours / "runs", *logs, profile="nightly"),
                cwd=ROOT,
                env={**os.environ, KEY_VARIABLE: state.key},
                capture_output=True,
                text=True,
                check=False,
                timeout=BUDGET_S,
                stdin=subprocess.DEVNULL,
            )
            yield Logged(state.key, lab_folder(ROOT, embedded), ours, done.stdout + done.stderr)
        finally:
            assert stop(state)


def test_the_whole_of_nightly_was_judged(logged: Logged) -> None:
    """Every check of its list has a verdict, and those that are not permitted are the ones that would take
    something down, or show the key where it does not belong."""
    record = json.loads(next(logged.ours.glob("runs/*/latest/record.json")).read_text("utf-8"))
    judged = {check["id"]: {case["verdict"] for case in check["cases"]} for check in record["checks"]}
    nightly = load_profiles(ROOT / "suites" / "profiles.toml")["nightly"]
    assert [check for check in sorted(nightly) if not judged.get(check)] == []
    forbidden = [check for check, verdicts in judged.items() if "not permitted" in verdicts]
    assert [
        check for check in forbidden if not check.startswith("BACKEND-OUT-") and check not in EXPOSING
    ] == []
    assert judged["API-CHAT-001"] == {"passed"}


def test_everything_was_logged(logged: Logged) -> None:
    """Else nothing would be proven: the gateway's access log, our own logs, what pytest says of itself."""
    assert "GET /v1/models?api_key=" in (logged.lab / "litellm.log").read_text("utf-8", errors="replace")
    assert "DEBUG" in (logged.ours / "log").read_text("utf-8")
    assert "pytest_runtest_setup" in (logged.ours / "debug").read_text("utf-8")
    assert "live log" in logged.output


def test_no_log_of_the_lab_holds_the_key(logged: Logged) -> None:
    """Nor half of it, in any case: the keys that are nearly right are sent to the gateway as well. state.json
    is the lab's own memory of its key, for this user alone; it is no log."""
    texts = {path.name: path.read_bytes().lower() for path in logged.lab.glob("*.log")}
    half = len(logged.key) // 2
    parts = [logged.key[at : at + half].lower().encode() for at in (0, 3, half)]
    assert len(texts) > 1
    assert [(name, part) for name, content in texts.items() for part in parts if part in content] == []


def test_nothing_of_ours_holds_the_key(logged: Logged) -> None:
    assert Redactor({"the key": logged.key}).leaks_in(logged.ours) == []
    assert logged.key not in logged.output
