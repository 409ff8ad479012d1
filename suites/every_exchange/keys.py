"""Rules over what somebody without the run's key is answered."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from gateway_acceptance.environment.model import BEARER_HEADER
from gateway_acceptance.problem import Problem
from gateway_acceptance.wire.memory import Memory
from gateway_acceptance.wire.seen import CHAT_PATH, EMBEDDINGS_PATH, ORDINARY_HEADERS, Kind, SeenExchange
from gateway_acceptance.wire.watch import UniversalRule
from suites.api.auth.rules import (
    served_problems,
)
from suites.api.exposure.printed import printed_forms

LONG = 20
"""Characters of a key that is in no text by chance."""
BEARER = "Bearer "


def key_of(seen: SeenExchange) -> str | None:
    """The key that was sent in the declared header; None where there is none, or more than one."""
    name = seen.environment.gateway.key_header.lower()
    sent = [value for header, value in seen.exchange.request_headers if header.lower() == name]
    if len(sent) != 1:
        return None
    return sent[0].removeprefix(BEARER) if name == BEARER_HEADER else sent[0]


def repeated(seen: SeenExchange, _: Memory) -> Iterator[Problem]:
    """As of API-AUTH-013: the refusal of a wrong key holds it, or its hash."""
    key = key_of(seen)
    if key is None or len(key) < LONG or key == seen.key:
        return
    shown = seen.exchange.text + "\n".join(f"{name}: {value}" for name, value in seen.exchange.headers)
    found = [what for what, form in printed_forms(key).items() if form in shown]
    if found:
        yield Problem("", f"the refusal of {seen.exchange.url} repeats {' and '.join(found)}")


def served_to_nobody(seen: SeenExchange, _: Memory) -> list[Problem]:
    """As of API-AUTH-015: chat and embeddings, asked without a key and with nothing else that could open
    them."""
    exchange, parts = seen.exchange, urlsplit(seen.exchange.url)
    names = {name.lower() for name, _ in exchange.request_headers}
    plain = names <= ORDINARY_HEADERS and seen.environment.gateway.key_header.lower() not in names
    place = [value for name, value in exchange.request_headers if name.lower() == "host"]
    if exchange.method != "POST" or not plain or parts.query or place not in ([], [parts.netloc]):
        return []
    route = next((one for one in (CHAT_PATH, EMBEDDINGS_PATH) if parts.path.endswith(one)), None)
    served = exchange.status is not None and exchange.status < 300
    return served_problems(exchange, f"POST {route}") if route and served else []


KEY_RULES = (
    UniversalRule("API-AUTH-013", frozenset({Kind.REFUSAL}), repeated),
    UniversalRule("API-AUTH-015", frozenset({Kind.ANY}), served_to_nobody),
)
