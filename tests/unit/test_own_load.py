"""What this machine's own load may be the cause of."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway_acceptance.verdict import CheckFailed
from gateway_acceptance.wire.breaker import PATIENCE_S, PROBE_S, SECOND_PROBE_S, Breaker, Trouble
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.own_load import MOST, factor, lateness

URL = "http://gateway:4000"


@pytest.mark.parametrize(
    ("load", "cores", "times"),
    [
        (0.0, 2, 1.0),
        (2.0, 2, 1.0),
        (4.0, 2, 1.0),
        (8.0, 2, 2.0),
        (12.0, 2, 3.0),
        (8.0, 8, 1.0),
        (90.0, 2, MOST),
    ],
)
def test_waits_grow_with_the_load_of_each_core(load: float, cores: int, times: float) -> None:
    assert factor(load, cores) == times


def test_it_is_in_bounds_here() -> None:
    assert 1.0 <= lateness() <= MOST


def test_silence_on_a_busy_machine_is_borne_longer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now, asked = 100.0, []

    def look(question_s: float) -> Trouble | None:
        asked.append(question_s)
        return Trouble("it is gone", "start it")

    monkeypatch.setattr("gateway_acceptance.wire.breaker.time.monotonic", lambda: now)
    breaker = Breaker(tmp_path / "trouble.json", URL, lambda _: True, look, lateness=lambda: 3.0)
    breaker.after(Exchange("GET", URL + "/x", (), b"", 200))
    now += 3 * PATIENCE_S - 1
    breaker.silent(URL + "/x", 3 * PATIENCE_S - 1)
    assert asked == []
    now += 2
    with pytest.raises(CheckFailed, match="it is gone"):
        breaker.silent(URL + "/x", 3 * PATIENCE_S + 1)
    assert asked == [3 * PROBE_S, 3 * SECOND_PROBE_S]
