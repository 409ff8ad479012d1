"""What a version without a lock resolves to, once.

The ``[proxy]`` extra of some releases pins distributions of LiteLLM's own that the index does not have. They
run in front of a database or are for paying customers; the nearest older release stands for such a one, and
what the index has no release of is left out. The lock says so in its first lines.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from gateway_acceptance.locked_install import WHEELS_ONLY, InstallFailedError, neutral_for, run

EXTRA = "proxy"
COMPANION = re.compile(r"litellm-[a-z0-9-]+")
ABSENT = re.compile(r"No matching distribution found for ([A-Za-z0-9._-]+)")
Report = Callable[..., Mapping[str, Any]]


def resolve(lock: Path, version: str, interpreter: str) -> list[str]:
    """Write what a version resolves to today, on this platform, with the hashes of the chosen files. Returns
    what it has instead of its own companions, a sentence each. Raises InstallFailedError."""
    with tempfile.TemporaryDirectory(prefix="resolve-") as temporary:
        python, written = Path(temporary) / "venv" / "bin" / "python", Path(temporary) / "report.json"
        run([interpreter, "-m", "venv", str(python.parents[1])], os.environ)

        def report(*wanted: str) -> Mapping[str, Any]:
            choose = ["--dry-run", "--ignore-installed", *WHEELS_ONLY, "--report", str(written)]
            run([str(python), "-m", "pip", "install", "--quiet", *choose, *wanted], neutral_for(python))
            found: Mapping[str, Any] = json.loads(written.read_text(encoding="utf-8"))
            return found

        text, instead = resolved(version, report)
    part = lock.with_suffix(".part")
    part.write_text("".join(f"# {line}\n" for line in instead) + text, encoding="utf-8")
    part.replace(lock)
    return instead


def resolved(version: str, report: Report) -> tuple[str, list[str]]:
    """The lock of a version, and what it has instead of its own companions. report: pip's options and
    requirements -> pip's installation report. Raises InstallFailedError."""
    release = f"litellm=={version}"
    try:
        return lock_of(report(f"litellm[{EXTRA}]=={version}")), []
    except InstallFailedError as failed:
        absent, refusal = absent_of(failed), failed
    if not COMPANION.fullmatch(absent):
        raise refusal
    wanted = {one.name: one for one in needs_of_extra(report("--no-deps", release))}
    instead: dict[str, str] = {}
    while COMPANION.fullmatch(absent) and absent in wanted:
        if absent in instead:
            del wanted[absent]
            instead[absent] = f"the index has no {absent}: left out"
        else:
            pinned = str(wanted[absent])
            wanted[absent] = Requirement(pinned.replace("==", "<="))
            instead[absent] = f"the index has no {pinned}: the nearest older release is taken"
        try:
            found = report(release, *(str(one) for one in wanted.values()))
        except InstallFailedError as failed:
            absent = absent_of(failed)
        else:
            return lock_of(found), list(instead.values())
    raise refusal


def absent_of(failed: InstallFailedError) -> str:
    """What pip has no distribution for, by its canonical name; empty where it failed for another reason."""
    found = ABSENT.search(f"{failed.reason}\n{failed.detail}")
    return canonicalize_name(found[1]) if found else ""


def needs_of_extra(report: Mapping[str, Any]) -> list[Requirement]:
    """What the extra adds to the one release of a report, without its markers, names canonical."""
    (item,) = report["install"]
    needs = []
    for text in item["metadata"].get("requires_dist", []):
        need = Requirement(text)
        marker = need.marker
        if marker and marker.evaluate({"extra": EXTRA}) and not marker.evaluate({"extra": ""}):
            need.marker, need.name = None, canonicalize_name(need.name)
            needs.append(need)
    return needs


def lock_of(report: Mapping[str, Any]) -> str:
    """pip's installation report (version 1) as a lock: ``name==version`` with one SHA-256 each, by name."""
    pins = []
    for item in report["install"]:
        name = canonicalize_name(item["metadata"]["name"])
        digest = item["download_info"]["archive_info"]["hashes"]["sha256"]
        pins.append(f"{name}=={item['metadata']['version']} \\\n    --hash=sha256:{digest}\n")
    return "".join(sorted(pins))
