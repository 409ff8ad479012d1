"""Production is safe by refusal: what a run may do, and how much of it, decided before sending."""

from __future__ import annotations

import fcntl
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TextIO

from gateway_acceptance.check import Effect
from gateway_acceptance.environment.model import Policy
from gateway_acceptance.verdict import NotPermitted

WIDTH = 128
"""Characters of the counters' file, whatever they are: to write them again takes no room."""


def forbidden(policy: Policy, effect: Effect) -> str | None:
    """Why a check with this effect may not run there, or None."""
    if effect in policy.effects:
        return None
    allowed = ", ".join(policy.effects)
    return f"the policy allows the effects {allowed}; this check needs {effect.value!r} (policy.effects)"


@dataclass(frozen=True, slots=True)
class Spent:
    """What a run has used: requests sent, tokens (reserved or reported). ended: no more of either."""

    requests: int = 0
    tokens: int = 0
    ended: bool = False


def budget_file(folder: Path, environment: str) -> Path:
    """Where the counters of an environment are. folder: private to the run."""
    return folder / f"budget-{environment}.json"


def begin_counting(file: Path) -> None:
    """Counters that stand at nothing, and have all the room that they will need. Raises OSError."""
    with file.open("w", encoding="utf-8") as opened:
        _write(opened, Spent())


class Budget:
    """The counters of one run in one environment, shared by all workers through a locked file.

    Every request passes ``reserve`` before it is sent; ``settle`` replaces the reserved tokens by those
    that the gateway reported.
    """

    def __init__(self, file: Path, policy: Policy, started: float) -> None:
        self._file, self._policy, self._started = file, policy, started

    def reserve(self, tokens: int = 0) -> None:
        """Count one request and its tokens. Raises NotPermitted, with nothing counted, when over budget, or
        where it costs tokens and the policy does not allow that: whatever the check declared."""
        if tokens and Effect.SPEND not in self._policy.effects:
            raise NotPermitted("the policy forbids requests that cost tokens (policy.effects)")
        elapsed = time.time() - self._started
        if elapsed > self._policy.seconds:
            raise NotPermitted(f"the budget of {self._policy.seconds:g} s is used up (policy.seconds)")
        with self._held() as file:
            spent = _read(file)
            if spent.ended:
                raise NotPermitted("the run has been ended: nothing more is sent")
            after = Spent(spent.requests + 1, spent.tokens + tokens)
            if after.requests > self._policy.requests:
                raise NotPermitted(
                    f"the budget of {self._policy.requests} requests is used up (policy.requests)"
                )
            if after.tokens > self._policy.tokens:
                raise NotPermitted(
                    f"the budget of {self._policy.tokens} tokens is used up: "
                    f"{spent.tokens} spent, this request may need {tokens} (policy.tokens)"
                )
            _write(file, after)

    def over(self) -> str | None:
        """Why not one request more may be sent, or None."""
        if time.time() - self._started > self._policy.seconds:
            return f"the budget of {self._policy.seconds:g} s is used up (policy.seconds)"
        if self.spent.requests >= self._policy.requests:
            return f"the budget of {self._policy.requests} requests is used up (policy.requests)"
        return None

    def share(self) -> float:
        """How much of what the policy allows is used: of requests, tokens or time, whichever is most."""
        spent, policy = self.spent, self._policy
        used = spent.requests / policy.requests, spent.tokens / policy.tokens
        return max(*used, (time.time() - self._started) / policy.seconds)

    def settle(self, reserved: int, used: int) -> None:
        """Replace a reservation of tokens by what was really used."""
        with self._held() as file:
            spent = _read(file)
            _write(file, replace(spent, tokens=max(0, spent.tokens - reserved + used)))

    def end(self) -> None:
        """No worker sends anything from here on, so that what is read now is all that was sent."""
        with self._held() as file:
            _write(file, replace(_read(file), ended=True))

    @contextmanager
    def _held(self) -> Iterator[TextIO]:
        """The file, with nobody else at it. Never emptied: where it cannot be written, it says what it
        said. Raises NotPermitted where its folder is gone, and with it the run."""
        try:
            self._file.touch()
            opened = self._file.open("r+", encoding="utf-8")
        except FileNotFoundError:
            raise NotPermitted("the run is over, and with it what counts: nothing more is sent") from None
        with opened as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield file

    @property
    def spent(self) -> Spent:
        """What has been used so far."""
        try:
            with self._file.open(encoding="utf-8") as file:
                fcntl.flock(file, fcntl.LOCK_SH)
                return _read(file)
        except FileNotFoundError:
            return Spent()


def _read(file: TextIO) -> Spent:
    file.seek(0)
    text = file.read()
    return Spent(**json.loads(text)) if text else Spent()


def _write(file: TextIO, spent: Spent) -> None:
    file.seek(0)
    file.write(json.dumps(asdict(spent)).ljust(WIDTH))
    file.flush()
