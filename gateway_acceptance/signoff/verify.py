"""Whether a sign-off's directory is what was signed: offline, everything that is wrong, a sentence each."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from gateway_acceptance.audit import findings as audit
from gateway_acceptance.documents import JSON_AT_MOST, Unreadable, content_of, json_in
from gateway_acceptance.record_model import NoRecord, Record, record_of
from gateway_acceptance.signoff.allowed import line_of, principal_of
from gateway_acceptance.signoff.archive import BadArchive
from gateway_acceptance.signoff.chain import Before, previous_findings
from gateway_acceptance.signoff.document import from_record
from gateway_acceptance.signoff.dsse import BadEnvelope, opened
from gateway_acceptance.signoff.files import manifest_findings, restored_run
from gateway_acceptance.signoff.keys import (
    BadKey,
    PublicKey,
    blob_of,
    fingerprint,
    key_of_line,
    kind_of,
    public_line,
)
from gateway_acceptance.signoff.layout import (
    ALLOWED,
    ATTESTATION,
    MANIFEST,
    NAMESPACE,
    PACKED,
    PUBLIC_KEY,
    RECORD,
    REPORT,
    SIGNATURE,
    SIGNOFF,
    UNLISTED,
)
from gateway_acceptance.signoff.refusals import stale, unsignable, unsound_waivers
from gateway_acceptance.signoff.rendered import rendered
from gateway_acceptance.signoff.schema import violations
from gateway_acceptance.signoff.sshsig import BadSignature, signer_of
from gateway_acceptance.signoff.statement import statement
from gateway_acceptance.signoff.timestamp import stamp_of
from gateway_acceptance.signoff.witness import witness_of

CLOCKS_DIFFER = timedelta(minutes=5)
"""A signature may be this much younger than now: two machines' clocks."""
TORN = (KeyError, TypeError, ValueError, AttributeError, IndexError, StopIteration, RecursionError)
"""What reading a document of another shape raises."""

Document = Mapping[str, Any]


@dataclass
class Verified:
    """findings: all that is wrong; signer: whose signature signoff.json has, or None; document: of it;
    previous: the sign-off before, where it is brought along and in order; record: of the run, where it can be
    read; stamped: the time of its time-stamp, whoever made that."""

    findings: list[str] = field(default_factory=list)
    signer: PublicKey | None = None
    document: Document | None = None
    previous: Before | None = None
    record: Record | None = None
    stamped: datetime | None = None


def verify(directory: Path, now: datetime | None = None) -> Verified:
    """Check everything in a sign-off's directory. Nothing in it can prove who the signer is."""
    result = Verified()
    say = result.findings.append
    odd = [name for name in UNLISTED if (directory / name).is_symlink()]
    missing = [name for name in UNLISTED if name not in odd and not (directory / name).is_file()]
    result.findings += [f"{name} is a link; a sign-off holds plain files" for name in odd]
    result.findings += [f"{name} is missing: every sign-off has one" for name in missing]
    held = {}
    for name in UNLISTED:
        if name not in (*missing, *odd):
            try:
                held[name] = content_of(directory / name, JSON_AT_MOST)
            except Unreadable as error:
                say(f"{name} cannot be read: {error}")
    if SIGNOFF not in held:
        return result
    result.signer = _signer(held, say)
    document = _parsed(SIGNOFF, held[SIGNOFF], "signoff", say)
    manifest = _parsed(MANIFEST, held[MANIFEST], "manifest", say) if MANIFEST in held else None
    if manifest is not None:
        result.findings += manifest_findings(directory, dict(manifest))
    if document is None:
        return result
    result.document = document
    if MANIFEST in held and hashlib.sha256(held[MANIFEST]).hexdigest() != document["manifest_sha256"]:
        say(f"{MANIFEST} is not the one that {SIGNOFF} binds")
    result.findings += _of_approver(directory, document, result.signer)
    record = result.record = _record(directory, document, say)
    if record is not None:
        result.findings += _of_record(record, document)
        result.previous, found = previous_findings(directory, document, record)
        result.findings += found
        result.findings += _of_attestation(directory, held, record, document, result.signer)
        result.findings += _of_witness(directory, document)
    result.findings += rendered(directory, document)
    stamp = stamp_of(directory, document)
    result.stamped = stamp.at
    result.findings += [stamp.problem] if stamp.problem else []
    result.findings += _of_time(document, now or datetime.now(UTC))
    result.findings += _of_report(directory)
    return result


def _signer(held: Mapping[str, bytes], say: Any) -> PublicKey | None:
    if SIGNATURE not in held:
        return None
    try:
        return signer_of(held[SIGNATURE].decode("ascii"), held[SIGNOFF], NAMESPACE)
    except (BadSignature, UnicodeDecodeError) as error:
        say(f"{SIGNATURE} does not sign {SIGNOFF}: {error}")
        return None


def _parsed(name: str, content: bytes, schema: str, say: Any) -> Document | None:
    try:
        document = json_in(content)
    except Unreadable as error:
        say(f"{name} cannot be read: {error}")
        return None
    wrong = violations(document, schema)
    for violation in wrong:
        say(f"{name} is not as its schema says: {violation}")
    return None if wrong or not isinstance(document, dict) else document


def _of_approver(directory: Path, document: Document, signer: PublicKey | None) -> list[str]:
    """Whether all places that name the approver name the one whose signature it is."""
    approver, found = document["approver"], []
    if approver["principal"] != principal_of(approver["name"]):
        found.append(f"{SIGNOFF} calls {approver['name']} {approver['principal']}, which is another name")
    if signer is None:
        return found
    if approver["key"] != {"kind": kind_of(signer), "fingerprint": fingerprint(signer)}:
        found.append(
            f"{SIGNOFF} names the key {approver['key']['fingerprint']}; {fingerprint(signer)} signed it"
        )
    expected = {
        PUBLIC_KEY: f"{public_line(signer)} {approver['principal']}\n",
        ALLOWED: line_of(approver["principal"], NAMESPACE, signer),
    }
    for name, content in expected.items():
        path = directory / name
        if path.is_file() and not path.is_symlink() and _bytes(path) != content.encode():
            found.append(f"{name} does not hold the key that signed {SIGNOFF}")
    return found


def _record(directory: Path, document: Document, say: Any) -> Record | None:
    path = directory / RECORD
    try:
        content = content_of(path, JSON_AT_MOST)
        record = record_of(json_in(content))
    except Unreadable as error:
        say(f"{RECORD} cannot be read as a record: {error}")
        return None
    except NoRecord as problem:
        say(f"{RECORD} cannot be read as a record: it {problem}")
        return None
    if hashlib.sha256(content).hexdigest() != document["record_sha256"]:
        say(f"{RECORD} is not the one that {SIGNOFF} binds")
    copy = directory / REPORT / RECORD
    if _bytes(copy) != content:
        say(f"{REPORT}/{RECORD} is not the same as {RECORD}")
    return record


def _of_record(record: Record, document: Document) -> list[str]:
    """Whether ``signoff.json`` says what the record says, and the record may be signed."""
    try:
        signed = datetime.fromisoformat(document["signed"])
        derived = json.loads(json.dumps(from_record(record)))
        found = [
            f"{SIGNOFF} says {name} otherwise than the record: {_difference(document.get(name), value)}"
            for name, value in derived.items()
            if document.get(name) != value
        ]
        tracker = record.environment.tracker
        counts = tracker.fresh_h if tracker else None
        if document["fresh_h"] != counts:
            found.append(
                f"{SIGNOFF} says fresh_h {document['fresh_h']}; the record's environment says {counts}"
            )
        spots = record.basis.blind_spots
        if spots is not None and document["blind_spots"] != spots:
            found.append(f"{SIGNOFF} says blind_spots otherwise than the record")
        found += unsound_waivers(record, signed)
        return [*found, *unsignable(record, signed), *stale(record, signed, document["fresh_h"])]
    except TORN as error:
        return [f"{RECORD} is no whole record ({type(error).__name__}: {error})"]


def _difference(said: object, derived: object) -> str:
    """The first difference, in few words."""
    if isinstance(said, dict) and isinstance(derived, dict):
        name = next(name for name in {**derived, **said} if said.get(name) != derived.get(name))
        return f"{name}: {_difference(said.get(name), derived.get(name))}"
    if isinstance(said, list) and isinstance(derived, list):
        if len(said) != len(derived):
            return f"{len(said)} entries, and {len(derived)} in the record"
        one, other = next((a, b) for a, b in zip(said, derived, strict=True) if a != b)
        name = f"{other['id']}: " if isinstance(other, dict) and "id" in other else ""
        return name + _difference(one, other)
    return f"{str(said)[:80]!r}, and {str(derived)[:80]!r} in the record"


def _of_attestation(
    directory: Path, held: Mapping[str, bytes], record: Record, document: Document, signer: PublicKey | None
) -> list[str]:
    if ATTESTATION not in held:
        return []
    key = signer or _own_key(directory)
    if key is None:
        return [f"{ATTESTATION} cannot be verified: there is no key to do it with"]
    try:
        said = opened(held[ATTESTATION], key)
    except BadEnvelope as error:
        return [f"{ATTESTATION}: {error}"]
    wrong = violations(said, "attestation")
    if wrong:
        return [f"{ATTESTATION} is not as its schema says: {violation}" for violation in wrong]
    digests = {
        RECORD: hashlib.sha256((directory / RECORD).read_bytes()).hexdigest(),
        SIGNOFF: hashlib.sha256(held[SIGNOFF]).hexdigest(),
    }
    try:
        expected = statement(record, document, digests)
    except TORN:
        return []  # that the record is not whole was said
    found = []
    if said["subject"] != expected["subject"]:
        found.append(
            f"{ATTESTATION} is of other files: its subjects are not this {RECORD} and this {SIGNOFF}"
        )
    for name in {**expected["predicate"], **said["predicate"]}:
        if said["predicate"].get(name) != expected["predicate"].get(name):
            found.append(f"{ATTESTATION} says {name} otherwise than the record and {SIGNOFF}")
    return found


def _of_witness(directory: Path, document: Document) -> list[str]:
    """Whether the runner that signed the run's seal is the one that is named."""
    witness = witness_of(directory / REPORT)
    if witness.problem:
        return [f"{REPORT}/{witness.problem}"]
    if witness.document != document.get("runner"):
        return [f"{SIGNOFF} names another runner than signed {REPORT}/seal.json"]
    return []


def _bytes(path: Path) -> bytes | None:
    """A file's content, None where it cannot be had."""
    try:
        return content_of(path, JSON_AT_MOST)
    except Unreadable:
        return None


def _own_key(directory: Path) -> PublicKey | None:
    try:
        return key_of_line((directory / PUBLIC_KEY).read_text(encoding="utf-8"))
    except (OSError, BadKey, UnicodeDecodeError):
        return None


def _of_time(document: Document, now: datetime) -> list[str]:
    signed = datetime.fromisoformat(document["signed"])
    if signed > now + CLOCKS_DIFFER:
        return [f"{SIGNOFF} was signed at {document['signed']}, which is yet to come"]
    return []


def _of_report(directory: Path) -> list[str]:
    """The run that was signed, put together again and audited as any run."""
    with tempfile.TemporaryDirectory(prefix="gateway-acceptance-") as folder:
        try:
            run = restored_run(directory, Path(folder))
        except BadArchive as error:
            return [f"{REPORT}/{PACKED}: {error}"]
        except OSError as error:
            return [f"{REPORT}/ cannot be read ({type(error).__name__})"]
        return [f"{REPORT}/: {finding}" for finding in audit(run)]


def same_key(one: PublicKey, other: PublicKey) -> bool:
    """Whether two keys are one."""
    return blob_of(one) == blob_of(other)
