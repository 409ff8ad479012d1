"""Patterns that read what targets and machines send take time by its length, not by the square of it."""

from __future__ import annotations

import re
import signal
from types import FrameType

import pytest

from gateway_acceptance import redaction, secret_writings
from gateway_acceptance.cli.init import machine
from gateway_acceptance.host import constraints
from gateway_acceptance.host.collect import access_log, base
from suites.api.errors import leaks
from suites.api.exposure import test_exposure as exposure
from suites.backends.balance import trace

READERS = [
    *(secret_writings.CODE, secret_writings.CODES, secret_writings.IN_JSON, secret_writings.TOKEN),
    *(secret_writings.RUN, secret_writings.PIECE),
    *(redaction.COMMAND, redaction.STEERING),
    *(*leaks.TRACES, *leaks.PATHS, leaks.ADDRESS, leaks.LOCALHOST),
    *(exposure.VERSION, trace.COOLED, trace.LABEL),
    *(*access_log.ACCESS_LINES, base.SECRET, constraints.NUMBERS, machine.ASSIGNED),
]
REPEATED = [
    *("x", "A", "9", "_", "é", "/", "\\", " ", "\t", "\n", "\r\n", "<", "{", '"', "'", "%41", "=", ":", "-"),
    *(
        "sk-",
        "a.",
        "a/",
        "1.",
        "1 ",
        "\\u00",
        "&#",
        "&amp;",
        "Bearer ",
        "://",
        "a@",
        "at ",
        'File "',
        "| 500 |",
    ),
    *("10.0.", "eyJ.", '- "', "/a/b.py", "Traceback", "\\x4", "%25", "\nat "),
]
LENGTH = 100_000
CPU_S = 20
"""Of processor time, whatever else the machine does: once takes milliseconds, the square minutes."""


def _too_long(_: int, __: FrameType | None) -> None:
    raise AssertionError(f"not read within {CPU_S} s of processor time")


@pytest.mark.parametrize("pattern", READERS, ids=lambda pattern: pattern.pattern[:40])
def test_one_thing_again_and_again_is_read_once(pattern: re.Pattern[str]) -> None:
    before = signal.signal(signal.SIGVTALRM, _too_long)
    signal.setitimer(signal.ITIMER_VIRTUAL, CPU_S)
    try:
        for repeated in REPEATED:
            for _ in pattern.finditer((repeated * LENGTH)[:LENGTH] + "!\x00"):
                pass
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
