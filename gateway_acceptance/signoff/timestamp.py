"""A time-stamp of a sign-off's signature (RFC 3161): somebody else says by when it was there.

The time of signing is what the approver's clock said; a time-stamp authority's answer bounds it. It signs the
SHA-512 of ``signoff.json.sig``. Whose answer it is, only certificates from elsewhere tell.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509

from gateway_acceptance.documents import Unreadable, content_of
from gateway_acceptance.signoff.layout import SIGNATURE, TIMESTAMP
from gateway_acceptance.verdict import NoAnswer
from gateway_acceptance.wire.exchange import Notebook
from gateway_acceptance.wire.sender import Deadline, Sender

LIMIT = Deadline(10, 30)
QUERY = "application/timestamp-query"
AT_MOST = 1 << 20
"""Bytes of an answer; with its certificates it has some thousands."""
CLOCKS_DIFFER = timedelta(minutes=5)
SHA512 = "2.16.840.1.101.3.4.2.3"


class NoTimestamp(Exception):  # noqa: N818
    """Why there is no time-stamp, in words."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What is in a sign-off's directory. at: the authority's time, None where there is none or it cannot be
    read; problem: what is wrong with it, in a sentence, or empty."""

    at: datetime | None = None
    problem: str = ""


def stamped(url: str, content: bytes) -> bytes:
    """An authority's answer for these bytes. Raises NoTimestamp."""
    from rfc3161_client import TimestampRequestBuilder  # no other command needs it

    asked = TimestampRequestBuilder().data(content).nonce(nonce=True).cert_request(cert_request=True).build()
    sender = Sender(Notebook(), None, LIMIT)
    try:
        answer = sender.send("POST", url, headers=[("content-type", QUERY)], body=asked.as_bytes())
    except NoAnswer as failure:
        raise NoTimestamp(str(failure)) from None
    finally:
        sender.close()
    if answer.status != 200 or len(answer.body) > AT_MOST:
        raise NoTimestamp(f"it answered with status {answer.status}, {len(answer.body)} bytes")
    stamp, problem = _read(answer.body, content)
    if problem:
        raise NoTimestamp(problem)
    if stamp.tst_info.nonce != asked.nonce:
        raise NoTimestamp("its answer is of another question (nonce)")
    return answer.body


def stamp_of(directory: Path, document: Mapping[str, Any]) -> Stamp:
    """The time-stamp of a sign-off, held against its signature and its time of signing."""
    path = directory / TIMESTAMP
    there = path.exists() or path.is_symlink()
    if not document.get("timestamp_url"):
        return Stamp(problem=f"{TIMESTAMP} is foreign: signoff.json tells of none") if there else Stamp()
    try:
        stamp, text = _read(content_of(path, AT_MOST), content_of(directory / SIGNATURE, AT_MOST))
    except Unreadable as error:
        return Stamp(problem=f"{TIMESTAMP} cannot be read: {error}")
    if text:
        return Stamp(problem=f"{TIMESTAMP}: {text}")
    at: datetime = stamp.tst_info.gen_time.astimezone(UTC)
    signed = datetime.fromisoformat(document["signed"])
    if abs(at - signed) > CLOCKS_DIFFER:
        text = f"{TIMESTAMP} is of {at:%Y-%m-%d %H:%M:%S} UTC"
        return Stamp(at, f"{text}, and signoff.json was signed at {signed:%Y-%m-%d %H:%M:%S} UTC")
    return Stamp(at)


def unknown_authority(directory: Path, roots: Sequence[x509.Certificate]) -> str:
    """Why none of these authorities made the time-stamp, or nothing. The directory's stamp is in order."""
    from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response

    builder = VerifierBuilder(roots=list(roots))
    try:
        stamp = decode_timestamp_response(content_of(directory / TIMESTAMP, AT_MOST))
        builder.build().verify_message(stamp, content_of(directory / SIGNATURE, AT_MOST))
    except (VerificationError, ValueError) as error:
        return str(error)
    return ""


def _read(answer: bytes, content: bytes) -> tuple[Any, str]:
    """(the answer, what is wrong with it whoever made it)."""
    from rfc3161_client import PKIStatus, decode_timestamp_response

    try:
        stamp = decode_timestamp_response(answer)
        if PKIStatus(stamp.status) != PKIStatus.GRANTED:
            return stamp, f"the authority refused ({', '.join(stamp.status_string) or stamp.status})"
        imprint = stamp.tst_info.message_imprint
        same = imprint.hash_algorithm.dotted_string == SHA512
        same = same and imprint.message == hashlib.sha512(content).digest()
    except ValueError as error:
        return None, f"it is no time-stamp ({error})"
    return stamp, "" if same else f"it is not of this {SIGNATURE}"
