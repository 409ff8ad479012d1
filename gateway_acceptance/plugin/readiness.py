"""Does the gateway answer, and does it accept the key: asked once per run, known to all workers."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from gateway_acceptance.environment import Environment
from gateway_acceptance.plugin.connection import GatewayConnection
from gateway_acceptance.plugin.made_once import made_once
from gateway_acceptance.plugin.preflight import LONGEST_PROBE_S, Keep, Preflight, not_kept, preflight_of
from gateway_acceptance.verdict import Untestable
from gateway_acceptance.wire.exchange import Notebook
from gateway_acceptance.wire.gateway import GatewayClient


class Readiness:
    """Of one environment's gateway."""

    def __init__(
        self,
        environment: Environment,
        key: str,
        folder: Path,
        notebook: Notebook,
        connection: GatewayConnection,
    ) -> None:
        """folder: private to the run, shared by its workers."""
        self._environment, self._key, self._folder = environment, key, folder
        self._notebook, self._connection = notebook, connection
        self._found: Preflight | None = None

    @property
    def unlisted(self) -> bool:
        """Whether the first look found no list of models; before it nothing is known."""
        return self._found is not None and self._found.unlisted

    def preflight(self, probe: Callable[[], Preflight]) -> Preflight:
        """What the run's first look found. look: takes it, where nobody has yet."""
        if self._found is None:
            path = _file(self._folder, self._environment.name)
            self._found = Preflight(**json.loads(made_once(path, lambda: self._first(probe))))
        return self._found

    def _first(self, probe: Callable[[], Preflight]) -> bytes:
        found = probe()
        if found.silent and found.trouble:
            self._connection.breaker.open(found.trouble)
        return json.dumps(asdict(found)).encode()

    def probe(
        self,
        question_s: float = LONGEST_PROBE_S,
        *,
        description: bool = True,
        version: bool = True,
        keep: Keep = not_kept,
    ) -> Preflight:
        """The same questions as of the preflight, asked now; question_s: the longest that one is waited for;
        description, version, keep: as of ``preflight_of``. Where the whole is asked again of a gateway whose
        version its readiness does not tell, that is left out. Raises NotPermitted when over budget."""
        again = description and self._found is not None and self._found.version_apart
        notebook = Notebook(agent=self._notebook.agent, key_places=self._notebook.key_places)
        with contextlib.closing(self._connection.apart(notebook, question_s)) as sender:
            client = GatewayClient(self._environment, self._key, sender)
            pace = self._connection.conduct.pace
            beyond = pace is not None and pace.beyond
            try:
                return preflight_of(
                    client,
                    description=description,
                    beyond=beyond,
                    readiness=version and not again,
                    version=version,
                    prove=not description or (self._found is None and not client.product.readiness),
                    keep=keep,
                )
            finally:
                if not description:  # in mid-run
                    self._notebook.meter.probed(notebook.meter.case.requests)


def require_answer(found: Preflight) -> None:
    """Raises Untestable where the gateway gave no answer at all."""
    if found.silent and found.trouble:
        raise Untestable(found.trouble.what, found.trouble.fix)


def require_key(found: Preflight) -> None:
    """Raises Untestable where the gateway does not answer, or refuses the environment's key."""
    require_answer(found)
    if found.trouble is not None:
        raise Untestable(found.trouble.what, found.trouble.fix)


def read_preflight(folder: Path, environment: str) -> Preflight:
    """What the run's preflight of an environment found; nothing where no check asked for it."""
    try:
        return Preflight(**json.loads(_file(folder, environment).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return Preflight()


def _file(folder: Path, environment: str) -> Path:
    return folder / f"preflight-{environment}.json"
