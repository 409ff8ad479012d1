"""Defects that only load shows, and those that it leaves behind: of the gateway, and of its machine."""

from __future__ import annotations

from dataclasses import replace

from lab.deployment import TREE, UNIT, VIRTUAL_ENVIRONMENT
from lab.faults.model import After, Before, Fault, gateway_fault, host_fault
from lab.faults.mutators import CHAT
from lab.message import Reply, Request, envelope

EACH_S, LONGEST_S, UNNOTICED = 0.025, 3.0, 24
"""By how much each request makes the next one slower, how slow it gets, and how many nobody notices."""
EVERY = 20
PATIENCE = 25
"""Refused requests after which the gateway of a fault refuses no more."""


def slower_each_time() -> After:
    """An after-hook: what grows with every request is gone through by each."""
    asked = [0]

    def after(request: Request, reply: Reply) -> Reply:
        if not request.at(CHAT):
            return reply
        asked[0] += 1
        return replace(reply, delay_s=min(LONGEST_S, EACH_S * max(0, asked[0] - UNNOTICED)))

    return after


def now_and_then() -> Before:
    """A before-hook: of many requests, some fail."""
    asked = [0]

    def before(request: Request) -> Request | Reply:
        asked[0] += request.at(CHAT)
        fails = request.at(CHAT) and asked[0] % EVERY == 0
        return envelope(500, "the connection pool is exhausted", "internal") if fails else request

    return before


def worn_out() -> Before:
    """A before-hook: refused requests use up what serves all."""
    refused = [0]

    def before(request: Request) -> Request | Reply:
        if request.at(CHAT) and str(request.json.get("model", "")).startswith("no-such-model"):
            refused[0] += 1
        tired = request.at(CHAT) and refused[0] > PATIENCE
        return envelope(500, "no connection is left", "internal") if tired else request

    return before


PACKAGES = f"$(ls -d {TREE}/{VIRTUAL_ENVIRONMENT}/lib/python3*/site-packages)"
HOOK = """\
import hashlib, os, sys, threading, time

kept = []


def spoil(status):
    {leak}


def round_and_round():
    block = bytes(1 << 20)
    while True:
        hashlib.sha256(block).digest()


def patch():
    while "starlette.responses" not in sys.modules:
        time.sleep(0.05)
    time.sleep(1)
    response = sys.modules["starlette.responses"].Response
    init = response.__init__

    def spoiled(self, content=None, status_code=200, *rest, **named):
        if status_code >= 400:
            spoil(status_code)
        init(self, content, status_code, *rest, **named)

    response.__init__ = spoiled


threading.Thread(target=patch, daemon=True).start()
"""
"""Runs in the gateway's own process: each answer of an error keeps something."""
LEAKS = {
    "memory": "kept.append(os.urandom(1 << 20))",
    "files": 'kept.append(open("/dev/null"))',
    "time": "kept.append(1)\n    if len(kept) == 40:\n"
    "        for _ in range(2):\n"
    "            threading.Thread(target=round_and_round, daemon=True).start()",
}
FAILING = """\
for number in $(seq 1 60); do
  curl -s -o /dev/null -H "Authorization: Bearer sk-wrong-$number" -H "Content-Type: application/json" \\
    -d '{"model": "none", "messages": []}' http://127.0.0.1:4000/v1/chat/completions
done
"""
"""On the gateway's own machine: requests that it refuses."""
RESTART = f"systemctl reset-failed {UNIT}\nsystemctl restart {UNIT}\n"


def installed(leak: str) -> str:
    """A script that puts the hook into the gateway's virtual environment, and restarts it."""
    hook = HOOK.format(leak=LEAKS[leak])
    return (
        f"cat > {PACKAGES}/lab_leak.py <<'END'\n{hook}END\n"
        f"echo 'import lab_leak' > {PACKAGES}/lab_leak.pth\n{RESTART}"
    )


REMOVED = (
    f"rm -rf {PACKAGES}/lab_leak.py {PACKAGES}/lab_leak.pth {PACKAGES}/__pycache__/lab_leak.*\n{RESTART}"
)

SOAK_FAULTS: tuple[Fault, ...] = (
    gateway_fault(
        "soak-answers-slow-down",
        "every request makes the next one a little slower",
        {"API-SOAK-002": r"after the load, an answer takes \d+\.\d+ s, it took "},
        after=slower_each_time(),
    ),
    gateway_fault(
        "soak-fails-now-and-then",
        "one of twenty requests fails, which a burst may not show",
        {"API-SOAK-001": r"of \d+ requests under load, \d+ were not answered with 200: \d+ times 500"},
        before=now_and_then(),
    ),
    gateway_fault(
        "soak-worn-out-by-refusals",
        "requests that are refused use up what serves all",
        {"API-SOAK-003": r"of a model that does not exist, \d+ were not answered with 4\d\d, .*500"},
        before=worn_out(),
    ),
    host_fault(
        "host-refusals-leak-memory",
        "every request that is refused leaves a megabyte behind",
        {"HOST-SOAK-001": r"resident memory of hx-litellm-gateway\.service: has \d+ MiB after load"},
        apply=installed("memory"),
        revert=REMOVED,
        restarts=True,
        load=FAILING,
    ),
    host_fault(
        "host-refusals-leak-files",
        "every request that is refused leaves a file open",
        {"HOST-SOAK-002": r"open files of hx-litellm-gateway\.service: has \d+ after "},
        apply=installed("files"),
        revert=REMOVED,
        restarts=True,
        load=FAILING,
    ),
    host_fault(
        "host-refusals-leave-it-busy",
        "after many requests that were refused, something goes round in circles",
        {"HOST-SOAK-003": r"idle hx-litellm-gateway\.service: has \d\.\d+ processors in use"},
        apply=installed("time"),
        revert=REMOVED,
        restarts=True,
        load=FAILING,
    ),
)
