"""How fast and how many at once: over all workers, through files."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from gateway_acceptance.check import Effect
from gateway_acceptance.environment.model import Policy
from gateway_acceptance.verdict import NotPermitted
from gateway_acceptance.wire import pace as module
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.pace import LONGEST_HOLD_S, Pace, retry_after


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    waits: list[float] = []
    monkeypatch.setattr("time.sleep", waits.append)
    return waits


def made(folder: Path, *, pace: float | None = None, at_once: int | None = None, left_s: float = 600) -> Pace:
    policy = Policy(
        effects=(Effect.READ,),
        requests=10,
        tokens=10,
        seconds=600,
        requests_per_second=pace,
        concurrency=at_once,
    )
    return Pace(folder, "mini", policy, time.time() + left_s)


def refused(status: int, retry: str) -> Exchange:
    return Exchange("GET", "http://h", (), b"", status, (("Retry-After", retry),))


def test_requests_leave_one_after_the_other(tmp_path: Path, slept: list[float]) -> None:
    """Two workers, one pace."""
    for worker in (made(tmp_path, pace=0.01), made(tmp_path, pace=0.01), made(tmp_path, pace=0.01)):
        worker.wait()
    assert len(slept) == 2
    assert 100 < slept[0] <= 105, "a little slower than declared"
    assert 200 < slept[1] <= 210


def test_nobody_waits_where_no_pace_is_set(tmp_path: Path, slept: list[float]) -> None:
    made(tmp_path).wait()
    assert slept == []
    assert made(tmp_path).place() is None


def test_places_are_given_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PLACE_S", 0.0)
    held = made(tmp_path, at_once=1).place()
    assert held is not None
    with pytest.raises(NotPermitted, match=r"1 requests be asked at once \(policy\.concurrency\)"):
        made(tmp_path, at_once=1).place()
    os.close(held)
    again = made(tmp_path, at_once=1).place()
    assert again is not None
    os.close(again)


@pytest.mark.parametrize(
    ("status", "retry", "left_s", "waits"),
    [
        (429, "20", 600, True),
        (503, "20", 600, True),
        (429, "20", 10, False),
        (429, str(LONGEST_HOLD_S + 1), 600, False),
        (429, "3600", 600, False),
        (429, "-1", 600, False),
        (429, "soon", 600, False),
        (200, "20", 600, False),
    ],
)
def test_retry_after_is_heeded_where_it_fits(
    tmp_path: Path, slept: list[float], status: int, retry: str, left_s: float, waits: bool
) -> None:
    made(tmp_path, left_s=left_s).observe(refused(status, retry))
    made(tmp_path).wait()
    assert bool(slept) == waits
    assert not waits or 15 < slept[0] <= 20


@pytest.mark.parametrize("value", ["", "x", "9" * 400, "Thu, 99 Nov 2026 25:00:00 GMT", "٣", "1e3"])
def test_nonsense_is_no_time(value: str) -> None:
    seconds = retry_after(value)
    assert seconds is None or not 0 < seconds <= LONGEST_HOLD_S or value == "٣"


def test_who_was_told_to_wait_is_not_asked_soon(tmp_path: Path) -> None:
    assert made(tmp_path).soon()
    made(tmp_path).observe(refused(429, "1"))
    assert made(tmp_path).soon()
    made(tmp_path).observe(refused(429, "20"))
    assert not made(tmp_path).soon()


def test_what_is_asked_instead_needs_no_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PLACE_S", 0.0)
    pace = made(tmp_path, at_once=1)
    held = pace.place()
    assert held is not None
    with pace.instead():
        assert pace.beyond
        assert pace.place() is None
    assert not pace.beyond
    with pytest.raises(NotPermitted):
        pace.place()
    os.close(held)
