"""Other names of the routes that serve models: each of them has its own chance of being forgotten."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from gateway_acceptance.environment import Environment, ModelKind
from suites.api.auth.probes import ProtectedRoute

ROOTS = (
    "", "/openai/v1", "/api/v1", "/v1beta/openai", "/litellm/v1", "/internal/v1", "/proxy/v1", "/v2",
    "/ollama/v1", "/inference/v1", "/api/openai/v1", "/passthrough/v1", "/compatible-mode/v1",
)  # fmt: skip


def other_names(environment: Environment) -> list[ProtectedRoute]:
    """The routes of chat, completions, embeddings and lists under the names that other products give them.
    Their bodies ask for one token. A route that is not there is as good as one that refuses."""
    chat = (environment.aliases_of(ModelKind.CHAT) or environment.aliases)[0]
    embedding = (environment.aliases_of(ModelKind.EMBEDDING) or environment.aliases)[0]
    message = [{"role": "user", "content": "hi"}]
    said: dict[str, Any] = {"model": chat, "messages": message, "max_tokens": 1}
    typed: dict[str, Any] = {"model": chat, "prompt": "hi", "max_tokens": 1}
    vectors = {"model": embedding, "input": "hi"}
    found = [ProtectedRoute("GET", f"{root}/models") for root in ROOTS]
    found += [ProtectedRoute("POST", f"{root}/chat/completions", said) for root in ROOTS]
    found += [ProtectedRoute("POST", f"{root}/embeddings", vectors) for root in ROOTS]
    name = quote(chat, safe="")
    generated = {
        "contents": [{"role": "user", "parts": [{"text": "hi"}]}],
        "generationConfig": {"maxOutputTokens": 1},
    }
    spoken = {"model": chat, "messages": message, "stream": False, "options": {"num_predict": 1}}
    written = {"model": chat, "prompt": "hi", "stream": False, "options": {"num_predict": 1}}
    return [
        *found,
        ProtectedRoute("POST", "/completions", typed),
        ProtectedRoute("POST", f"/engines/{name}/chat/completions", said),
        ProtectedRoute("POST", f"/engines/{name}/completions", typed),
        ProtectedRoute("POST", f"/v1/engines/{name}/completions", typed),
        ProtectedRoute("POST", f"/openai/deployments/{name}/chat/completions?api-version=2024-06-01", said),
        ProtectedRoute("POST", f"/openai/deployments/{name}/completions?api-version=2024-06-01", typed),
        ProtectedRoute(
            "POST",
            f"/openai/deployments/{quote(embedding, safe='')}/embeddings?api-version=2024-06-01",
            vectors,
        ),
        ProtectedRoute("POST", "/v1/messages", said),
        ProtectedRoute("POST", "/anthropic/v1/messages", said),
        ProtectedRoute("POST", f"/v1beta/models/{name}:generateContent", generated),
        ProtectedRoute("POST", f"/models/{name}:generateContent", generated),
        ProtectedRoute("POST", f"/v1/models/{name}/chat/completions", said),
        ProtectedRoute("POST", "/responses", {"model": chat, "input": "hi", "max_output_tokens": 16}),
        ProtectedRoute(
            "POST", "/openai/v1/responses", {"model": chat, "input": "hi", "max_output_tokens": 16}
        ),
        ProtectedRoute("POST", "/v1/chat/completions/", said),
        ProtectedRoute("POST", "/v1/embeddings/", vectors),
        ProtectedRoute("POST", "/v1/moderations", {"model": chat, "input": "hi"}),
        ProtectedRoute(
            "POST", "/v1/rerank", {"model": embedding, "query": "hi", "documents": ["hi"], "top_n": 1}
        ),
        ProtectedRoute("POST", "/v1/score", {"model": embedding, "text_1": "hi", "text_2": "hi"}),
        ProtectedRoute("POST", "/tokenize", {"model": chat, "prompt": "hi"}),
        ProtectedRoute("POST", "/api/chat", spoken),
        ProtectedRoute("POST", "/api/generate", written),
        ProtectedRoute("POST", "/api/embed", vectors),
        ProtectedRoute("POST", "/queue/chat/completions", said),
        ProtectedRoute("POST", "/invocations", said),
        ProtectedRoute("POST", "/v2/chat", said),
        ProtectedRoute("POST", "/chat", said),
        ProtectedRoute("POST", "/generate", {"inputs": "hi", "parameters": {"max_new_tokens": 1}}),
        ProtectedRoute("POST", f"/bedrock/model/{name}/converse", generated),
        ProtectedRoute("POST", f"/{name}/v1/chat/completions", said),
        ProtectedRoute("POST", f"/{name}/v1/embeddings", vectors),
        *(ProtectedRoute("POST", f"/{path}", vectors) for path in ("pooling", "classify", "score", "rerank")),
        ProtectedRoute("GET", "/v1/files"),
        ProtectedRoute("GET", "/v1/batches"),
        ProtectedRoute("GET", "/v1/assistants"),
        ProtectedRoute("GET", "/v1/fine_tuning/jobs"),
        ProtectedRoute("GET", "/v1/vector_stores"),
        ProtectedRoute("GET", "/v1/model/info"),
        ProtectedRoute("GET", "/model_group/info"),
        ProtectedRoute("GET", f"/v1/models/{name}"),
        ProtectedRoute("GET", f"/models/{name}"),
    ]
