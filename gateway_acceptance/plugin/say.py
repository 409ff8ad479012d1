"""Progress of slow preparations, seen even while output is captured."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable

import pytest

from gateway_acceptance.plugin.options import LIVE


def say_to_terminal(config: pytest.Config) -> Callable[[str], None]:
    """How to write a line to the terminal, whatever is drawn or captured there."""

    def say(text: str) -> None:
        live = config.pluginmanager.get_plugin(LIVE)
        if live is not None:
            live.stop()
        capture = config.pluginmanager.get_plugin("capturemanager")
        with capture.global_and_fixture_disabled() if capture else contextlib.nullcontext():
            write(text)

    def write(text: str) -> None:
        reporter = config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.ensure_newline()
            reporter.write_line(text)
            reporter.flush()
        else:
            sys.stderr.write(text + "\n")

    return say
