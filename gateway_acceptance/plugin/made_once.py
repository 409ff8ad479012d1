"""What one worker makes for all workers of a run: a file that is lock and content in one."""

from __future__ import annotations

import fcntl
from collections.abc import Callable
from pathlib import Path


def made_once(path: Path, make: Callable[[], bytes]) -> bytes:
    """What the file holds, made by whoever comes first while the others wait for it. path: in the run's
    private folder; make: what it returns must not be empty. Where it raises, nothing is kept, and the next
    one makes it anew."""
    with path.open("a+b") as shared:
        fcntl.flock(shared, fcntl.LOCK_EX)
        shared.seek(0)
        known = shared.read()
        if known:
            return known
        content = make()
        shared.write(content)
        return content
