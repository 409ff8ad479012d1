"""The program's end: every section that is asked for, and one line of JSON."""

from __future__ import annotations

import base64
import json
import signal
import sys
import time
import zlib

from gateway_acceptance.host.collect.base import Facts, Missing, Request
from gateway_acceptance.host.collect.machine import (
    commands,
    journal,
    machine,
    ollama,
    python,
    reach,
    resources,
    settings,
    sockets,
)
from gateway_acceptance.host.collect.service import account, process, unit
from gateway_acceptance.host.collect.tree import access, files, literals, repository, secrets, tree

SECTIONS = (
    machine, commands, unit, process, account, sockets, reach, resources, journal, settings, ollama,
    tree, secrets, access, files, literals, repository, python,
)  # fmt: skip
COLLECT_DEADLINE_S = 60
"""Seconds for a whole look: whatever hangs on the machine, the program ends (SIGALRM)."""
BEGIN, END = "<<<facts ", " facts>>>"
"""Around the answer, so that a login message cannot spoil it."""


def collected(request: Request) -> Facts:
    """{section: {"value": ...} or {"missing": why, "needs": privilege or ""}}, and under ``clock`` the
    machine's time in seconds since the epoch, before and after."""
    found: Facts = {"clock": {"value": {"first": time.time()}}}
    for section in SECTIONS:
        name = section.__name__
        if name not in request["sections"]:
            continue
        begun = time.monotonic()
        try:
            found[name] = {"value": section(request)}
        except Missing as missing:
            found[name] = {"missing": missing.why, "needs": missing.needs}
        except Exception as error:
            found[name] = {
                "missing": f"the suite's own program failed: {type(error).__name__}: {error}",
                "needs": "",
                "ours": True,
            }
        found[name]["took_s"] = round(time.monotonic() - begun, 3)
    found["clock"]["value"]["last"] = time.time()
    return found


def main(argument: str) -> None:
    """argument: the request as base64 of JSON. Prints the facts between BEGIN and END."""
    signal.alarm(COLLECT_DEADLINE_S)
    request = json.loads(base64.b64decode(argument))
    document = json.dumps(collected(request), separators=(",", ":")).encode()
    sys.stdout.write(BEGIN + base64.b64encode(zlib.compress(document, 9)).decode() + END + "\n")
