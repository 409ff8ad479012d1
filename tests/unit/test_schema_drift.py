"""Drift: what our schemas know and the installed SDK's models do not, and the other way round.

Every difference is accepted here with its reason, or fails. After an upgrade of the SDK: for a field that is
new there, add it to the schema (it is then checked wherever a gateway sends it), or accept it below with the
reason why we do not look at it. A field that both know by now is to be struck out below.
"""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from typing import Any, Literal, Union, get_args, get_origin

import openai
import pytest
from openai.pagination import SyncPage
from openai.types import (
    Completion,
    CompletionChoice,
    CompletionUsage,
    CreateEmbeddingResponse,
    Embedding,
    Model,
)
from openai.types.chat import (
    ChatCompletion,
    ChatCompletionChunk,
    ChatCompletionMessage,
    ChatCompletionMessageFunctionToolCall,
    ChatCompletionTokenLogprob,
    chat_completion,
    chat_completion_chunk,
    chat_completion_message,
    chat_completion_message_function_tool_call,
)
from openai.types.create_embedding_response import Usage
from openai.types.responses import Response, ResponseOutputMessage, ResponseUsage, response
from openai.types.shared import ErrorObject
from pydantic import BaseModel

from gateway_acceptance.wire.schema_files import schema_directory, schema_files

COUNTERPARTS: Mapping[str, type[BaseModel]] = {
    "chat-completion": ChatCompletion,
    "chat-completion/$defs/choice": chat_completion.Choice,
    "chat-completion/$defs/message": ChatCompletionMessage,
    "chat-completion/$defs/message/properties/function_call": chat_completion_message.FunctionCall,
    "chat-completion/$defs/tool_call": ChatCompletionMessageFunctionToolCall,
    "chat-completion/$defs/tool_call/then/properties/function": (
        chat_completion_message_function_tool_call.Function
    ),
    "chat-completion-chunk": ChatCompletionChunk,
    "chat-completion-chunk/$defs/choice": chat_completion_chunk.Choice,
    "chat-completion-chunk/$defs/delta": chat_completion_chunk.ChoiceDelta,
    "chat-completion-chunk/$defs/tool_call": chat_completion_chunk.ChoiceDeltaToolCall,
    "chat-completion-chunk/$defs/tool_call/properties/function": (
        chat_completion_chunk.ChoiceDeltaToolCallFunction
    ),
    "completion": Completion,
    "completion/properties/choices/items": CompletionChoice,
    "embedding-response": CreateEmbeddingResponse,
    "embedding-response/properties/data/items": Embedding,
    "embedding-response/properties/usage": Usage,
    "error-envelope/properties/error": ErrorObject,
    "logprobs": chat_completion.ChoiceLogprobs,
    "logprobs/$defs/token": ChatCompletionTokenLogprob,
    "model": Model,
    "model-list": SyncPage,
    "usage": CompletionUsage,
}
"""Where an object is described -> the SDK's model of it."""

EXCERPTS: Mapping[str, type[BaseModel]] = {
    "response": Response,
    "response/properties/incomplete_details": response.IncompleteDetails,
    "response/properties/usage": ResponseUsage,
    "response/$defs/message": ResponseOutputMessage,
}
"""Of ``/v1/responses`` our schema describes on purpose what every client reads and no more: only what we know
and the SDK does not is a difference there."""

NO_COUNTERPART: Mapping[str, str] = {
    "error-envelope": "the SDK takes the envelope off before it builds an error",
    "response/properties/output/items": "a union of every kind of item; the message is compared by itself",
    "response/$defs/message/properties/content/items": "a union of text and refusal",
}

_MODERATION = "of OpenAI's own moderation service; no gateway of other models has it"
_EVERY_REPLY = "the SDK has a default for what every reply must hold"
ACCEPTED: Mapping[str, str] = {
    "chat-completion: only the SDK knows metadata": "of completions that OpenAI stores for its dashboard",
    "chat-completion: only the SDK knows moderation": _MODERATION,
    "chat-completion-chunk: only the SDK knows moderation": _MODERATION,
    "chat-completion-chunk: only the SDK knows obfuscation": "padding; a client ignores it",
    "chat-completion/$defs/message: only the SDK knows annotations": "of OpenAI's own web search",
    "chat-completion/$defs/message: only the SDK knows audio": "no declared model speaks",
    "chat-completion/$defs/message: content is required by us alone": _EVERY_REPLY,
    "chat-completion-chunk/$defs/delta: only the SDK knows audio": "no declared model speaks",
    "chat-completion-chunk/$defs/delta: only the SDK knows function_call": (
        "deprecated since tool_calls; the state machine of streams reports it"
    ),
    "chat-completion-chunk/$defs/delta: role may be developer, system, tool, user for the SDK alone": (
        "a model speaks as the assistant only"
    ),
    "chat-completion/$defs/tool_call: type may be custom for us alone": (
        "the SDK has a model of its own for custom tools"
    ),
    "chat-completion/$defs/tool_call: function is required by the SDK alone": "required by us under then",
    "error-envelope/properties/error: only the SDK knows misalignment": "of OpenAI's own safety review",
    "error-envelope/properties/error: type is required by the SDK alone": (
        "a SHOULD: APIError reads it with get, and LiteLLM passes null on"
    ),
    "logprobs/$defs/token: top_logprobs is required by the SDK alone": "a SHOULD: clients can do without",
    "response: status is required by us alone": _EVERY_REPLY,
}
"""A difference -> why it may stay."""


def _objects(node: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every object that a schema describes by its properties; what is only a SHOULD (``allOf``) or a
    condition (``if``) describes no object of its own."""
    if not isinstance(node, dict):
        return
    if "properties" in node and not path.endswith("/then"):
        yield path, node
    for key, child in node.items():
        if key in ("properties", "$defs"):
            for name, grandchild in child.items():
                yield from _objects(grandchild, f"{path}/{key}/{name}")
        elif key in ("items", "then", "else"):
            yield from _objects(child, f"{path}/{key}")


DESCRIBED = {
    place: node
    for file, content in schema_files(schema_directory()).items()
    for place, node in _objects(content, file.removesuffix(".json"))
}


def _properties(node: dict[str, Any]) -> dict[str, Any]:
    return {**node["properties"], **node.get("then", {}).get("properties", {})}


def _literals(annotation: Any) -> set[Any]:
    """The values that an annotation allows, where it allows only some."""
    if get_origin(annotation) is Literal:
        return set(get_args(annotation))
    if get_origin(annotation) in (Union, types.UnionType):
        return set().union(*map(_literals, get_args(annotation)))
    return set()


def _values(schema: dict[str, Any]) -> set[Any]:
    given = [schema["const"]] if "const" in schema else schema.get("enum", [])
    return {value for value in given if value is not None}


def differences(place: str, node: dict[str, Any], model: type[BaseModel]) -> Iterator[str]:
    """What one knows and the other does not, in words."""
    ours, theirs = _properties(node), {info.alias or name: info for name, info in model.model_fields.items()}
    for name in sorted(ours.keys() - theirs.keys()):
        yield f"{place}: only we know {name}"
    for name in sorted(theirs.keys() - ours.keys()):
        yield f"{place}: only the SDK knows {name}"
    required = set(node.get("required", ()))
    for name in sorted(ours.keys() & theirs.keys()):
        info, known = theirs[name], ours[name]
        if name in required and not info.is_required():
            yield f"{place}: {name} is required by us alone"
        if info.is_required() and name not in required:
            yield f"{place}: {name} is required by the SDK alone"
        allowed, values = _literals(info.annotation), _values(known)
        if allowed and values:
            for who, rest in (("us", values - allowed), ("the SDK", allowed - values)):
                if rest:
                    yield f"{place}: {name} may be {', '.join(sorted(map(str, rest)))} for {who} alone"


SEEN = [
    difference
    for place, model in {**COUNTERPARTS, **EXCERPTS}.items()
    if place in DESCRIBED
    for difference in differences(place, DESCRIBED[place], model)
    if place in COUNTERPARTS or ("only the SDK knows" not in difference and "the SDK alone" not in difference)
]


def test_every_difference_is_accepted() -> None:
    unknown = [difference for difference in SEEN if difference not in ACCEPTED]
    assert not unknown, (
        f"schemas/ and openai {openai.__version__} have drifted apart. Add the field or value to the schema, "
        "or accept the difference here with its reason:\n  " + "\n  ".join(unknown)
    )


def test_no_accepted_difference_is_gone() -> None:
    gone = [difference for difference in ACCEPTED if difference not in SEEN]
    assert not gone, (
        f"schemas/ and openai {openai.__version__} agree by now; strike out of ACCEPTED:\n  "
        + "\n  ".join(gone)
    )


def test_every_described_object_has_a_counterpart() -> None:
    known = {*COUNTERPARTS, *EXCERPTS, *NO_COUNTERPART}
    assert sorted(DESCRIBED) == sorted(known), "an object of schemas/ is not compared with the SDK's model"


class Grown(Model):
    """The SDK's model with a field that nobody has heard of."""

    context_window: int


def test_a_new_field_of_the_sdk_is_named() -> None:
    assert list(differences("model", DESCRIBED["model"], Grown)) == [
        "model: only the SDK knows context_window"
    ]


@pytest.mark.parametrize(
    ("annotation", "values"),
    [(Literal["a", "b"], {"a", "b"}), (Literal["a"] | None, {"a"}), (str, set()), (int | None, set())],
)
def test_literals_of_annotations(annotation: Any, values: set[str]) -> None:
    assert _literals(annotation) == values
