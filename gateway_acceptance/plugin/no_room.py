"""Where the run's private folder has no room left: one cause for all that fails of it, and the end of the
run."""

from __future__ import annotations

import errno
from pathlib import Path

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG})


def no_room(error: BaseException | None, folder: Path) -> str:
    """What is wrong, with its mend, where an error or what it came of is that nothing can be written; else
    nothing. folder: private to the run."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            return (
                f"{folder.parent} takes no more ({error.strerror}); make room there, or set TMPDIR to a "
                "place that has some"
            )
        error = error.__cause__ or error.__context__
    return ""
