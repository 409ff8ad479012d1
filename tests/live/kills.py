"""Runs of smoke in which something is killed at a moment that a seed draws: what is there afterwards.

Every process of a run carries a mark of its own among its variables, so that what stays behind is found
wherever it went.
"""

from __future__ import annotations

import contextlib
import json
import random
import re
import signal
import subprocess
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil

from gateway_acceptance.plugin.outliving import SENT
from gateway_acceptance.redaction import Redactor
from lab.patience import patient
from tests.signals import hear_ctrl_c

MARK = "RANDOM_KILLS_MARK"
ENDS_S = 120
GONE_S = 30
LOOKS_S = 0.01
GREEN = re.compile(r"PASSED|READY$")
A_WORKER = "a worker"
SERVERS = ("the gateway", "the backend")
WORKER = "exec(eval(sys.stdin.readline()))"
"""In the command line of each of xdist's workers: what execnet begins them with."""
GATEWAY = "bin/litellm"
LAST_LOOK = 6
"""Requests of the look at the end: a worker that is killed in it has done its part."""


@dataclass
class Trial:
    """One run, and what is done to it. arrived: how many requests did, told at any time; kill: does it, given
    the run's process, and tells whom it met (empty: there was nobody); after: requests that arrive before;
    lab: the folder of the lab that the run starts, which the command line of its gateway names; missed: how
    many requests a killed server left without an answer, where that is known: one that nobody asked any more
    was missed by nobody."""

    command: Sequence[str]
    folder: Path
    variables: Mapping[str, str]
    latest: Path
    secret: Callable[[], str]
    arrived: Callable[[], int]
    kill: Callable[[subprocess.Popen[str]], str]
    after: int
    lab: str = ""
    missed: Callable[[], int] | None = None
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)
    killed: str = ""
    killed_at: float = 0.0
    arrived_at: int = 0
    code: int = 0
    output: str = ""

    @property
    def temporary(self) -> Path:
        """The run's temporary folder."""
        return self.folder / "tmp"

    def play(self) -> None:
        """Run, kill, and wait for the end of all that belongs to the run."""
        self.temporary.mkdir(exist_ok=True)
        log = self.folder / "output"
        variables = {**self.variables, MARK: self.mark, "TMPDIR": str(self.temporary)}
        with log.open("w") as output:
            process = subprocess.Popen(
                self.command,
                cwd=self.folder if (self.folder / "conftest.py").exists() else Path(__file__).parents[2],
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
                preexec_fn=hear_ctrl_c,
            )
            try:
                while process.poll() is None and self.arrived() < self.after:
                    time.sleep(LOOKS_S)
                self.arrived_at = self.arrived()
                if process.poll() is None:
                    self.killed = self.kill(process)
                    self.killed_at = time.time()
                self.code = process.wait(patient(ENDS_S))
            finally:
                process.kill()
                process.wait()
        self.output = log.read_text(encoding="utf-8", errors="replace")

    def problems(self) -> list[str]:
        """What is wrong with what it left behind."""
        found = [f"the process {name} stays" for name in self._staying()]
        found += [f"a secret stays in {place}" for place in self._leaking()]
        left = [path.name for path in self.temporary.glob("gateway-acceptance-*")]
        found += [f"the temporary folder keeps {', '.join(left)}"] if left else []
        record = self.record()
        if record is None:
            return [*found, *([f"{self.arrived()} requests and no record"] if self.arrived() else [])]
        return [*found, *self._misstated(record), *self._uncounted(record)]

    def record(self) -> dict[str, Any] | None:
        """Of the newest run; None where there is none."""
        with contextlib.suppress(FileNotFoundError):
            document: dict[str, Any] = json.loads((self.latest / "record.json").read_text(encoding="utf-8"))
            return document
        return None

    def _staying(self) -> list[str]:
        until = time.monotonic() + patient(GONE_S)
        while (names := self._alive()) and time.monotonic() < until:
            time.sleep(0.1)
        return names

    def _alive(self) -> list[str]:
        found = {process.pid: process for process in named(self.mark, "")}
        found |= {process.pid: process for process in of_lab(self.lab)}
        names = []
        for pid, process in found.items():
            with contextlib.suppress(psutil.Error, OSError):
                names.append(f"{pid} {' '.join(process.cmdline())[:80]}")
        return names

    def _leaking(self) -> list[str]:
        if not (secret := self.secret()):
            return []
        redactor = Redactor({"key": secret})
        return (
            redactor.leaks_in(self.latest.parent)
            + redactor.leaks_in(self.temporary)
            + (["the terminal"] if redactor(self.output) != self.output else [])
        )

    def _misstated(self, record: Mapping[str, Any]) -> list[str]:
        """The state against what is known of the end."""
        run, state = record["run"], record["run"]["state"]
        if record["basis"]["unfinished"]:
            return [] if state == "VOID" and self.killed else [f"it never ended, and its state is {state}"]
        over = datetime.fromisoformat(run["ended"]).timestamp() <= self.killed_at
        done = self.killed == A_WORKER and self.arrived() - self.arrived_at <= LAST_LOOK
        untouched = not self.killed or over or done or self.arrived() == self.arrived_at
        if self.killed in SERVERS and self.missed is not None:
            untouched = not self.missed()
        if GREEN.search(state) and not untouched:
            return [f"{self.killed} was killed while it ran, and it is {state}"]
        if not self.killed and not GREEN.search(state):
            return [f"nothing was killed, and it is {state}: {run['reasons'][:3]}"]
        codes = {True: (0,), False: (2,) if state == "VOID" else (1, 3)}[bool(GREEN.search(state))]
        if self.code not in (*codes, -signal.SIGKILL, -signal.SIGTERM):
            return [f"it is {state}, and its exit code is {self.code}"]
        return []

    def _uncounted(self, record: Mapping[str, Any]) -> list[str]:
        """What arrived against what is written down."""
        counted = record["totals"]["requests"]
        if record["basis"]["unfinished"]:
            counted = json.loads((self.latest / SENT).read_text(encoding="utf-8"))["requests"]
        arrived = self.arrived()
        return [f"{arrived} requests arrived, {counted} are written down"] if arrived > counted else []


def workers_of(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """The workers of a run."""
    with contextlib.suppress(psutil.Error):
        children = psutil.Process(process.pid).children()
        return [one for one in children if WORKER in " ".join(one.cmdline())]
    return []


def named(mark: str, word: str) -> list[psutil.Process]:
    """The processes of a trial whose command line has a word."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(MARK) == mark and word in " ".join(process.cmdline()):
                found.append(process)
    return found


def of_lab(folder: str) -> list[psutil.Process]:
    """The gateway of a lab: it takes over none of the run's variables, and its configuration is there."""
    found = []
    for process in psutil.process_iter() if folder else ():
        with contextlib.suppress(psutil.Error, OSError):
            line = " ".join(process.cmdline())
            if f"{folder}/" in line and GATEWAY in line:
                found.append(process)
    return found


def ended_by(sent: signal.Signals) -> Callable[[subprocess.Popen[str]], str]:
    """The run itself."""

    def kill(process: subprocess.Popen[str]) -> str:
        process.send_signal(sent)
        return f"the run ({sent.name})"

    return kill


def a_worker(draw: random.Random) -> Callable[[subprocess.Popen[str]], str]:
    """One of the workers."""

    def kill(process: subprocess.Popen[str]) -> str:
        found = workers_of(process)
        if not found:
            return ""
        with contextlib.suppress(psutil.NoSuchProcess):
            draw.choice(found).kill()
            return A_WORKER
        return ""

    return kill
