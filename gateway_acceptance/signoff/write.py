"""Writing a sign-off: one directory, whole or not at all."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from gateway_acceptance.report.reading import printable
from gateway_acceptance.run_directory import record_at
from gateway_acceptance.seal import digest_of
from gateway_acceptance.signoff.allowed import line_of, principal_of
from gateway_acceptance.signoff.chain import bring_previous
from gateway_acceptance.signoff.document import FORMAT, from_record
from gateway_acceptance.signoff.dsse import enveloped
from gateway_acceptance.signoff.files import bring_report, json_bytes, manifest_of
from gateway_acceptance.signoff.keys import PrivateKey, fingerprint, kind_of, public_line
from gateway_acceptance.signoff.layout import (
    ALLOWED,
    ATTESTATION,
    MANIFEST,
    NAMESPACE,
    PAGE,
    PDF,
    PUBLIC_KEY,
    RECORD,
    REPORT,
    SIGNATURE,
    SIGNOFF,
    TIMESTAMP,
)
from gateway_acceptance.signoff.page import page
from gateway_acceptance.signoff.pdf import pdf_of
from gateway_acceptance.signoff.sshsig import sign_file
from gateway_acceptance.signoff.statement import statement
from gateway_acceptance.signoff.timestamp import stamped
from gateway_acceptance.signoff.verify import verify
from gateway_acceptance.signoff.witness import witness_of


@dataclass(frozen=True, slots=True)
class Approval:
    """What the approver decided, and what it was decided on.

    run: the run's directory; environment_file: the file that declares what was judged; previous: the last
    accepted release as ``document.compared`` tells of it, or None; blind_spots: as ``uncovered`` finds
    them; url: where the sign-off will be published, or None; despite: newer red runs, each behind the
    reason for signing all the same; before: the directory of the last accepted release; runs: all of this
    environment since then, as ``runs_since`` tells of them; timestamp_url: of an authority that is asked for
    a time-stamp, or None.
    """

    run: Path
    release: str
    approver: str
    signed: datetime
    environment_file: Path
    fresh_h: float
    previous: Mapping[str, Any] | None
    blind_spots: Mapping[str, Any]
    url: str | None = None
    despite: Sequence[str] = ()
    before: Path | None = None
    runs: Sequence[Mapping[str, Any]] = ()
    timestamp_url: str | None = None


class UnverifiableSignoff(Exception):  # noqa: N818
    """What was written does not verify: an error of the suite, or somebody's hand in between."""


def write_signoff(decision: Approval, key: PrivateKey, out: Path) -> dict[str, Any]:
    """Write the sign-off's directory beside its place, and let it take its place. Returns ``signoff.json``.

    Raises NoTimestamp where an authority gives none, FileExistsError where there is something already,
    OSError where it cannot be written, UnverifiableSignoff where what was written does not verify.
    """
    if out.exists() or out.is_symlink():
        raise FileExistsError(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(f".{out.name}.{os.getpid()}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    try:
        document = _filled(part, decision, key)
        _verify_again(part, decision.signed)
        part.rename(out)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    return document


def _verify_again(part: Path, signed: datetime) -> None:
    found = verify(part, signed).findings
    if found:
        raise UnverifiableSignoff("; ".join(found))


def _filled(part: Path, decision: Approval, key: PrivateKey) -> dict[str, Any]:
    bring_report(decision.run, part / REPORT)
    shutil.copyfile(part / REPORT / RECORD, part / RECORD)
    record = record_at(part)
    public = key.public_key()
    principal = principal_of(decision.approver)
    (part / PUBLIC_KEY).write_text(f"{public_line(public)} {principal}\n", encoding="utf-8")
    (part / ALLOWED).write_text(line_of(principal, NAMESPACE, public), encoding="utf-8")
    document = {
        "format": FORMAT,
        "release": decision.release,
        "approver": {
            "name": decision.approver,
            "principal": principal,
            "key": {"kind": kind_of(public), "fingerprint": fingerprint(public)},
        },
        "signed": decision.signed.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "url": decision.url,
        **from_record(record),
        "record_sha256": digest_of(part / RECORD),
        "environment_file": {
            "name": decision.environment_file.name,
            "sha256": digest_of(decision.environment_file),
        },
        "fresh_h": decision.fresh_h,
        "previous": decision.previous,
        "blind_spots": decision.blind_spots,
        "runs": [dict(one) for one in decision.runs],
        **({"runner": runner} if (runner := witness_of(decision.run).document) else {}),
        **({"despite": list(decision.despite)} if decision.despite else {}),
        **({"timestamp_url": decision.timestamp_url} if decision.timestamp_url else {}),
    }
    if decision.before is not None:
        bring_previous(decision.before, part)
    (part / PAGE).write_text(page(document), encoding="utf-8")
    (part / PDF).write_bytes(pdf_of(document))
    manifest = json_bytes(manifest_of(part))
    (part / MANIFEST).write_bytes(manifest)
    document["manifest_sha256"] = hashlib.sha256(manifest).hexdigest()
    content = json_bytes(document)
    (part / SIGNOFF).write_bytes(content)
    signature = sign_file(key, content, NAMESPACE)
    (part / SIGNATURE).write_text(signature, encoding="ascii")
    if decision.timestamp_url:
        (part / TIMESTAMP).write_bytes(stamped(decision.timestamp_url, signature.encode("ascii")))
    digests = {RECORD: document["record_sha256"], SIGNOFF: hashlib.sha256(content).hexdigest()}
    attestation = enveloped(key, json_bytes(statement(record, document, digests)))
    (part / ATTESTATION).write_bytes(attestation)
    return document


def is_one_line(text: str) -> bool:
    """Whether words can stand on a page as they are: one line with a letter or a digit, no control
    characters, nothing that turns it."""
    seen = any(character.isalnum() for character in text)
    return seen and printable(text) == text and "\n" not in text and "\t" not in text
