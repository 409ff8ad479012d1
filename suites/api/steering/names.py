"""Where a request could name a model, a server or a parameter besides its body."""

from __future__ import annotations

MODEL_HEADERS = (
    "x-model", "model", "x-model-id", "x-model-name", "x-llm-model", "x-target-model", "x-openai-model",
    "x-ms-model",
    "x-litellm-model", "x-litellm-model-id", "x-litellm-model-name", "x-litellm-tags",
    "x-portkey-virtual-key",
    "x-portkey-config", "x-portkey-provider", "x-deployment", "x-deployment-id", "x-engine", "x-route",
    "x-router",
    "x-backend", "x-gateway-model", "x-amzn-bedrock-model", "anthropic-model", "helicone-model-override",
    "cf-aig-model", "x-model-override", "x-override-model", "x-force-model",
)  # fmt: skip
"""Headers by which one gateway or another chooses a model, a route or a virtual key."""

MODEL_QUERIES = (
    "model", "engine", "deployment", "deployment_id", "deployment_name", "model_name", "model_id",
    "target_model",
    "llm_model", "user_model", "route", "provider", "custom_llm_provider", "specific_deployment",
)  # fmt: skip
"""Names in the URL; each asked for itself."""

ADDRESS_HEADERS = (
    "x-portkey-custom-host", "x-litellm-api-base", "x-api-base", "x-base-url", "x-upstream", "x-upstream-url",
    "x-target-url", "x-target", "x-target-host", "x-proxy-url", "x-backend", "x-backend-url",
    "x-openai-base-url",
    "openai-base-url", "helicone-openai-api-base", "helicone-target-url", "api-base", "base-url",
    "x-endpoint", "x-forward-to",
    "x-forwarded-host", "x-original-host", "x-callback-url", "x-webhook-url", "x-llm-url", "destination",
)  # fmt: skip
"""Headers that name a server."""

ADDRESS_QUERIES = (
    "api_base", "base_url", "url", "target", "target_url", "upstream", "endpoint", "host", "proxy",
    "callback", "webhook",
    "destination", "redirect", "server", "backend",
)  # fmt: skip

MOCKED = "HX-MOCKED"
PARAMETERS = {
    "stream": "true",
    "n": "2",
    "max_tokens": "1",
    "max_completion_tokens": "1",
    "mock_response": MOCKED,
    "temperature": "2",
    "stop": "H",
    "logprobs": "true",
    "prompt": MOCKED,
    "user": MOCKED,
    "api-version": "2024-06-01",
}
"""Parameters of the body; each would show in the answer."""


def parameter_headers() -> list[tuple[str, str]]:
    """The same as headers, as they are and with a product's prefix."""
    names = [(name.replace("_", "-"), value) for name, value in PARAMETERS.items() if name != "api-version"]
    return [(prefix + name, value) for prefix in ("x-", "x-litellm-", "x-openai-") for name, value in names]
