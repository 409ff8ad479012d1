"""API-OPS: what becomes of a connection after an answer."""

import contextlib
from collections.abc import Callable, Mapping

from gateway_acceptance.check import READ, SHOULD, check
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.problem import Problem
from gateway_acceptance.verdict import require
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.gateway import GatewayClient
from suites.api.auth.rules import made_up
from suites.api.errors.probes import NO_MODEL, NO_ROUTE
from suites.api.operations.rules import announces_end

CHAT = "/v1/chat/completions"
STRANGE = {"model": NO_MODEL, "messages": [{"role": "user", "content": "hello"}], "max_tokens": 1}
JSON = (("content-type", "application/json"),)

ASKED: Mapping[str, Callable[[GatewayClient], Exchange]] = {
    "a list of models": lambda client: client.models(),
    "a request without a key": lambda client: client.models(key=None),
    "a wrong key": lambda client: client.models(key=made_up()),
    "an unknown route": lambda client: client.get(NO_ROUTE),
    "an unknown model": lambda client: client.request("POST", CHAT, json_body=STRANGE),
    "malformed JSON": lambda client: client.request("POST", CHAT, body=b'{"model": ', headers=JSON),
}
"""Answers of every kind that are to be had without harm: what is asked -> how."""


@check(
    "API-OPS-016",
    "a connection that ends after an answer was told to end",
    level=SHOULD,
    effect=READ,
    claims="STA-02",
    spec="RFC 9112 section 9.6: a sender that is going to close a connection sends the close option",
)
def test_end_is_announced(target: Target, live_gateway: GatewayClient) -> None:
    """Who is not told sends the next request into a closed connection, and gets no answer. Servers do it
    after errors: what broke the request breaks the connection too."""
    problems = []
    for what, ask in ASKED.items():
        with contextlib.closing(target.sender.another(behind_refusals=True)) as sender:
            client = GatewayClient(target.environment, target.key, sender)
            first = ask(client)
            then = client.get(client.product.liveness or "/v1/models")
        problems += ended_untold(what, first, then)
    require(problems, blame="gateway", judged={"connections after an answer": len(ASKED)})


def ended_untold(what: str, first: Exchange, then: Exchange) -> list[Problem]:
    """Two requests of one client in a row: that the second needed another connection, and the first's answer
    said nothing of it."""
    if first.connection == then.connection or announces_end(first):
        return []
    seen = f"after the answer to {what} ({first.status}) the connection was closed, and nothing told so"
    return [Problem("", seen)]
