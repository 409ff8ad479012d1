"""Where a run cannot write: its private folder has no room left, or a folder is read-only. One cause for all
that fails of it, and the end of the run."""

from __future__ import annotations

import errno
from pathlib import Path

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG})


def no_room(error: BaseException | None, folder: Path) -> str:
    """What is wrong, with its fix, where an error or what it came of is that nothing can be written; else
    nothing. folder: private to the run."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            return (
                f"{folder.parent} takes no more ({error.strerror}); make room there, or set TMPDIR to a "
                "place that has some"
            )
        error = error.__cause__ or error.__context__
    return ""


def unwritable(error: OSError, runs: Path) -> str:
    """What cannot be written, and how to fix it. runs: where the results go; anything else that is written
    before the first request is what an embedded environment keeps."""
    place = Path(error.filename) if error.filename else runs
    wrong = f"{place} cannot be written: {error.strerror or error}"
    if place.is_relative_to(runs) or runs.is_relative_to(place):
        return f"{wrong}; make it writable, or choose another place with --runs"
    return (
        f"{wrong}; make it writable: an embedded environment keeps its state there. A gateway of your own "
        "needs no such folder, only one for --runs"
    )
