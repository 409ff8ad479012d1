"""Smoke against every ill target: how it ends, how long it takes, what it sends, how much memory it takes.

``python bench/ill_targets.py [--workers N] [--after N] [--shipped] [NAME ...]`` prints the table of
docs/safety.md; exit code 1 where a promise of that page is broken. Seconds are those of the run; with
``--after``, those since the first request that was not answered well. Memory is the sum over all processes of
the run at its largest, each page that they share counted once (PSS).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from tests.ill_gateways import serving
from tests.ill_replies import MORE_ILLS
from tests.ill_targets import ILLS, Ill, IllTarget, ill
from tests.ill_twists import TWISTS, key_writings

ROOT = Path(__file__).parents[1]
KEY = "sk-made-up-3f9c0d7a51e84b26"
MOST_MIB = 400
LONGEST_S = 600
LOOKS_S = 0.05
SHORT_S, SHIPPED_S = 5, 120
"""Deadlines of a request: of these runs, and as environments are shipped."""
PROMISED_S = {"dead": 15, "swallowing": 20, "silent": 20}
"""Within what smoke is over, whatever its deadlines: nobody listens, nobody accepts, nobody answers."""
DEAF = ("dead", "swallowing")
GREEN = ("PASSED", "READY")
COMMANDS = (
    "::error",
    "::warning",
    "::notice",
    "##vso[",
    "##[",
    "section_start",
    "section_end",
    "::set-output",
)
"""How a line begins that a CI server obeys."""


@dataclass
class Seen:
    """What came of a run against a target."""

    name: str
    state: str
    code: int
    seconds: float
    sent: int
    counted: int
    mebibytes: float
    wrong: list[str]

    @property
    def row(self) -> str:
        """Of the table."""
        return (
            f"| {self.name} | {self.state} | {self.seconds:.0f} | {self.sent} | {self.mebibytes:.0f} | "
            f"{'; '.join(self.wrong) or ''} |"
        )


def handshake(connection: Any, target: IllTarget) -> None:
    """TLS that drips: a record's head, and then a byte now and then."""
    connection.sendall(b"\x16\x03\x03\x40\x00")
    while target.pause(0.1):
        connection.sendall(b"\x02")


@contextlib.contextmanager
def served(name: str, after: int) -> Iterator[IllTarget]:
    """A target, by name; those of TLS are asked over https."""
    if name == "dripped_handshake":
        with raw(handshake) as target:
            yield target
    elif name in DEAF:
        with deaf(backlog=None if name == "dead" else 0) as target:
            yield target
    else:
        if name in TWISTS:
            with serving(TWISTS[name]) as target:
                yield target
            return
        answers: Ill = {**ILLS, **MORE_ILLS}[name]
        with ill(answers, after=after) as target:
            yield target


@contextlib.contextmanager
def raw(answers: Ill) -> Iterator[IllTarget]:
    """What begins before any request is there."""
    listener = socket.create_server(("127.0.0.1", 0))
    target = IllTarget(f"https://127.0.0.1:{listener.getsockname()[1]}")

    def serve(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            answers(connection, target)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield target
    finally:
        target.ended.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


@contextlib.contextmanager
def deaf(backlog: int | None) -> Iterator[IllTarget]:
    """A port where nobody listens, or whose queue is full, so that whoever connects hears nothing."""
    with contextlib.ExitStack() as stack:
        held = stack.enter_context(socket.socket())
        held.bind(("127.0.0.1", 0))
        if backlog is not None:
            held.listen(backlog)
            for _ in range(backlog + 2):
                waiting = stack.enter_context(socket.socket())
                waiting.setblocking(False)
                waiting.connect_ex(held.getsockname())
        yield IllTarget(f"http://127.0.0.1:{held.getsockname()[1]}")


def environment(folder: Path, url: str, deadline_s: float) -> Path:
    """A gateway of one model, that is its own backend."""
    path = folder / "ill.toml"
    path.write_text(
        f"""
name = "ill"
kind = "staging"
[gateway]
url = "{url}"
key_variable = "ILL_KEY"
liveness_path = "/alive"
readiness_path = "/ready"
request_deadline_s = {deadline_s}
[[backends]]
name = "one"
url = "{url.replace("https", "http")}"
[[models]]
alias = "chat-one"
kind = "chat"
backend = "one"
upstream = "tiny"
[[models]]
alias = "vectors"
kind = "embedding"
backend = "one"
upstream = "vec"
dimensions = 8
[[groups]]
alias = "balanced"
deployments = [{{ backend = "one", upstream = "tiny" }}, {{ backend = "one", upstream = "other" }}]
[policy]
effects = ["read", "spend", "probe"]
requests = 2000
tokens = 200000
seconds = 600
""",
        encoding="utf-8",
    )
    return path


def judged(name: str, *, after: int, workers: int, deadline_s: float, profile: str) -> Seen:
    """One run."""
    with tempfile.TemporaryDirectory(prefix="ill-") as temporary, served(name, after) as target:
        folder = Path(temporary)
        command = [sys.executable, "-m", "pytest", "-q", "-m", profile, "-n", str(workers), "--no-report"]
        command += ["-p", "no:cacheprovider", f"--env={environment(folder, target.url, deadline_s)}"]
        output, begun = folder / "output", time.monotonic()
        with output.open("wb") as file:
            process = subprocess.Popen(
                [*command, f"--runs={folder / 'runs'}"],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                env={**os.environ, "ILL_KEY": KEY, "TMPDIR": temporary},
            )
            most = 0.0
            while process.poll() is None and time.monotonic() - begun < LONGEST_S:
                most = max(most, memory_of(process.pid))
                time.sleep(LOOKS_S)
            hung = process.poll() is None
            process.kill()
            process.wait()
        took = time.monotonic() - (target.ill_at if after and target.ill_at else begun)
        latest = folder / "runs" / "ill" / "latest"
        record = json.loads((latest / "record.json").read_text(encoding="utf-8"))
        state, counted = record["run"]["state"], record["totals"]["requests"]
        wrong = [f"it was not over in {LONGEST_S} s"] if hung else []
        wrong += [f"exit code {process.returncode}"] if process.returncode not in (1, 2) else []
        wrong += [f"it is {state}"] if state.endswith(GREEN) else []
        wrong += [f"{took:.0f} s"] if took > PROMISED_S.get(name, LONGEST_S) else []
        wrong += [f"{most:.0f} MiB"] if most > MOST_MIB else []
        ours = sorted({check["id"] for check in record["checks"] if check["verdict"] == "harness error"})
        wrong += [f"harness error: {', '.join(ours)}"] if ours else []
        wrong += [f"{len(target.seen)} arrived, {counted} counted"] if len(target.seen) > counted else []
        wrong += steered(output.read_bytes().decode("utf-8", "surrogateescape"), "the terminal")
        wrong += leaking(output, *(path for path in latest.rglob("*") if path.is_file()))
        for path in latest.glob("*"):
            if path.suffix in (".md", ".html", ".xml", ".json", ".svg"):
                wrong += unescaped(path.read_text(encoding="utf-8", errors="surrogateescape"), path.name)
        return Seen(name, state, process.returncode, took, len(target.seen), counted, most, wrong)


def memory_of(pid: int) -> float:
    """MiB of a process and all below it."""
    total = 0
    with contextlib.suppress(psutil.Error):
        top = psutil.Process(pid)
        for process in [top, *top.children(recursive=True)]:
            with contextlib.suppress(psutil.Error, OSError):
                total += process.memory_full_info().pss
    return total / (1 << 20)


def steered(text: str, place: str) -> list[str]:
    """What would steer who prints it."""
    bad = {c for c in text if (ord(c) < 32 and c not in "\n\t") or 127 <= ord(c) < 160}
    bad |= {c for c in text if c in "\u202e\u2028\u2029\u2066\u2067" or 0xD800 <= ord(c) <= 0xDFFF}
    found = [f"{place} holds {sorted(bad)!r}"] if bad else []
    obeyed = [line for line in text.splitlines() if line.strip().startswith(COMMANDS)]
    return found + ([f"{place} has the line {obeyed[0][:60]!r}"] if obeyed else [])


def leaking(*paths: Path) -> list[str]:
    """Files that hold the key, in any form that an ill target says it back in."""
    forms = {"as it is": KEY, **key_writings(KEY)}
    found = []
    for path in paths:
        text = path.read_bytes().decode("utf-8", "surrogateescape")
        held = [name for name, form in forms.items() if form in text or json.dumps(form)[1:-1] in text]
        found += [f"{path.name} holds the key: {', '.join(held)}"] if held else []
    return found


def unescaped(text: str, place: str) -> list[str]:
    """Markup of the target's in a page."""
    return (
        [f"{place} holds its script"] if "<script>alert" in text and place.endswith((".html", ".md")) else []
    )


def main(given: Sequence[str] | None = None) -> int:
    """The table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--after", type=int, default=0, help="requests that are answered well before")
    parser.add_argument("--shipped", action="store_true", help=f"a deadline of {SHIPPED_S} s, not {SHORT_S}")
    parser.add_argument("--profile", default="smoke")
    options = parser.parse_args(given)
    names = options.names or [*ILLS, *MORE_ILLS, "dripped_handshake", *DEAF, *TWISTS]
    print(
        "| target | state | seconds | requests | MiB | broken promises |\n|---|---|---|---|---|---|",
        flush=True,
    )
    bad = False
    for name in names:
        seen = judged(
            name,
            after=options.after,
            workers=options.workers,
            deadline_s=SHIPPED_S if options.shipped else SHORT_S,
            profile=options.profile,
        )
        print(seen.row, flush=True)
        bad = bad or bool(seen.wrong)
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())
