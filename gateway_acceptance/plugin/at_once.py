"""Questions that are asked at once, in threads, while the main thread may do something else."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

MOST_AT_ONCE = 8
NAME = "asked at once"
"""Of each of these threads."""

Answer = TypeVar("Answer")


def at_once(
    questions: Sequence[Callable[[], Answer]],
    most: int = MOST_AT_ONCE,
    meanwhile: Callable[[], object] | None = None,
) -> list[Answer]:
    """The answers, in order. most: how many are asked at once; meanwhile: what the main thread does while
    they are, of which no failure is told.

    In threads that the end of the program does not wait for, so that one Ctrl-C ends the wait for all of
    them; none is begun after it. Raises what the first of them raised.
    """
    if len(questions) == 1 and meanwhile is None:
        return [questions[0]()]
    waiting: queue.SimpleQueue[tuple[int, Callable[[], Answer]]] = queue.SimpleQueue()
    for place in enumerate(questions):
        waiting.put(place)
    answers: queue.SimpleQueue[tuple[int, Answer | None, BaseException | None]] = queue.SimpleQueue()
    left = threading.Event()

    def ask() -> None:
        while not left.is_set():
            try:
                number, question = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                answers.put((number, question(), None))
            except BaseException as error:  # noqa: BLE001  (raised where it is waited for)
                answers.put((number, None, error))

    for _ in range(min(most, len(questions))):
        threading.Thread(target=ask, name=NAME, daemon=True).start()
    taken: dict[int, Answer] = {}
    try:
        if meanwhile is not None:
            with contextlib.suppress(Exception):
                meanwhile()
        while len(taken) < len(questions):
            number, found, error = answers.get()
            if error is not None:
                raise error
            taken[number] = found  # type: ignore[assignment]
    finally:
        left.set()
    return [taken[number] for number in range(len(questions))]
