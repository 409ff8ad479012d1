"""What an operator puts in front of Portkey, which has no keys, no aliases and no list of models of its own.

It answers itself: a request without the right key (401), the models (from the environment), a request whose
model it cannot resolve (400, 404), and 503 while Portkey is away. Everything else goes on as it came, with
the alias's config, and comes back as it is: nothing is repaired. A request that names no alias, or whose body
the front cannot read, goes with the config of the first alias of its kind: Portkey is to judge it.
"""

from __future__ import annotations

import hmac
import json
import re
import time
from http import HTTPStatus
from typing import Any

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from gateway_acceptance.environment import Environment, ModelKind
from lab.backends.server import abort
from lab.portkey.config import config_of
from lab.ports import place
from lab.proxy.server import upstream_session

OPEN = "/"
"""Portkey's own sign of life, the one path that needs no key."""
OWN_HEADERS = "x-portkey-"
"""A client that could send these would choose provider and address itself: they are the front's alone."""
HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "te", "trailer", "host"}
)
NOT_PASSED_ON = HOP_BY_HOP | {"authorization", "content-length"}
LARGEST_REQUEST = 64 * 1024 * 1024
WITNESS = "x-served-by"
"""The URL of the backend that served, read off Portkey's x-portkey-last-used-option-index."""
KIND_AT = {
    **dict.fromkeys(("/v1/chat/completions", "/v1/completions", "/v1/responses"), ModelKind.CHAT),
    "/v1/embeddings": ModelKind.EMBEDDING,
}
"""Where a request names a model, and of what kind."""
TARGET = re.compile(r"\btargets\[(\d+)\]")


class Front:
    """One listener. upstream: Portkey's base URL; key: the only one there is."""

    def __init__(self, environment: Environment, key: str, upstream: str) -> None:
        self._environment, self._key, self._upstream = environment, key, upstream
        self._created = int(time.time())
        self._session: aiohttp.ClientSession | None = None
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen at the gateway's address."""
        self._session = upstream_session()
        app = web.Application(client_max_size=LARGEST_REQUEST)
        app.on_response_prepare.append(_without_own_name)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, *place(self._environment.gateway.url), reuse_address=True).start()

    async def close(self) -> None:
        """Stop listening; without effect on one that does not."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        path = request.path
        if path != OPEN and not self._authorised(request):
            return _refusal(HTTPStatus.UNAUTHORIZED, "Incorrect API key provided.", code="invalid_api_key")
        if path == "/v1/models" or path.startswith("/v1/models/"):
            return self._models(request, path.removeprefix("/v1/models").removeprefix("/"))
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return _refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The body exceeds {LARGEST_REQUEST} bytes.")
        kind = KIND_AT.get(path)
        alias = self._environment.aliases_of(kind or ModelKind.CHAT)[0]
        document = _object(body) if kind and request.method == "POST" else None
        if document is not None:
            named = document.get("model")
            if not isinstance(named, str) or not named:
                return _refusal(HTTPStatus.BAD_REQUEST, "you must provide a model parameter", param="model")
            if named not in self._environment.aliases:
                return _no_such_model(named)
            alias = named
        return await self._pass_on(request, body, alias)

    def _authorised(self, request: web.Request) -> bool:
        sent = request.headers.getall("authorization", [])
        scheme, _, key = (sent[0] if len(sent) == 1 else "").partition(" ")
        same = hmac.compare_digest(key.encode("utf-8", "surrogateescape"), self._key.encode())
        return scheme.lower() == "bearer" and same

    def _models(self, request: web.Request, wanted: str) -> web.Response:
        if request.method not in ("GET", "HEAD"):
            response = _refusal(HTTPStatus.METHOD_NOT_ALLOWED, f"{request.method} is not allowed here.")
            response.headers["allow"] = "GET, HEAD"
            return response
        entries = {alias: self._model(alias) for alias in self._environment.aliases}
        if not wanted:
            return web.json_response({"object": "list", "data": list(entries.values())})
        return web.json_response(entries[wanted]) if wanted in entries else _no_such_model(wanted)

    def _model(self, alias: str) -> dict[str, Any]:
        return {"id": alias, "object": "model", "created": self._created, "owned_by": "ollama"}

    async def _pass_on(self, request: web.Request, body: bytes, alias: str) -> web.StreamResponse:
        assert self._session is not None
        headers = CIMultiDict(
            (name, value)
            for name, value in request.headers.items()
            if name.lower() not in NOT_PASSED_ON and not name.lower().startswith(OWN_HEADERS)
        )
        headers["x-portkey-config"] = json.dumps(config_of(self._environment, alias))
        asked = self._session.request(
            request.method,
            URL(self._upstream + request.raw_path, encoded=True),
            headers=headers,
            data=body or None,
            allow_redirects=False,
            skip_auto_headers=("content-type", "user-agent", "accept", "accept-encoding"),
        )
        try:
            answer = await asked
        except aiohttp.ClientConnectorError:
            return _refusal(
                HTTPStatus.SERVICE_UNAVAILABLE, "The gateway is away; try again.", kind="server_error"
            )
        except aiohttp.ClientError:  # it closed the connection instead of answering: so does the front
            abort(request)
            return web.Response()
        async with answer:
            return await self._copied(request, answer, alias)

    async def _copied(
        self, request: web.Request, answer: aiohttp.ClientResponse, alias: str
    ) -> web.StreamResponse:
        kept = [(name, value) for name, value in answer.headers.items() if name.lower() not in HOP_BY_HOP]
        served_by = self._served_by(alias, answer.headers.get("x-portkey-last-used-option-index"))
        if served_by and answer.status < HTTPStatus.BAD_REQUEST:  # an error tells no internal address
            kept.append((WITNESS, served_by))
        response = web.StreamResponse(status=answer.status, reason=answer.reason, headers=CIMultiDict(kept))
        await response.prepare(request)
        try:
            async for data in answer.content.iter_any():
                await response.write(data)
        except aiohttp.ClientPayloadError:
            abort(request)  # Portkey broke off: so does the front
        else:
            await response.write_eof()
        return response

    def _served_by(self, alias: str, reported: str | None) -> str | None:
        """The backend's URL, by what Portkey tells of the target that it used; None without."""
        if reported is None:
            return None
        found = TARGET.search(reported)
        served = self._environment.deployments_of(alias)[int(found[1]) if found else 0]
        return self._environment.backend(served.backend).url


def _object(body: bytes) -> dict[str, Any] | None:
    """The JSON object sent. None for anything else, which is Portkey's to judge."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _refusal(
    status: HTTPStatus,
    message: str,
    *,
    param: str | None = None,
    code: str | None = None,
    kind: str = "invalid_request_error",
) -> web.Response:
    """OpenAI's error envelope."""
    error = {"message": message, "type": kind, "param": param, "code": code}
    return web.json_response({"error": error}, status=status)


def _no_such_model(named: str) -> web.Response:
    shown = named if len(named) <= 100 else f"{named[:100]}…"
    message = f"The model `{shown}` does not exist or you do not have access to it."
    return _refusal(HTTPStatus.NOT_FOUND, message, param="model", code="model_not_found")


async def _without_own_name(_request: web.Request, response: web.StreamResponse) -> None:
    """No server is named, as Portkey names none."""
    response.headers.pop("server", None)
