"""The circuit: what opens it, who says so, and what leaves it closed."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from gateway_acceptance.verdict import CheckFailed, Untestable
from gateway_acceptance.wire import breaker as module
from gateway_acceptance.wire.breaker import Breaker, Trouble
from gateway_acceptance.wire.exchange import LEFT, Exchange

URL = "http://gateway:4000"
GONE = Trouble("it is gone", "start it")


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AGAIN_S", 0.0)


def exchange(status: int | None, url: str = URL + "/v1/models", error: str = "") -> Exchange:
    return Exchange("GET", url, (("authorization", "Bearer own"),), b"", status, error=error)


class Worker:
    """A worker of a run. finds: what each look finds, one after the other; the last one for ever."""

    def __init__(self, folder: Path, *finds: Trouble | None) -> None:
        self.probes = 0
        self._finds = finds
        self.breaker = Breaker(folder / "trouble.json", URL, lambda _: True, self._probe, "/openapi.json")

    def _probe(self, _: float) -> Trouble | None:
        found = self._finds[min(self.probes, len(self._finds) - 1)]
        self.probes += 1
        return found


@pytest.mark.parametrize(("status", "enough"), [(None, 1), (429, 3), (503, 3), (302, 3), (401, 3)])
def test_what_opens_it(tmp_path: Path, status: int | None, enough: int) -> None:
    worker = Worker(tmp_path, GONE)
    for _ in range(enough - 1):
        worker.breaker.after(exchange(status))
    assert worker.probes == 0
    with pytest.raises(CheckFailed, match="in the midst of the run it is gone; start it"):
        worker.breaker.after(exchange(status))
    assert worker.probes == 2
    with pytest.raises(Untestable, match="it is gone; start it"):
        worker.breaker.before(exchange(None))


def test_one_worker_says_so(tmp_path: Path) -> None:
    first, second = Worker(tmp_path, GONE), Worker(tmp_path, Trouble("another word", "x"))
    with pytest.raises(CheckFailed):
        first.breaker.after(exchange(None))
    with pytest.raises(Untestable):
        second.breaker.after(exchange(None))
    with pytest.raises(Untestable, match="it is gone"):
        second.breaker.before(exchange(None))


def test_what_silence_showed_is_said_by_the_request_that_was_silent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is left for that, and so has no answer: nobody looks again, and nothing hides the one failure."""
    worker, other = Worker(tmp_path, GONE), Worker(tmp_path, GONE)
    monkeypatch.setattr(module, "PATIENCE_S", -1.0)
    with pytest.raises(CheckFailed, match="in the midst of the run it is gone"):
        worker.breaker.silent(URL + "/v1/models", 0.1)
    worker.breaker.after(exchange(None, error=LEFT))
    assert worker.probes == 2
    with pytest.raises(Untestable, match="it is gone"):
        other.breaker.after(exchange(None))
    assert other.probes == 0, "it is known by then"


@pytest.mark.parametrize("finds", [(None,), (GONE, None)])
def test_a_gateway_that_answers_is_left_in_peace(tmp_path: Path, finds: tuple[Trouble | None, ...]) -> None:
    """Refusals are a right answer to much; and one that was just restarted is back at the second look."""
    worker = Worker(tmp_path, *finds)
    for _ in range(4):
        worker.breaker.after(exchange(429))
    worker.breaker.before(exchange(None))
    assert worker.probes == len(finds)


@pytest.mark.parametrize(("kind", "probes"), [("no_db_connection", 2), ("invalid_request_error", 0)])
def test_litellm_without_a_database_says_400_of_its_key(tmp_path: Path, kind: str, probes: int) -> None:
    worker = Worker(tmp_path, GONE)
    refused = replace(exchange(400), chunks=((0.0, json.dumps({"error": {"type": kind}}).encode()),))
    with pytest.raises(CheckFailed) if probes else contextlib.nullcontext():
        for _ in range(3):
            worker.breaker.after(refused)
    assert worker.probes == probes


def test_what_says_nothing_of_the_gateway(tmp_path: Path) -> None:
    worker = Worker(tmp_path, GONE)
    for _ in range(9):
        worker.breaker.after(exchange(None, "http://gateway:40001/x"))
        worker.breaker.after(exchange(500))
        worker.breaker.after(exchange(429))
        worker.breaker.after(exchange(200))
    worker.breaker.suspended = True
    worker.breaker.after(exchange(None))
    assert worker.probes == 0


@pytest.mark.parametrize(
    ("url", "waited_s", "probes"),
    [
        (URL + "/v1/chat/completions", 5.0, 0),
        (URL + "/v1/chat/completions", 7.0, 2),
        (URL + "/openapi.json", 29.0, 0),  # LiteLLM is busy making it, and answers nobody
        (URL + "/openapi.json", 31.0, 2),
        (URL + "/elsewhere/openapi.json", 7.0, 2),
    ],
)
def test_how_long_silence_is_borne(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, waited_s: float, probes: int
) -> None:
    now = 100.0
    monkeypatch.setattr("gateway_acceptance.wire.breaker.time.monotonic", lambda: now)
    worker = Worker(tmp_path, GONE)
    worker.breaker.after(exchange(200))
    now += waited_s
    if probes:
        with pytest.raises(CheckFailed, match="it is gone"):
            worker.breaker.silent(url, waited_s)
    else:
        worker.breaker.silent(url, waited_s)
    assert worker.probes == probes


@pytest.mark.parametrize(("quiet_s", "probes"), [(5.0, 0), (7.0, 2)])
def test_silence_begins_with_the_last_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quiet_s: float, probes: int
) -> None:
    """Not with the last answer: who asked nothing for an hour has not waited an hour."""
    now = 100.0
    monkeypatch.setattr("gateway_acceptance.wire.breaker.time.monotonic", lambda: now)
    worker = Worker(tmp_path, GONE)
    worker.breaker.after(exchange(200))
    now += 3600
    with contextlib.suppress(CheckFailed):
        worker.breaker.silent(URL + "/v1/models", quiet_s)
    assert worker.probes == probes


def test_who_waits_hears_what_another_worker_found(tmp_path: Path) -> None:
    """At once, and asks nothing itself: neither while it waits nor between two looks."""
    waits = Worker(tmp_path, GONE)
    with pytest.raises(CheckFailed):
        Worker(tmp_path, GONE).breaker.after(exchange(None))
    with pytest.raises(Untestable, match="it is gone"):
        waits.breaker.silent(URL + "/v1/models", 0.1)
    assert waits.probes == 0


def test_who_looks_hears_it_before_the_second_look(tmp_path: Path) -> None:
    other = Worker(tmp_path, GONE)
    probes: list[float] = []

    def probe(seconds: float) -> Trouble | None:
        probes.append(seconds)
        other.breaker.open(GONE)
        return GONE

    looks = Breaker(tmp_path / "trouble.json", URL, lambda _: True, probe)
    with pytest.raises(Untestable, match="it is gone"):
        looks.after(exchange(None))
    assert len(probes) == 1


def test_what_another_worker_waits_for_keeps_all_patient(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The description, which LiteLLM makes when it is first asked for, and answers nobody meanwhile."""
    now = 100.0
    monkeypatch.setattr("gateway_acceptance.wire.breaker.time.monotonic", lambda: now)
    asks, waits = Worker(tmp_path, GONE), Worker(tmp_path, GONE)
    asks.breaker.before(exchange(None, URL + "/openapi.json"))
    now += 7
    waits.breaker.silent(URL + "/v1/chat/completions", 7.0)
    assert waits.probes == 0
    asks.breaker.after(exchange(200, URL + "/openapi.json"))
    with pytest.raises(CheckFailed, match="it is gone"):
        waits.breaker.silent(URL + "/v1/chat/completions", 7.0)


def test_a_look_waits_until_the_description_has_come(tmp_path: Path) -> None:
    asks = Worker(tmp_path, None)
    asks.breaker.before(exchange(None, URL + "/openapi.json"))
    probes: list[float] = []

    def probe(seconds: float) -> Trouble | None:
        probes.append(seconds)
        if len(probes) > 1:
            return None
        asks.breaker.after(exchange(200, URL + "/openapi.json"))
        return GONE

    Breaker(tmp_path / "trouble.json", URL, lambda _: True, probe).after(exchange(None))
    assert len(probes) == 2, "it is asked again, and answers"


def test_who_never_gets_it_keeps_nobody_patient(tmp_path: Path) -> None:
    worker = Worker(tmp_path, GONE)
    worker.breaker.before(exchange(None, URL + "/openapi.json"))
    (waited,) = [path for path in tmp_path.iterdir() if path.name.endswith("-description")]
    os.utime(waited, (0, 0))
    with pytest.raises(CheckFailed, match="it is gone"):
        worker.breaker.after(exchange(None))


def test_the_second_look_has_more_time(tmp_path: Path) -> None:
    given: list[float] = []

    def probe(seconds: float) -> Trouble | None:
        given.append(seconds)
        return GONE

    with pytest.raises(CheckFailed):
        Breaker(tmp_path / "trouble.json", URL, lambda _: True, probe).after(exchange(None))
    assert given == sorted(given)
    assert given[1] > given[0]
