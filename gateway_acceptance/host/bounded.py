"""A command of ours (ssh) that ends in time, its output bounded, whatever the machine behind it does."""

from __future__ import annotations

import os
import selectors
import subprocess
import time
from typing import Any

from gateway_acceptance.host.facts import NoFacts

WITHIN_S = 90.0
"""Seconds of a look as a whole: 10 to connect, 60 until the program on the machine ends itself, and some."""
MOST_BYTES = 64 << 20
"""Of output: facts are far smaller, and packed."""


def bound(backend: Any, within_s: float = WITHIN_S, most: int = MOST_BYTES) -> None:
    """Make a backend of testinfra run what it runs here, its ssh, within bounds. Its ``run`` raises NoFacts
    where one is reached."""

    def run_local(command: str, *arguments: str) -> Any:
        text = backend.encode(backend.quote(command, *arguments))
        return backend.result(*_ran(text, within_s, most))

    backend.run_local = run_local


def _ran(command: bytes, within_s: float, most: int) -> tuple[int, bytes, bytes, bytes]:
    """Exit code, the command, output and errors. Raises NoFacts where a bound is reached."""
    process = subprocess.Popen(
        # as testinfra does; exec, so that what is ended is the command, not the shell before it
        ["/bin/sh", "-c", b"exec " + command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with process:
        try:
            until = time.monotonic() + within_s
            output, errors = _read(process, until, within_s, most)
            return process.wait(max(until - time.monotonic(), 0.0)), command, output, errors
        except subprocess.TimeoutExpired:
            raise _late(within_s) from None
        finally:
            process.kill()


def _read(process: subprocess.Popen[bytes], until: float, within_s: float, most: int) -> tuple[bytes, bytes]:
    assert process.stdout is not None
    assert process.stderr is not None
    kept = {process.stdout.fileno(): bytearray(), process.stderr.fileno(): bytearray()}
    with selectors.DefaultSelector() as open_ones:
        for descriptor in kept:
            open_ones.register(descriptor, selectors.EVENT_READ)
        while open_ones.get_map():
            left = until - time.monotonic()
            if left <= 0:
                raise _late(within_s)
            for key, _ in open_ones.select(left):
                piece = os.read(key.fd, 65536)
                kept[key.fd] += piece
                if not piece:
                    open_ones.unregister(key.fd)
            if sum(map(len, kept.values())) > most:
                raise NoFacts(
                    f"the machine answered more than {most >> 20} MiB",
                    "look at what its login and its python3 print",
                )
    output, errors = (bytes(each) for each in kept.values())
    return output, errors


def _late(within_s: float) -> NoFacts:
    return NoFacts(
        f"the look was not over after {within_s:g} s", "try by hand whether ssh and python3 answer there"
    )
