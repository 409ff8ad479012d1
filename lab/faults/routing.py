"""Defects of inventory, routing, and of the witnesses that say who served."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable

from lab.faults.model import After, Before, Fault, backend_fault, gateway_fault
from lab.faults.mutators import CHAT, EMBEDDINGS, renamed
from lab.message import Json, Reply, Request, edit_json, json_reply

DEPLOYMENTS = "/model/info"
WITNESS, NAMED = "x-litellm-model-api-base", "x-litellm-model-id"


def configured(change: Callable[[list[Json]], list[Json]]) -> After:
    """Change the gateway's own list of deployments."""
    return edit_json(DEPLOYMENTS, change=lambda body: {**body, "data": change(body["data"])})


def in_last(**parameters: object) -> After:
    """Change the parameters of the last deployment, which is one of a balanced alias."""

    def change(entries: list[Json]) -> list[Json]:
        last = entries[-1]
        return [*entries[:-1], {**last, "litellm_params": {**last["litellm_params"], **parameters}}]

    return configured(change)


def same_ids(entries: list[Json]) -> list[Json]:
    """Every deployment has the id of the first."""
    return [{**entry, "model_info": {**entry["model_info"], "id": "1"}} for entry in entries]


def shadow(entries: list[Json]) -> list[Json]:
    """One more deployment behind the last alias, on a server of somebody else."""
    last = entries[-1]
    elsewhere = {**last["litellm_params"], "api_base": "http://127.0.0.99:11434"}
    return [*entries, {**last, "litellm_params": elsewhere, "model_info": {"id": "shadow"}}]


def claims_first(when: Callable[[Request], bool]) -> After:
    """The witness names the first backend, whoever served."""

    def after(request: Request, reply: Reply) -> Reply:
        real = next((value for name, value in reply.headers if name.lower() == WITNESS), None)
        if real is None or not when(request):
            return reply
        return reply.with_header(WITNESS, re.sub(r"\d+:(\d+)$", r"11:\1", real))

    return after


def without_witness(when: Callable[[Request], bool]) -> After:
    """Some answers do not say who served them."""
    return lambda request, reply: reply.with_header(WITNESS, None) if when(request) else reply


def remembered() -> tuple[Before, After]:
    """A cache: the same question is answered from memory."""
    kept: dict[tuple[str, bytes], Reply] = {}

    def before(request: Request) -> Request | Reply:
        return kept.get((request.path, request.body), request)

    def after(request: Request, reply: Reply) -> Reply:
        if request.at(CHAT) and reply.status == 200:
            kept[request.path, request.body] = reply
        return reply

    return before, after


def strange(*models: str) -> Before:
    """These models are served by a server that nobody declared, and nothing says so."""
    choice = {"index": 0, "message": {"role": "assistant", "content": "Yes."}, "finish_reason": "stop"}
    vector = {"object": "embedding", "index": 0, "embedding": [0.5] * 8}

    def before(request: Request) -> Request | Reply:
        if request.json.get("model") not in models or request.streams:
            return request
        if request.at(EMBEDDINGS):
            return json_reply(200, {"object": "list", "data": [vector]})
        return json_reply(200, {"object": "chat.completion", "choices": [choice]})

    return before


def streamed(model: str, other: str) -> Before:
    """Streamed requests to one model are sent to another."""
    hook = renamed(lambda name: name == model, other)
    return lambda request: hook(request) if request.streams else request


def falls_back(model: str, other: str, each: int) -> tuple[Before, After]:
    """Of the whole chats with a model each so-and-so-many-th is answered by another one, in its name."""
    turns, hook = itertools.count(1), renamed(lambda name: name == model, other)
    handed: list[Request | Reply] = []

    def before(request: Request) -> Request | Reply:
        asked = request.at(CHAT) and not request.streams and request.json.get("model") == model
        if not asked or next(turns) % each:
            return request
        handed.append(hook(request))
        return handed[-1]

    def after(request: Request, reply: Reply) -> Reply:
        mine = next((at for at, one in enumerate(handed) if one is request), None)
        if mine is None:
            return reply
        del handed[mine]
        return edit_json(CHAT, change=lambda body: {**body, "model": model})(request, reply)

    return before, after


FALLS_BACK, IN_SILENCE = falls_back("llm02-phi3", "llm02-gemma2-2b", 3)
FROM_CACHE, INTO_CACHE = remembered()
STRANGERS = ("BACKEND-ROUTE-005", "BACKEND-ROUTE-006", "BACKEND-WITNESS-004", "BACKEND-WITNESS-007")

ROUTING_FAULTS: tuple[Fault, ...] = (
    backend_fault(
        "backend-far-away",
        "a backend takes seconds to answer a question without a model",
        {"BACKEND-REACH-002": r"fastest of 3 answers of llm-01 took \d\.\d\d s, 2 s are declared"},
        scenario="slow-version",
    ),
    backend_fault(
        "backend-root-taken",
        "another server answers at the root of the backends",
        {"BACKEND-REACH-003": "expected 200 and 'Ollama is running' .* got 200: It works!"},
        scenario="other-root",
    ),
    backend_fault(
        "backend-not-updated",
        "one backend of a balanced alias runs an older version",
        {"BACKEND-REACH-004": r"hx-chat differ: llm-01 runs \S+, llm-02 runs 0\.5\.1"},
        scenario="version-differs",
    ),
    backend_fault(
        "backend-slow-though-warm",
        "a loaded model waits before it answers",
        {"BACKEND-REACH-005": r"llama3\.2:3b on llm-01, loaded, took 4\.\d s to begin in the fastest of 3"},
        scenario="slow-warm",
    ),
    backend_fault(
        "backend-model-replaced",
        "a tag was pulled again and means another model",
        {"BACKEND-INV-002": "has the digest [0-9a-f]{12}, declared is [0-9a-f]{12}"},
        scenario="digest-differs",
    ),
    backend_fault(
        "backend-vectors-short",
        "an embedding model has another number of dimensions than declared",
        {"BACKEND-INV-003": "has 1023 dimensions, declared are 1024"},
        scenario="embedding-dimensions",
    ),
    backend_fault(
        "backend-model-of-other-kind",
        "the models behind chat aliases only embed",
        {"BACKEND-INV-004": "declared as chat and lacks 'completion'; it can embedding"},
        scenario="capabilities-swapped",
    ),
    backend_fault(
        "backend-loaded-undeclared",
        "a model that was removed is still loaded",
        {"BACKEND-INV-005": "removed:7b is loaded, and not among the models"},
        scenario="undeclared-loaded",
    ),
    backend_fault(
        "backend-count-stands-still",
        "the backend's own count does not move",
        {"BACKEND-WITNESS-006": "its count grew by 0"},
        scenario="count-stands-still",
    ),
    gateway_fault(
        "deployment-mistyped",
        "a deployment asks its backend for a model that is not there",
        {
            "BACKEND-INV-006": r"gemma2:22b on llm-02: llm-02 has no such model",
            "BACKEND-ROUTE-001": r"hx-chat → gemma2:2b on llm-02 is declared, and the gateway lacks it",
            "BACKEND-ROUTE-002": r"hx-chat → gemma2:22b on llm-02 is not declared",
        },
        after=in_last(model="ollama_chat/gemma2:22b"),
    ),
    gateway_fault(
        "deployment-missing",
        "one deployment of the balanced alias was forgotten",
        {"BACKEND-ROUTE-001": "hx-chat → .* is declared, and the gateway lacks it"},
        after=configured(lambda entries: entries[:-1]),
    ),
    gateway_fault(
        "deployment-undeclared",
        "the balanced alias has one more deployment, on a server that nobody declared",
        {"BACKEND-ROUTE-002": r"gemma2:2b on http://127\.0\.0\.99:11434 is not declared"},
        after=configured(shadow),
    ),
    gateway_fault(
        "deployment-weighted",
        "one deployment of the balanced alias has a weight, which starves those without",
        {"BACKEND-ROUTE-003": "hx-chat → gemma2:2b on llm-02 has weight 1, declared is no weight"},
        after=in_last(weight=1),
    ),
    gateway_fault(
        "deployments-share-an-id",
        "deployments cannot be told apart",
        {"BACKEND-ROUTE-004": "has the id 1, and so has another"},
        after=configured(same_ids),
    ),
    gateway_fault(
        "alias-elsewhere",
        "an alias is mapped to a model on another backend",
        {
            "BACKEND-ROUTE-005": r"llm01-llama3\.2-3b was served by llm-02 \(3 times\); declared is llm-01",
            "BACKEND-ROUTE-008": r"llm01-llama3\.2-3b was served by the deployment llm02-phi3",
            "BACKEND-WITNESS-004": r"llm01-llama3\.2-3b reached phi3:latest on llm-02",
        },
        before=renamed(lambda model: model == "llm01-llama3.2-3b", "llm02-phi3"),
    ),
    gateway_fault(
        "undeclared-server-serves",
        "a chat alias and an embedding alias are served by a server that nobody declared, without a header",
        {
            **dict.fromkeys(
                STRANGERS, "the declared backends counted 0 of them: a server that nobody declared"
            ),
            "BACKEND-WITNESS-005": "has no header",
        },
        before=strange("llm01-llama3.2-3b", "emb-light"),
    ),
    gateway_fault(
        "alias-neighbour",
        "an alias is mapped to the other model on the same backend",
        {
            "BACKEND-ROUTE-008": "llm02-phi3 was served by the deployment llm02-gemma2-2b",
            "BACKEND-WITNESS-004": r"llm02-phi3 reached gemma2:2b on llm-02 \(3 times\); declared is phi3",
            "API-CHAT-005": "expected the model llm02-phi3",
        },
        before=renamed(lambda model: model == "llm02-phi3", "llm02-gemma2-2b"),
    ),
    gateway_fault(
        "fallback-in-silence",
        "some questions to an alias are answered by its neighbour, in its name",
        {"BACKEND-WITNESS-004": r"llm02-phi3 reached gemma2:2b on llm-02 \(\d times\); declared is phi3"},
        before=FALLS_BACK,
        after=IN_SILENCE,
    ),
    gateway_fault(
        "embeddings-elsewhere",
        "the gateway says that a backend of chat models makes the embeddings",
        {"BACKEND-ROUTE-006": r"emb-\S+ was served by llm-01 \(\d+ times\); declared is orc"},
        after=claims_first(lambda request: request.at(EMBEDDINGS)),
    ),
    gateway_fault(
        "embedding-neighbour",
        "an embedding alias is mapped to another model of its backend",
        {
            "BACKEND-WITNESS-007": "emb-light reached nomic-embed-text:latest on orc",
            "API-EMB-001": "expected 384 components, got 768",
        },
        before=renamed(lambda model: model == "emb-light", "emb-perf"),
    ),
    gateway_fault(
        "streams-elsewhere",
        "streamed requests to an alias go to another backend",
        {"BACKEND-ROUTE-007": r"llm01-llama3\.2-3b was served by llm-02"},
        before=streamed("llm01-llama3.2-3b", "llm02-phi3"),
    ),
    gateway_fault(
        "id-not-heeded",
        "a deployment's id stands for its whole group, or another one",
        {"BACKEND-ROUTE-009": "asked for by its id, was answered by"},
        before=renamed(lambda model: re.fullmatch("[0-9a-f]{64}", model) is not None, "llm01-llama3.2-3b"),
    ),
    gateway_fault(
        "witness-lies",
        "the header names the first backend, whoever served",
        {
            "BACKEND-WITNESS-001": "the header names llm-02 0 times, llm-02 counted 3",
            "BACKEND-WITNESS-002": "the header names orc 0 times, orc counted 3",
            "BACKEND-ROUTE-005": r"llm02-phi3 was served by llm-01 \(\d+ times\); declared is llm-02",
        },
        after=claims_first(lambda _: True),
    ),
    gateway_fault(
        "answers-from-a-cache",
        "the same question is answered from memory",
        {
            "BACKEND-WITNESS-003": "3 requests were answered, the backends counted 1: a cache",
            "API-CHAT-003": "different ids, more than one has",
        },
        before=FROM_CACHE,
        after=INTO_CACHE,
    ),
    gateway_fault(
        "witness-silent-in-streams",
        "streams do not say which backend serves them",
        {
            "BACKEND-WITNESS-005": "a stream of .* has no header",
            "BACKEND-ROUTE-007": "the stream has no header",
        },
        after=without_witness(lambda request: request.streams),
    ),
    gateway_fault(
        "witness-silent-at-embeddings",
        "embeddings do not say which backend made them",
        {"BACKEND-WITNESS-005": "an embedding of .* has no header"},
        after=without_witness(lambda request: request.at(EMBEDDINGS)),
    ),
)
