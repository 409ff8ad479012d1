"""The lab's own switchboard on a unix socket: tests take parts of the deployment away and give them back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
from aiohttp import web

from lab.backends import BackendServer, normalise
from lab.backends.models import Inventory
from lab.lab_gateway import GatewayProcess
from lab.listeners import Listeners
from lab.sockets import bound, short

ASK_BUDGET_S = 30


class Admin:
    """Serves ``POST /NAME`` with JSON arguments; every action answers with a JSON object."""

    def __init__(
        self, socket: Path, backends: dict[str, BackendServer], views: Listeners, gateway: GatewayProcess
    ) -> None:
        self._socket, self._backends, self._views, self._gateway = socket, backends, views, gateway
        self._inventories: dict[str, Inventory] = {}
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen on the socket; a left-over one is replaced."""
        actions: dict[str, Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]] = {
            "/counts": self._counts,
            "/stop-gateway": self._stop_gateway,
            "/start-gateway": self._start_gateway,
            "/stop-backend": self._stop_backend,
            "/start-backend": self._start_backend,
            "/remove-model": self._remove_model,
            "/restore-models": self._restore_models,
        }
        app = web.Application()
        for path, action in actions.items():
            app.router.add_post(path, _route(action))
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.SockSite(self._runner, bound(self._socket)).start()

    async def close(self) -> None:
        """Stop serving."""
        if self._runner is not None:
            await self._runner.cleanup()
        self._socket.unlink(missing_ok=True)

    async def _counts(self, _: dict[str, Any]) -> dict[str, Any]:
        """Requests that each backend answered, by model and endpoint."""
        return {name: backend.counts.snapshot() for name, backend in self._backends.items()}

    async def _stop_gateway(self, _: dict[str, Any]) -> dict[str, Any]:
        await self._gateway.stop()
        return {}

    async def _start_gateway(self, _: dict[str, Any]) -> dict[str, Any]:
        await self._gateway.start()
        return {}

    async def _stop_backend(self, arguments: dict[str, Any]) -> dict[str, Any]:
        await self._views.stop_backend(arguments["backend"])
        return {}

    async def _start_backend(self, arguments: dict[str, Any]) -> dict[str, Any]:
        await self._views.start_backend(arguments["backend"])
        return {}

    async def _remove_model(self, arguments: dict[str, Any]) -> dict[str, Any]:
        backend = self._backends[arguments["backend"]]
        model = normalise(arguments["model"])
        self._inventories.setdefault(backend.name, backend.models)
        backend.models = {name: spec for name, spec in backend.models.items() if name != model}
        return {}

    async def _restore_models(self, arguments: dict[str, Any]) -> dict[str, Any]:
        backend = self._backends[arguments["backend"]]
        backend.models = self._inventories.pop(backend.name, backend.models)
        return {}


def ask(socket: Path, action: str, **arguments: Any) -> dict[str, Any]:
    """One action, from another process. Raises OSError or httpx.HTTPError where no lab answers there."""
    with (
        short(socket) as at,
        httpx.Client(transport=httpx.HTTPTransport(uds=at), timeout=ASK_BUDGET_S) as client,
    ):
        answer = client.post(f"http://lab/{action}", json=arguments)
        answer.raise_for_status()
        document: dict[str, Any] = answer.json()
        return document


def _route(
    action: Callable[[dict[str, Any]], Awaitable[dict[str, Any]]],
) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        return web.json_response(await action(await request.json()))

    return handle
