"""Page and paper of a sign-off, made again from signoff.json and compared: people read nothing that it does
not say. Of the paper the contents are compared, not how they were compressed."""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gateway_acceptance.documents import Unreadable, content_of
from gateway_acceptance.signoff.layout import PAGE, PDF, SIGNOFF
from gateway_acceptance.signoff.page import page
from gateway_acceptance.signoff.pdf import pdf_of

STREAM = re.compile(rb"/Length \d+((?: /Length1 \d+)?\s*>>\s*stream\r?\n)(.*?)\r?\n?endstream", re.DOTALL)
PLACES = re.compile(
    rb"\nxref\n0 \d+\n(?:\d{10} \d{5} [fn] ?\r?\n)+|(?<=\nstartxref\n)\d+|<[0-9a-f]{32}>", re.DOTALL
)
"""Where in the file objects stand, and the number of all its bytes."""
STREAM_AT_MOST = 64 << 20
TORN = (KeyError, TypeError, ValueError, AttributeError, IndexError, StopIteration)


def rendered(directory: Path, document: Mapping[str, Any]) -> list[str]:
    """Which of the two is not what ``signoff.json`` makes, a sentence each."""
    found: list[str] = []
    for earlier in (False, True):  # in today's words, or in those of before they were reworded
        try:
            expected = {
                PAGE: page(document, earlier=earlier).encode(),
                PDF: pdf_of(document, earlier=earlier),
            }
        except TORN as error:
            return [f"{PAGE} and {PDF} cannot be made again from {SIGNOFF} ({type(error).__name__})"]
        unlike = _unlike(directory, expected)
        if not unlike:
            return []
        found = found or unlike
    return found


def _unlike(directory: Path, expected: Mapping[str, bytes]) -> list[str]:
    found = []
    for name, content in expected.items():
        try:
            there = content_of(directory / name)
        except Unreadable:
            continue  # that it is missing or a link is said
        if there != content and (name == PAGE or contents(there) != contents(content)):
            found.append(
                f"{name} is not what {SIGNOFF} makes: it was replaced, or written by another suite than this"
            )
    return found


def contents(pdf: bytes) -> list[bytes]:
    """What a PDF holds: the text between its streams, and each stream unpacked; without lengths and places,
    which depend on how well it was compressed."""
    found: list[bytes] = []
    at = 0
    for match in STREAM.finditer(pdf):
        found += [PLACES.sub(b"", pdf[at : match.start()]), match[1], _unpacked(match[2])]
        at = match.end()
    return [*found, PLACES.sub(b"", pdf[at:])]


def _unpacked(stream: bytes) -> bytes:
    """A stream's content, or the stream itself where it is packed in any other way than the suite packs."""
    try:
        packed = base64.a85decode(b"<~" + stream.strip(), adobe=True) if stream.endswith(b"~>") else stream
        decompressor = zlib.decompressobj()
        content = decompressor.decompress(packed, STREAM_AT_MOST)
    except (ValueError, zlib.error):
        return stream
    return content if decompressor.eof and not decompressor.unused_data else stream
