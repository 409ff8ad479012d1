"""A plugin of ``bench/smoke_beside_client.py``: writes down every request of a run, as it was sent."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.ledger import Conduct

SENT_VARIABLE = "BENCH_SENT"
"""Holds the path that is written to."""
SENT: list[dict[str, Any]] = []
_begin = Conduct.__init__


def note(exchange: Exchange) -> None:
    """Keep a request."""
    SENT.append({
        "method": exchange.method,
        "url": exchange.url,
        "headers": [list(pair) for pair in exchange.request_headers],
        "body": exchange.request_body.decode("latin-1"),
    })  # fmt: skip


def _begun(self: Conduct, *arguments: Any, **options: Any) -> None:
    _begin(self, *arguments, **options)
    self.after.append(note)


def pytest_configure() -> None:
    """Every sender of the run is listened to."""
    Conduct.__init__ = _begun  # type: ignore[method-assign]


def pytest_unconfigure() -> None:
    """Write them down."""
    Conduct.__init__ = _begin  # type: ignore[method-assign]
    Path(os.environ[SENT_VARIABLE]).write_text(json.dumps(SENT), encoding="utf-8")
