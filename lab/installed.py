"""Whether what was installed once still stands: a marker alone says only that it did."""

from __future__ import annotations

import csv
import os
import re
from pathlib import Path

from packaging.utils import canonicalize_name

READY = ".ready"
"""Written last, when all of an installation is there."""
INTERPRETER = re.compile(
    rb"""\A#!(?:/bin/sh\s+'''exec' "?)?(/[^"\n]*?)(?:"? "\$0" "\$@"\s.*)?\s*$""", re.MULTILINE
)
"""Of a program that pip wrote: the path after ``#!``, or, where that would be too long for the kernel, the
one that ``/bin/sh`` is told to start."""
HEAD_BYTES = 4096


def venv_stands(place: Path, distribution: str, program: str = "pip") -> bool:
    """Whether a virtual environment is whole: marked, its interpreter there, a program in its ``bin`` started
    by just that interpreter, and every module of a distribution there.

    An environment that was made under another path (through a link that is gone, or in a folder that was
    moved or copied since) has programs that start another interpreter or none.
    """
    python, script = place / "bin" / "python", place / "bin" / program
    if not ((place / READY).exists() and os.access(python, os.X_OK) and os.access(script, os.X_OK)):
        return False
    with script.open("rb") as file:
        named = INTERPRETER.match(file.read(HEAD_BYTES))
    if named is None:
        return False
    started = Path(os.fsdecode(named[1]))
    return (
        os.access(started, os.X_OK)
        and started.parent.samefile(python.parent)
        and _modules_stand(place, distribution)
    )


def _modules_stand(place: Path, distribution: str) -> bool:
    """Whether the modules that a distribution says it brought are there. Of its other files some may go:
    LiteLLM moves the pages of its console when it starts."""
    name = canonicalize_name(distribution)
    for folder in place.glob("lib/python*/site-packages/*.dist-info"):
        if canonicalize_name(folder.name.partition("-")[0]) != name:
            continue
        record = folder / "RECORD"
        if not record.exists():
            return False
        with record.open(encoding="utf-8", newline="") as file:
            brought = [row[0] for row in csv.reader(file) if row]
        return all((folder.parent / path).exists() for path in brought if path.endswith(".py"))
    return False


def tree_stands(folder: Path, *needed: str) -> bool:
    """Whether an unpacked tree is marked, and what is needed of it is there. needed: paths in it."""
    return all((folder / name).exists() for name in (READY, *needed))
