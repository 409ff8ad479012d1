"""Files of others, read within bounds: a plain file, no larger than any that the suite writes, and JSON as
the standards have it (no duplicate keys, no NaN, no depth without end)."""

from __future__ import annotations

from pathlib import Path

from gateway_acceptance.wire.strict_json import SURROGATE, parse_json

JSON_AT_MOST = 64 << 20
"""Bytes; the record of a whole release run has about four million."""
FILE_AT_MOST = 256 << 20
"""Bytes of any file of a run or a sign-off."""


class Unreadable(ValueError):  # noqa: N818
    """What is wrong with a file, in a few words."""


def content_of(path: Path, at_most: int = FILE_AT_MOST) -> bytes:
    """A plain file's bytes. Raises Unreadable for a link, a pipe, a folder, and for what is too large."""
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise Unreadable("it is no plain file")
    try:
        size = path.stat().st_size
        if size > at_most:
            raise Unreadable(f"it has {size} bytes; no run writes more than {at_most}")
        return path.read_bytes()
    except OSError as error:
        raise Unreadable(f"{error.strerror or type(error).__name__}") from None


def json_in(content: bytes) -> object:
    """The value of a JSON text. Raises Unreadable."""
    if len(content) > JSON_AT_MOST:
        raise Unreadable(f"it has {len(content)} bytes; no run writes more than {JSON_AT_MOST}")
    value, found = parse_json(content)
    problems = [problem for problem in found if problem.rule != SURROGATE.name]  # a target may send such
    if problems:
        raise Unreadable(f"it is no JSON that the suite writes: {problems[0].message}")
    return value


def json_of(path: Path) -> object:
    """The value of a JSON file. Raises Unreadable."""
    return json_in(content_of(path, JSON_AT_MOST))
