"""Defects of balance: shares that are not the declared ones, and aliases that balance nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lab.faults.balance_mutators import (
    BALANCED,
    FIRST,
    ONE_BACKEND,
    SECOND,
    THIRD,
    Witnesses,
    after_draws,
    cached,
    chained,
    drawn,
    each_in_turn,
    every,
    for_draws,
    half_as_third,
    in_order,
    in_turns,
    listed,
    routed,
    weighted,
    with_header,
)
from lab.faults.model import Fault, gateway_fault
from lab.faults.mutators import CHAT, answers, renamed
from lab.message import Reply, envelope

OFF = "the shares are not the declared ones"
ALWAYS_FIRST = renamed(lambda model: model == BALANCED, FIRST)
LEAST_SAMPLE = 240
"""Draws of a sample of ``local``, at least: what is otherwise during these is otherwise in all of the first
sample, and in a part of the second one."""
COUNTED = Reply(
    200,
    (("content-type", "text/plain; version=0.0.4"),),
    (
        b"# TYPE litellm_deployment_cooled_down_total counter\n"
        b'litellm_deployment_cooled_down_total{api_base="http://127.0.0.99:11434",api_provider="ollama_chat",'
        b'exception_status="429",litellm_model_name="llama3.2:3b",model_id="1"} 2.0\n',
    ),
)
"""As LiteLLM's Prometheus callback has it (``GET /metrics/``), of which the lab's own has none."""
FROM_CACHE, INTO_CACHE = cached(lambda _: True)
FROM_STREAMS, INTO_STREAMS = cached(lambda request: request.streams)


BALANCE_FAULTS: tuple[Fault, ...] = (
    gateway_fault(
        "deployment-starved",
        "one deployment of the balanced alias is never drawn; its backend serves through another",
        {"BACKEND-BAL-002": rf"{OFF}.*gemma2:2b 0 "},
        before=routed(weighted(1, 1, 0)),
    ),
    gateway_fault(
        "backend-starved",
        "one backend of the balanced alias is never drawn",
        {"BACKEND-BAL-002": rf"{OFF}.*llama3\.2:3b 0 ", "BACKEND-BAL-001": ONE_BACKEND},
        before=routed(weighted(0, 1, 1)),
    ),
    gateway_fault(
        "shares-60-20-20",
        "one deployment serves three times as much as each of the others",
        {"BACKEND-BAL-002": rf"{OFF}.*declared 33\.3%"},
        before=routed(weighted(60, 20, 20)),
    ),
    gateway_fault(
        "shares-40-30-30",
        "the shares are 40, 30 and 30 % where 10, 45 and 45 are declared",
        {"BACKEND-BAL-002": rf"{OFF}.*declared 10\.0%"},
        before=routed(weighted(40, 30, 30)),
    ),
    gateway_fault(
        "weights-ignored",
        "the gateway draws all alike, whatever their weights",
        {
            "BACKEND-BAL-002": rf"{OFF}.*declared 71\.4%.*in proportion to weight",
            "BACKEND-ROUTE-003": "weight",
        },
    ),
    gateway_fault(
        "weight-missing-counts-zero",
        "one deployment was given a weight; the others, without one, are never drawn",
        {
            "BACKEND-BAL-001": "hx-chat is not balanced: all .* served by llm-01",
            "BACKEND-BAL-002": rf"{OFF}.*phi3:latest 0 .*gemma2:2b 0 ",
        },
        before=routed(weighted(1, 0, 0)),
    ),
    gateway_fault(
        "shares-change-under-way",
        "after fifty requests one deployment gets all",
        {"BACKEND-BAL-013": "hx-chat changed on the way"},
        before=routed(after_draws(50, in_turns(THIRD))),
    ),
    gateway_fault(
        "first-drawn-keeps-all",
        "whoever serves first serves all",
        {
            "BACKEND-BAL-001": "hx-chat is not balanced: all",
            "BACKEND-BAL-002": OFF,
        },
        before=routed(in_turns(SECOND)),
    ),
    gateway_fault(
        "single-deployment",
        "the balanced alias is one deployment",
        {
            "BACKEND-BAL-001": "hx-chat is not balanced: all .* served by llm-01",
            "BACKEND-BAL-012": "hx-chat is not balanced: it has a single deployment, hx-chat → llama3",
        },
        before=ALWAYS_FIRST,
        after=listed(lambda entries: entries[:1]),
    ),
    gateway_fault(
        "group-is-an-alias",
        "model_group_alias renames hx-chat to one model",
        {
            "BACKEND-BAL-012": "hx-chat is not balanced: the gateway lists no deployment of that name",
            "BACKEND-BAL-001": ONE_BACKEND,
        },
        before=ALWAYS_FIRST,
        after=listed(lambda _: []),
    ),
    gateway_fault(
        "group-in-router-settings",
        "the deployments stand in router_settings.model_group, which has no effect",
        {
            "BACKEND-BAL-001": "expected 200 .* got 400: .*Invalid model name",
            "BACKEND-BAL-002": "hx-chat is not balanced: nobody serves it; got 400",
            "BACKEND-BAL-012": "router_settings.model_group has no effect",
        },
        before=answers(
            envelope(400, f"Invalid model name passed in model={BALANCED}", "invalid_request_error"),
            CHAT,
            when=drawn,
        ),
        after=listed(lambda _: []),
    ),
    gateway_fault(
        "deployment-unforeseen",
        "a deployment that nobody declared serves with the others",
        {
            "BACKEND-BAL-002": "llm-02/gemma2:2b served, which is not declared",
            "BACKEND-ROUTE-002": "gemma2:2b",
        },
    ),
    *(
        gateway_fault(
            f"turns-bad-after-{number}",
            f"a backend gets nothing any more after {number} draws of a sample",
            {"BACKEND-BAL-002": OFF},
            before=routed(after_draws(number, weighted(0, 1, 1))),
        )
        for number in (10, 20, 30, 45)
    ),
    gateway_fault(
        "deployment-unforeseen-late",
        "a deployment that nobody declared serves from the hundredth draw on",
        {"BACKEND-BAL-002": "llm-02/gemma2:2b served, which is not declared"},
        before=routed(in_order(for_draws(100, weighted(1, 1, 0)), weighted(1, 1, 1))),
    ),
    gateway_fault(
        "deployment-unforeseen-rare",
        "a deployment that nobody declared serves one request in ten",
        {"BACKEND-BAL-002": "llm-02/gemma2:2b served, which is not declared"},
        before=routed(weighted(45, 45, 10)),
    ),
    gateway_fault(
        "zero-share-late",
        "a deployment of weight zero serves from the sixtieth draw on",
        {"BACKEND-BAL-002": rf"{OFF} \(e-value infinite"},
        before=routed(in_order(for_draws(60, weighted(1, 1, 0)), weighted(1, 1, 1))),
    ),
    gateway_fault(
        "cooled-by-anothers-error",
        "a deployment is out for a while at first: what somebody else's failing request does",
        {
            "BACKEND-BAL-002": r"may have been cooling down: .* second sample, .*; nobody tells of a failing "
            r"request: this run had none, /metrics/ answers 404, no machine .*llama3\.2:3b 0 \("
        },
        before=routed(for_draws(LEAST_SAMPLE, weighted(0, 1, 1))),
    ),
    gateway_fault(
        "cooled-and-counted",
        "the same, and the gateway counts its cooldowns for Prometheus",
        {
            "BACKEND-BAL-002": r"may have been cooling down: .*; the failing request: /metrics/ counts 2 "
            r"cooldowns of \S+ \(429\) since the start"
        },
        before=chained(routed(for_draws(LEAST_SAMPLE, weighted(0, 1, 1))), answers(COUNTED, "/metrics/")),
    ),
    gateway_fault(
        "cooldown-without-end",
        "a deployment that is out once never comes back",
        {
            "BACKEND-BAL-002": rf"{OFF}.*llama3\.2:3b 0 .* a second sample, later and in 12 blocks",
            "BACKEND-BAL-001": "hx-chat is not balanced: all .* over .* were served by llm-02",
        },
        before=routed(weighted(0, 1, 1)),
    ),
    gateway_fault(
        "draws-refused",
        "now and then a request to the balanced alias is refused",
        {"BACKEND-BAL-002": r"draws had no answer: .* got 503"},
        before=answers(envelope(503, "overloaded", "server_error"), CHAT, when=every(25)),
    ),
    gateway_fault(
        "header-lies-evenly",
        "one deployment serves all, and the headers name each in turn",
        {"BACKEND-BAL-002": r"the witnesses disagree: the headers say .*counted .*phi3:latest \d+"},
        before=routed(in_turns(SECOND)),
        after=Witnesses(each_in_turn()).after,
    ),
    gateway_fault(
        "headers-swapped",
        "the headers name the neighbour of who served",
        {"BACKEND-BAL-002": "the witnesses disagree"},
        before=routed(weighted(5, 3, 2)),
        after=Witnesses(lambda place: (place + 1) % 3).after,
    ),
    gateway_fault(
        "deployment-of-other-model",
        "a deployment asks its backend for the model of another; the headers do not show it",
        {"BACKEND-BAL-002": "the witnesses disagree: the headers say .*the backends counted"},
        before=routed(weighted(1, 2, 0)),
        after=Witnesses(half_as_third()).after,
    ),
    gateway_fault(
        "headers-contradict",
        "the header of the backend and that of the deployment cannot both be true",
        {"BACKEND-BAL-002": "the gateway's headers contradict each other"},
        after=with_header("x-litellm-model-api-base", "http://127.0.0.99:11434", every(10)),
    ),
    gateway_fault(
        "asked-twice",
        "some requests are made twice behind the client's back, the first answer is dropped",
        {
            "BACKEND-BAL-011": r"\d+ requests were sent, the backends counted \d+: retries",
            "BACKEND-BAL-002": "a premise does not hold, .*retries",
        },
        asks_twice=every(10),
    ),
    gateway_fault(
        "tried-again",
        "the gateway tries some requests again, and says so",
        {"BACKEND-BAL-011": "says of .* answers that it tried more than once"},
        after=with_header("x-litellm-attempted-retries", "1", every(10)),
    ),
    gateway_fault(
        "handed-to-a-fallback",
        "some requests are answered by a fallback, and the gateway says so",
        {"BACKEND-BAL-011": "says of .* answers that another alias gave them"},
        after=with_header("x-litellm-attempted-fallbacks", "1", every(10)),
    ),
    gateway_fault(
        "balanced-from-a-cache",
        "the same request to the balanced alias is answered from memory",
        {
            "BACKEND-BAL-010": r"\d+ requests were answered, the backends counted \d+: a cache",
            "BACKEND-BAL-002": "a premise does not hold",
            "API-CHAT-003": "different ids, more than one has",
        },
        before=FROM_CACHE,
        after=INTO_CACHE,
    ),
    gateway_fault(
        "streams-from-a-cache",
        "the same stream of the balanced alias is answered from memory",
        {"BACKEND-BAL-010": "a cache|came more than once"},
        before=FROM_STREAMS,
        after=INTO_STREAMS,
    ),
    gateway_fault(
        "cache-in-front",
        "a cache in front of the gateway says that it answered",
        {"BACKEND-BAL-010": "answers came from a cache, they say: x-cache: HIT"},
        after=with_header("x-cache", "HIT from edge", every(10)),
    ),
)

DECLARES: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "shares-40-30-30": {
        "deployments": {BALANCED: [{"weight": 10}, {"weight": 45}, {"weight": 45}]},
    },
    "weights-ignored": {"deployments": {BALANCED: [{"weight": 5}, {"weight": 1}, {"weight": 1}]}},
    "deployment-unforeseen": {"deployments": {BALANCED: [{}, {}]}},
    "deployment-unforeseen-late": {"deployments": {BALANCED: [{}, {}]}},
    "deployment-unforeseen-rare": {"deployments": {BALANCED: [{}, {}]}},
    "zero-share-late": {"deployments": {BALANCED: [{"weight": 1}, {"weight": 1}, {"weight": 0}]}},
    "sticky-third": {"balance": {"independence_draws": 480}},
}
"""What the environment of a fault declares otherwise than ``local`` does: the group's deployments, each with
what it has beyond those of ``local``."""
