"""The files of a sign-off: the manifest that binds them, the run's results packed and put together again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from gateway_acceptance.seal import digest_of, entries
from gateway_acceptance.signoff.archive import pack, unpack
from gateway_acceptance.signoff.layout import ASIDE, LISTED, MANIFEST, PACKED, REPORT, RESULTS

FORMAT = 1


def write_json(path: Path, document: object) -> None:
    """Write a document as all JSON files of a sign-off are written."""
    path.write_bytes(json_bytes(document))


def json_bytes(document: object) -> bytes:
    """A document as all JSON files of a sign-off are written."""
    return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode()


def manifest_of(directory: Path) -> dict[str, Any]:
    """{format, files {relative POSIX path: SHA-256 in hex}} of a directory with plain files only."""
    listed = {name: path for name, path in sorted(entries(directory).items()) if name not in ASIDE}
    return {"format": FORMAT, "files": {name: digest_of(path) for name, path in listed.items()}}


def manifest_findings(directory: Path, manifest: dict[str, Any]) -> list[str]:
    """Every changed, missing and foreign file, a sentence each. manifest: as its schema says."""
    files = manifest["files"]
    there = {name: path for name, path in entries(directory).items() if name not in ASIDE}
    found = [f"{name} is missing: {MANIFEST} holds it" for name in sorted(files) if name not in there]
    found += [
        f"{MANIFEST} does not hold {name}, as every sign-off's does" for name in LISTED if name not in files
    ]
    for name, path in sorted(there.items()):
        if path.is_symlink() or not path.is_file():
            found.append(f"{name} is a link or no plain file; no sign-off holds such")
        elif name not in files:
            found.append(f"{name} is foreign: {MANIFEST} does not hold it")
        elif digest_of(path) != files[name]:
            found.append(f"{name} was changed: it is not the file that {MANIFEST} holds")
    return found


def bring_report(run: Path, target: Path) -> None:
    """Copy a run's directory into a sign-off, byte for byte; Allure's results are packed."""
    target.mkdir()
    for path in sorted(run.iterdir()):
        if path.name == RESULTS:
            pack(entries(path), target / PACKED)
        elif path.is_dir():
            shutil.copytree(path, target / path.name)
        else:
            shutil.copyfile(path, target / path.name)


def restored_run(directory: Path, target: Path) -> Path:
    """The run's directory as it was, put together again from a sign-off. Raises BadArchive, OSError."""
    run = target / "run"
    shutil.copytree(directory / REPORT, run, symlinks=True, ignore=shutil.ignore_patterns(PACKED))
    if (directory / REPORT / PACKED).is_file():
        unpack(directory / REPORT / PACKED, run / RESULTS)
    return run
