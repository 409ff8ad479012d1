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
import pytest

from gateway_acceptance.environment import Environment
from lab.backends import SCENARIO_HEADER
from lab.mutation_matrix import KEY_VARIABLE, standing
from tests.live.conftest import ROOT, judge

EVERY_S, MOST = 1.5, 200
"""Between two failures, a cooldown and a half of ``local``; and how many there are at most."""
BALANCED = "hx-chat"
JUDGED = {"BACKEND-BAL-001", "BACKEND-BAL-002", "BACKEND-BAL-003", "BACKEND-BAL-013"}


@contextmanager
def another_client(environment: Environment, key: str) -> Iterator[list[int]]:
    """Asks the balanced alias until the block ends. Yields the statuses that it got so far."""
    seen, ended = list[int](), threading.Event()
    body = {"model": BALANCED, "messages": [{"role": "user", "content": "hello"}], "max_tokens": 1}
    headers = {"authorization": f"Bearer {key}", SCENARIO_HEADER: "error-429"}

    def fail() -> None:
        with httpx.Client(base_url=environment.gateway.url, headers=headers, timeout=20) as client:
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


def no_right_gateway_fails_beside_it(litellm: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Judge the balance of a lab with that LiteLLM, beside the other client. folder: for the run."""
    with standing(ROOT, [], litellm, print) as lab:
        (environment,) = lab.environments
        key = lab.variables[KEY_VARIABLE]
        monkeypatch.setenv(KEY_VARIABLE, key)
        with another_client(environment, key) as seen:
            run = judge(environment, folder, "suites/backends/balance", profile="nightly")
    assert len(seen) >= 3
    assert set(seen) <= {429, 500}, seen  # 1.74.15 makes an internal error of the backend's 429
    assert {check for check, _ in run.cases()} >= JUDGED
    assert run.verdicts("failed") == [], run.output
    assert run.verdicts("harness error") == [], run.output
