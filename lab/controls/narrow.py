"""Right gateways that offer less than LiteLLM, and say so."""

from __future__ import annotations

from lab.controls.answers import CHAT, EMBEDDINGS
from lab.controls.clouds import refused_argument
from lab.controls.model import Control
from lab.message import Json, Reply, Request, envelope

DESCRIBED = ("/openapi.json", "/docs", "/redoc", "/routes")
AT_ONCE = 32
"""Texts."""
OFFERED = ("/v1/", "/health")
NOT_HERE = envelope(404, "there is no such route", "invalid_request_error")


def _nowhere(request: Request) -> Reply:
    """404, without a body where none may be."""
    return NOT_HERE if request.method != "HEAD" else Reply(404, NOT_HERE.headers, ())


def _undescribed(request: Request) -> Request | Reply:
    path = request.path.split("?", 1)[0]
    return _nowhere(request) if path == "/" or path.startswith(DESCRIBED) else request


def _only_v1(request: Request) -> Request | Reply:
    path = request.path.split("?", 1)[0]
    return request if path.startswith(OFFERED) else _nowhere(request)


def _fixed_size(request: Request) -> Request | Reply:
    """OpenAI's own refusal where a model's vectors have one size."""
    if not request.authorised or not request.at(EMBEDDINGS) or request.json.get("dimensions") is None:
        return request
    message = "This model does not support specifying dimensions."
    return refused_argument("dimensions", message, "unsupported_parameter")


def _few_at_once(request: Request) -> Request | Reply:
    """As text-embeddings-inference with its default of ``--max-client-batch-size``."""
    given = request.json.get("input")
    if not request.authorised or not request.at(EMBEDDINGS) or not isinstance(given, list):
        return request
    if len(given) <= AT_ONCE:
        return request
    message = f"batch size {len(given)} > maximum allowed batch size {AT_ONCE}"
    return envelope(422, message, "invalid_request_error")


def _forces_nobody(request: Request) -> Request | Reply:
    """As vLLM without guided decoding: a model calls what it wants to, or nothing."""
    choice = request.json.get("tool_choice")
    if not request.authorised or not request.at(CHAT) or choice in (None, "auto", "none"):
        return request
    return refused_argument("tool_choice", "only auto and none are supported", "unsupported_value")


def _one_call(request: Request) -> Request | Reply:
    """Several calls at once are neither made nor taken as an argument."""
    if not request.authorised or not request.at(CHAT) or request.json.get("parallel_tool_calls") is None:
        return request
    message = "parallel_tool_calls is not supported"
    return refused_argument("parallel_tool_calls", message, "unsupported_parameter")


def _no_sampling(request: Request) -> Request | Reply:
    """Penalties and bias are refused unless they change nothing."""
    document: Json = request.json
    asked = [name for name in ("presence_penalty", "frequency_penalty", "logit_bias") if document.get(name)]
    if not request.authorised or not request.at(CHAT) or not asked:
        return request
    return refused_argument(asked[0], f"{asked[0]} is not supported", "unsupported_parameter")


NARROW_CONTROLS = (
    Control(
        "right-without-description",
        "nothing describes the interface: no OpenAPI document, no pages of it",
        before=_undescribed,
        checks=("API-EXPO-0", "API-ACCESS-0", "API-AUTH-01", "API-OPS-0"),
        concerns=("API-EXPO-001", "API-EXPO-002", "API-EXPO-003", "API-AUTH-016", "API-AUTH-017"),
        declares={"gateway": {"description_path": ""}},
    ),
    Control(
        "right-v1-alone",
        "all that is offered stands below /v1, and health",
        before=_only_v1,
        checks=("API-EXPO-0", "API-ACCESS-0", "API-AUTH-0", "API-ERR-03", "API-OPS-0"),
        concerns=("API-EXPO-001", "API-AUTH-016", "API-AUTH-017", "API-ACCESS-003", "API-ERR-036"),
        declares={"gateway": {"description_path": ""}},
    ),
    Control(
        "right-dimensions-refused",
        "vectors have the size of their model, and another one is refused with 400",
        before=_fixed_size,
        checks=("API-EMB-0", "API-SDK-0"),
        concerns=("API-EMB-021", "API-EMB-002"),
    ),
    Control(
        "right-small-batches",
        "no more than 32 texts are embedded at once, and more are refused with 422",
        before=_few_at_once,
        checks=("API-EMB-0", "API-SDK-0"),
        concerns=("API-EMB-001", "API-EMB-003", "API-EMB-007", "API-EMB-015"),
    ),
    Control(
        "right-tool-choice-refused",
        "a model cannot be made to call a tool: another tool_choice than auto and none is refused",
        before=_forces_nobody,
        checks=("API-TOOLS-0", "API-SDK-01", "API-PROP-0"),
        concerns=("API-TOOLS-014", "API-TOOLS-015", "API-TOOLS-016"),
    ),
    Control(
        "right-parallel-calls-refused",
        "parallel_tool_calls is refused",
        before=_one_call,
        checks=("API-TOOLS-0", "API-SDK-01", "API-PROP-0"),
        concerns=("API-TOOLS-008", "API-CHAT-041"),
    ),
    Control(
        "right-penalties-refused",
        "penalties and bias are refused unless they change nothing",
        before=_no_sampling,
        checks=("API-CHAT-0", "API-PROP-0"),
        concerns=("API-CHAT-041", "API-CHAT-044", "API-PROP-001"),
    ),
)
