"""What is open without a key: the paths that are tried, and what the environment declares of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from gateway_acceptance.environment import Backend
from gateway_acceptance.environment.gateway_section import is_declared
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.wire.exchange import Exchange
from suites.api.exposure.lost import AskedPaths, ask_paths

WELL_KNOWN = (
    # descriptions of the interface
    "/", "/docs", "/redoc", "/openapi.json", "/openapi.yaml", "/swagger", "/swagger/", "/swagger.json",
    "/swagger-ui/", "/docs/oauth2-redirect", "/api-docs", "/routes", "/graphql",
    # consoles and logins
    "/ui", "/ui/", "/admin", "/admin/", "/console", "/dashboard", "/login", "/fallback/login",
    "/sso/key/generate",
    # insight
    "/metrics", "/metrics/", "/stats", "/status", "/server-status", "/info", "/version", "/actuator",
    "/actuator/env", "/debug/vars", "/debug/pprof/", "/debug/asyncio-tasks", "/debug/memory/summary",
    "/memory-usage", "/otel-spans", "/active/callbacks", "/settings", "/test",
    # what products publish
    "/public/model_hub", "/public/model_hub/info", "/public/agent_hub", "/public/providers",
    "/.well-known/litellm-ui-config", "/litellm/.well-known/litellm-ui-config", "/.well-known/jwks.json",
    "/.well-known/openid-configuration", "/get/ui_theme_settings", "/get_image", "/get_favicon",
    # what stands behind, with its keys, or starts and stops it
    "/providers", "/api/providers", "/api/config", "/launcher", "/metrics.json", "/stats/live",
    # a backend's own interface, passed through
    "/api/tags", "/api/version", "/api/ps",
)  # fmt: skip
"""Paths that are known to be open on one gateway or another. Sources: LiteLLM 1.74.15 and 1.106.2, FastAPI,
Prometheus, Spring Boot, Go's net/http/pprof, Ollama, Claude Code Router's server, CodeRouter, mini-apigw."""

FILES = {
    "/.env": r"(?m)^\w+=\S",
    "/.git/config": r"\[core\]",
    "/config.yaml": r"model_list|api_key",
    "/config/config.yaml": r"model_list|api_key",
    "/proxy_server_config.yaml": r"model_list|api_key",
    "/..%2f..%2f..%2f..%2fetc/passwd": r"root:[^:]*:0:0",
    "/ui/..%2f..%2f..%2f..%2f..%2fetc/passwd": r"root:[^:]*:0:0",
}
"""Files that are no one's business, and how one knows them: a console may answer 200 to any path."""

MOST_ROUTES = 40
"""Requests that an interface description may cost."""


def probed(target: Target) -> AskedPaths:
    """The answers of the well-known paths without a key."""
    return target.once(("exposure",), lambda: ask_paths(target.gateway, WELL_KNOWN))


def undeclared(answers: Iterable[Exchange], public_paths: Sequence[str]) -> list[str]:
    """The paths that answered 200 although nobody declared them open."""
    paths = [urlsplit(answer.url).path or "/" for answer in answers if answer.status == 200]
    return [path for path in paths if not is_declared(path, public_paths)]


def described_routes(document: object) -> list[str]:
    """The GET routes of an OpenAPI description that need no parameters and are not well known: those first
    that the description itself calls open, at most MOST_ROUTES of them."""
    paths = document.get("paths") if isinstance(document, dict) else None
    found: list[tuple[bool, str]] = []
    for path, operations in paths.items() if isinstance(paths, dict) else ():
        operation = operations.get("get") if isinstance(operations, dict) else None
        if "{" in path or path in WELL_KNOWN or not isinstance(operation, dict):
            continue
        if not _needs_parameters(operation):
            found.append((bool(operation.get("security")), str(path)))
    return [path for _, path in sorted(found)][:MOST_ROUTES]


def well_known_among(document: object) -> int:
    """How many GET routes of an OpenAPI description are well known, and so were asked anyway."""
    paths = document.get("paths") if isinstance(document, dict) else None
    listed = paths.items() if isinstance(paths, dict) else ()
    return sum(
        1 for path, item in listed if path in WELL_KNOWN and isinstance(item, dict) and item.get("get")
    )


def _needs_parameters(operation: Mapping[str, Any]) -> bool:
    parameters = operation.get("parameters", [])
    return any(parameter.get("required") for parameter in parameters if isinstance(parameter, dict))


def gives_away(path: str, text: str) -> bool:
    """Whether this is the file that the path names, and not just some page."""
    return re.search(FILES[path], text) is not None


def revealed(answer: Exchange, backends: Sequence[Backend], secrets: Mapping[str, str]) -> list[str]:
    """Which backends' addresses and which secrets an answer holds. secrets: what it is -> its text."""
    text = answer.text
    places = [
        (f"the address of {backend.name}", urlsplit(url).netloc)
        for backend in backends
        for url in backend.urls
    ]
    found = (what for what, form in (*places, *secrets.items()) if form and form in text)
    return list(dict.fromkeys(found))
