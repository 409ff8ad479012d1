"""Files of a deployment: who hangs up on their paths serves none, and what came before that is judged."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from gateway_acceptance.verdict import CheckFailed, NoAnswer
from gateway_acceptance.wire.exchange import Exchange
from suites.api.exposure.test_exposure import test_files as files_not_served

CLOSED = Exchange("GET", "http://h/x", (), b"", error="the connection broke")
PASSWD = replace(CLOSED, status=200, chunks=((0.0, b"root:x:0:0:root:/root:/bin/bash\n"),))


@pytest.mark.parametrize(
    ("came", "ends"),
    [(CLOSED, nullcontext()), (PASSWD, pytest.raises(CheckFailed, match="passwd is served to anybody"))],
)
def test_a_connection_that_is_closed_serves_what_came_of_it(came: Exchange, ends: Any) -> None:
    def get(path: str, **_: object) -> Exchange:
        if path == "/v1/models":
            return replace(CLOSED, status=401, error="")
        raise NoAnswer(f"GET {path}: the connection broke")

    gateway: Any = SimpleNamespace(get=get, without_key=lambda *_: came)
    with ends:
        files_not_served(gateway)


@pytest.mark.parametrize("words", ["no answer within 20 s", "connection refused"])
def test_silence_and_a_gateway_that_is_gone_are_no_hanging_up(words: str) -> None:
    def get(path: str, **_: object) -> Exchange:
        raise NoAnswer(f"GET {path}: {words}")

    gateway: Any = SimpleNamespace(get=get, without_key=lambda *_: CLOSED)
    with pytest.raises(NoAnswer, match=words):
        files_not_served(gateway)
