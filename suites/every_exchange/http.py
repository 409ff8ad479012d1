"""Rules over every answer as HTTP: headers, clocks, ids, times, who served it, and what errors tell."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from gateway_acceptance.environment import product_of
from gateway_acceptance.problem import Problem
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.memory import Memory
from gateway_acceptance.wire.rule import media_type
from gateway_acceptance.wire.seen import Kind, SeenExchange
from gateway_acceptance.wire.strict_json import parse_json
from gateway_acceptance.wire.watch import UniversalRule
from suites.api.errors.leaks import LeakKind, leaks_of_answer
from suites.backends.routing.rules import elsewhere
from suites.every_exchange.said import limit_of, upstreams_of
from suites.every_exchange.streams import stream_of

CLOCK_SKEW_S = 300
"""As of API-OPS-015."""
VERSION = re.compile(r"\d+\.\d+")
REQUEST_ID = re.compile(r"(^|-)(request|call|correlation|trace)-?id$", re.IGNORECASE)
FEW = 3
SHORT_ANSWER, SHORT_REQUEST = 64, 2048
"""Tokens and bytes: the declared bounds are those of short answers to short questions."""
JSON_OF = {
    Kind.MODELS: "GET /v1/models",
    Kind.CHAT: "a chat completion",
    Kind.EMBEDDINGS: "an embedding",
}
PLAIN = {"model", "messages", "max_tokens", "temperature", "stream"}
LEAKS = {
    "API-ERR-038": LeakKind.TRACE,
    "API-ERR-039": LeakKind.PATH,
    "API-ERR-040": LeakKind.ADDRESS,
    "API-ERR-041": LeakKind.KEY,
}


def content_type(seen: SeenExchange, _: Memory) -> Iterator[Problem]:
    """As of API-OPS-013."""
    for kind, what in JSON_OF.items():
        found = media_type(seen.exchange.headers)
        if kind in seen.kinds and found != "application/json":
            yield Problem("", f"{what}: expected application/json, got {found or 'none'}")


def clock(seen: SeenExchange, _: Memory) -> Iterator[Problem]:
    """As of API-OPS-015, of answers that tell the time; what a cache kept tells when it was made."""
    text = seen.exchange.header("date")
    if text is None or not seen.exchange.sent_at or seen.exchange.header("age") is not None:
        return
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        yield Problem("", f"expected a date in the Date header, got {text!r}")
        return
    came = datetime.fromtimestamp(seen.exchange.sent_at + seen.exchange.elapsed_s, UTC)
    aware = date if date.tzinfo else date.replace(tzinfo=UTC)
    away = abs((came - aware).total_seconds())
    if away > CLOCK_SKEW_S:
        yield Problem(
            "", f"expected a clock within {CLOCK_SKEW_S} s of ours, the gateway's is {away:.0f} s away"
        )


def request_id(seen: SeenExchange, memory: Memory) -> Iterator[Problem]:
    """As of API-OPS-014: an id that two answers have is no id. Proxies pass on what a client sends: nothing
    was sent here."""
    for name, value in seen.exchange.headers:
        if REQUEST_ID.search(name) and value and memory.count("request id", (name.lower(), value)) > 1:
            yield Problem("", f"expected each request to have its own id, two have {[(name.lower(), value)]}")
            return


def server(seen: SeenExchange, _: Memory) -> Iterator[Problem]:
    """As of API-EXPO-011."""
    text = [
        f"{name}: {value}"
        for name, value in seen.exchange.headers
        if name.lower() in ("server", "x-powered-by") and VERSION.search(value)
    ]
    if text:
        yield Problem("", f"expected no version in headers, got {'; '.join(text)}")


def declared_headers(seen: SeenExchange, _: Memory) -> Iterator[Problem]:
    """As of API-EXPO-015."""
    what = f"{seen.exchange.method} {urlsplit(seen.exchange.url).path}"
    for name, value in seen.environment.gateway.response_headers.items():
        if seen.exchange.header(name) != value:
            yield Problem("", f"{what}: expected {name}: {value}, got {seen.exchange.header(name)}")


def leaks(kind: LeakKind, seen: SeenExchange) -> Iterator[Problem]:
    """As of API-ERR-038 to 041. What bent requests are told is judged by these checks, of each by its name;
    the key is nobody's business whatever was asked."""
    exchange = seen.exchange
    if kind is not LeakKind.KEY and not _in_good_form(exchange):
        return
    leaks = [leak.seen for leak in leaks_of_answer(exchange, seen.environment, seen.key) if leak.kind is kind]
    if leaks:
        what = f"{exchange.method} {urlsplit(exchange.url).path}"
        rule = f"leak.{kind.value.replace(' ', '_')}"
        yield Problem(rule, f"{what}: {kind.value} in the answer ({exchange.status}): {leaks[0]}")


def _in_good_form(exchange: Exchange) -> bool:
    """Whether nothing but the key, or the name of the model, can be wrong with a request."""
    if exchange.method == "GET":
        return not urlsplit(exchange.url).query
    asked, problems = parse_json(exchange.request_body)
    if problems or not isinstance(asked, dict) or not isinstance(asked.get("model"), str):
        return False
    messages, given = asked.get("messages"), asked.get("input")
    if isinstance(messages, list):
        known = all(
            isinstance(one, dict) and one.get("role") == "user" and isinstance(one.get("content"), str)
            for one in messages
        )
        return bool(messages) and known and asked.keys() <= PLAIN and _plain_numbers(asked)
    return isinstance(given, str) and asked.keys() <= {"model", "input", "encoding_format"}


def _plain_numbers(asked: Mapping[str, Any]) -> bool:
    limit, temperature = asked.get("max_tokens", 1), asked.get("temperature", 0)
    return type(limit) is int and limit > 0 and type(temperature) in (int, float) and 0 <= temperature <= 2


def health(liveness: bool, seen: SeenExchange) -> Iterator[Problem]:
    """As of API-OPS-003 and 004."""
    exchange, bound = seen.exchange, seen.environment.bounds.health_s
    product = product_of(seen.environment.gateway)
    own = product.liveness if liveness else product.readiness
    if seen.alone and exchange.url.endswith(own or "\n") and exchange.elapsed_s > bound:
        text = f"expected {exchange.url} to answer within {bound:g} s, it took {exchange.elapsed_s:.2f} s"
        yield Problem("", text)


def _short(seen: SeenExchange) -> bool:
    limit = limit_of(seen)[1]
    thinks = seen.environment.thinks(seen.alias)
    few = limit is not None and (limit <= SHORT_ANSWER or thinks)
    return seen.alone and few and len(seen.exchange.request_body) <= SHORT_REQUEST


def _again(memory: Memory, name: str, late: bool) -> bool:
    """Whether it is late for the second time of three: a model that had to be loaded, or a machine that was
    busy just then, is late once."""
    return memory.last(name, late, FEW).count(True) > 1 and late


def answered_in_time(seen: SeenExchange, memory: Memory) -> Iterator[Problem]:
    """As of API-OPS-008."""
    bound, took = seen.environment.bounds.answer_s, seen.exchange.elapsed_s
    if _short(seen) and _again(memory, f"late answers of {seen.alias}", took > bound):
        yield Problem("", f"expected {seen.alias} to answer within {bound:g} s, it took {took:.2f} s")


def begins_in_time(seen: SeenExchange, memory: Memory) -> Iterator[Problem]:
    """As of API-OPS-007."""
    bound, first = seen.environment.bounds.first_token_s, stream_of(seen).first_token_at
    if not seen.alone or len(seen.exchange.request_body) > SHORT_REQUEST or first is None:
        return
    if _again(memory, f"late streams of {seen.alias}", first > bound):
        text = f"expected the first token of {seen.alias} within {bound:g} s, it took {first:.2f} s"
        yield Problem("", text)


def served_elsewhere(seen: SeenExchange, memory: Memory) -> list[Problem]:
    """As of BACKEND-ROUTE-005 to 007: by a backend that is not declared for the alias."""
    by = seen.exchange.served_by
    if not by or not upstreams_of(seen):
        return []
    times = memory.count("served by", (seen.alias, Kind.STREAM in seen.kinds, by))
    return elsewhere(seen.alias, seen.environment.deployments_of(seen.alias), {by: times})


def unwitnessed(seen: SeenExchange, _: Memory) -> Iterator[Problem]:
    """As of BACKEND-WITNESS-005."""
    header = product_of(seen.environment.gateway).served_by
    if header is not None and upstreams_of(seen) and not seen.exchange.served_by:
        what = (
            "an embedding"
            if Kind.EMBEDDINGS in seen.kinds
            else "a stream"
            if Kind.STREAM in seen.kinds
            else "a chat completion"
        )
        yield Problem("", f"{what} of {seen.alias} has no header {header}")


def _leak(check: str) -> UniversalRule:
    return UniversalRule(check, frozenset({Kind.REFUSAL}), lambda seen, _: leaks(LEAKS[check], seen))


ANSWERS = frozenset({Kind.CHAT, Kind.STREAM, Kind.EMBEDDINGS})
OWN = ANSWERS | {Kind.MODELS}
HTTP_RULES = (
    *map(_leak, LEAKS),
    UniversalRule("API-OPS-003", frozenset({Kind.HEALTH}), lambda seen, _: health(True, seen)),
    UniversalRule("API-OPS-004", frozenset({Kind.HEALTH}), lambda seen, _: health(False, seen)),
    UniversalRule("API-OPS-007", frozenset({Kind.STREAM}), begins_in_time),
    UniversalRule("API-OPS-008", frozenset({Kind.CHAT}), answered_in_time),
    UniversalRule("API-OPS-013", frozenset(JSON_OF), content_type),
    UniversalRule("API-OPS-014", ANSWERS, request_id),
    UniversalRule("API-OPS-015", OWN, clock),
    UniversalRule("API-EXPO-011", OWN | {Kind.REFUSAL}, server),
    UniversalRule("API-EXPO-015", OWN | {Kind.REFUSAL}, declared_headers),
    UniversalRule("BACKEND-ROUTE-005", frozenset({Kind.CHAT}), served_elsewhere),
    UniversalRule("BACKEND-ROUTE-006", frozenset({Kind.EMBEDDINGS}), served_elsewhere),
    UniversalRule("BACKEND-ROUTE-007", frozenset({Kind.STREAM}), served_elsewhere),
    UniversalRule("BACKEND-WITNESS-005", ANSWERS, unwitnessed),
)
