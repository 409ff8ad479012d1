"""The routes that nobody may use without a key: the contract's own, and what products put beside it.

A route that a product does not have answers 404, which is as good as a refusal; so one list serves all.
Bodies are such that an unprotected route would do nothing with them: the contract's cost one token, those of
management have a wrong type.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from gateway_acceptance.environment import Environment, ModelKind

WRONG = {"duration": {"of": "no type"}, "models": 0, "model_name": 0, "id": 0}
"""A body that every management route has to refuse."""


@dataclass(frozen=True, slots=True)
class ProtectedRoute:
    """A method and a path, and the body that it is asked with."""

    method: str
    path: str
    body: dict[str, Any] | None = field(default=None)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def contract_routes(environment: Environment) -> list[ProtectedRoute]:
    """The routes of the OpenAI contract, asked as a client would."""
    chat = (environment.aliases_of(ModelKind.CHAT) or environment.aliases)[0]
    embedding = (environment.aliases_of(ModelKind.EMBEDDING) or environment.aliases)[0]
    message = [{"role": "user", "content": "hello"}]
    return [
        ProtectedRoute("GET", "/v1/models"),
        ProtectedRoute("POST", "/v1/chat/completions", {"model": chat, "messages": message, "max_tokens": 1}),
        ProtectedRoute("POST", "/v1/embeddings", {"model": embedding, "input": "hello"}),
        ProtectedRoute("POST", "/v1/completions", {"model": chat, "prompt": "hello", "max_tokens": 1}),
        ProtectedRoute("POST", "/v1/responses", {"model": chat, "input": "hello", "max_output_tokens": 16}),
    ]


MANAGEMENT = (
    ProtectedRoute("GET", "/v1/model/info"),
    ProtectedRoute("POST", "/model/new", WRONG),
    ProtectedRoute("POST", "/model/delete", WRONG),
    ProtectedRoute("POST", "/key/generate", WRONG),
    ProtectedRoute("GET", "/key/list"),
    ProtectedRoute("GET", "/key/info"),
    ProtectedRoute("GET", "/user/list"),
    ProtectedRoute("GET", "/team/list"),
    ProtectedRoute("GET", "/spend/logs"),
    ProtectedRoute("GET", "/global/spend"),
    ProtectedRoute("GET", "/config/yaml"),
    ProtectedRoute("GET", "/get/config/callbacks"),
    ProtectedRoute("GET", "/router/settings"),
    ProtectedRoute("GET", "/credentials"),
    ProtectedRoute("GET", "/cache/ping"),
    ProtectedRoute(
        "GET", "/health"
    ),  # with a key it calls every model (LiteLLM issue 5816); here it has none
    ProtectedRoute("GET", "/metrics"),
)
"""Management, spending and insight. LiteLLM's names; Prometheus' /metrics is everybody's."""

MANAGEMENT_SAMPLE = tuple(
    route for route in MANAGEMENT if route.path in ("/v1/model/info", "/key/generate", "/spend/logs")
)
"""One of each kind, where a whole list would only repeat itself."""
