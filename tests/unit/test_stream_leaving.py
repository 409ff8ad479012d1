"""When a backend's slot is called free, without a network: the clock is the test's."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from gateway_acceptance.environment import Model
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import CheckFailed, Inconclusive, NotApplicable, Untestable
from gateway_acceptance.wire.exchange import Exchange
from suites.api.streams import leaving as stream_leaving
from suites.api.streams.leaving import WATCH_S, begun, slot_freed, watch_s

MODEL = cast(Model, SimpleNamespace(alias="a", backend="b", upstream="m:latest"))
SHORT_S, ANSWER_S = 0.4, 8.0


def answered(seconds: float, usage: Any = None, status: int = 200) -> Exchange:
    choices = [{"message": {"role": "assistant", "content": "1, 2, 3"}}]
    raw = json.dumps({"choices": choices, "usage": usage}).encode()
    return Exchange("POST", "http://x", (), b"", status=status, chunks=((seconds, raw),), elapsed_s=seconds)


class Scene:
    """A backend and its clock. The slot of the client that leaves is free ``freed_s`` later; each look
    after that takes ``watch_s``; ``late_s`` after a short answer its own slot is seen
    free; while the client leaves for the ``foreign``-th time, somebody else's long request begins."""

    def __init__(
        self,
        *,
        freed_s: float,
        watch_s: float = 0.0,
        late_s: float = 0.0,
        status: int = 200,
        foreign: int = 0,
    ) -> None:
        self.now, self.watch_s, self.late_s, self.freed_s, self.status = 0.0, watch_s, late_s, freed_s, status
        self.marks: list[float] = []
        self.left, self.foreign = 0, foreign

    def short(self, _: Target, __: str) -> Exchange:
        self.now += SHORT_S
        self.marks.append(self.now + self.late_s)
        return answered(SHORT_S, {"completion_tokens": 20}, self.status)

    def leave(self, _: Target, __: str, meanwhile: Callable[[], object]) -> None:
        """While it is open the mark stands, whatever ends meanwhile."""
        self.left += 1
        self.marks = [mark for mark in self.marks if mark <= self.now]
        meanwhile()
        self.marks.append(self.now + (ANSWER_S if self.left == self.foreign else self.freed_s))

    def idle_mark(self, _: Target, __: Model) -> str:
        self.now += self.watch_s if self.marks[-1] > self.now else 0.0
        return str(max((mark for mark in self.marks if mark <= self.now), default=0))

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def judge(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(stream_leaving, "short_answer", self.short)
        monkeypatch.setattr(stream_leaving, "leave", self.leave)
        monkeypatch.setattr(stream_leaving, "idle_mark", self.idle_mark)
        monkeypatch.setattr(
            stream_leaving, "time", SimpleNamespace(monotonic=lambda: self.now, sleep=self.sleep)
        )
        slot_freed(cast(Target, None), MODEL)


@pytest.mark.parametrize("late_s", [0.0, 0.3])
@pytest.mark.parametrize("freed_s", [0.01, 1.0])
def test_a_slot_that_is_soon_free_passes(
    monkeypatch: pytest.MonkeyPatch, freed_s: float, late_s: float
) -> None:
    Scene(freed_s=freed_s, late_s=late_s).judge(monkeypatch)


@pytest.mark.parametrize("late_s", [0.0, 0.3])
def test_a_slot_held_to_the_end_of_the_answer_fails(monkeypatch: pytest.MonkeyPatch, late_s: float) -> None:
    """Also where the mark of the answer before is late: it is not taken for that of the client that left."""
    with pytest.raises(CheckFailed, match=r"^the slot is not free 2\.0 s after"):
        Scene(freed_s=ANSWER_S, late_s=late_s).judge(monkeypatch)


def test_somebody_elses_request_is_not_the_gateways_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """It began just as the client left, and keeps the slot; when it has ended, all is well."""
    Scene(freed_s=0.01, foreign=1).judge(monkeypatch)


def test_others_without_end_tell_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Inconclusive, match="its slot is never free"):
        Scene(freed_s=1000.0).judge(monkeypatch)


def test_a_look_that_comes_too_late_tells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine the abandoned answer is over before the first look: that is no free slot."""
    with pytest.raises(Inconclusive, match="may have ended by itself"):
        Scene(freed_s=ANSWER_S, watch_s=10.0).judge(monkeypatch)


def test_a_refused_answer_is_not_called_not_applicable(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Untestable, match="API-CHAT-001"):
        Scene(freed_s=0.0, status=500).judge(monkeypatch)
    assert not issubclass(Untestable, NotApplicable)


@pytest.mark.parametrize(
    ("seconds", "usage", "expected"),
    [
        (0.4, {"completion_tokens": 20}, 2.0),
        (0.4, {"completion_tokens": 80}, 0.5),
        (0.4, {"completion_tokens": 0}, 0.5),
        (0.4, {"completion_tokens": "20"}, 0.5),
        (0.4, None, 0.5),
        (60.0, {"completion_tokens": 20}, WATCH_S),
    ],
)
def test_the_time_looked_is_a_share_of_the_abandoned_answer(
    seconds: float, usage: Any, expected: float
) -> None:
    assert watch_s(answered(seconds, usage)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("body", "seen"),
    [
        (b'data: {"choices": [{"delta": {"content": "1"}}]}\n\n', True),
        (b': ping\r\n\r\ndata:{"id": 1, "choices": []}\r\n\r\n', True),
        (b": ping\n\n: ping\n\n", False),
        (b'data: {"error": {"message": "no"}}\n\n', False),
        (b"data: [DONE]\n\n", False),
        (b"", False),
    ],
)
def test_a_stream_has_begun_with_a_chunk_of_a_model(body: bytes, *, seen: bool) -> None:
    assert begun(body) is seen
