"""What the suite and its libraries log is redacted where a log record is made, before any handler has it
(``--log-file``, live logs, captured logs); and so is what pytest writes with ``--debug``."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from typing import Any

import pytest

from gateway_acceptance.redaction import Redactor


class OwnLogs:
    """Redacts for as long as a run lasts; ``end`` gives back what was there."""

    def __init__(self, config: pytest.Config, redact: Redactor) -> None:
        self._redact = redact
        self._factory: Callable[..., logging.LogRecord] = logging.getLogRecordFactory()
        logging.setLogRecordFactory(self._made)
        self._root = config.trace.root
        self._writer: Callable[[str], object] | None = getattr(self._root, "_writer", None)
        if self._writer is not None:
            self._root.setwriter(self._written)

    def end(self) -> None:
        """No longer."""
        logging.setLogRecordFactory(self._factory)
        if self._writer is not None:
            self._root.setwriter(self._writer)

    def _made(self, *arguments: Any, **named: Any) -> logging.LogRecord:
        record = self._factory(*arguments, **named)
        try:
            said = record.getMessage()
        except Exception:  # noqa: BLE001  (a broken format: logging would print what was to be formatted)
            said = f"{record.msg!r} % {record.args!r}"
        record.msg, record.args = self._redact(said), None
        if record.exc_info and record.exc_info[1] is not None:
            # what a formatter finds here it does not format again
            record.exc_text = self._redact("".join(traceback.format_exception(record.exc_info[1])).rstrip())
        return record

    def _written(self, text: str) -> None:
        assert self._writer is not None
        self._writer(self._redact(text))
