"""An ssh that never answers, or never ends to: the look is over in time, and nothing of it stays behind."""

from __future__ import annotations

import os
import shlex
from functools import partial
from pathlib import Path

import pytest
import testinfra

from gateway_acceptance.host import snapshot
from gateway_acceptance.host.bounded import bound
from gateway_acceptance.host.facts import NoFacts
from gateway_acceptance.host.snapshot import take_snapshot
from tests.unit.host_absent import ENVIRONMENT

SSH = {
    "never answers": ("exec sleep 600", "not over after 0.5 s"),
    "answers half, and hangs": ("echo '<<<facts eJyr'; exec sleep 600", "not over after 0.5 s"),
    "never ends to answer": ("exec yes '<<<facts '", "more than 1 MiB"),
    "never ends to complain": ("exec yes >&2", "more than 1 MiB"),
    "closes its outputs and stays": ("exec >&- 2>&-; exec sleep 600", "not over after 0.5 s"),
    "is killed half-way": ("echo '<<<facts eJyr'; kill -9 $$", "ended with exit code -9"),
    "answers half": ("echo '<<<facts eJyr'", "answered without facts: <<<facts eJyr"),
    "answers what is no JSON": ("echo '<<<facts eJwryUhVyCxWyMxT8Ar29wMAJJkE6A== facts>>>'", "came broken"),
    "says nothing": ("exit 0", "answered without facts: nothing"),
    "refuses": ("printf 'no\\033[2J\\n' >&2; exit 255", "cannot be reached"),
}


@pytest.mark.parametrize("kind", SSH)
def test_a_look_is_over_whatever_its_ssh_does(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script, sentence = SSH[kind]
    ssh, begun = tmp_path / "ssh", tmp_path / "pid"
    ssh.write_text(f"#!/bin/sh\necho $$ > {shlex.quote(str(begun))}\n{script}\n", encoding="utf-8")
    ssh.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(snapshot, "bound", partial(bound, within_s=0.5, most=1 << 20))
    with pytest.raises(NoFacts, match=sentence):
        take_snapshot(ENVIRONMENT, "gateway")
    if begun.exists():  # else it was ended before it began
        assert not Path(f"/proc/{begun.read_text().strip()}").exists()


def test_what_ends_in_time_is_as_without_bounds() -> None:
    host = testinfra.get_host("local://")
    bound(host.backend)
    done = host.run("sh -c 'cat; echo ü; echo no >&2; exit 3'")
    assert (done.rc, done.stdout, done.stderr) == (3, "ü\n", "no\n")
