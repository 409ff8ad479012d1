"""What must outlive a run that is killed, and what must not: the count of what was sent stays in its
directory, and its private folder, which may hold keys, goes with it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from gateway_acceptance.policy import begin_counting, budget_file

SENT = "sent.json"
"""In the directory of a run that has not ended: requests and tokens, each counted before it was sent."""
REMOVES = """trap "" INT TERM HUP
read -r _
mv -- "$1" "$1.gone" 2>/dev/null
for _ in 1 2 3 4 5 6 7 8 9 10; do
    rm -rf -- "$1" "$1.gone" 2>/dev/null && exit
    sleep 1
done"""
"""Reads what nobody writes: the end of the pipe is the end of who holds it, by ``kill -9`` too. The folder
goes by one rename: a worker that hears of it later finds its count or no folder, never a folder without it,
where it would count from nothing. It may still write what it has open, hence more than one try."""
ENOUGH_S = 10
"""To remove a folder that is gone already."""


class Guard:
    """Removes a folder when this process ends, however that happens."""

    def __init__(self, folder: Path) -> None:
        reading, self._writing = os.pipe()
        try:
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", REMOVES, "sh", str(folder)],
                stdin=reading,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # what is sent to the run's group is not for it
                cwd="/",
            )
        except BaseException:
            os.close(self._writing)
            raise
        finally:
            os.close(reading)

    def release(self) -> None:
        """The folder is to go now; at most once."""
        os.close(self._writing)
        try:
            self._process.wait(ENOUGH_S)
        except subprocess.TimeoutExpired:  # it removes what it can, and ends by itself
            return


def count_in(directory: Path, folder: Path, environment: str) -> None:
    """From here on the ledger of an environment is kept in its run's directory. Raises OSError."""
    kept, known = (directory / SENT).resolve(), budget_file(folder, environment)
    if known.exists():
        kept.write_bytes(known.read_bytes())
        known.unlink()
    else:
        begin_counting(kept)
    known.symlink_to(kept)


def count_apart(folder: Path, environment: str) -> None:
    """The counters are the private folder's again, as they stand: the directory is about to be replaced, and
    who still asks must find what it knew. Raises OSError."""
    known = budget_file(folder, environment)
    if known.is_symlink():
        apart = known.with_name(f"{known.name}.apart")
        apart.write_bytes(known.read_bytes())
        apart.replace(known)
