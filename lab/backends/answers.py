"""What Ollama answers to a request: status and JSON objects, without any transport.

Source: Ollama's server/routes.go and its published API description.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import NamedTuple

from lab.backends import models, tokens
from lab.backends.backend import BackendServer
from lab.backends.embedding import Vector, embed, shortened
from lab.backends.generation import Generation, generate
from lab.backends.models import ModelSpec
from lab.backends.replies import pace
from lab.backends.requests import (
    Prompt,
    Refused,
    inputs_of_embed,
    options_of,
    prompt_of_chat,
    prompt_of_generate,
)
from lab.backends.scenario import Call, Json, Scenario
from lab.backends.tool_calls import ScriptedCall

RUNNING = "Ollama is running"
NOT_FOUND = "404 page not found"  # gin's words
NOT_ALLOWED = "405 method not allowed"

TOKENS = ("prompt_eval_count", "eval_count", "prompt_tokens", "completion_tokens")
LOAD_NS = 1_000_000  # durations are made of the counts, so that the same request has the same answer
PROMPT_TOKEN_NS = 100_000
EVAL_TOKEN_NS = 2_000_000

RAW_LENGTH = 16.0
"""Of a vector before it is normalised; models differ, and so do texts."""


@dataclass(frozen=True, slots=True)
class BackendAnswer:
    """An answer before transport: a text, one JSON object, or (``stream``) one JSON object a line, as
    server-sent ``events`` where the endpoint speaks these.

    ``eval_tokens`` is how many tokens were generated for it, for the delay per token; ``token_delay_s`` the
    least delay that the conversation itself asked for.
    """

    status: int = 200
    objects: tuple[Json, ...] = ()
    text: str | None = None
    stream: bool = False
    eval_tokens: int = 0
    token_delay_s: float = 0.0
    allow: str = ""
    events: bool = False

    @property
    def tokens(self) -> int:
        """Of prompt and answer, as it tells them itself, in Ollama's words or in OpenAI's; 0 where it does
        not."""
        usages = [one.get("usage") or one for one in self.objects]
        return sum(int(one.get(name, 0)) for one in usages for name in TOKENS)


class HandledRequest(NamedTuple):
    """What a handler works on: the backend, the defect in force, the call, and its body after the defect."""

    backend: BackendServer
    scenario: Scenario
    call: Call
    body: Json


def error(status: int, message: str) -> BackendAnswer:
    """Ollama's error object."""
    return BackendAnswer(status, ({"error": message},))


def answer(
    backend: BackendServer, scenario: Scenario, call: Call, method: str, body: Json | Refused
) -> BackendAnswer:
    """The answer to one request, its JSON objects changed by ``scenario.reply``.

    ``body`` is the parsed JSON object (empty for GET), or why it could not be parsed.
    """
    route = ROUTES.get(call.endpoint)
    if route is None:
        return BackendAnswer(404, text=NOT_FOUND)
    if method not in route:
        return BackendAnswer(405, text=NOT_ALLOWED, allow=", ".join(route))
    try:
        if isinstance(body, Refused):
            raise body
        given = route[method](HandledRequest(backend, scenario, call, scenario.request(dict(body), call)))
    except Refused as refused:
        given = error(refused.status, refused.message)
    objects = tuple(scenario.reply(item, call) for item in given.objects)
    return replace(given, objects=objects)


def _root(_request: HandledRequest) -> BackendAnswer:
    return BackendAnswer(text=RUNNING)


def _version(request: HandledRequest) -> BackendAnswer:
    return BackendAnswer(objects=({"version": request.backend.version},))


def _tags(request: HandledRequest) -> BackendAnswer:
    inventory = request.scenario.inventory(request.backend.models, request.call)
    return BackendAnswer(
        objects=({"models": [models.listed(name, spec) for name, spec in inventory.items()]},)
    )


def _ps(request: HandledRequest) -> BackendAnswer:
    inventory = request.scenario.inventory(request.backend.models, request.call)
    loaded = request.backend.running(request.scenario.name)
    running = sorted(loaded.items(), key=lambda item: item[1], reverse=True)
    entries = [
        models.running(name, inventory[name], _timestamp(expires))
        for name, expires in running
        if name in inventory
    ]
    return BackendAnswer(objects=({"models": entries},))


def _show(request: HandledRequest) -> BackendAnswer:
    model = request.body.get("model") or request.body.get("name") or ""
    return BackendAnswer(objects=(models.shown(models.normalise(model), _spec(request, model)),))


def _chat(request: HandledRequest) -> BackendAnswer:
    model = request.body.get("model") or ""
    spec = _spec(request, model)
    prompt = prompt_of_chat(request.body)
    if not spec.can("completion"):
        raise Refused(400, f'"{model}" does not support chat')
    if prompt.tools and not spec.can("tools"):
        raise Refused(400, f"{models.qualified(model)} does not support tools")
    return _generated(request, model, spec, prompt, has_input=bool(prompt.messages))


def _generate(request: HandledRequest) -> BackendAnswer:
    model = request.body.get("model") or ""
    spec = _spec(request, model)
    prompt = prompt_of_generate(request.body)
    if not spec.can("completion"):
        raise Refused(400, f'"{model}" does not support generate')
    return _generated(request, model, spec, prompt, has_input=bool(request.body.get("prompt")))


def _generated(
    request: HandledRequest, model: str, spec: ModelSpec, prompt: Prompt, *, has_input: bool
) -> BackendAnswer:
    """Chat and generate from here on; without input the model is only loaded or unloaded."""
    if prompt.think and not spec.can("thinking"):
        raise Refused(400, f'"{model}" does not support thinking')
    endpoint, created_at = request.call.endpoint, _timestamp(datetime.now(UTC))
    head = {"model": model, "created_at": created_at}
    if not has_input:
        unload = request.body.get("keep_alive") in (0, "0")
        (request.backend.unloaded if unload else request.backend.used)(model, request.scenario.name)
        reason = "unload" if unload else "load"
        return BackendAnswer(objects=({**head, **_piece(endpoint, ""), "done": True, "done_reason": reason},))
    request.backend.used(model, request.scenario.name)
    try:
        generation = generate(
            models.normalise(model),
            prompt,
            spec.window(prompt.options.num_ctx),
            lambda text: request.scenario.text(text, request.call),
            obeys=spec.obeys,
        )
    except ValueError as unsatisfiable:
        raise Refused(500, f"failed to parse grammar: {unsatisfiable}") from None
    generation = request.scenario.generation(generation, request.call)
    delay_s = pace(prompt.messages)
    last = {"done": True, "done_reason": generation.done_reason, **_metrics(generation)}
    if not prompt.stream:
        document = {**head, **_piece(endpoint, generation.text, generation.tool_calls), **last}
        return BackendAnswer(objects=(document,), eval_tokens=generation.eval_tokens, token_delay_s=delay_s)
    pieces = [_piece(endpoint, token) for token in tokens.split(generation.text)]
    pieces += [_piece(endpoint, "", (call,), at) for at, call in enumerate(generation.tool_calls)]
    lines = [{**head, **piece, "done": False} for piece in pieces]
    lines.append({**head, **_piece(endpoint, ""), **last})
    return BackendAnswer(
        objects=tuple(lines), stream=True, eval_tokens=generation.eval_tokens, token_delay_s=delay_s
    )


def _piece(endpoint: str, text: str, calls: tuple[ScriptedCall, ...] = (), first: int = 0) -> Json:
    """A part of an answer in the words of its endpoint; ``first`` is the index of the first call."""
    if endpoint == "/api/generate":
        return {"response": text}
    message: Json = {"role": "assistant", "content": text}
    if calls:
        message["tool_calls"] = [
            {"function": {"index": at, "name": call.name, "arguments": call.arguments}}
            for at, call in enumerate(calls, first)
        ]
    return {"message": message}


def _metrics(generation: Generation) -> Json:
    prompt_ns = generation.prompt_tokens * PROMPT_TOKEN_NS
    eval_ns = generation.eval_tokens * EVAL_TOKEN_NS
    return {
        "total_duration": LOAD_NS + prompt_ns + eval_ns,
        "load_duration": LOAD_NS,
        "prompt_eval_count": generation.prompt_tokens,
        "prompt_eval_duration": prompt_ns,
        "eval_count": generation.eval_tokens,
        "eval_duration": eval_ns,
    }


def _embed(request: HandledRequest) -> BackendAnswer:
    model = request.body.get("model") or ""
    inputs = inputs_of_embed(request.body)
    spec = _spec(request, model)
    window = spec.window(options_of(request.body).num_ctx)
    if not inputs:
        request.backend.used(model, request.scenario.name)
        return BackendAnswer(objects=({"model": model, "embeddings": []},))
    if request.body.get("truncate") is False and any(tokens.count(text) > window for text in inputs):
        raise Refused(400, "the input length exceeds the context length")
    vectors, counted = _vectors(request, model, spec, [tokens.first(text, window) for text in inputs])
    body = {
        "model": model,
        "embeddings": vectors,
        "total_duration": LOAD_NS + counted * PROMPT_TOKEN_NS,
        "load_duration": LOAD_NS,
        "prompt_eval_count": counted,
    }
    return BackendAnswer(objects=(body,))


def _embeddings(request: HandledRequest) -> BackendAnswer:
    """The older endpoint: one text, one vector as the model made it: only /api/embed normalises. What the
    runner refuses is an internal error here."""
    model = request.body.get("model") or ""
    spec = _spec(request, model, 'model "{}" not found, try pulling it first')
    text = request.body.get("prompt") or ""
    if not text:
        request.backend.used(model, request.scenario.name)
        return BackendAnswer(objects=({"embedding": []},))
    window = spec.window(options_of(request.body).num_ctx)
    try:
        vectors, _ = _vectors(request, model, spec, [tokens.first(text, window)])
    except Refused as refused:
        raise Refused(500, refused.message) from None
    return BackendAnswer(objects=({"embedding": [RAW_LENGTH * value for value in vectors[0]]},))


def _vectors(
    request: HandledRequest, model: str, spec: ModelSpec, texts: list[str]
) -> tuple[list[Vector], int]:
    """The texts' vectors after the defect, and how many tokens the texts have."""
    if not spec.can("embedding"):
        raise Refused(501, "this model does not support embeddings")
    request.backend.used(model, request.scenario.name)
    name, wanted = models.normalise(model), request.body.get("dimensions")
    vectors = [shortened(embed(name, text, spec.dimensions), wanted) for text in texts]
    return request.scenario.vectors(vectors, request.call), sum(map(tokens.count, texts))


def _spec(request: HandledRequest, model: str, missing: str = "model '{}' not found") -> ModelSpec:
    """The model asked for. Raises Refused: 400 where none is named, 404 where it is not there."""
    if not model:
        raise Refused(400, "model is required")
    inventory = request.scenario.inventory(request.backend.models, request.call)
    spec = inventory.get(models.normalise(model))
    if spec is None:
        raise Refused(404, missing.format(model))
    return spec


def _timestamp(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


Handler = Callable[[HandledRequest], BackendAnswer]

ROUTES: Mapping[str, Mapping[str, Handler]] = {
    "/": {"GET": _root, "HEAD": _root},
    "/api/version": {"GET": _version, "HEAD": _version},
    "/api/tags": {"GET": _tags, "HEAD": _tags},
    "/api/ps": {"GET": _ps},
    "/api/show": {"POST": _show},
    "/api/chat": {"POST": _chat},
    "/api/generate": {"POST": _generate},
    "/api/embed": {"POST": _embed},
    "/api/embeddings": {"POST": _embeddings},
}
