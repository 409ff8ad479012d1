"""The official SDK, as an application uses it, made honest: strict validation, no retries, one deadline.

By default the SDK *constructs* answers without validating (``{}`` passes as a completion) and retries twice;
both hide faults. It is built on httpx2; below its client lies the suite's transport, with budget, deadline,
limits and evidence. An answer's content-encoding is undone by the SDK's own client, and for the evidence.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

import httpx2

from gateway_acceptance.environment import Environment, product_of
from gateway_acceptance.environment.model import BEARER_HEADER
from gateway_acceptance.lazily import left_out
from gateway_acceptance.policy import Budget
from gateway_acceptance.wire.attribution import served_by
from gateway_acceptance.wire.connections import AsyncConnections, Connections
from gateway_acceptance.wire.cookies import no_cookies
from gateway_acceptance.wire.deadline import Deadline
from gateway_acceptance.wire.exchange import Exchange, Notebook
from gateway_acceptance.wire.ledger import Conduct, Ledger, Terms
from gateway_acceptance.wire.own_load import lateness
from gateway_acceptance.wire.transport import (
    AsyncLedgerTransport,
    LedgerTransport,
    timeouts,
)

with left_out("aiohttp"):  # an extra of the SDK that only the lab installs: a sixth of its import
    import openai

Got = TypeVar("Got")
OF_PROMPTS = ("/chat/completions", "/completions", "/embeddings", "/responses")
ENCODINGS = {"accept-encoding": "gzip, deflate"}
"""What the suite can undo within bounds."""


class AsyncSdk(Protocol):
    """Runs what an asynchronous application does: ``async_sdk(lambda client: client.models.list())``."""

    def __call__(self, use: Callable[[openai.AsyncOpenAI], Awaitable[Got]]) -> Got:
        """Call with a fresh client, in an event loop of its own; both end with it."""


def sdk_client(
    environment: Environment,
    key: str,
    notebook: Notebook,
    budget: Budget,
    *,
    conduct: Conduct | None = None,
) -> openai.OpenAI:
    """The official client for an environment's gateway. Close it after use."""
    terms = _terms(environment)
    ledger = Ledger(notebook, budget, conduct or Conduct())
    route = ledger.conduct.route
    transport = LedgerTransport(ledger, Connections(route), terms, Connections(route, kept=0))
    timeout = timeouts(terms.limit)
    return openai.OpenAI(
        api_key=key,
        base_url=environment.gateway.url + "/v1",
        max_retries=0,
        timeout=timeout,
        http_client=httpx2.Client(
            transport=transport,
            timeout=timeout,
            trust_env=False,
            follow_redirects=False,
            cookies=no_cookies(),
            headers=ENCODINGS,
            event_hooks={"request": [_placing(environment), _naming(notebook)]},
        ),
        _strict_response_validation=True,
    )


def async_sdk_client(
    environment: Environment,
    key: str,
    notebook: Notebook,
    budget: Budget,
    *,
    conduct: Conduct | None = None,
) -> openai.AsyncOpenAI:
    """The official asynchronous client, as honest as ``sdk_client``. It belongs to the event loop that it is
    first used in; close it there."""
    terms = _terms(environment)
    ledger = Ledger(notebook, budget, conduct or Conduct())
    route = ledger.conduct.route
    fresh = AsyncConnections(route, kept=0)
    transport = AsyncLedgerTransport(ledger, AsyncConnections(route), terms, fresh)
    timeout = timeouts(terms.limit)
    place, name = _placing(environment), _naming(notebook)

    async def placed(request: httpx2.Request) -> None:
        place(request)
        name(request)

    return openai.AsyncOpenAI(
        api_key=key,
        base_url=environment.gateway.url + "/v1",
        max_retries=0,
        timeout=timeout,
        http_client=httpx2.AsyncClient(
            transport=transport,
            timeout=timeout,
            trust_env=False,
            follow_redirects=False,
            cookies=no_cookies(),
            headers=ENCODINGS,
            event_hooks={"request": [placed]},
        ),
        _strict_response_validation=True,
    )


def _placing(environment: Environment) -> Callable[[httpx2.Request], None]:
    """Puts the key into the header that the environment declares: the SDK knows the bearer token only."""
    name = environment.gateway.key_header

    def place(request: httpx2.Request) -> None:
        if name != BEARER_HEADER:
            request.headers[name] = request.headers.pop(BEARER_HEADER, "").removeprefix("Bearer ")

    return place


def _naming(notebook: Notebook) -> Callable[[httpx2.Request], None]:
    """Puts the run's nonce into the ``user`` field of a request that has none: the target's logs hold it."""

    def name(request: httpx2.Request) -> None:
        if not notebook.nonce or request.method != "POST" or not request.url.path.endswith(OF_PROMPTS):
            return
        try:
            body = json.loads(request.content)
        except ValueError:
            return
        if not isinstance(body, dict) or "user" in body:
            return
        content = json.dumps({**body, "user": notebook.nonce}, ensure_ascii=False).encode()
        request.stream, request._content = httpx2.ByteStream(content), content
        request.headers["content-length"] = str(len(content))

    return name


def _terms(environment: Environment) -> Terms:
    gateway = environment.gateway
    header = product_of(gateway).served_by

    def who(exchange: Exchange) -> str:
        return served_by(exchange, header, environment.backends)

    late = 1.0 if environment.embedded is None else lateness()  # what it embeds runs on this machine too
    limit = Deadline(gateway.connect_deadline_s * late, gateway.request_deadline_s * late)
    return Terms(limit, served_by=who, undone=True)
