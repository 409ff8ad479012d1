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
class Route:
    """A method and a path, and the body that it is asked with."""

    method: str
    path: str
    body: dict[str, Any] | None = field(default=None)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def contract_routes(environment: Environment) -> list[Route]:
    """The routes of the OpenAI contract, asked as a client would."""
    chat = (environment.aliases_of(ModelKind.CHAT) or environment.aliases)[0]
    embedding = (environment.aliases_of(ModelKind.EMBEDDING) or environment.aliases)[0]
    message = [{"role": "user", "content": "hello"}]
    return [
        Route("GET", "/v1/models"),
        Route("POST", "/v1/chat/completions", {"model": chat, "messages": message, "max_tokens": 1}),
        Route("POST", "/v1/embeddings", {"model": embedding, "input": "hello"}),
        Route("POST", "/v1/completions", {"model": chat, "prompt": "hello", "max_tokens": 1}),
        Route("POST", "/v1/responses", {"model": chat, "input": "hello", "max_output_tokens": 16}),
    ]


MANAGEMENT = (
    Route("GET", "/v1/model/info"),
    Route("POST", "/model/new", WRONG),
    Route("POST", "/model/delete", WRONG),
    Route("POST", "/key/generate", WRONG),
    Route("GET", "/key/list"),
    Route("GET", "/key/info"),
    Route("GET", "/user/list"),
    Route("GET", "/team/list"),
    Route("GET", "/spend/logs"),
    Route("GET", "/global/spend"),
    Route("GET", "/config/yaml"),
    Route("GET", "/get/config/callbacks"),
    Route("GET", "/router/settings"),
    Route("GET", "/credentials"),
    Route("GET", "/cache/ping"),
    Route("GET", "/health"),  # with a key it calls every model (LiteLLM issue 5816); here it has none
    Route("GET", "/metrics"),
)
"""Management, spending and insight. LiteLLM's names; Prometheus' /metrics is everybody's."""

MANAGEMENT_SAMPLE = tuple(
    route for route in MANAGEMENT if route.path in ("/v1/model/info", "/key/generate", "/spend/logs")
)
"""One of each kind, where a whole list would only repeat itself."""
