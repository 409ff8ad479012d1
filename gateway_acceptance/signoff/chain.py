"""The sign-off before, brought along: its signoff.json with its signature, and the record that it binds.

So a chain is followed offline: each sign-off names the one before by the SHA-256 of its signoff.json, and
what changed since can be derived again. Whose signature the one before has, only an anchor tells.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from gateway_acceptance.documents import JSON_AT_MOST, Unreadable, content_of, json_in, json_of
from gateway_acceptance.record_model import NoRecord, Record, record_of
from gateway_acceptance.seal import digest_of
from gateway_acceptance.signoff.archive import BadArchive, pack, unpack
from gateway_acceptance.signoff.document import compared
from gateway_acceptance.signoff.keys import PublicKey
from gateway_acceptance.signoff.layout import NAMESPACE, RECORD, SIGNATURE, SIGNOFF
from gateway_acceptance.signoff.schema import violations
from gateway_acceptance.signoff.sshsig import BadSignature, signer_of

FOLDER = "previous"
PACKED = "record.tar.xz"
HELD = (SIGNOFF, SIGNATURE, PACKED)
Document = Mapping[str, Any]


@dataclass(frozen=True)
class Before:
    """The sign-off before: its ``signoff.json``, and whose signature it has."""

    document: Document
    signer: PublicKey


def bring_previous(before: Path, target: Path) -> None:
    """Copy what binds the sign-off before into a new one. before, target: directories of sign-offs."""
    folder = target / FOLDER
    folder.mkdir()
    for name in (SIGNOFF, SIGNATURE):
        shutil.copyfile(before / name, folder / name)
    pack({RECORD: before / RECORD}, folder / PACKED)


def comparison(record: Record, directory: Path | None) -> dict[str, Any] | None:
    """What changed since that sign-off, as ``signoff.json`` holds it."""
    if directory is None:
        return None
    before = record_of(json_of(directory / RECORD))
    release = json.loads((directory / SIGNOFF).read_text(encoding="utf-8"))["release"]
    previous = compared(record, before, release, digest_of(directory / RECORD))
    return {**previous, "signoff_sha256": digest_of(directory / SIGNOFF)}


def previous_findings(directory: Path, document: Document, record: Record) -> tuple[Before | None, list[str]]:
    """(the sign-off before, all that is wrong with it, a sentence each)."""
    previous, folder = document["previous"], directory / FOLDER
    if previous is None:
        found = [f"{FOLDER}/ is there, and {SIGNOFF} names no previous release"] if folder.exists() else []
        return None, found
    if "signoff_sha256" not in previous:
        return None, []  # written before sign-offs were chained
    try:
        content = content_of(folder / SIGNOFF, JSON_AT_MOST)
        if hashlib.sha256(content).hexdigest() != previous["signoff_sha256"]:
            return None, [f"{FOLDER}/{SIGNOFF} is not the sign-off that {SIGNOFF} names as the previous one"]
        before: Any = json_in(content)
        signature = content_of(folder / SIGNATURE, JSON_AT_MOST).decode("ascii")
        signer = signer_of(signature, content, NAMESPACE)
    except (Unreadable, UnicodeDecodeError) as error:
        return None, [f"{FOLDER}/ cannot be read: {error}"]
    except BadSignature as error:
        return None, [f"{FOLDER}/{SIGNATURE} does not sign {FOLDER}/{SIGNOFF}: {error}"]
    wrong = violations(before, "signoff")
    if wrong:
        return None, [f"{FOLDER}/{SIGNOFF} is not as its schema says: {wrong[0]}"]
    return Before(before, signer), _of_its_record(folder, before, document, record)


def _of_its_record(folder: Path, before: Document, document: Document, record: Record) -> list[str]:
    found = []
    if before["environment"] != document["environment"]:
        found.append(f"the previous release is of the environment {before['environment']}")
    if datetime.fromisoformat(before["signed"]) > datetime.fromisoformat(document["signed"]):
        found.append("the previous release was signed later than this one")
    with tempfile.TemporaryDirectory(prefix="gateway-acceptance-") as temporary:
        try:
            unpack(folder / PACKED, Path(temporary) / "out")
            content = content_of(Path(temporary) / "out" / RECORD, JSON_AT_MOST)
            known = record_of(json_in(content))
        except NoRecord as problem:
            return [*found, f"{FOLDER}/{PACKED}: its record {problem}"]
        except (BadArchive, Unreadable, OSError) as error:
            return [*found, f"{FOLDER}/{PACKED}: {error}"]
    digest = hashlib.sha256(content).hexdigest()
    if digest != before["record_sha256"]:
        return [*found, f"{FOLDER}/{PACKED} does not hold the record that {FOLDER}/{SIGNOFF} binds"]
    derived = compared(record, known, before["release"], digest)
    previous = {name: value for name, value in document["previous"].items() if name != "signoff_sha256"}
    if json.loads(json.dumps(derived)) != previous:
        found.append(f"{SIGNOFF} says what changed since {before['release']} otherwise than the two records")
    return found
