"""A gateway with limited keys, which LiteLLM has only with a database, and its defects: made by the proxy.

The proxy knows a limited key by its beginning, asks the real gateway with the real key for what it may do,
and refuses everything else itself.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lab.faults.exposure import Learned
from lab.faults.model import After, Before, Fault, gateway_fault
from lab.faults.mutators import CHAT, EMBEDDINGS, MODELS
from lab.message import Headers, Reply, Request, envelope, json_reply

PREFIX = "sk-limited-"
"""The beginning of a limited key; what follows is made up per run."""
VARIABLE = "MUTATION_MATRIX_LIMITED_KEY"
"""The environment variable that holds it in runs of the matrices."""
MAY = ("llm01-llama3.2-3b", "emb-light")
MARK = "x-lab-limited"
DECLARED: Mapping[str, Mapping[str, Any]] = {
    "gateway": {"limited_key": {"key_variable": VARIABLE, "models": list(MAY)}}
}
"""What an environment declares that has one."""
NAMED_BESIDE = ("/engines/", "/openai/")
NO_MANAGEMENT = envelope(403, "this key may not do that", "permission_error")
Judge = Callable[[Request], Reply | None]


def made_up_keys() -> dict[str, str]:
    """The limited key of a run, by its variable."""
    return {VARIABLE: f"{PREFIX}{secrets.token_hex(20)}"}


def denied(request: Request) -> Reply:
    """The refusal of a model: the same for one that does not exist."""
    asked = str(request.json.get("model", ""))[:80]
    return envelope(403, f"this key may not use {asked}", "permission_error")


def by_the_body(request: Request) -> Reply | None:
    """A model that the key may use, named by the body and by nothing else."""
    return None if str(request.json.get("model")) in MAY else denied(request)


@dataclass(frozen=True, slots=True)
class KeyManagement:
    """How limited keys are judged. models: of chat and embeddings; lists: the models that a list keeps;
    beside: whether what stands beside the body is handed on; manages: what management answers them."""

    models: Judge = by_the_body
    lists: Sequence[str] = MAY
    beside: bool = False
    manages: Callable[[Request], Reply] = lambda _: NO_MANAGEMENT

    def hooks(self) -> tuple[Before, After]:
        """The two halves of the proxy's defect or of its right behaviour."""
        return Learned().watching(self._before), self._after

    def _before(self, request: Request, key: str) -> Request | Reply:
        if not (request.key or "").startswith(PREFIX):
            return request
        path = request.path.partition("?")[0]
        if path == "/v1/models":
            return _as_owner(request, key)
        if not request.at(CHAT, EMBEDDINGS) or (not self.beside and path.startswith(NAMED_BESIDE)):
            return self.manages(request)
        refusal = self.models(request)
        if refusal is not None:
            return refusal
        return _as_owner(request if self.beside else replace(request, path=path), key)

    def _after(self, request: Request, reply: Reply) -> Reply:
        document = reply.json
        if not (request.header(MARK) and request.at(MODELS) and isinstance(document, dict)):
            return reply
        entries = [entry for entry in document.get("data", []) if entry.get("id") in self.lists]
        return reply.with_json({**document, "data": entries})


def _as_owner(request: Request, key: str) -> Request:
    kept: Headers = tuple(pair for pair in request.headers if pair[0].lower() != "authorization")
    return replace(request, headers=(*kept, ("authorization", f"Bearer {key}"), (MARK, "1")), authorised=True)


def _tells_all(request: Request) -> Reply | None:
    if by_the_body(request) is None:
        return None
    every = "llm01-llama3.2-3b, llm02-phi3, hx-chat, emb-light, emb-premium"
    text = f"this key may not use {request.json.get('model')}; there are: {every}"
    return envelope(403, text, "permission_error")


def _tells_what_exists(request: Request) -> Reply | None:
    if str(request.json.get("model", "")).startswith("no-such-model"):
        return envelope(404, "there is no such model", "invalid_request_error")
    return by_the_body(request)


def _without_embeddings(request: Request) -> Reply | None:
    return denied(request) if request.at(EMBEDDINGS) else by_the_body(request)


def _only_chat_is_judged(request: Request) -> Reply | None:
    return by_the_body(request) if request.at(CHAT) else None


def _keys_of_all(request: Request) -> Reply:
    if request.at("/key/list"):
        return json_reply(200, {"keys": []})
    return NO_MANAGEMENT


def judged_types(request: Request) -> Reply | None:
    """What a server says of a body that its schema does not fit, in the form that FastAPI gives it."""
    texts = [
        name for name in ("duration", "id", "model_name") if not isinstance(request.json.get(name, ""), str)
    ]
    if request.method != "POST" or not texts:
        return None
    wrong = {"type": "string_type", "loc": ["body", texts[0]], "msg": "Input should be a valid string"}
    return json_reply(422, {"detail": [wrong]})


def _makes_keys(request: Request) -> Reply:
    """Behind no guard: a key for what can be fulfilled."""
    if not request.at("/key/generate"):
        return NO_MANAGEMENT
    judged = judged_types(request)
    if judged is not None:
        return judged
    if str(request.json.get("duration", "1h"))[-1:] not in "smhd":
        return envelope(400, f"no duration: {request.json['duration']!r}", "invalid_request_error")
    return json_reply(200, {"key": f"{PREFIX}{secrets.token_hex(20)}"})


def _deletes_models(request: Request) -> Reply:
    if not request.at("/model/delete"):
        return NO_MANAGEMENT
    return judged_types(request) or json_reply(200, {"deleted": request.json.get("id")})


def _fault(name: str, description: str, detected_by: Mapping[str, str], limits: KeyManagement) -> Fault:
    before, after = limits.hooks()
    return gateway_fault(name, description, detected_by, before=before, after=after)


LIMITED_FAULTS: tuple[Fault, ...] = (
    _fault(
        "limited-key-lists-all",
        "a limited key sees every model in the list",
        {"API-LIMIT-001": "llm02-phi3 is listed, which the key may not use"},
        KeyManagement(lists=("llm01-llama3.2-3b", "emb-light", "llm02-phi3")),
    ),
    _fault(
        "limited-key-without-embeddings",
        "a limited key is refused where it may do something",
        {"API-LIMIT-002": "emb-light: expected 200 for the limited key, got 403"},
        KeyManagement(models=_without_embeddings),
    ),
    _fault(
        "limited-key-uses-embeddings",
        "the models of embeddings are not judged",
        {"API-LIMIT-003": "emb-premium: expected a refusal for the limited key, got 200"},
        KeyManagement(models=_only_chat_is_judged),
    ),
    _fault(
        "limited-key-chooses-by-url",
        "the body's model is judged, and the one in the URL is served",
        {"API-LIMIT-004": r"\?model=: another model answered the limited key"},
        KeyManagement(beside=True),
    ),
    _fault(
        "limited-key-lists-keys",
        "a limited key may list the keys of all",
        {"API-LIMIT-005": "GET /key/list: the limited key is served there"},
        KeyManagement(manages=_keys_of_all),
    ),
    _fault(
        "limited-key-makes-keys",
        "whoever has a key may make others",
        {"API-LIMIT-005": "POST /key/generate: the limited key is past the guard, the values of its body"},
        KeyManagement(manages=_makes_keys),
    ),
    _fault(
        "limited-key-deletes-models",
        "whoever has a key may delete models, also those that are not there",
        {"API-LIMIT-005": "POST /model/delete: the limited key is served there, with 200"},
        KeyManagement(manages=_deletes_models),
    ),
    _fault(
        "limited-key-is-told-of-all",
        "the refusal of a model names those of others",
        {"API-LIMIT-006": "the refusal names emb-premium"},
        KeyManagement(models=_tells_all),
    ),
    _fault(
        "limited-key-is-told-what-exists",
        "a model that does not exist is refused otherwise than one that the key may not use",
        {"API-LIMIT-007": "got 403, a model that does not exist 404"},
        KeyManagement(models=_tells_what_exists),
    ),
)
DECLARES = {fault.name: DECLARED for fault in LIMITED_FAULTS}
