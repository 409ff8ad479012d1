"""Asks a gateway that is not declared yet: through the one sender, within a budget of its own."""

from __future__ import annotations

import json
import math
import os
import time
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import Any

from gateway_acceptance.check import Effect
from gateway_acceptance.cli.init.litellm import cooled_for
from gateway_acceptance.environment import Environment
from gateway_acceptance.environment.model import BEARER_HEADER, Policy
from gateway_acceptance.policy import Budget
from gateway_acceptance.verdict import NoAnswer, NotPermitted
from gateway_acceptance.wire.exchange import Exchange, Notebook
from gateway_acceptance.wire.ledger import Conduct
from gateway_acceptance.wire.met import Met
from gateway_acceptance.wire.pace import Pace, retry_after
from gateway_acceptance.wire.route import route_of
from gateway_acceptance.wire.sender import Deadline, Sender, tokens_needed

MOST_REQUESTS = 30
MOST_TOKENS = 90_000
"""Reserved by what each request may take: thirty answers with room to think."""
MOST_SECONDS = 200.0
LONGEST_S = 60.0
"""Seconds for one answer: a model that is not in memory is loaded first."""
QUICK_S = 10.0
"""Seconds for an answer that is given from memory."""
SHORTEST_WAIT_S = 1.0
MOST_SILENT = 2
"""So many requests in a row without an answer, and the gateway is asked nothing more."""


class Silent(Exception):  # noqa: N818
    """The gateway stopped answering. words: what the exchange says of it."""

    def __init__(self, words: str) -> None:
        self.words = words
        super().__init__(words)


class Asker:
    """environment: as far as it is known: the gateway, and the way to it; folder: private, for the budget;
    requests: the most that are sent, whether to the gateway or to what stands behind it."""

    def __init__(
        self, environment: Environment, key: str, folder: Path, requests: int = MOST_REQUESTS
    ) -> None:
        self.gateway, self._key = environment.gateway, key
        gateway = environment.gateway
        self.notebook = Notebook(agent="init")
        self.notebook.key_places.add(key, gateway.key_header, gateway.url)
        policy = Policy(
            effects=(Effect.READ, Effect.SPEND), requests=requests, tokens=MOST_TOKENS, seconds=MOST_SECONDS
        )
        route = route_of(environment, os.environ)
        for name, value in route.headers:
            if "${" in environment.network.headers[name]:
                self.notebook.key_places.add(value, name, gateway.url)
        started = time.time()
        self.most, self.limited = requests, False
        self.budget = Budget(folder / "budget-init.json", policy, started)
        pace = Pace(folder, "init", policy, started + MOST_SECONDS)
        self.met = Met(gateway.url)
        conduct = Conduct(pace=pace, route=replace(route, met=self.met))
        self._connect_s = gateway.connect_deadline_s
        self._sender = Sender(
            self.notebook, self.budget, Deadline(self._connect_s, LONGEST_S), conduct=conduct
        )
        self._silent = 0

    def close(self) -> None:
        """Close all connections."""
        self._sender.close()

    @property
    def left(self) -> int:
        """How many requests may still be sent; none where time or tokens are used up."""
        return 0 if self.budget.over() else self.most - self.budget.spent.requests

    @property
    def answering(self) -> bool:
        """Whether the gateway answered the last request to it."""
        return self._silent == 0

    def get(self, path: str, *, key: bool = True) -> Exchange | None:
        """GET a path of the gateway. None where no answer came, or the budget is used up. Raises Silent."""
        return self._gateway("GET", path, b"", 0, key=key)

    def post(self, path: str, body: dict[str, Any], *, tokens: int) -> Exchange | None:
        """POST JSON to a path of the gateway; tokens: the most that the answer may hold. As ``get``."""
        content = json.dumps(body).encode()
        return self._gateway("POST", path, content, tokens_needed(content.decode(), tokens), key=True)

    def elsewhere(self, url: str) -> Exchange | None:
        """GET any other URL, without a key. None where no answer came, or the budget is used up."""
        try:
            return self._sender.send("GET", url, deadline=Deadline(self._connect_s, QUICK_S))
        except (NoAnswer, NotPermitted):
            return None

    def _gateway(self, method: str, path: str, body: bytes, tokens: int, *, key: bool) -> Exchange | None:
        answer = self._once(method, path, body, tokens, key)
        if answer is None or answer.status != HTTPStatus.TOO_MANY_REQUESTS:
            return answer
        asked = cooled_for(answer.text)
        if asked is None:
            self.limited = True
            asked = retry_after(answer.header("retry-after") or "")
        if asked is None or math.isnan(asked) or asked > QUICK_S or self.left <= 0:
            return answer
        time.sleep(max(asked, SHORTEST_WAIT_S))  # as it asks; the pace heeds it for all that follows
        return self._once(method, path, body, tokens, key)

    def _once(self, method: str, path: str, body: bytes, tokens: int, key: bool) -> Exchange | None:
        headers = [("content-type", "application/json")] if body else []
        if key:
            name = self.gateway.key_header
            headers.append((name, f"Bearer {self._key}" if name == BEARER_HEADER else self._key))
        deadline = Deadline(self._connect_s, LONGEST_S if body else QUICK_S)
        try:
            answer = self._sender.send(
                method, self.gateway.url + path, headers=headers, body=body, tokens=tokens, deadline=deadline
            )
        except NotPermitted:
            return None
        except NoAnswer as failure:
            self._silent += 1
            if self._silent >= MOST_SILENT or self.budget.spent.requests == 1:
                raise Silent(str(failure)) from None
            return None
        self._silent = 0
        return answer


def document_of(answer: Exchange | None, status: int = HTTPStatus.OK) -> dict[str, Any]:
    """The JSON object of an answer with that status; empty where it is anything else."""
    if answer is None or answer.status != status:
        return {}
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
