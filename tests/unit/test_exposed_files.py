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
        raise NoAnswer(f"GET {path}: the connection broke")

    gateway: Any = SimpleNamespace(get=get, without_key=lambda *_: came)
    with ends:
        files_not_served(gateway)
