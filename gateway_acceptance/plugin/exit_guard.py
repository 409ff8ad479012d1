"""Ways in which code may end a run's process past its last word; each becomes an end that is told."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn

from gateway_acceptance.usage import EXIT_HARNESS_ERROR


class ExitGuard:
    """SIGTERM ends a run as Ctrl-C does: what is known is written, void. While that is done, and while a
    run that came to its end is written down, a further signal shortens it (``hurry``) and falsifies
    nothing. ``os._exit`` of its process says so and never exits with 0; processes that were forked may
    use it, as Python itself does there."""

    def __init__(self, say: Callable[[str], None]) -> None:
        """say: tells a person, past whatever captures output."""
        self._say = say
        self._pid = os.getpid()
        self._exit = os._exit
        self._handler: Any = None
        self._installed = False
        self._interrupt: Any = None
        self._interruptible = False
        self.hurry = False

    def shield(self) -> None:
        """From here on a signal ends only what may be left out."""
        if self._interrupt is None and threading.current_thread() is threading.main_thread():
            self._interrupt = signal.signal(signal.SIGINT, self._hurried)
            signal.signal(signal.SIGTERM, self._hurried)

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """What is done inside may be left out: a signal raises KeyboardInterrupt."""
        self._interruptible = True
        try:
            yield
        finally:
            self._interruptible = False

    def _hurried(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        self.hurry = True
        if self._interruptible:
            raise KeyboardInterrupt

    def install(self) -> None:
        """From here on. Signals can be heard in the main thread alone."""
        os._exit = self._exited
        if threading.current_thread() is threading.main_thread():
            self._handler = signal.signal(signal.SIGTERM, _terminated)
            self._installed = True

    def remove(self) -> None:
        """As it was before."""
        os._exit = self._exit
        if self._interrupt is not None:
            signal.signal(signal.SIGINT, self._interrupt)
            self._interrupt = None
        if self._installed:
            signal.signal(signal.SIGTERM, self._handler)
            self._installed = False

    def _exited(self, status: int) -> NoReturn:
        if os.getpid() == self._pid:
            self._say("a check ended the run's process (os._exit): the run is void")
            status = status or EXIT_HARNESS_ERROR
        self._exit(status)


def _terminated(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001
    raise KeyboardInterrupt("by SIGTERM")
