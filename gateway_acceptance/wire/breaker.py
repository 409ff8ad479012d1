"""One failure, one message: where a gateway is ill as a whole, one case says so, and nothing more is sent.

After an exchange that may mean so (no answer; the run's own key refused; 429, 503 or a redirect, several in a
row), and while an answer has not begun for a while, the gateway is looked at with a short deadline. Only what
that probe finds opens the circuit: the case that found it fails and names the cause with its fix; whatever
would be sent afterwards, by any worker, is untestable because of it (docs/safety.md).
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from http import HTTPStatus
from pathlib import Path

from gateway_acceptance.verdict import CheckFailed, Untestable
from gateway_acceptance.wire.exchange import LEFT, Exchange

PATIENCE_S = 6.0
"""Seconds without a byte of an answer after which it is asked whether the gateway still lives."""
POLL_S = 1.0
"""Between two looks of a request that waits: at how long it has, and at what another worker has found."""
PROBE_S = 3.0
"""Seconds for one question of a probe."""
AGAIN_S = 1.0
"""Seconds from one probe to the next: a gateway that restarts is back by then, or the second says so."""
SECOND_PROBE_S = 4.0
"""Seconds for one question of the second probe: a busy one that was late for the first answers this one. The
three and the end of a run together are less than 20 s."""
DESCRIPTION_PATIENCE_S = 30.0
"""LiteLLM makes its description when it is first asked for, and answers nobody meanwhile: seconds of work, 27
on a busy machine. So long no worker of the run takes its silence for its end."""
MOMENT_S = 0.1
"""Between two looks at whether another worker still waits for the description."""
NO_ANSWER, SOME = 1, 3
"""So many in a row are looked into."""
MOST_IN_A_ROW = 48
NO_DATABASE = "no_db_connection"
"""The type of LiteLLM's error (400) for a key that it does not know, where it has no database to look in."""


IN_MID_RUN = "in the midst of the run"
"""How the message of the one case begins that names what befell the gateway as a whole."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """what: what is wrong with the gateway as a whole; fix: what to do about it."""

    what: str
    fix: str

    def __str__(self) -> str:
        return f"{self.what}; {self.fix}"


class Breaker:
    """file: shared by the workers of a run; url: the gateway's; own_key: whether a request carries the run's
    key; ask: asks the gateway now, within so many seconds for each question; description: the path of its
    OpenAPI description, None where it publishes none; lateness: how many times the usual seconds of silence
    this machine, as busy as it is, may be the cause of (``own_load.lateness``)."""

    def __init__(
        self,
        file: Path,
        url: str,
        own_key: Callable[[Exchange], bool],
        ask: Callable[[float], Trouble | None],
        description: str | None = None,
        lateness: Callable[[], float] = lambda: 1.0,
    ) -> None:
        self._file, self._url, self._own_key, self._ask = file, url, own_key, ask
        self._slow = None if description is None else url + description
        self._waited_for = file.with_name(f"{file.stem}-description")
        self._lateness = lateness
        self._probing = False
        self._kind, self._count, self._next = "", 0, 0
        self._well_at = time.monotonic()
        self.suspended = False
        """While a check takes something down on purpose."""

    def trouble(self) -> Trouble | None:
        """What is wrong with the gateway as a whole, as far as this run has found it."""
        try:
            return Trouble(**json.loads(self._file.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None

    def open(self, trouble: Trouble) -> bool:
        """Nothing more is sent to the gateway by this run. Whether this was the first to say so."""
        part = self._file.with_name(f"{self._file.name}.{os.getpid()}")
        part.write_text(json.dumps(asdict(trouble)), encoding="utf-8")
        try:
            os.link(part, self._file)
        except FileExistsError:
            return False
        finally:
            part.unlink()
        return True

    def before(self, asked: Exchange) -> None:
        """Before sending. Raises Untestable where the circuit is open."""
        if self._probing or not self.concerns(asked.url):
            return
        self.refuse_if_open()
        if asked.url == self._slow:
            self._waited_for.touch()

    def after(self, exchange: Exchange) -> None:
        """After an exchange. Raises CheckFailed where a probe finds the gateway ill, once per run; Untestable
        where another worker had found it before."""
        if exchange.url == self._slow:
            self._waited_for.unlink(missing_ok=True)
        if self._probing or self.suspended or exchange.dropped or not self.concerns(exchange.url):
            return  # what was dropped is asked again at once, and that tells
        if exchange.error == LEFT:  # as one whose silence was probed: it ends by what was found
            return
        kind, enough = self._kind_of(exchange)
        if not kind:
            self._kind, self._count, self._next = "", 0, 0
            self._well_at = time.monotonic()
            return
        self.refuse_if_open()
        if kind != self._kind:
            self._kind, self._count, self._next = kind, 0, enough
        self._count += 1
        if self._count >= self._next:
            self._next = min(2 * self._next, self._next + MOST_IN_A_ROW)
            self._probe()

    def silent(self, url: str, quiet_s: float) -> None:
        """Nothing has come for so many seconds. Raises as ``after``."""
        if self._probing or self.suspended or not self.concerns(url):
            return
        patience_s = DESCRIPTION_PATIENCE_S if url == self._slow or self._describing() else PATIENCE_S
        self.refuse_if_open()
        if min(quiet_s, time.monotonic() - self._well_at) > patience_s * self._lateness():
            self._probe()
            self._well_at = time.monotonic()

    def refuse_if_open(self) -> None:
        """Raises Untestable where a worker has found what is wrong."""
        found = self.trouble()
        if found is not None:
            raise Untestable(found.what, found.fix)

    def _describing(self) -> bool:
        """Whether a worker of this run waits for the description, and not for too long."""
        try:
            since = time.time() - self._waited_for.stat().st_mtime
        except FileNotFoundError:
            return False
        return since < DESCRIPTION_PATIENCE_S

    def concerns(self, url: str) -> bool:
        """Whether a URL is the gateway's."""
        return url == self._url or url.startswith((self._url + "/", self._url + "?"))

    def _kind_of(self, exchange: Exchange) -> tuple[str, int]:
        """What an exchange may be a sign of, or nothing; and how many of them make a suspicion."""
        status = exchange.status
        if status is None:
            return "no answer", NO_ANSWER
        if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE) or 300 <= status < 400:
            return str(status), SOME
        refused = knows_no_key(exchange) or status == HTTPStatus.FORBIDDEN
        if refused and self._own_key(exchange):
            return "key", SOME
        return "", 0

    def _probe(self) -> None:
        self._probing = True
        try:
            begun = time.monotonic()
            trouble = self._ask(PROBE_S * self._lateness())
            if trouble is not None:
                while self._describing():
                    time.sleep(MOMENT_S)
                time.sleep(max(0.0, AGAIN_S - (time.monotonic() - begun)))
                self.refuse_if_open()
                trouble = self._ask(SECOND_PROBE_S * self._lateness())
        finally:
            self._probing = False
        if trouble is None:
            return
        if self.open(trouble):
            raise CheckFailed(f"{IN_MID_RUN} {trouble}", blame="gateway")
        raise Untestable(trouble.what, trouble.fix)


def knows_no_key(answer: Exchange) -> bool:
    """Whether an answer says that the key is unknown."""
    unknown = answer.status == HTTPStatus.BAD_REQUEST and NO_DATABASE in answer.text
    return answer.status == HTTPStatus.UNAUTHORIZED or unknown
