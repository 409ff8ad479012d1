"""The LiteLLM process: started with a clean environment, ready by its own word, ended for certain."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
from pathlib import Path

import aiohttp

from gateway_acceptance.embedded import NotStarted

READY_BUDGET_S = 90
"""Seconds from start to readiness; 3 to 7 were measured on two cores, a cold disk takes longer."""
POLL_S = 0.05
STOP_BUDGET_S = 5
LAST_LINES = 12
PR_SET_PDEATHSIG = 1


class LiteLLM:
    """One proxy process. log: the file that its output goes to."""

    def __init__(self, executable: Path, host: str, port: int, config: Path, log: Path, key: str) -> None:
        self._command = [str(executable), "--host", host, "--port", str(port), "--config", str(config)]
        self._url = f"http://{host}:{port}"
        self._log, self._key = log, key
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    async def start(self) -> None:
        """Returns when the proxy answers its readiness route. Raises NotStarted."""
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment(),
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )
        try:
            await asyncio.wait_for(self._until_ready(), READY_BUDGET_S)
        except TimeoutError:
            await self.stop()
            raise NotStarted(
                f"LiteLLM did not become ready within {READY_BUDGET_S} s", last_lines(self._log)
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
                        f"LiteLLM ended with exit code {self._process.returncode} instead of becoming ready",
                        last_lines(self._log),
                    )
                try:
                    async with session.get(f"{self._url}/health/readiness") as answer:
                        if answer.status == 200:
                            return
                except (aiohttp.ClientError, TimeoutError):
                    pass
                await asyncio.sleep(POLL_S)

    def _environment(self) -> dict[str, str]:
        """Nothing of the caller's environment but what a process needs; nothing that calls out."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        return kept | {
            "LITELLM_MASTER_KEY": self._key,
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # do not fetch a price list at start
            "LITELLM_LOG": "ERROR",
            "LITELLM_MODE": "PRODUCTION",
            "PYTHONUNBUFFERED": "1",
        }


def last_lines(log: Path) -> str:
    """The end of a log file."""
    text = log.read_text(encoding="utf-8", errors="replace")
    return "\n".join(text.strip().splitlines()[-LAST_LINES:])


def _die_with_parent() -> None:
    """In the child, before exec: be killed when the supervisor dies, however that happens (prctl(2))."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
