"""OSV exports into the user's advisory base: a JSON file, a folder of them, or a zip as of osv.dev.

An export is a stranger's: nothing of it is unpacked to disk, and sizes and counts are bounded before anything
is read. https://google.github.io/osv.dev/data/
"""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from gateway_acceptance.advisories.base import ECOSYSTEMS, SHOWN, advisories_of
from gateway_acceptance.usage import UsageProblem

MOST_RECORDS = 500_000
"""PyPI's export has some 30 000, of which most are of malicious packages."""
LARGEST_RECORD = 8 * 1024**2  # bytes
LARGEST_EXPORT = 2 * 1024**3  # bytes, once unpacked
LARGEST_RATIO = 200
"""How much smaller a zip may make a record; text as JSON packs to a tenth, a bomb to a thousandth."""
KEPT = ("id", "aliases", "modified", "withdrawn", "summary", "severity", "affected", "database_specific")
LINKS_KEPT = 2
FULL = "give a JSON file, a folder of them, or a zip as osv.dev publishes it"


def records_in(path: Path) -> Iterator[dict[str, Any]]:
    """Every OSV record of an export. Raises UsageProblem, in one sentence."""
    total = 0
    for number, (name, data) in enumerate(_files(path), start=1):
        total += len(data)
        if number > MOST_RECORDS or total > LARGEST_EXPORT:
            raise UsageProblem(
                [f"{path}: holds more than {MOST_RECORDS} records or {LARGEST_EXPORT} bytes; {FULL}"]
            )
        try:
            record = json.loads(data)
            advisories_of(record)
        except (ValueError, RecursionError) as error:
            raise UsageProblem([f"{path}: {name}: is no OSV record: {str(error)[:SHOWN]}; {FULL}"]) from None
        yield record
    if not total:
        raise UsageProblem([f"{path}: holds no OSV record; {FULL}"])


def _files(path: Path) -> Iterator[tuple[str, bytes]]:
    try:
        if path.is_dir():
            for one in sorted(path.glob("*.json")):
                if one.is_file() and not one.is_symlink():
                    yield one.name, _extracted(path, one.name, one.stat().st_size, one)
        elif zipfile.is_zipfile(path):
            yield from _zipped(path)
        else:
            yield path.name, _extracted(path, path.name, path.stat().st_size, path)
    except OSError as error:
        raise UsageProblem([f"{path}: cannot be read ({error.strerror or error}); {FULL}"]) from None


def _extracted(path: Path, name: str, size: int, file: Path) -> bytes:
    if size > LARGEST_RECORD:
        raise UsageProblem([f"{path}: {name} has {size} bytes, a record at most {LARGEST_RECORD}; {FULL}"])
    return file.read_bytes()


def _zipped(path: Path) -> Iterator[tuple[str, bytes]]:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if entry.filename.endswith(".json")]
            for entry in entries:
                _judge(path, entry)
            for entry in entries:
                with archive.open(entry) as stream:
                    data = stream.read(LARGEST_RECORD + 1)
                if len(data) > LARGEST_RECORD:
                    raise UsageProblem([f"{path}: {entry.filename[:SHOWN]} says less than it holds; {FULL}"])
                yield entry.filename[:SHOWN], data
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as error:
        raise UsageProblem([f"{path}: is a broken zip ({str(error)[:SHOWN]}); fetch it again"]) from None


def _judge(path: Path, entry: zipfile.ZipInfo) -> None:
    """Refuse what no export holds. A name that leads out is a sign, though nothing is written there."""
    name = entry.filename[:SHOWN]
    if entry.filename.startswith(("/", "\\")) or ".." in Path(entry.filename).parts:
        raise UsageProblem([f"{path}: {name} leads out of the archive; fetch it again from osv.dev"])
    packed = max(entry.compress_size, 1)
    if entry.file_size > LARGEST_RECORD or entry.file_size / packed > LARGEST_RATIO:
        raise UsageProblem(
            [f"{path}: {name} unpacks from {packed} to {entry.file_size} bytes; fetch it again from osv.dev"]
        )


def merged(shipped: Mapping[str, Any], path: Path, today: date) -> dict[str, Any]:
    """The shipped base with an export on top, as a base's document; dated by the newest record of both.

    Where both know an advisory (by id or alias), what we know beside it stays, and the later of the two says
    which versions it affects. Raises UsageProblem.
    """
    known: dict[str, dict[str, Any]] = {record["id"]: dict(record) for record in shipped["advisories"]}
    by_alias = {alias: name for name, record in known.items() for alias in _names(record)}
    dated = date.fromisoformat(str(shipped["dated"]))
    for record in records_in(path):
        modified = _day(path, record, today)
        dated = max(dated, modified)
        if not _concerns_us(record):
            continue
        own = next((by_alias[name] for name in _names(record) if name in by_alias), None)
        if own is None:
            known[record["id"]] = _slim(record)
            by_alias |= dict.fromkeys(_names(record), record["id"])
        elif modified > _day(path, known[own], today):
            known[own] = _renewed(known[own], record)
    return {
        "dated": dated.isoformat(),
        "credits": shipped.get("credits", ""),
        "advisories": [known[name] for name in sorted(known)],
    }


def _names(record: Mapping[str, Any]) -> list[str]:
    return [str(record["id"]), *map(str, record.get("aliases") or ())]


def _concerns_us(record: Mapping[str, Any]) -> bool:
    packages = [entry.get("package") or {} for entry in record.get("affected") or ()]
    return any(package.get("ecosystem") in ECOSYSTEMS for package in packages)


def _day(path: Path, record: Mapping[str, Any], today: date) -> date:
    text = str(record.get("modified") or record.get("published") or "")
    try:
        day = datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC).date()
    except ValueError:
        raise UsageProblem(
            [f"{path}: {record['id'][:80]}: modified {text[:40]!r} is no time; {FULL}"]
        ) from None
    if day > today + timedelta(days=1):
        raise UsageProblem([f"{path}: {record['id'][:80]} is of {day}, which is yet to come; {FULL}"])
    return day


def _slim(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record without its prose, and without lists of versions that its ranges say as well."""
    found = {name: record[name] for name in KEPT if record.get(name)}
    found["affected"] = [
        {
            name: entry[name]
            for name in ("package", "ranges", "versions")
            if entry.get(name) and not (name == "versions" and entry.get("ranges"))
        }
        for entry in record.get("affected") or ()
        if (entry.get("package") or {}).get("ecosystem") in ECOSYSTEMS
    ]
    if "summary" not in found and record.get("details"):
        found["summary"] = " ".join(str(record["details"]).split())[:SHOWN]
    severity = (record.get("database_specific") or {}).get("severity")
    found["database_specific"] = {"severity": severity} if isinstance(severity, str) else {}
    found["references"] = list(record.get("references") or ())[:LINKS_KEPT]
    return found


def _renewed(own: Mapping[str, Any], record: Mapping[str, Any]) -> dict[str, Any]:
    """What we know with another's later word on what is affected."""
    later = _slim(record)
    beside = dict(own.get("database_specific") or {})
    beside |= later["database_specific"]
    aliases = sorted({*_names(own), *_names(record)} - {own["id"]})
    return {
        **own,
        **({"withdrawn": record["withdrawn"]} if record.get("withdrawn") else {}),
        "modified": later.get("modified"),
        "aliases": aliases,
        "affected": later["affected"],
        "database_specific": beside,
    }
