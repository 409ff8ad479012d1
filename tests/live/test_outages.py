"""What an operator sees when something is really broken: the right verdict and sentence."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.live.conftest import Lab, Run, judge


@contextmanager
def stopped(lab: Lab, stop: str, start: str, **what: str) -> Iterator[None]:
    """Take something away for the time of a block."""
    lab.do(stop, **what)
    try:
        yield
    finally:
        lab.do(start, **what)


@pytest.fixture
def judged(lab: Lab, tmp_path: Path) -> Callable[..., Run]:
    """Judge the lab and expect a red run."""

    def red(key: str = "") -> Run:
        run = judge(lab.environment, tmp_path, key=key or lab.state.key)
        assert run.code == 1, run.output
        assert run.record is not None
        assert run.record["run"]["state"] == "SMOKE FAILED"
        return run

    return red


def test_a_stopped_gateway_is_one_failure(lab: Lab, judged: Callable[..., Run]) -> None:
    with stopped(lab, "stop-gateway", "start-gateway"):
        run = judged()
    assert run.verdicts("failed") == ["API-OPS-001"]
    messages = {case["message"] for _, case in run.cases() if case["verdict"] == "untestable"}
    assert len(messages) == 1, messages
    assert "the gateway does not answer" in messages.pop()
    assert "connection refused" in run.output


def test_a_stopped_backend_is_named(lab: Lab, judged: Callable[..., Run]) -> None:
    with stopped(lab, "stop-backend", "start-backend", backend="orc"):
        run = judged()
    assert run.verdicts("failed") == ["API-EMB-001", "BACKEND-INV-001", "BACKEND-REACH-001"]
    red = [(check, case) for check, case in run.cases() if case["verdict"] == "failed"]
    assert {case["parameters"].get("backend") for _, case in red} == {"orc", None}
    assert all(case["blame"].startswith("backend") for _, case in red), red


def test_a_removed_model_is_named_with_its_fix(lab: Lab, judged: Callable[..., Run]) -> None:
    with stopped(lab, "remove-model", "restore-models", backend="llm-02", model="gemma2:2b"):
        run = judged()
    failed = [(check, case) for check, case in run.cases() if case["verdict"] == "failed"]
    (inventory,) = [case["message"] for check, case in failed if check == "BACKEND-INV-001"]
    assert "llm-02 lacks gemma2:2b" in inventory
    assert "ollama pull gemma2:2b" in inventory
    chats = [case for check, case in failed if check.startswith("API-CHAT")]
    assert {"chat_model": "llm02-gemma2-2b"} in [case["parameters"] for case in chats]
    assert {case["blame"] for case in chats} == {"backend: llm-02 does not hold gemma2:2b"}


def test_a_changed_key_is_one_failure(judged: Callable[..., Run]) -> None:
    """LiteLLM from 1.106 on tells its version only to who has a key, but for its description: what it refuses
    in its own way stays its release's, and the key is the one failure."""
    run = judged("sk-this-key-was-changed")
    assert run.verdicts("failed") == ["API-AUTH-001"]
    assert "the gateway refuses the environment's key" in run.output
    assert "correct the key in LIVE_TEST_KEY" in run.output
    assert "sk-this-key-was-changed" not in run.output
