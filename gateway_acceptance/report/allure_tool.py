"""The pinned Allure 3: installed once, run on results. Without it only report.html is missing."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway_acceptance import places
from gateway_acceptance.report.node import NoNodeError, node, npm

PINNED = ("package.json", "package-lock.json", "allurerc.json")
INSTALL_DEADLINE_S = 300
BUILD_DEADLINE_S = 300
"""10,000 results take about 20 s; a build that takes longer than this hangs."""

PASSED_ON = ("HOME", "TMPDIR", "LANG", "LC_ALL", "SYSTEMROOT")
"""What the build inherits of the environment: nothing that could hold a secret or switch on a plugin."""

ANALYTICS = re.compile(
    r'<script async src="https://www\.googletagmanager\.com/[^"]*"></script>\s*'
    r"<script>\s*window\.dataLayer.*?</script>\s*",
    re.DOTALL,
)
"""Hard-coded in awesome 3.18.0 (allure3 issue 476)."""
LOADED_FROM_OUTSIDE = re.compile(
    r"<(?:script|link|img|iframe)\b[^>]*?\b(?:src|href)\s*=\s*[\"']?(?:https?:)?//[^\s\"'>]*"
    r"|googletagmanager|google-analytics|navigator\.sendBeacon",
    re.IGNORECASE,
)


class AllureUnavailableError(RuntimeError):
    """Allure could not be installed or run; the message is one sentence for a person."""


@dataclass(frozen=True, slots=True)
class BuildOutcome:
    """report: the file, or None; problem: why there is none, one sentence; seconds: how long it took."""

    report: Path | None
    problem: str
    seconds: float


def build_report(results: Path, out_dir: Path, *, title: str, history: str = "") -> BuildOutcome:
    """Draw ``out_dir/report.html``, one file that opens without network. Does not raise for Allure.

    history: earlier runs, a line each (allure_history); Allure reads them and writes none.
    """
    begun = time.monotonic()
    try:
        report = _build(results, out_dir, title, history)
    except AllureUnavailableError as error:
        return BuildOutcome(None, str(error), time.monotonic() - begun)
    return BuildOutcome(report, "", time.monotonic() - begun)


def allure_home() -> Path:
    """Where Allure is installed: in a checkout beside what is pinned; where that cannot be written to, or
    came with a wheel, in the user's cache. Raises OSError."""
    source = places.allure_source()
    installed = (source / "node_modules" / ".installed").is_file()
    if installed or (not places.is_packaged() and os.access(source, os.W_OK)):
        return source
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    mark = hashlib.sha256(b"".join((source / name).read_bytes() for name in PINNED)).hexdigest()[:16]
    home = cache / "gateway-acceptance" / f"allure-{mark}"
    home.mkdir(parents=True, exist_ok=True)
    for name in PINNED:
        if not (home / name).is_file():
            part = home / f".{name}.{os.getpid()}"
            part.write_bytes((source / name).read_bytes())
            part.replace(home / name)
    return home


def ensure_allure() -> Path:
    """Allure's command file, after installing it where it is not yet. Raises AllureUnavailableError.

    Safe when several runs do it at once: the first installs, the others wait.
    """
    try:
        node()
    except NoNodeError as error:
        raise AllureUnavailableError(f"Allure draws report.html: {error}") from None
    home = places.allure_source()
    try:
        home = allure_home()
        lock_file = home / "package-lock.json"
        command = home / "node_modules" / "allure" / "cli.js"
        stamp = home / "node_modules" / ".installed"
        with lock_file.open("rb") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            wanted = hashlib.sha256(handle.read()).hexdigest()
            if not (stamp.is_file() and stamp.read_text() == wanted and command.is_file()):
                _install(home)
                stamp.write_text(wanted)
    except OSError as error:
        raise AllureUnavailableError(
            f"Allure could not be installed: {error}; make {home} writable and complete"
        ) from error
    return command


def strip_analytics(page: str) -> str:
    """The page without Allure's analytics. Raises AllureUnavailableError if it would load anything else."""
    stripped = ANALYTICS.sub("", page)
    left = LOADED_FROM_OUTSIDE.search(stripped)
    if left:
        raise AllureUnavailableError(
            f"Allure's report would load {left[0][:120]!r} from outside, so it was not kept; "
            "pin a version of Allure whose analytics strip_analytics knows"
        )
    return stripped


def _install(home: Path) -> None:
    arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    arguments += ["--fetch-retries=1", "--prefer-offline"]
    try:
        # the machine's own certificates, as pip uses them: the wheel's node brings a list of its own
        variables = {"NODE_USE_SYSTEM_CA": "1", **os.environ}
        _run([str(npm()), *arguments], home, INSTALL_DEADLINE_S, "installed", variables)
    except AllureUnavailableError as error:
        raise AllureUnavailableError(f"{error}; installing it needs npm's packages once") from error


def _build(results: Path, out_dir: Path, title: str, history: str) -> Path:
    command = ensure_allure()
    out_dir.mkdir(parents=True, exist_ok=True)
    report = out_dir / "report.html"
    with tempfile.TemporaryDirectory(prefix="gateway-acceptance-allure-") as scratch:
        drawn = Path(scratch) / "report"
        inherited = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        config = _config(Path(scratch), history)
        arguments = ["generate", "--config", str(config), "--name", title]
        # Allure takes the results as a glob pattern, which the name of a folder may not survive; "." does
        arguments += ["--output", str(drawn), "--cwd", str(results.resolve()), "."]
        _run([str(command), *arguments], Path(scratch), BUILD_DEADLINE_S, "run", inherited)
        pages = sorted(drawn.rglob("index.html"))
        if len(pages) != 1:
            raise AllureUnavailableError(f"Allure wrote {len(pages)} pages instead of one; see {results}")
        page = strip_analytics(pages[0].read_text(encoding="utf-8"))
        written = Path(scratch) / "report.html"
        written.write_text(page, encoding="utf-8")
        shutil.move(written, report)
    return report


def _config(scratch: Path, history: str) -> Path:
    """The pinned configuration with a history of this build's own: no option of the command names one."""
    earlier = scratch / "history.jsonl"
    earlier.write_text(history, encoding="utf-8")
    pinned = json.loads((places.allure_source() / "allurerc.json").read_text(encoding="utf-8"))
    config = scratch / "allurerc.json"
    config.write_text(
        json.dumps({**pinned, "historyPath": str(earlier), "appendHistory": False}), encoding="utf-8"
    )
    return config


def _run(
    arguments: Sequence[str], cwd: Path, deadline_s: float, verb: str, variables: Mapping[str, str]
) -> None:
    """Run the wheel's own node on a script. Raises AllureUnavailableError with what it said."""
    program = node()
    path = os.pathsep.join([str(program.parent), os.environ.get("PATH", os.defpath)])
    try:
        subprocess.run(
            [str(program), *arguments],
            cwd=cwd,
            env={**variables, "PATH": path, "NO_COLOR": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=deadline_s,
            check=True,
        )
    except subprocess.TimeoutExpired as error:
        raise AllureUnavailableError(
            f"Allure could not be {verb}: no end after {deadline_s:.0f} s"
        ) from error
    except subprocess.CalledProcessError as error:
        said = [line.strip() for line in f"{error.stdout}\n{error.stderr}".splitlines() if line.strip()]
        reason = next(
            (line for line in said if "error" in line.lower()), said[-1] if said else "it said nothing"
        )
        raise AllureUnavailableError(f"Allure could not be {verb}: {reason[:300]}") from error
