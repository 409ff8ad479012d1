"""Two at once: the second waits for the first, or says who keeps the addresses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway_acceptance.embedded import NotStarted
from gateway_acceptance.environment import Environment
from lab.addresses import BACKLOG, held_addresses
from lab.loopback_pool import own_net
from lab.patience import patient
from lab.state import lab_folder
from tests.live.conftest import environment_at

HOLDER = """
import socket, sys
held = socket.socket(fileno=int(sys.argv[1]))
held.listen(8)
print("listening", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[Environment]:
    """At addresses of this test's own."""
    with own_net() as net:
        yield environment_at(net, tmp_path, embedded=True)


@pytest.fixture
def holder(environment: Environment, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the addresses as a supervisor does, with ``tmp_path`` for its checkout."""
    with held_addresses(environment, print) as held:
        process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(held.fileno())],
            cwd=tmp_path,
            pass_fds=[held.fileno()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "listening\n"
        yield process
        process.kill()


def keep(holder: subprocess.Popen[str], environment: Environment, checkout: Path, owner: int | None) -> None:
    """The state file of the holder's lab."""
    folder = lab_folder(checkout, environment)
    folder.mkdir(parents=True)
    (folder / "state.json").write_text(json.dumps({"pid": holder.pid, "owner": owner}), encoding="utf-8")


def test_the_second_waits_for_the_first(
    environment: Environment, holder: subprocess.Popen[str], tmp_path: Path
) -> None:
    keep(holder, environment, tmp_path, owner=os.getpid())
    said: list[str] = []
    waiting, has_them = threading.Event(), threading.Event()

    def say(sentence: str) -> None:
        said.append(sentence)
        waiting.set()

    def second() -> None:
        with held_addresses(environment, say) as held:
            held.listen(BACKLOG)
            has_them.set()

    thread = threading.Thread(target=second)
    thread.start()
    assert waiting.wait(patient(10))
    assert not has_them.is_set()
    holder.kill()
    assert has_them.wait(patient(10))
    thread.join()
    (sentence,) = said
    assert f"is held by a run of {tmp_path} (process {holder.pid}); waiting for its end" in sentence


def test_a_lab_that_is_kept_running_is_named_with_the_fix(
    environment: Environment, holder: subprocess.Popen[str], tmp_path: Path
) -> None:
    keep(holder, environment, tmp_path, owner=None)
    with pytest.raises(NotStarted) as caught, held_addresses(environment, print):
        pass
    assert f"held by the lab that {tmp_path} keeps running (process {holder.pid})" in caught.value.sentence
    assert "run `gateway-acceptance lab down` there" in caught.value.sentence


def test_a_holder_that_cannot_be_looked_into_is_named_by_its_pid(
    environment: Environment, holder: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No state file is there: of another user's process no more can be known. The wait has an end."""
    monkeypatch.setattr("lab.addresses.WAIT_BUDGET_S", 0)
    said: list[str] = []
    refused = pytest.raises(NotStarted, match="still held by another run of it; end that")
    with refused, held_addresses(environment, said.append):
        pass
    assert f"is held by another run of it (process {holder.pid})" in said[0]
