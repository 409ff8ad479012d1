"""Defects of what is published: releases with known holes, the holes themselves, and a base that grew old."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lab.faults.exposure import takes_for_the_owner, unguarded
from lab.faults.model import Fault, backend_fault, gateway_fault
from lab.faults.mutators import EMPTY_LIST
from lab.message import Reply, Request, json_reply

OLD_BASE = Path(__file__).with_name("old_advisories.json")
DECLARES: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "advisory-base-old": {"advisories": {"base": str(OLD_BASE), "max_age_days": 60}},
}
INVALID = json_reply(422, {"detail": [{"loc": ["body"], "msg": "Field required", "type": "missing"}]})
"""What LiteLLM's framework says of a body, once nobody asked for a key before it was read."""
INITIALIZED = json_reply(200, {"jsonrpc": "2.0", "id": 1, "result": {"protocolVersion": "2025-03-26"}})


def says_version(version: str) -> Callable[[Request, Reply], Reply]:
    """An after-hook: the gateway tells another version than its own, in every answer."""
    return lambda _request, reply: reply.with_header("x-litellm-version", version)


def led_past(request: Request) -> Request | Reply:
    """A Host header that hides the path gets by: what CVE-2026-49468 is."""
    return EMPTY_LIST if "/" in request.header("host") and request.key is None else request


def made_up_is_enough(request: Request) -> Request | Reply:
    """Any token at all gets into MCP: what CVE-2026-59822 is."""
    return INITIALIZED if request.at("/mcp/") and request.key and not request.authorised else request


ADVISORY_FAULTS: tuple[Fault, ...] = (
    gateway_fault(
        "release-exploited",
        "a release runs that anybody can enter without a key",
        {"API-ADV-001": r"is litellm 1\.74\.15: CVE-2026-49468 .*fix: upgrade litellm to >= 1\."},
        after=says_version("1.74.15"),
    ),
    gateway_fault(
        "release-with-lesser-holes",
        "a release runs with holes that are neither critical nor exploited",
        {"API-ADV-002": r"is litellm 1\.90\.0: GHSA-g5ff-637f-6q2m"},
        after=says_version("1.90.0"),
    ),
    gateway_fault(
        "hole-host-path",
        "a Host header that hides the path leads past the key (CVE-2026-49468)",
        {"API-ADV-003": "probe host-path: open", "API-ACCESS-001": "is served where Host holds a query"},
        before=led_past,
    ),
    gateway_fault(
        "hole-mcp-preview",
        "the preview of MCP servers asks for no key (CVE-2026-42271)",
        {"API-ADV-003": "probe mcp-preview: open"},
        before=unguarded(INVALID, "/mcp-rest/test/connection"),
    ),
    gateway_fault(
        "hole-mcp-identity",
        "MCP lets a made-up token in (CVE-2026-59822)",
        {"API-ADV-003": "probe mcp-identity: open"},
        before=made_up_is_enough,
    ),
    gateway_fault(
        "hole-prompts-test",
        "prompt templates are rendered for anybody (CVE-2026-37004)",
        {"API-ADV-003": "probe prompts-test: open"},
        before=unguarded(INVALID, "/prompts/test"),
    ),
    gateway_fault(
        "hole-transform-request",
        "the transformation of requests asks for no key (GHSA-g5ff-637f-6q2m)",
        {"API-ADV-003": "probe transform-request: open"},
        before=unguarded(json_reply(200, {}), "/utils/transform_request"),
    ),
    gateway_fault(
        "hole-skills",
        "the skills are open to anybody (CVE-2026-59820)",
        {"API-ADV-003": "probe skills: open"},
        before=unguarded(json_reply(200, {"data": []}), "/v1/skills"),
    ),
    gateway_fault(
        "hole-example-key",
        "a master key of the published quick starts opens the door",
        {"API-ADV-003": "probe example-keys: open"},
        before=takes_for_the_owner(lambda request: request.key == "sk-12345678"),
    ),
    gateway_fault(
        "advisory-base-old",
        "nobody updated what is known of holes for years",
        {"API-ADV-004": r"is of 2020-01-02, \d+ days old; 60 are declared"},
    ),
    backend_fault(
        "backend-release-exploited",
        "an Ollama runs that writes files outside its store",
        {"BACKEND-ADV-001": r"is github.com/ollama/ollama 0\.34\.2: CVE-2026-103663"},
        scenario="critical-release",
    ),
    backend_fault(
        "backend-release-with-lesser-holes",
        "an Ollama runs with holes that are not critical",
        {"BACKEND-ADV-002": r"is github.com/ollama/ollama 0\.31\.0: CVE-2026-85180"},
        scenario="older-release",
    ),
)
