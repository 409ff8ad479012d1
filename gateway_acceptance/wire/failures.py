"""Which of a run's own requests failed so that a router may leave a deployment out for a while: noted for all
workers of the run, so that a sample of a balanced group can wait for them, and name them."""

from __future__ import annotations

import json
import time
from collections.abc import Collection
from dataclasses import asdict, dataclass
from pathlib import Path

from gateway_acceptance.wire.exchange import Exchange

COOLS = frozenset({408, 429})
"""Statuses below 500 by which LiteLLM leaves a deployment out; from 500 on all of them do
(router_utils/cooldown_handlers.py, ``_is_cooldown_required``). So do a deployment's 401 and 404, but what
this suite is answered so are the gateway's own refusals of keys and paths."""
LEFT_OUT = "No deployments available for selected model"
"""What LiteLLM's router says, with 429, of a model whose deployments it left out for a while."""
MOST = 2000
"""Failures that are noted of a run, at most: outages make hundreds."""
CALL_ID = "x-litellm-call-id"


def may_leave_out(answer: Exchange) -> bool:
    """Whether a router may have left a model out for this answer: LiteLLM does for a 404 of the server behind
    it, such as one to an endpoint that this server does not have."""
    status = answer.status or 0
    return bool(answer.header(CALL_ID)) and (status in COOLS or status in (401, 404) or status >= 500)


@dataclass(frozen=True, slots=True)
class FailedRequest:
    """A request of the run itself that failed. at: when its answer had come, in Unix seconds; alias: that it
    asked for; served_by: who failed, empty where the answer does not tell; call: the gateway's own id of it,
    or empty."""

    at: float
    alias: str
    status: int
    served_by: str = ""
    call: str = ""

    @property
    def words(self) -> str:
        """For people."""
        moment = time.strftime("%H:%M:%SZ", time.gmtime(self.at))
        who = f" by {self.served_by}" if self.served_by else ""
        call = f", {CALL_ID} {self.call}" if self.call else ""
        return f"a request of this run itself got {self.status}{who} at {moment}{call}"


class Failures:
    """Of one environment. path: a file of the run's private folder; aliases: those that are balanced."""

    def __init__(self, path: Path, aliases: Collection[str]) -> None:
        self._path, self._aliases, self._noted = path, frozenset(aliases), 0

    def after(self, exchange: Exchange) -> None:
        """Of ``Conduct``: an exchange has ended."""
        status = exchange.status
        if status is None or not (status in COOLS or status >= 500) or self._noted >= MOST:
            return
        alias = _model(exchange.request_body)
        if alias not in self._aliases:
            return
        self._noted += 1
        found = FailedRequest(
            exchange.sent_at + exchange.elapsed_s,
            alias,
            status,
            exchange.served_by,
            (exchange.header(CALL_ID) or "")[:60],
        )
        with self._path.open("a", encoding="utf-8") as file:
            file.write(f"{json.dumps(asdict(found))}\n")

    def of(self, alias: str) -> list[FailedRequest]:
        """Those of an alias so far, by any worker; the oldest first."""
        if not self._path.exists():
            return []
        lines = self._path.read_text(encoding="utf-8").splitlines()
        found = (FailedRequest(**json.loads(line)) for line in lines)
        return sorted((one for one in found if one.alias == alias), key=lambda one: one.at)


def _model(body: bytes) -> str:
    """The alias that a request asks for; empty where it cannot be told."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    alias = document.get("model") if isinstance(document, dict) else None
    return alias if isinstance(alias, str) else ""
