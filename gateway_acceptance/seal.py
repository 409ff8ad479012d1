"""The seal of a run directory: the SHA-256 of every file in it, written last.

It shows that files belong together and nothing happened to them since. It is no proof of who wrote them: who
may write the directory may seal it again. That is what a sign-off is for.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from gateway_acceptance.documents import Unreadable, json_of

SEAL = "seal.json"
WITNESS = "seal.json.sig"
"""A runner's signature of the seal, where there is one: it cannot be among what the seal holds."""
OUTSIDE = (SEAL, WITNESS)
FORMAT = 1
CHUNK = 1 << 20


def seal(directory: Path) -> Path:
    """Write ``seal.json``: {format, files {relative POSIX path: sha256 in hex}} over every other file.

    Raises ValueError for a symbolic link or anything else that is no plain file.
    """
    odd = [name for name, path in entries(directory).items() if not _is_plain(path)]
    if odd:
        raise ValueError(f"{directory}: only plain files can be sealed; remove {', '.join(odd)}")
    files = {
        name: digest_of(path) for name, path in sorted(entries(directory).items()) if name not in OUTSIDE
    }
    target = directory / SEAL
    temporary = target.with_name(f".{SEAL}.part")
    temporary.write_text(json.dumps({"format": FORMAT, "files": files}, indent=1) + "\n", encoding="utf-8")
    temporary.replace(target)
    return target


def broken(directory: Path) -> list[str]:
    """What is wrong with a sealed directory: every changed, missing and foreign file, a sentence each."""
    path = directory / SEAL
    if path.is_symlink():
        return [f"{SEAL} is a link; a seal is a file of its own"]
    if not path.exists():
        return [f"there is no {SEAL}: the directory was never finished, or its seal was removed"]
    try:
        document: Any = json_of(path)
    except Unreadable as error:
        return [f"{SEAL} cannot be read: {error}"]
    files = document.get("files") if isinstance(document, dict) else None
    if not isinstance(files, dict) or document.get("format") != FORMAT:
        return [f"{SEAL} is no seal of format {FORMAT}"]
    there = {name: path for name, path in entries(directory).items() if name not in OUTSIDE}
    found = [f"{name} is missing: the seal holds it" for name in sorted(files) if name not in there]
    for name, entry in sorted(there.items()):
        if not _is_plain(entry):
            found.append(f"{name} is a link or no plain file; no run writes such")
        elif name not in files:
            found.append(f"{name} is foreign: the seal does not hold it")
        elif digest_of(entry) != files[name]:
            found.append(f"{name} was changed after it was sealed")
    return found


def digest_of(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def entries(directory: Path) -> dict[str, Path]:
    """Everything below but real folders, by relative POSIX path; links are never followed."""
    found = {}
    for folder, folders, files in os.walk(directory, followlinks=False):
        links = [name for name in folders if (Path(folder) / name).is_symlink()]
        for name in (*files, *links):
            path = Path(folder) / name
            found[path.relative_to(directory).as_posix()] = path
    return found


def _is_plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()
