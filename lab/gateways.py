"""The gateway products that a lab can run: how each is installed, and what its process is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from gateway_acceptance.environment import Environment
from lab.database.install import ensure_database
from lab.database.process import database_process
from lab.litellm.install import ensure_litellm, resolve_version
from lab.litellm.process import LOG as LITELLM_LOG
from lab.litellm.process import litellm_process
from lab.portkey.install import ensure_portkey, locked_version
from lab.portkey.process import LOG as PORTKEY_LOG
from lab.portkey.process import portkey_process
from lab.specification import Specification


class GatewayProcess(Protocol):
    """A gateway that a supervisor holds. It must die with the supervisor, however that happens."""

    async def start(self) -> None:
        """Returns when it serves. Raises NotStarted."""
        ...  # pragma: no cover

    async def stop(self) -> None:
        """Returns when nothing of it runs; without effect on one that is stopped."""
        ...  # pragma: no cover


@dataclass(frozen=True, slots=True)
class LabGateway:
    """name: for people; resolve: the version that a wish (or none) means, raises NotStarted; install: makes
    the version ready below a root once, and returns what ``process`` starts; log: its file's name."""

    name: str
    resolve: Callable[[str], str]
    install: Callable[[Path, str, Callable[[str], None]], Path]
    process: Callable[[Specification], GatewayProcess]
    log: str


LITELLM = LabGateway("LiteLLM", resolve_version, ensure_litellm, litellm_process, LITELLM_LOG)
PORTKEY = LabGateway("Portkey", locked_version, ensure_portkey, portkey_process, PORTKEY_LOG)

DATABASE = LabGateway("LiteLLM", resolve_version, ensure_database, database_process, LITELLM_LOG)
"""LiteLLM with PostgreSQL; ``installed`` is the file that lab.database.install writes."""

OTHERS = {"portkey": PORTKEY, "database": DATABASE}
"""By the provider that an environment names; all others run LiteLLM."""


def gateway_of(environment: Environment) -> LabGateway:
    """What an embedded environment runs."""
    assert environment.embedded is not None
    return OTHERS.get(environment.embedded.provider, LITELLM)
