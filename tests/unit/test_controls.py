"""Gateways that are right in another way, and how what is red on one is told; faults before weak models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gateway_acceptance.environment import load_environment
from gateway_acceptance.usage import UsageProblem
from lab.control_matrix import checks_of, chosen, evaluate, text
from lab.controls import CONTROLS
from lab.controls.outsiders import OPEN_PATHS
from lab.controls.streams import framed
from lab.controls.thinking import BUDGET, thinking
from lab.controls.topology import BURST, RateLimit
from lab.faults import FAULTS
from lab.message import Reply, Request
from lab.weak_matrix import BASIC
from lab.weak_matrix import evaluate as weak
from lab.weak_matrix import text as weak_text

ROOT = Path(__file__).parents[2]
CRLF = CONTROLS["right-sse-crlf"]
STREAM = b'data: {"choices": [{"index": 0, "delta": {"content": "a"}}]}\n\ndata: [DONE]\n\n'


def asked(**body: Any) -> Request:
    return Request("POST", "/v1/chat/completions", (), json.dumps(body).encode(), authorised=True)


def record(**verdicts: str) -> dict[str, Any]:
    return {
        "checks": [
            {
                "id": name.replace("_", "-"),
                "verdict": verdict.split(":")[0],
                "cases": [{"verdict": verdict.split(":")[0], "message": verdict.partition(":")[2]}],
            }
            for name, verdict in verdicts.items()
        ]
    }


def test_there_are_enough_and_each_says_what_it_is() -> None:
    assert len(CONTROLS) >= 20
    assert all(name.startswith("right-") and control.description for name, control in CONTROLS.items())
    assert not set(CONTROLS) & set(FAULTS)


def test_each_is_judged_by_checks_of_nightly() -> None:
    for control in CONTROLS.values():
        brief, usual = (checks_of(control, ROOT, brief=short) for short in (True, False))
        assert set(control.concerns) <= set(brief), control.name
        assert bool(control.concerns) == bool(control.checks), control.name
        assert set(brief) <= set(usual), control.name
        unused = [begins for begins in control.checks if not any(one.startswith(begins) for one in usual)]
        assert not unused, control.name


def test_an_unknown_control_is_refused() -> None:
    with pytest.raises(UsageProblem, match="there is no such control"):
        chosen(["right-nothing"])


def test_red_is_an_alarm_and_nothing_judged_is_not_complete() -> None:
    red = evaluate([CRLF], {CRLF.name: record(API_A="passed:", API_B="failed:got \\r")})
    assert [(alarm.check, alarm.message) for alarm in red.alarms] == [("API-B", "got \\r")]
    assert not red.complete
    assert "FALSE ALARM right-sse-crlf: API-B failed: got \\r" in text(red)
    assert evaluate([CRLF], {CRLF.name: record(API_A="passed:", API_B="not permitted:")}).complete
    assert not evaluate([CRLF], {CRLF.name: record(API_A="not applicable:")}).complete
    assert not evaluate([CRLF], {}).complete


def test_events_are_framed_anew() -> None:
    after = framed(lambda number, data: f"{number}<{data[:1]}>".encode(), b"!")
    assert after(asked(stream=True), Reply(200, (), (STREAM,))).body == b"!0<{>1<[>"
    assert after(asked(), Reply(200, (), (STREAM,))).body == STREAM


@pytest.mark.parametrize(("limit", "content", "reason"), [(BUDGET, "", "length"), (BUDGET + 1, "a", "stop")])
def test_a_limit_is_spent_on_thoughts(limit: int, content: str, reason: str) -> None:
    choice = {"index": 0, "message": {"role": "assistant", "content": "a"}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4}
    reply = Reply(200, (), (json.dumps({"choices": [choice], "usage": usage}).encode(),))
    found = thinking("reasoning")(asked(max_tokens=limit), reply).json
    assert found["choices"][0]["message"]["content"] == content
    assert found["choices"][0]["finish_reason"] == reason
    assert found["choices"][0]["message"]["reasoning"]
    assert found["usage"]["total_tokens"] == 3 + found["usage"]["completion_tokens"]


def test_a_limit_of_rate_says_when_to_come_back() -> None:
    limited = RateLimit()
    answers = [limited(asked()) for _ in range(2 * BURST)]
    refused = [answer for answer in answers if isinstance(answer, Reply)]
    assert refused
    assert all(answer.status == 429 and ("retry-after", "1") in answer.headers for answer in refused)


NEEDS = "not applicable:a does not declare count (models.abilities)"


def test_faults_before_weak_models() -> None:
    faults = [FAULTS["chat-system-dropped"], FAULTS["chat-history-dropped"], FAULTS["chat-roles-lost"]]
    control = record(API_CHAT_024=NEEDS, API_CHAT_026=NEEDS, API_CHAT_027=NEEDS, API_CHAT_052="passed:")
    control["checks"] += record(API_CHAT_053="passed:")["checks"]
    runs = {
        "control": control,
        "chat-system-dropped": record(API_CHAT_052="failed:"),
        "chat-history-dropped": record(API_CHAT_053="passed:"),
        "chat-roles-lost": record(API_CHAT_027=NEEDS),
    }
    found = weak(faults, runs)
    assert (found.detected, found.missed) == (["chat-system-dropped"], ["chat-history-dropped"])
    assert found.able == ["chat-roles-lost"]
    assert found.share == 0.5
    assert not found.complete
    assert "MISSED chat-history-dropped" in weak_text(found)


def test_what_is_basic_hangs_on_no_ability() -> None:
    runs = {"control": record(API_CHAT_010=NEEDS), "chat-system-dropped": record()}
    found = weak([FAULTS["chat-system-dropped"]], runs)
    assert found.absent == ["API-CHAT-010"]
    assert "API-CHAT-010" in BASIC


def test_the_open_catalogue_is_declared_beside_what_local_declares() -> None:
    local = load_environment("local", ROOT, {})
    assert {*OPEN_PATHS} == {*local.gateway.public_paths, "/v1/models"}
