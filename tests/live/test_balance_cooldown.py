"""Another client fails every few seconds, and a real LiteLLM leaves out whom it drew: nobody is accused.

The other client's requests ask the backends for a 429 (the lab's scenario); the router then leaves that
deployment out for the cooldown that the environment declares, and its share goes to the others.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from lab.backends import SCENARIO_HEADER
from tests.live.conftest import Lab, judge

EVERY_S, MOST = 1.5, 200
"""Between two failures, a cooldown and a half of ``local``; and how many there are at most."""
BALANCED = "hx-chat"


@contextmanager
def another_client(lab: Lab) -> Iterator[list[int]]:
    """Asks the balanced alias until the block ends. Yields the statuses that it got so far."""
    seen, ended = list[int](), threading.Event()
    body = {"model": BALANCED, "messages": [{"role": "user", "content": "hello"}], "max_tokens": 1}
    headers = {"authorization": f"Bearer {lab.state.key}", SCENARIO_HEADER: "error-429"}

    def fail() -> None:
        with httpx.Client(base_url=lab.environment.gateway.url, headers=headers, timeout=20) as client:
            for _ in range(MOST):
                seen.append(client.post("/v1/chat/completions", json=body).status_code)
                if ended.wait(EVERY_S):
                    return

    thread = threading.Thread(target=fail)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join()


def test_no_right_gateway_fails_beside_it(any_lab: Lab, tmp_path: Path) -> None:
    with another_client(any_lab) as seen:
        run = judge(
            any_lab.environment,
            tmp_path,
            "suites/backends/balance",
            key=any_lab.state.key,
            profile="nightly",
        )
    assert len(seen) >= 3
    assert set(seen) == {429}
    told = {check: case for check, case in run.cases() if case["parameters"].get("group") == BALANCED}
    assert {"BACKEND-BAL-001", "BACKEND-BAL-002", "BACKEND-BAL-003", "BACKEND-BAL-013"} <= told.keys()
    assert run.verdicts("failed") == [], run.output
    assert run.verdicts("harness error") == [], run.output
