"""Another suite, as ``verify --suite`` is given it: a git checkout, or a wheel. Read, and never run.

Its files are hashed, and its checks are read from their text: an auditor need not trust what they hold
a sign-off against.
"""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from gateway_acceptance.check import Check
from gateway_acceptance.places import BUILD, PACKAGED
from gateway_acceptance.plugin.checkout import checkout_of
from gateway_acceptance.plugin.deciding import ALONE, FOLDERS, SUFFIXES, below, digest_of
from gateway_acceptance.plugin.declared import NotReadFromText, checks_in, constants_in, ids_in
from gateway_acceptance.usage import UsageProblem

PACKAGE = "gateway_acceptance"
DATA = f"{PACKAGE}/{PACKAGED}/"
MEMBERS_AT_MOST = 20_000
UNPACKED_AT_MOST = 256 << 20
IMPORTS = re.compile(r"^from (suites(?:\.\w+)+) import (\([^)]*\)|[^\n(]*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class OtherSuite:
    """place: as it was given; commit: of it, None where nobody knows; changed: how it differs from that, in
    words, or empty; files: SHA-256 by name as in a checkout; alone: whether files at its root are among them
    (not of a wheel); suites: the folder of its checks; checks: by id; made: ids of those that a function of
    the suite declares, which nobody runs here."""

    place: Path
    commit: str | None
    changed: str
    files: Mapping[str, str]
    alone: bool
    suites: Path
    checks: Mapping[str, Check]
    made: frozenset[str]


@contextmanager
def other_suite(place: Path) -> Iterator[OtherSuite]:
    """Raises UsageProblem with a sentence for what is neither a checkout nor a wheel of the suite."""
    if place.is_dir():
        yield _checkout(place)
        return
    if not zipfile.is_zipfile(place):
        raise UsageProblem([f"--suite {place}: is neither a git checkout nor a wheel of the suite; give one"])
    with tempfile.TemporaryDirectory(prefix="gateway-acceptance-") as folder:
        try:
            yield _wheel(place, Path(folder))
        except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError, ValueError) as error:
            raise UsageProblem([f"--suite {place}: cannot be read ({error}); give a whole wheel"]) from None


def _checkout(place: Path) -> OtherSuite:
    seen = checkout_of(place)
    if seen is None or not (place / "suites" / "profiles.toml").is_file():
        raise UsageProblem(
            [f"--suite {place}: is no git checkout of the suite that can be read; give its top folder"]
        )
    found = {
        path.relative_to(place).as_posix(): digest_of(path)
        for name in FOLDERS
        for path in below(place / name)
        if not path.relative_to(place).as_posix().startswith(DATA)
    }
    found |= {name: digest_of(place / name) for name in ALONE if (place / name).is_file()}
    changed = f"it is changed since its commit: {', '.join(seen.changed[:5])}" if seen.changed else ""
    checks, made = _checks(place / "suites")
    return OtherSuite(place, seen.commit, changed, found, True, place / "suites", checks, made)


def _wheel(place: Path, folder: Path) -> OtherSuite:
    found: dict[str, str] = {}
    built: Mapping[str, object] = {}
    with zipfile.ZipFile(place) as archive:
        members = [one for one in archive.infolist() if not one.is_dir()]
        names = [one.filename for one in members]
        if len(members) > MEMBERS_AT_MOST or sum(one.file_size for one in members) > UNPACKED_AT_MOST:
            raise ValueError("it holds more than any wheel of the suite")
        if len(set(names)) < len(names):
            raise ValueError("it holds a file twice")
        for one in members:
            path = PurePosixPath(one.filename)
            if path.is_absolute() or ".." in path.parts:
                raise ValueError(f"it holds {one.filename!r}, which leads out of it")
            name = one.filename.removeprefix(DATA)
            if one.filename == f"{DATA}{BUILD}":
                built = json.loads(archive.read(one))
            elif path.suffix in SUFFIXES and _decides(one.filename, name):
                content = archive.read(one)
                found[name] = hashlib.sha256(content).hexdigest()
                if name.startswith("suites/"):
                    (folder / name).parent.mkdir(parents=True, exist_ok=True)
                    (folder / name).write_bytes(content)
    if not (folder / "suites" / "profiles.toml").is_file():
        raise ValueError("it holds no suites/profiles.toml: it is no wheel of the suite")
    commit = built.get("commit")
    changed = "" if built.get("dirty") is False else "it was built from a changed checkout"
    checks, made = _checks(folder / "suites")
    known = str(commit) if isinstance(commit, str) else None
    return OtherSuite(place, known, changed, found, False, folder / "suites", checks, made)


def _decides(member: str, name: str) -> bool:
    if member.startswith(DATA):
        return any(name.startswith(f"{folder}/") for folder in FOLDERS if folder != PACKAGE)
    return name.startswith(f"{PACKAGE}/")


def _checks(suites: Path) -> tuple[dict[str, Check], frozenset[str]]:
    found: dict[str, Check] = {}
    made: set[str] = set()
    for path in sorted(suites.rglob("test_*.py")):
        text = _text(path)
        try:
            found |= {check.id: check for check in checks_in(text, _imported(text, suites)).values()}
        except NotReadFromText:
            made |= ids_in(text)
    return found, frozenset(made)


def _imported(text: str, suites: Path) -> dict[str, object]:
    """What the names stand for that a module has of other modules of the suites."""
    found: dict[str, object] = {}
    for module, names in IMPORTS.findall(text):
        known = constants_in(_text(suites.parent / f"{module.replace('.', '/')}.py"))
        wanted = [name.strip() for name in names.strip("() \n").split(",")]
        found |= {name: known[name] for name in wanted if name in known}
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
