"""LiteLLM with PostgreSQL: the server, its tables, the proxy, and the limited key that the proxy makes."""

from __future__ import annotations

import os
import secrets
from dataclasses import replace
from pathlib import Path

import aiohttp

from gateway_acceptance.embedded import NotStarted
from gateway_acceptance.environment import Environment
from lab.database.install import Installed, client_variables, packaged
from lab.database.postgresql import PostgresServer
from lab.gateway_process import Child
from lab.litellm.process import litellm_process
from lab.specification import Specification

GENERATE = "/key/generate"
ASK_BUDGET_S = 60


class LiteLLMWithDatabase:
    """See ``lab.gateways.GatewayProcess``. limited_key: the one that the proxy made, of the environment's
    ``[gateway.limited_key]``; empty where none is declared."""

    def __init__(self, specification: Specification) -> None:
        self._environment, self._key = specification.environment, specification.key
        installed = Installed.read(specification.installed)
        self._litellm = Path(installed.litellm)
        self._server = PostgresServer(Path(installed.programs), installed.libraries, specification.folder)
        self._gateway = replace(specification, installed=self._litellm)
        path = {"PATH": os.environ.get("PATH", os.defpath)}
        self._variables = {
            **client_variables(self._litellm, Path(installed.engine), path),
            "PRISMA_BINARY_CACHE_DIR": installed.modules,
            "DISABLE_SCHEMA_UPDATE": "true",
            "LITELLM_PRISMA_COMMAND_TIMEOUT": "5",
        }
        self._proxy: Child | None = None
        self.limited_key = ""

    async def start(self) -> None:
        """Returns when it serves and the limited key is made. Raises NotStarted."""
        await self._server.start()
        await self._server.execute(migrations(self._litellm))
        variables = {**self._variables, "DATABASE_URL": self._server.url}
        self._proxy = litellm_process(self._gateway, variables)
        await self._proxy.start()
        if self._environment.gateway.limited_key is not None:
            self.limited_key = await made_key(self._environment, self._key, self.limited_key)

    async def stop(self) -> None:
        """Returns when neither runs."""
        proxy, self._proxy = self._proxy, None
        if proxy is not None:
            await proxy.stop()
        await self._server.stop()


def migrations(litellm: Path) -> bytes:
    """All of LiteLLM's own migrations as one text of SQL, in their order."""
    folder = packaged(litellm, "migrations")
    files = sorted(folder.glob("*/migration.sql"), key=lambda path: path.parent.name)
    return b"\n".join(path.read_bytes() for path in files)


async def made_key(environment: Environment, key: str, wanted: str = "") -> str:
    """A virtual key, made by the gateway itself. wanted: the value it shall have, so that a proxy which
    starts again knows it; empty for the proxy's own choice. Raises NotStarted."""
    limited = environment.gateway.limited_key
    assert limited is not None
    asked = {"models": list(limited.models), "key_alias": f"lab-{secrets.token_hex(4)}"}
    if wanted:
        asked["key"] = wanted
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ASK_BUDGET_S)) as session:
        try:
            async with session.post(
                f"{environment.gateway.url}{GENERATE}", json=asked, headers={"Authorization": f"Bearer {key}"}
            ) as answer:
                text = await answer.text()
                if answer.status != 200:
                    raise NotStarted(f"LiteLLM made no key ({GENERATE}: {answer.status})", text[:2000])
                return str((await answer.json())["key"])
        except (aiohttp.ClientError, TimeoutError) as error:
            raise NotStarted(f"LiteLLM made no key ({GENERATE}): {error!r}") from None


def database_process(specification: Specification) -> LiteLLMWithDatabase:
    """The proxy at the gateway's address, and its database."""
    return LiteLLMWithDatabase(specification)
