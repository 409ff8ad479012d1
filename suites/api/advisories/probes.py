"""Probes of published holes that harm nothing: they read a status and a shape, change no state, and start
nothing. None of them carries the environment's key.

A probe tells ``open``, ``refused``, ``no such route``, ``reachable`` (the way to a hole, not the hole) or
``not told``. What each asks, and why it does no harm: docs/advisories.md.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from gateway_acceptance.verdict import NoAnswer
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.gateway import GatewayClient
from gateway_acceptance.wire.rule import media_type

OPEN, REFUSED, ABSENT, REACHABLE = "open", "refused", "no such route", "reachable"
UNDECIDED = "not told"
FIRST_REFUSAL = 300
"""From this status on nothing was served: a redirect leads elsewhere, and an internal error shows
nothing either (how LiteLLM misses a key without its database driver)."""
EXAMPLE_KEYS = ("sk-1234", "sk-12345678", "sk-litellm-master-key")
"""Master keys of the product's published quick starts."""
GUARDED = ("/router/settings", "/v1/model/info", "/v1/models")
"""Protected routes that only read; the last is there in every deployment."""
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-03-26",
        "capabilities": {},
        "clientInfo": {"name": "gateway-acceptance", "version": "1"},
    },
}
"""MCP's first message; by itself it calls no tool."""

Ask = Callable[[GatewayClient], str]


@dataclass(frozen=True, slots=True)
class AdvisoryProbe:
    """What is asked, and what it would mean: ``shows`` ends the sentence "anybody without a key"."""

    name: str
    shows: str
    ask: Ask


def ran(answer: Exchange) -> str:
    """Whether a route that asks for a key first got as far as to read the request."""
    status = answer.status or 0
    if status in (404, 405):
        return ABSENT
    if status == 422 or is_data(answer):
        return OPEN
    return REFUSED if status >= FIRST_REFUSAL else UNDECIDED


def is_data(answer: Exchange) -> bool:
    """Whether something other than a page came back: consoles answer any path with theirs."""
    return 200 <= (answer.status or 0) < 300 and media_type(answer.headers).endswith("json")


def _host_path(gateway: GatewayClient) -> str:
    place = urlsplit(gateway.url).netloc
    for path in GUARDED:
        plain = gateway.without_key("GET", path).status or 0
        if plain < FIRST_REFUSAL or plain == 404:
            continue
        hidden = gateway.without_key("GET", path, hosts=[f"{place}/?"])
        return OPEN if is_data(hidden) else REFUSED if (hidden.status or 0) >= FIRST_REFUSAL else UNDECIDED
    return UNDECIDED


def _posted(path: str, body: object = None) -> Ask:
    return lambda gateway: ran(gateway.without_key("POST", path, json_body=body))


def _got(path: str) -> Ask:
    return lambda gateway: ran(gateway.without_key("GET", path))


def _mcp_identity(gateway: GatewayClient) -> str:
    made_up = ("authorization", f"Bearer sk-{secrets.token_hex(24)}")
    answer = gateway.without_key("POST", "/mcp/", headers=[made_up], json_body=INITIALIZE)
    if answer.status == 200:
        return OPEN if '"protocolVersion"' in answer.text else UNDECIDED
    return (
        ABSENT
        if answer.status in (404, 405)
        else REFUSED
        if (answer.status or 0) >= FIRST_REFUSAL
        else UNDECIDED
    )


def _example_keys(gateway: GatewayClient) -> str:
    answers = [
        gateway.without_key("GET", "/v1/models", headers=[("authorization", f"Bearer {key}")])
        for key in EXAMPLE_KEYS
    ]
    if any(map(is_data, answers)):
        return OPEN
    return REFUSED if all((answer.status or 0) >= FIRST_REFUSAL for answer in answers) else UNDECIDED


def _sso_debug(gateway: GatewayClient) -> str:
    answer = gateway.without_key("GET", "/sso/debug/callback")
    if answer.status in (404, 405):
        return ABSENT
    return REFUSED if answer.status in (401, 403) else REACHABLE


def _file_responses(gateway: GatewayClient) -> str:
    answer = gateway.without_key("HEAD", "/get_image")
    return REACHABLE if answer.status == 200 else ABSENT if answer.status in (404, 405) else REFUSED


PROBES = {
    probe.name: probe
    for probe in (
        AdvisoryProbe(
            "host-path", "is served what needs a key, with a Host header that hides the path", _host_path
        ),
        AdvisoryProbe(
            "mcp-preview",
            "reaches the preview of MCP servers, which starts commands and calls addresses",
            _posted("/mcp-rest/test/connection", {"transport": "sse"}),
        ),
        AdvisoryProbe("mcp-identity", "is let into MCP by a made-up token", _mcp_identity),
        AdvisoryProbe("prompts-test", "reaches the rendering of prompt templates", _posted("/prompts/test")),
        AdvisoryProbe(
            "transform-request",
            "reaches the transformation of requests, which reads files of the host",
            _posted("/utils/transform_request"),
        ),
        AdvisoryProbe("skills", "reaches the skills, which unpack archives", _got("/v1/skills")),
        AdvisoryProbe("example-keys", "gets in by a key of the published examples", _example_keys),
        AdvisoryProbe("sso-debug", "reaches the debugging page of single sign-on", _sso_debug),
        AdvisoryProbe("file-responses", "reaches files that are sent by ranges", _file_responses),
    )
}


def run(gateway: GatewayClient, name: str) -> str:
    """What a probe shows. A gateway that gives no answer to it tells nothing. Raises NotPermitted."""
    try:
        return PROBES[name].ask(gateway)
    except NoAnswer:
        return UNDECIDED
