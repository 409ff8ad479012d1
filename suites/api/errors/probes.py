"""Bad requests, each breaking one rule, by name."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from gateway_acceptance.environment import Environment, ModelKind
from gateway_acceptance.verdict import NotApplicable
from suites.api.observations import ECHO_PROMPT, ECHO_TOKENS

CHAT = "/v1/chat/completions"
EMBEDDINGS = "/v1/embeddings"
NO_MODEL = "no-such-model-5f2c"
NO_ROUTE = "/v1/no-such-route"
DEPTH = 5000
"""Nested arrays: more than any parser's limit needs, and 10 kB only."""

BAD = (400, 422)
"""The statuses that blame the request's content: OpenAI's choice, and FastAPI's. Bodies that also name a
model that does not exist, so that no model ever sees them, may be refused for that (404)."""

MISSING = object()
"""Leave the field out."""

Body = Callable[[Environment], bytes]


@dataclass(frozen=True, slots=True)
class BadRequest:
    """A request that breaks one rule. words: a refusal that helps says one of them; statuses: right ones."""

    name: str
    body: Body
    words: tuple[str, ...]
    path: str = CHAT
    method: str = "POST"
    statuses: Sequence[int] = BAD
    content_type: str = "application/json"


def alias_of(environment: Environment, kind: ModelKind) -> str:
    """The first alias of a kind. Raises NotApplicable where there is none."""
    aliases = environment.aliases_of(kind)
    if not aliases:
        raise NotApplicable(f"the environment declares no {kind.value} model", declared="models")
    return aliases[0]


def chat(*, of: ModelKind = ModelKind.CHAT, **changes: Any) -> Body:
    """A valid chat request of a few tokens with these fields changed; ``of``: the kind of the alias."""

    def body(environment: Environment) -> bytes:
        messages = [{"role": "user", "content": ECHO_PROMPT}]
        valid = {"model": alias_of(environment, of), "messages": messages, "max_tokens": ECHO_TOKENS}
        return _changed(valid, changes)

    return body


def embedding(*, of: ModelKind = ModelKind.EMBEDDING, **changes: Any) -> Body:
    """A valid embedding request with these fields changed; ``of``: the kind of the alias."""
    return lambda environment: _changed(
        {"model": alias_of(environment, of), "input": "a gateway stands here"}, changes
    )


def offered(bads: Sequence[BadRequest], environment: Environment) -> list[BadRequest]:
    """Those that concern what is declared: nothing is asked of embeddings where no model makes any. Raises
    NotApplicable where none is left."""
    embeds = bool(environment.aliases_of(ModelKind.EMBEDDING))
    found = [bad for bad in bads if embeds or bad.path != EMBEDDINGS]
    if not found:
        raise NotApplicable("the environment declares no embedding model", declared="models")
    return found


def raw(data: bytes) -> Body:
    """These bytes, whatever the environment."""
    return lambda _: data


def said(message: object) -> Body:
    """A chat request of this one message."""
    return chat(messages=[message])


def _changed(valid: dict[str, Any], changes: dict[str, Any]) -> bytes:
    document = {name: value for name, value in {**valid, **changes}.items() if value is not MISSING}
    return json.dumps(document, ensure_ascii=False).encode()


CUT_OFF = raw(b'{"model": "' + NO_MODEL.encode() + b'", "messages": [{"role": ')
NO_UTF8 = raw(b'{"model": "' + NO_MODEL.encode() + b'", "input": "\xff\xfe", "messages": "\xff\xfe"}')
DEEP = raw(b'{"model": "' + NO_MODEL.encode() + b'", "messages": ' + b"[" * DEPTH + b"]" * DEPTH + b"}")
DEEP_INPUT = raw(b'{"model": "' + NO_MODEL.encode() + b'", "input": ' + b"[" * DEPTH + b"]" * DEPTH + b"}")
FORM = raw(b"model=" + NO_MODEL.encode() + b"&messages=hello&input=hello")
FORM_TYPE = "application/x-www-form-urlencoded"
FORM_STATUSES = (*BAD, 404, 415)
UNTYPED = (*BAD, 415)
"""An empty body has no media type: RFC 9110 section 15.5.16 lets that be the reason."""
NOT_FOUND = (400, 404)
"""OpenAI answers 404 for a model that it does not have, LiteLLM 400; both blame the request. Where a key may
use some models alone, 403 that names the model is right as well: it does not tell which others there are."""

_JSON = ("json", "pars", "decod")
_OBJECT = ("object", "dict", "json", "body", "list", "array")
_EMPTY = ("body", "empty", "json", "required", "missing", "messages", "input")
_UTF8 = ("utf", "encod", "decod", "json", "unicode")
_DEEP = ("nest", "depth", "deep", "recurs", "json", "messages", "input", "model")
_FORM = ("content-type", "content type", "media type", "json", "body", "required", "missing", "form", "model")
_MODEL = ("model",)

ALL = (
    BadRequest("malformed JSON at chat", CUT_OFF, _JSON),
    BadRequest("malformed JSON at embeddings", CUT_OFF, _JSON, EMBEDDINGS),
    BadRequest("an array as body at chat", raw(b"[1, 2]"), _OBJECT),
    BadRequest("an array as body at embeddings", raw(b"[1, 2]"), _OBJECT, EMBEDDINGS),
    BadRequest("an empty body at chat", raw(b""), _EMPTY, statuses=UNTYPED),
    BadRequest("an empty body at embeddings", raw(b""), _EMPTY, EMBEDDINGS, statuses=UNTYPED),
    BadRequest("a body that is no UTF-8 at chat", NO_UTF8, _UTF8, statuses=(*BAD, 404)),
    BadRequest("a body that is no UTF-8 at embeddings", NO_UTF8, _UTF8, EMBEDDINGS, statuses=(*BAD, 404)),
    BadRequest("deeply nested JSON at chat", DEEP, _DEEP, statuses=(*BAD, 404, 413)),
    BadRequest("deeply nested JSON at embeddings", DEEP_INPUT, _DEEP, EMBEDDINGS, statuses=(*BAD, 404, 413)),
    BadRequest("a form as body at chat", FORM, _FORM, statuses=FORM_STATUSES, content_type=FORM_TYPE),
    BadRequest(
        "a form as body at embeddings",
        FORM,
        _FORM,
        EMBEDDINGS,
        statuses=FORM_STATUSES,
        content_type=FORM_TYPE,
    ),
    BadRequest("messages missing", chat(messages=MISSING), ("messages",)),
    BadRequest("messages a string", chat(messages=ECHO_PROMPT), ("messages",)),
    BadRequest("messages null", chat(messages=None), ("messages",)),
    BadRequest("messages empty", chat(messages=[]), ("messages",)),
    BadRequest("a message that is a string", said(ECHO_PROMPT), ("message",)),
    BadRequest("an unknown role", said({"role": "wizard", "content": ECHO_PROMPT}), ("role", "wizard")),
    BadRequest("role missing", said({"content": ECHO_PROMPT}), ("role",)),
    BadRequest("content a number", said({"role": "user", "content": 5}), ("content",)),
    BadRequest(
        "an unknown content part",
        said({"role": "user", "content": [{"type": "hologram", "hologram": "x"}]}),
        ("content", "type", "hologram", "message"),
    ),
    BadRequest("model missing", chat(model=MISSING), _MODEL),
    BadRequest("model a number at chat", chat(model=7), _MODEL, statuses=(*BAD, 404)),
    BadRequest("model a number at embeddings", embedding(model=7), _MODEL, EMBEDDINGS, statuses=(*BAD, 404)),
    BadRequest("temperature a string", chat(temperature="warm"), ("temperature",)),
    BadRequest("temperature 9", chat(temperature=9), ("temperature",)),
    BadRequest("temperature -1", chat(temperature=-1), ("temperature",)),
    BadRequest("max_tokens negative", chat(max_tokens=-5), ("max_tokens", "num_predict")),
    BadRequest("max_tokens a string", chat(max_tokens="many"), ("max_tokens", "num_predict")),
    BadRequest("stream a string", chat(stream="perhaps"), ("stream",)),
    BadRequest("tools a string", chat(tools="hammer"), ("tools", "tool")),
    BadRequest("response_format a string", chat(response_format="json"), ("response_format", "format")),
    BadRequest("input missing", embedding(input=MISSING), ("input",), EMBEDDINGS),
    BadRequest("input a number", embedding(input=5), ("input",), EMBEDDINGS),
    BadRequest("input an object", embedding(input={"text": "hello"}), ("input",), EMBEDDINGS),
    BadRequest("an unknown model, streamed", chat(model=NO_MODEL, stream=True), _MODEL, statuses=NOT_FOUND),
    BadRequest(
        "an unknown model at embeddings", embedding(model=NO_MODEL), _MODEL, EMBEDDINGS, statuses=NOT_FOUND
    ),
    BadRequest(
        "a chat model at embeddings",
        embedding(of=ModelKind.CHAT),
        ("model", "support", "embed"),
        EMBEDDINGS,
        statuses=(*BAD, 404),
    ),
    BadRequest(
        "an embedding model at chat",
        chat(of=ModelKind.EMBEDDING),
        ("model", "support", "chat", "generate"),
        statuses=(*BAD, 404),
    ),
    BadRequest(
        "an unknown route",
        raw(b"{}"),
        ("route", "path", "url", "found", "unknown"),
        NO_ROUTE,
        statuses=(404,),
    ),
    BadRequest("GET at chat", raw(b""), ("method", "get", "found"), method="GET", statuses=(404, 405)),
    BadRequest(
        "DELETE at embeddings", raw(b""), ("method", "delete", "found"), EMBEDDINGS, "DELETE", (404, 405)
    ),
)
BY_NAME = {bad.name: bad for bad in ALL}
"""Every invalid request that is sent."""
