"""What a run keeps in memory of what targets send is bounded, however much that is and however often."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

import pytest

from gateway_acceptance.plugin import observations
from gateway_acceptance.plugin.observations import Observations
from gateway_acceptance.verdict import CheckFailed, NoAnswer
from gateway_acceptance.wire import exchange as exchange_module
from gateway_acceptance.wire import ledger
from gateway_acceptance.wire.deadline import Deadline
from gateway_acceptance.wire.exchange import LEFT, Exchange, Notebook
from gateway_acceptance.wire.ledger import Conduct
from gateway_acceptance.wire.memory import LONG, Memory
from gateway_acceptance.wire.raw import RawRequest
from gateway_acceptance.wire.sender import Sender
from tests.ill_targets import HEAD, IllTarget, ill, whole

LIMIT = Deadline(5.0, 10.0)


def test_the_answers_of_one_case_are_bounded_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "MOST_OF_A_CASE", 2500)
    notebook = Notebook()

    def answers(connection: object, _: IllTarget) -> None:
        connection.sendall(whole(HEAD, b"x" * 1000))  # type: ignore[attr-defined]

    with ill(answers) as target:
        sender = Sender(notebook, None, LIMIT)
        assert [len(sender.send("GET", target.url).body) for _ in range(2)] == [1000, 1000]
        with pytest.raises(NoAnswer, match="the answers of one check are larger than 2500 bytes together"):
            sender.send("GET", target.url)
        notebook.clear()
        assert len(sender.send("GET", target.url).body) == 1000
        sender.close()


class Answers:
    """Made once each. size: bytes."""

    def __init__(self, notebook: Notebook, size: int) -> None:
        self._notebook, self._size, self.made = notebook, size, 0

    def __call__(self) -> Exchange:
        self.made += 1
        chunks = ((0.1, b"x" * self._size),)
        made = Exchange("GET", "http://x/", (), b"", 200, chunks=chunks)
        self._notebook.exchanges.append(made)
        return made


@pytest.mark.parametrize(("size", "again"), [(10, 0), (101, 2)])
def test_large_observations_are_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, again: int
) -> None:
    """Those that were made first; small ones are as many as there are checks, and kept."""
    monkeypatch.setattr(observations, "LARGE", 100)
    monkeypatch.setattr(observations, "MOST_KEPT", 250)
    notebook = Notebook()
    kept = Observations("mine", tmp_path, notebook)
    ask = Answers(notebook, size)
    for name in ("one", "two", "three", "four", "four", "three"):
        kept.once((name,), ask)
    assert ask.made == 4
    for name in ("one", "two"):
        kept.once((name,), ask)
    assert ask.made == 4 + again


def test_an_observation_larger_than_all_room_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observations, "LARGE", 100)
    monkeypatch.setattr(observations, "MOST_KEPT", 250)
    notebook = Notebook()
    kept, ask = Observations("mine", tmp_path, notebook), Answers(notebook, 300)
    assert kept.once(("one",), ask).body == kept.once(("one",), ask).body
    assert ask.made == 2


def test_what_is_asked_once_is_evidence_of_each_case_and_once_in_each(tmp_path: Path) -> None:
    notebook = Notebook()
    kept, ask = Observations("mine", tmp_path, notebook), Answers(notebook, 1)
    first = kept.once(("one",), ask)
    ask()
    kept.once(("one",), ask)
    assert [one is first for one in notebook.exchanges] == [True, False]
    notebook.clear()
    kept.once(("one",), ask)
    kept.once(("one",), ask)
    assert notebook.exchanges == [first]
    assert ask.made == 2


def test_what_an_observation_rests_on_is_its_evidence_in_every_case(tmp_path: Path) -> None:
    notebook = Notebook()
    kept, ask = Observations("mine", tmp_path, notebook), Answers(notebook, 1)

    def resting() -> Exchange:
        return kept.once(("one",), ask)

    first = kept.once(("one",), ask)
    assert kept.once(("two",), resting) is first
    assert notebook.exchanges == [first]
    notebook.clear()
    kept.once(("two",), resting)
    assert notebook.exchanges == [first]


def test_what_was_answered_before_an_observation_failed_is_evidence(tmp_path: Path) -> None:
    notebook = Notebook()
    kept, ask = Observations("mine", tmp_path, notebook), Answers(notebook, 1)

    def failing() -> None:
        ask()
        raise ValueError

    ask()
    with pytest.raises(ValueError, match=r"^$"):
        kept.once(("one",), failing)
    assert len(notebook.exchanges) == ask.made == 2


@pytest.mark.parametrize("name", ["x" * LONG, "x" * (LONG + 1), "\ud800" * 4096])
def test_rules_remember_long_names_by_their_digest(name: str) -> None:
    memory = Memory()
    assert [memory.count("id", (1, name)) for _ in range(2)] == [1, 2]
    assert memory.count("id", (1, name + "y")) == 1
    assert memory.first("model", name, "first") == memory.first("model", name, "second") == "first"
    assert memory.known("model", name) == "first"
    assert memory.known("model", name + "y") is None
    held = [key for entries in memory._kept.values() for key in entries]
    assert max(len(str(key)) for key in held) < 2 * LONG


def test_what_failures_hold_in_circles_is_let_go_after_the_case(monkeypatch: pytest.MonkeyPatch) -> None:
    class Circle:
        def __init__(self) -> None:
            self.me = self

    notebook, seen = Notebook(), []
    gc.disable()
    try:
        for arrived in (0, exchange_module.MUCH + 1):
            circle = Circle()
            seen.append(weakref.ref(circle))
            del circle
            notebook.arrived = arrived
            notebook.clear()
            assert (seen[-1]() is None) is bool(arrived)
            assert notebook.arrived == 0
    finally:
        gc.enable()


def test_a_raw_request_that_nobody_answers_is_left_by_what_silence_shows() -> None:
    """It would wait its whole deadline. The exchange is told as left, so that nobody asks because of it."""
    looks: list[float] = []

    def silent(url: str, quiet_s: float) -> None:
        looks.append(quiet_s)
        assert url == target.url
        raise CheckFailed("in the midst of the run it is gone")

    notebook = Notebook()
    with ill("silent") as target:
        sender = Sender(notebook, None, Deadline(5.0, 60.0), conduct=Conduct(poll_s=0.05, silent=silent))
        with pytest.raises(CheckFailed, match="it is gone"):
            sender.send_raw(target.url, RawRequest("GET", "/x", (("host", "a"),)))
        sender.close()
    assert len(looks) == 1
    assert [one.error for one in notebook.exchanges] == [LEFT]
