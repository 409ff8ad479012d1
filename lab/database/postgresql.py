"""A PostgreSQL server of the lab's own: in a folder of its own, on a Unix socket alone, gone with the lab."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import signal
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gateway_acceptance.embedded import NotStarted
from lab.gateway_process import PASSED_ON, STOP_BUDGET_S, die_with_parent, last_lines
from lab.patience import patient

START_BUDGET_S = 60
POLL_S = 0.1
USER = "lab"
DATABASE = "litellm"
UNPRIVILEGED = "nobody"
"""Who it runs as where the lab is root's: PostgreSQL refuses to be root."""
REMEMBERED = "postgresql.path"


class PostgresServer:
    """programs: the folder of PostgreSQL's; libraries: for LD_LIBRARY_PATH, or empty; folder: the lab's, for
    the log."""

    def __init__(self, programs: Path, libraries: str, folder: Path) -> None:
        self._programs, self._folder = programs, folder
        self._log = folder / "postgresql.log"
        kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        self._variables = {**kept, "LC_ALL": "C"} | ({"LD_LIBRARY_PATH": libraries} if libraries else {})
        self._home: Path | None = None
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        """As Prisma writes it: a socket's folder is a parameter."""
        return f"postgresql://{USER}@localhost/{DATABASE}?host={self._home}"

    async def start(self) -> None:
        """Make a new, empty database and serve it. Raises NotStarted."""
        remembered = self._folder / REMEMBERED
        if remembered.exists():  # of a lab that was killed
            shutil.rmtree(remembered.read_text(encoding="utf-8"), ignore_errors=True)
        self._home = Path(tempfile.mkdtemp(prefix="lab-postgresql-"))
        remembered.write_text(str(self._home), encoding="utf-8")
        for key, value in self._as_user().items():
            if key == "user":
                os.chown(self._home, value, -1)
        data = str(self._home / "data")
        await self._run("initdb", "-D", data, "-U", USER, "-A", "trust", "-E", "UTF8", "--no-sync")
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                str(self._programs / "postgres"),
                *("-D", data, "-k", str(self._home), "-h", "", "-F"),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._variables,
                cwd=self._home,
                start_new_session=True,
                preexec_fn=die_with_parent,
                **self._as_user(),
            )
        try:
            await asyncio.wait_for(self._until_ready(), patient(START_BUDGET_S))
        except TimeoutError:
            raise NotStarted(
                f"PostgreSQL did not become ready within {START_BUDGET_S} s", last_lines(self._log)
            ) from None

    async def execute(self, statements: bytes, database: str = DATABASE) -> None:
        """Run SQL, all or nothing of each statement. Raises NotStarted with the server's reason."""
        options = ("-v", "ON_ERROR_STOP=1", "-q", "-X", "-h", str(self._home), "-U", USER, "-d", database)
        await self._run("psql", *options, given=statements)

    async def stop(self) -> None:
        """End it and remove what it kept; without effect on one that does not run."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            for sent in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):  # fast, at once, for certain
                process.send_signal(sent)
                try:
                    await asyncio.wait_for(process.wait(), STOP_BUDGET_S)
                    break
                except TimeoutError:
                    continue
        if self._home is not None:
            shutil.rmtree(self._home, ignore_errors=True)
            (self._folder / REMEMBERED).unlink(missing_ok=True)
            self._home = None

    async def _until_ready(self) -> None:
        assert self._process is not None
        while True:
            if self._process.returncode is not None:
                raise NotStarted(
                    f"PostgreSQL ended with exit code {self._process.returncode}", last_lines(self._log)
                )
            try:
                await self.execute(f"CREATE DATABASE {DATABASE};".encode(), "postgres")
            except NotStarted:
                await asyncio.sleep(POLL_S)
            else:
                return

    async def _run(self, program: str, *arguments: str, given: bytes = b"") -> None:
        process = await asyncio.create_subprocess_exec(
            str(self._programs / program),
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=self._variables,
            cwd=self._home,
            **self._as_user(),
        )
        output, _ = await process.communicate(given)
        if process.returncode:
            lines = output.decode("utf-8", "replace").strip().splitlines()
            raise NotStarted(f"{program} failed ({process.returncode})", "\n".join(lines[-12:]))

    @staticmethod
    def _as_user() -> Mapping[str, Any]:
        if os.geteuid() != 0:
            return {}
        found = pwd.getpwnam(UNPRIVILEGED)
        return {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": []}
