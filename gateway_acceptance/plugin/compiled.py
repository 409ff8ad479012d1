"""Compiled files beside the sources that decide: whether they hold what the sources say.

Python takes a compiled file where its header names the source's time and size, and never compares the two:
whoever writes both headers and code decides what runs, and no digest of a source shows it. So each one that
Python, or pytest with its rewritten assertions, would take is compared with its source, compiled anew.
"""

from __future__ import annotations

import importlib.util
import marshal
from collections.abc import Callable, Iterable
from pathlib import Path
from types import CodeType

import pytest
from _pytest.assertion import rewrite

HEADER = 16
"""Bytes before the code: the magic number, flags, and the source's time and size or its hash (PEP 552)."""
BY_HASH, CHECKED = 1, 2
"""Flags of a compiled file."""
SHOWN = 3
_KNOWN: dict[Path, tuple[int, ...]] = {}
"""Compiled files that were found to hold their sources, and the state in which both were."""


def compiled_problems(sources: Iterable[Path], config: pytest.Config) -> list[str]:
    """A sentence where compiled files that would be taken are not of their sources. Reads only what changed
    since it last looked."""

    def rewritten(path: Path) -> CodeType:
        return rewrite._rewrite_test(path, config)[1]

    wrong = []
    for path in sources:
        if path.suffix != ".py":
            continue
        places: dict[Path, Callable[[Path], CodeType]] = {
            Path(importlib.util.cache_from_source(str(path))): compiled,
            rewrite.get_cache_dir(path) / f"{path.stem}{rewrite.PYC_TAIL}": rewritten,
        }
        wrong += [place.name for place, anew in places.items() if not _holds(place, path, anew)]
    if not wrong:
        return []
    more = f" and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
    return [
        f"compiled files hold something else than their sources: {', '.join(sorted(wrong)[:SHOWN])}{more}; "
        "remove the folders __pycache__, and run again"
    ]


def compiled(path: Path) -> CodeType:
    """A source as Python compiles it. Raises SyntaxError, ValueError."""
    return compile(path.read_bytes(), str(path), "exec", dont_inherit=True)


def _holds(place: Path, path: Path, anew: Callable[[Path], CodeType]) -> bool:
    """Whether a compiled file is absent, would not be taken, or holds its source."""
    try:
        there, source = place.stat(), path.stat()
    except OSError:
        return True
    state = (there.st_ino, there.st_ctime_ns, source.st_ino, source.st_ctime_ns)
    if _KNOWN.get(place) != state:
        try:
            content = place.read_bytes()
            if _taken(content, path) and marshal.loads(content[HEADER:]) != anew(path):  # noqa: S302
                return False
        except (OSError, ValueError, EOFError, TypeError, SyntaxError):
            return False
        _KNOWN[place] = state
    return True


def _taken(content: bytes, path: Path) -> bool:
    """Whether Python would take a compiled file for its source, by its header."""
    if content[:4] != importlib.util.MAGIC_NUMBER or len(content) < HEADER:
        return False
    flags = int.from_bytes(content[4:8], "little")
    if flags & BY_HASH:
        fields = content[8:HEADER]
        return not flags & CHECKED or fields == importlib.util.source_hash(path.read_bytes())
    stat = path.stat()
    source_time, source_size = (int.from_bytes(content[at : at + 4], "little") for at in (8, 12))
    return (source_time, source_size) == (int(stat.st_mtime) & 0xFFFFFFFF, stat.st_size & 0xFFFFFFFF)
