"""What is asked at once: in order, bounded, and ended by the first failure."""

from __future__ import annotations

import threading

import pytest

from gateway_acceptance.plugin.at_once import NAME, at_once


def test_answers_come_in_the_order_of_the_questions_however_they_end() -> None:
    second = threading.Event()

    def first() -> str:
        assert second.wait(60)
        return "first"

    def last() -> str:
        second.set()
        return "last"

    assert at_once([first, last], 2) == ["first", "last"]


def test_no_more_are_asked_at_once_than_allowed() -> None:
    lock, now, most = threading.Lock(), [0], [0]

    def ask() -> int:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        with lock:
            now[0] -= 1
        return threading.get_ident()

    assert len(at_once([ask] * 40, 3)) == 40
    assert most[0] <= 3
    assert set(at_once([ask] * 40, 1)).isdisjoint({threading.get_ident()})


def test_what_is_done_meanwhile_is_done_while_the_questions_wait() -> None:
    done = threading.Event()
    assert at_once([lambda: done.wait(60)], 1, done.set) == [True]


def test_a_failure_of_what_is_done_meanwhile_costs_no_answer() -> None:
    def fails() -> None:
        raise RuntimeError("not here")

    assert at_once([lambda: 1, lambda: 2], 2, fails) == [1, 2]


def test_an_interrupt_ends_the_wait_and_nothing_more_is_begun() -> None:
    asked: list[int] = []
    begun, left = threading.Event(), threading.Event()

    def ask() -> None:
        asked.append(1)
        begun.set()
        assert left.wait(60)

    def meanwhile() -> None:
        assert begun.wait(60)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        at_once([ask] * 50, 1, meanwhile)
    left.set()
    for thread in threading.enumerate():
        if thread.name == NAME:
            thread.join(60)
    assert len(asked) == 1


def test_the_first_failure_is_raised() -> None:
    def fails() -> int:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        at_once([lambda: 1, fails], 1)
