"""The key stands in no log: not the gateway's, which logs as one does that nobody told how, not the
backends', not ours, however much of it is asked for.

With ``LIVE_LOGS_WHOLE=1`` the whole nightly is run (some minutes); else what deals in keys.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway_acceptance.redaction import Redactor
from lab.local import start
from lab.loopback_pool import own_net
from lab.state import lab_folder, stop
from tests.live.conftest import KEY_VARIABLE, ROOT, command, environment_at

WHOLE = bool(os.environ.get("LIVE_LOGS_WHOLE"))
ABOUT_KEYS = () if WHOLE else ("suites/api/access", "suites/api/auth", "suites/api/exposure")
EVERYTHING_LOGGED = (
    "-o",
    "log_cli=true",
    "-o",
    "log_cli_level=DEBUG",
    "--log-file-level=DEBUG",
    "-rA",
    "-vv",
)
BUDGET_S = 1500 if WHOLE else 400


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
                command(plain, ours / "runs", *ABOUT_KEYS, *logs, profile="nightly"),
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


def test_everything_was_logged(logged: Logged) -> None:
    """Else nothing would be proven: the gateway's access log, our own logs, what pytest says of itself."""
    assert "GET /v1/models?api_key=" in (logged.lab / "litellm.log").read_text("utf-8", errors="replace")
    assert "DEBUG" in (logged.ours / "log").read_text("utf-8")
    assert "pytest_runtest_setup" in (logged.ours / "debug").read_text("utf-8")
    assert "live log" in logged.output


def test_no_log_of_the_lab_holds_the_key(logged: Logged) -> None:
    """state.json is the lab's own memory of its key, for this user alone; it is no log."""
    texts = {path.name: path.read_bytes() for path in logged.lab.glob("*.log")}
    assert len(texts) > 1
    assert [name for name, content in texts.items() if logged.key.encode() in content] == []


def test_nothing_of_ours_holds_the_key(logged: Logged) -> None:
    assert Redactor({"the key": logged.key}).leaks_in(logged.ours) == []
    assert logged.key not in logged.output
