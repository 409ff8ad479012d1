"""Request bodies, read as Ollama reads them, and refused in its words.

Source of the rules: Ollama's server/routes.go and api/types.go; the errors of wrong types are Go's own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Body = dict[str, Any]

_STRUCTS: Mapping[str, str] = {
    "/api/chat": "ChatRequest",
    "/api/generate": "GenerateRequest",
    "/api/embed": "EmbedRequest",
    "/api/embeddings": "EmbeddingRequest",
    "/api/show": "ShowRequest",
    "/v1/chat/completions": "ChatCompletionRequest",
    "/v1/embeddings": "EmbedRequest",
}
_FIELDS: Mapping[str, tuple[type, str]] = {
    "model": (str, "string"),
    "name": (str, "string"),
    "prompt": (str, "string"),
    "system": (str, "string"),
    "messages": (list, "[]api.Message"),
    "tools": (list, "api.Tools"),
    "stream": (bool, "bool"),
    "truncate": (bool, "bool"),
    "options": (dict, "map[string]interface {}"),
    "dimensions": (int, "int"),
}
_INTEGER_OPTIONS = ("num_predict", "num_ctx", "seed", "top_k")
_FLOAT_OPTIONS = ("temperature", "top_p", "min_p")
_HEADING = re.compile(r"^### (User|System|Assistant|Response|Tool):[ \t]*\n", re.MULTILINE)


class Refused(Exception):  # noqa: N818 - an answer, not a defect
    """The request is answered with ``status`` and ``{"error": message}``."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation; ``name`` is the tool's where the role is ``tool``."""

    role: str
    content: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Options:
    """The runtime options that the backends heed; all others are ignored, as Ollama ignores unknown ones."""

    num_predict: int = -1
    num_ctx: int | None = None
    seed: int | None = None
    temperature: float = 0.8
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is asked of a language model, by /api/chat and /api/generate alike.

    ``format`` is None, ``"json"`` or a JSON Schema; ``think`` whether thinking is asked for.
    """

    messages: tuple[Message, ...]
    tools: tuple[Body, ...] = ()
    format: str | Body | None = None
    options: Options = field(default_factory=Options)
    stream: bool = True
    think: bool = False


def parsed(raw: bytes, endpoint: str) -> Body:
    """The JSON object of a body, whatever its Content-Type says.

    Raises Refused(400) for an empty body, bad JSON, or a field of the wrong type.
    """
    if not raw.strip():
        raise Refused(400, "missing request body")
    text = raw.decode("utf-8", "replace")
    try:
        # a lone surrogate cannot be sent back as UTF-8; Go reads it as U+FFFD
        body = _without_lone_surrogates(json.loads(text, parse_constant=_no_constant))
    except json.JSONDecodeError as error:
        seen = text[error.pos : error.pos + 1]
        message = f"invalid character '{seen}' looking for beginning of value" if seen else "unexpected EOF"
        raise Refused(400, message) from None
    except ValueError as error:
        raise Refused(400, str(error)) from None
    except RecursionError:  # Go has a limit of its own
        raise Refused(400, "exceeded max depth") from None
    struct = _STRUCTS.get(endpoint, "Request")
    if not isinstance(body, dict):
        raise Refused(400, f"json: cannot unmarshal {_go_kind(body)} into Go value of type api.{struct}")
    for name, (kind, go_type) in _FIELDS.items():
        expect(body.get(name), kind, f"{struct}.{name}", go_type)
    return body


def prompt_of_chat(body: Body) -> Prompt:
    """The prompt of a /api/chat body. Raises Refused where a message or option has the wrong type."""
    return _prompt(body, tuple(_message(item) for item in body.get("messages") or ()))


def prompt_of_generate(body: Body) -> Prompt:
    """The prompt of a /api/generate body: its system text, then the turns written into ``prompt``.

    Clients without chat endpoint write a conversation under headings (``### User:``); a model understands
    that, and so do the backends. Raises Refused where an option has the wrong type.
    """
    system = body.get("system") or ""
    messages = [Message("system", system)] if system else []
    text = body.get("prompt") or ""
    headings = list(_HEADING.finditer(text))
    lead = text[: headings[0].start()] if headings else text
    if lead.strip():
        messages.append(Message("user", lead))
    ends = [heading.start() for heading in headings[1:]] + [len(text)]
    for heading, end in zip(headings, ends, strict=False):  # without headings there is still an end
        role = heading[1].lower().replace("response", "assistant")
        if content := text[heading.end() : end].strip():
            messages.append(Message(role, content))
    return _prompt({**body, "tools": None}, tuple(messages))


def inputs_of_embed(body: Body) -> list[str]:
    """The texts of a /api/embed body; an empty string is no text. Raises Refused(400) for anything else."""
    match body.get("input"):
        case None | "":
            return []
        case str(text):
            return [text]
        case list(texts) if all(isinstance(text, str) for text in texts):
            return list(texts)
        case _:
            raise Refused(400, "invalid input type")


def options_of(body: Body) -> Options:
    """The heeded options. Raises Refused(500) for a wrong type, as Ollama does."""
    given = {key: value for key, value in (body.get("options") or {}).items() if value is not None}
    for key in _INTEGER_OPTIONS:
        if not _is_number(given.get(key, 0)):
            raise Refused(500, f'option "{key}" must be of type integer')
    for key in _FLOAT_OPTIONS:
        if not _is_number(given.get(key, 0)):
            raise Refused(500, f'option "{key}" must be of type float32')
    stop = given.get("stop", [])
    stop = [stop] if isinstance(stop, str) else stop
    if not isinstance(stop, list):
        raise Refused(500, 'option "stop" must be of type array')
    if not all(isinstance(text, str) for text in stop):
        raise Refused(500, 'option "stop" must be of an array of strings')
    return Options(
        num_predict=int(given.get("num_predict", -1)),
        num_ctx=int(given["num_ctx"]) if given.get("num_ctx") else None,
        seed=int(given["seed"]) if "seed" in given else None,
        temperature=float(given.get("temperature", 0.8)),
        stop=tuple(text for text in stop if text),
    )


def _prompt(body: Body, messages: tuple[Message, ...]) -> Prompt:
    wanted = body.get("format") or None
    if wanted is not None and wanted != "json" and not isinstance(wanted, dict):
        shown = json.dumps(wanted)
        raise Refused(500, f'invalid format: {shown}; expected "json" or a valid JSON Schema object')
    tools = body.get("tools") or []
    for tool in tools:
        expect(tool, dict, "ChatRequest.tools", "api.Tool")
        expect(tool.get("function"), dict, "ChatRequest.tools.function", "api.ToolFunction")
    stream = body.get("stream")
    return Prompt(
        messages=messages,
        tools=tuple(tools),
        format=wanted,
        options=options_of(body),
        stream=True if stream is None else stream,
        think=bool(body.get("think")),
    )


def _message(item: object) -> Message:
    expect(item, dict, "ChatRequest.messages", "api.Message")
    turn: Body = item if isinstance(item, dict) else {}
    for name in ("role", "content"):
        expect(turn.get(name), str, f"ChatRequest.messages.{name}", "string")
    name = turn.get("tool_name") or turn.get("name") or ""
    return Message(role=turn.get("role") or "", content=turn.get("content") or "", name=str(name))


def expect(value: object, kind: type, place: str, go_type: str) -> None:
    """Refuse a value that Go cannot unmarshal; null is the zero value of everything."""
    right = _is_number(value) if kind in (int, float) else isinstance(value, kind)
    if value is not None and not right:
        kind_seen = _go_kind(value)
        raise Refused(
            400, f"json: cannot unmarshal {kind_seen} into Go struct field {place} of type {go_type}"
        )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _go_kind(value: object) -> str:
    if isinstance(value, bool):
        return "bool"
    kinds = {str: "string", int: "number", float: "number", list: "array", dict: "object"}
    return kinds.get(type(value), "null")


def _no_constant(name: str) -> None:
    raise ValueError(f"invalid character '{name[0]}' looking for beginning of value")


def _without_lone_surrogates(value: Any) -> Any:
    text = json.dumps(value, ensure_ascii=False).encode("utf-16-le", "surrogatepass")
    return json.loads(text.decode("utf-16-le", "replace"))
