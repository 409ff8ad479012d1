"""A gateway's own process: started with a clean environment, ready by its own word, ended for certain."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

import aiohttp

from gateway_acceptance.embedded import NotStarted
from lab.patience import patient

READY_BUDGET_S = 90
"""Seconds from start to readiness; LiteLLM took 3 to 7 on two cores, a cold disk takes longer."""
POLL_S = 0.05
STOP_BUDGET_S = 5
LAST_LINES = 12
PR_SET_PDEATHSIG = 1
PASSED_ON = ("PATH", "HOME", "LANG", "TMPDIR")
"""What a process needs of the caller's environment; it gets nothing else."""


class Child:
    """One process. name: for people; variables: its environment besides PASSED_ON; log: the file that its
    output goes to; ready_url: answers with one of ready_statuses as soon as it serves; folder: where it is
    run, by default where this process is."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        variables: Mapping[str, str],
        log: Path,
        ready_url: str,
        ready_statuses: frozenset[int] = frozenset({200}),
        folder: Path | None = None,
    ) -> None:
        self._name, self._command, self._variables = name, command, variables
        self._log, self._ready_url, self._ready_statuses = log, ready_url, ready_statuses
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Returns when it answers its readiness route. Raises NotStarted."""
        kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**kept, **self._variables},
                cwd=self._folder,
                start_new_session=True,
                preexec_fn=die_with_parent,
            )
        try:
            await asyncio.wait_for(self._until_ready(), patient(READY_BUDGET_S))
        except TimeoutError:
            await self.stop()
            raise NotStarted(
                f"{self._name} did not become ready within {READY_BUDGET_S} s", last_lines(self._log)
            ) from None

    async def stop(self) -> None:
        """End it and everything that it started: politely, then certainly."""
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        for sent in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(process.pid, sent)
                await asyncio.wait_for(process.wait(), STOP_BUDGET_S)
            except ProcessLookupError:
                return
            except TimeoutError:
                continue
            return

    async def _until_ready(self) -> None:
        assert self._process is not None
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as session:
            while True:
                if self._process.returncode is not None:
                    raise NotStarted(
                        f"{self._name} ended with exit code {self._process.returncode} "
                        "instead of becoming ready",
                        last_lines(self._log),
                    )
                try:
                    async with session.get(self._ready_url) as answer:
                        if answer.status in self._ready_statuses:
                            return
                except (aiohttp.ClientError, TimeoutError):
                    pass
                await asyncio.sleep(POLL_S)


def last_lines(log: Path) -> str:
    """The end of a log file."""
    text = log.read_text(encoding="utf-8", errors="replace")
    return "\n".join(text.strip().splitlines()[-LAST_LINES:])


def die_with_parent() -> None:
    """In the child, before exec: be killed when the supervisor dies, however that happens (prctl(2))."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
