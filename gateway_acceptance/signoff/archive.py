"""A folder of small plain files, packed; and unpacked again whoever packed it, within bounds."""

from __future__ import annotations

import io
import lzma
import tarfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

UNPACKED_AT_MOST = 256 << 20
"""Bytes of a run's results; a whole release run has four millions. A packed file may pretend to anything."""
MEMBERS_AT_MOST = 100_000
NAME_AT_MOST = 4096
"""Bytes of a name that a header of its own announces."""
MEMORY_AT_MOST = 64 << 20
"""Bytes that a packed file may make the decompressor ask for; what ``pack`` writes needs nine millions."""
CHUNK = 1 << 16
BLOCK = tarfile.BLOCKSIZE
PLAIN = (tarfile.REGTYPE, tarfile.AREGTYPE)


class BadArchive(ValueError):  # noqa: N818
    """What is wrong with a packed folder, in a few words."""


def pack(files: Mapping[str, Path], target: Path) -> None:
    """Pack plain files, the same bytes for the same files. A run has hundreds of results,
    each of them small and much like the others: packed they take a hundredth. files: by relative name."""
    with tarfile.open(target, "w:xz", preset=6, format=tarfile.GNU_FORMAT) as archive:
        for name, path in sorted(files.items()):
            content = path.read_bytes()
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def unpack(source: Path, target: Path) -> None:
    """Write what was packed into a new folder. Raises BadArchive; never holds more than a chunk of it."""
    target.mkdir()
    try:
        with source.open("rb") as file:
            _unpack(_Unpacked(file), target)
    except (OSError, EOFError, tarfile.TarError, lzma.LZMAError) as error:
        raise BadArchive(f"it cannot be unpacked ({type(error).__name__})") from None


class _Unpacked:
    """The bytes of an xz file, in order and counted."""

    def __init__(self, file: io.BufferedReader) -> None:
        self._file = file
        self._decompressor = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MEMORY_AT_MOST)
        self._ready = b""
        self._given = 0

    def read(self, size: int) -> bytes:
        """So many bytes (CHUNK at most); fewer only at the end."""
        while len(self._ready) < size and not self._decompressor.eof:
            more = self._file.read(CHUNK) if self._decompressor.needs_input else b""
            if self._decompressor.needs_input and not more:
                raise EOFError
            self._ready += self._decompressor.decompress(more, CHUNK)
        taken, self._ready = self._ready[:size], self._ready[size:]
        self._given += len(taken)
        if self._given > UNPACKED_AT_MOST:
            raise BadArchive("it holds more than any run writes")
        return taken

    def end(self) -> None:
        """Nothing but zeros follows, and nothing after the packed part."""
        while rest := self.read(CHUNK):
            if rest.strip(b"\0"):
                raise BadArchive("something follows its end, which no run writes")
        if self._decompressor.unused_data or self._file.read(1):
            raise BadArchive("something follows its end, which no run writes")


def _unpack(archive: _Unpacked, target: Path) -> None:
    names: set[str] = set()
    long_name: str | None = None
    while True:
        header = archive.read(BLOCK)
        if not header.strip(b"\0"):
            return archive.end()
        member = tarfile.TarInfo.frombuf(header, "utf-8", "surrogateescape")
        if member.type == tarfile.GNUTYPE_LONGNAME and 0 < member.size <= NAME_AT_MOST and long_name is None:
            padded = archive.read(_padded(member.size))
            long_name = padded[: member.size].rstrip(b"\0").decode("utf-8", "surrogateescape")
            continue
        name, long_name = long_name or member.name, None
        path = PurePosixPath(name)
        bad = member.type not in PLAIN or not _printable(name) or path.is_absolute() or ".." in path.parts
        if bad or name in names:
            raise BadArchive(f"it holds {name[:80]!r}, which no run writes")
        if not 0 <= member.size <= UNPACKED_AT_MOST or len(names) >= MEMBERS_AT_MOST:
            raise BadArchive("it holds more than any run writes")
        names.add(name)
        _write(archive, member.size, target / path)


def _printable(name: str) -> bool:
    return bool(name) and name.isprintable()


def _padded(size: int) -> int:
    return -(-size // BLOCK) * BLOCK


def _write(archive: _Unpacked, size: int, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("xb") as file:
        left = size
        while left:
            part = archive.read(min(left, CHUNK))
            if not part:
                raise EOFError
            file.write(part)
            left -= len(part)
    archive.read(_padded(size) - size)
