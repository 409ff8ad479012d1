"""What a request that was refused leaves on its connection."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from http import HTTPStatus

from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.problem import Problem
from gateway_acceptance.verdict import NoAnswer
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.gateway import GatewayClient
from suites.api.auth.rules import made_up
from suites.api.errors.probes import NO_MODEL, NO_ROUTE

BODY = {"model": NO_MODEL, "messages": [{"role": "user", "content": "hello"}], "max_tokens": 1}
REFUSED: Mapping[str, Callable[[GatewayClient], Exchange]] = {
    "a wrong key": lambda client: client.request(
        "POST", "/v1/chat/completions", json_body=BODY, key=made_up()
    ),
    "an unknown route": lambda client: client.request("POST", NO_ROUTE, json_body=BODY),
}
"""What is refused before its body need be read -> how it is asked."""
LATER = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
"""Refusals that concern the moment, and not the request."""


def leftover_problems(target: Target, path: str) -> list[Problem]:
    """A server that refuses without reading the body must read it before it reads the next request of that
    connection, or end the connection (RFC 9112 section 9.3): else the body is the beginning of that request.
    path: what is asked next, by GET. Whoever ends the connection, told or not, is API-OPS-016's."""
    problems = []
    for what, ask in REFUSED.items():
        with contextlib.closing(target.sender.another(behind_refusals=True)) as sender:
            client = GatewayClient(target.environment, target.key, sender)
            try:
                refused, then = ask(client), client.get(path)
            except NoAnswer:
                continue
        if refused.connection != then.connection or not refuses(then):
            continue
        with contextlib.closing(target.sender.another()) as sender:
            fresh = GatewayClient(target.environment, target.key, sender).get(path)
        if refuses(fresh):
            continue
        target.notebook.show(then)
        problems.append(
            Problem(
                "",
                f"after {what} ({refused.status}) the next request on the connection, GET {path}, gets "
                f"{then.status}, on another {fresh.status}: what is left of the one is read as the other: "
                f"{then.text[:120]!r}",
            )
        )
    return problems


def refuses(answer: Exchange) -> bool:
    """Whether a request was refused, and not for the moment alone."""
    return (answer.status or 0) >= HTTPStatus.BAD_REQUEST and answer.status not in LATER
