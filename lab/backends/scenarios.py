"""The backends' defects by name. One entry each: a name, what is wrong, and the hook that makes it so."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from lab.backends.embedding import Vector
from lab.backends.models import Inventory
from lab.backends.scenario import Call, Connection, Fixed, Json, Scenario

GENERATING = frozenset({"/api/chat", "/api/generate"})
EMBEDDING = frozenset({"/api/embed", "/api/embeddings"})
INFERENCE = GENERATING | EMBEDDING


def without_option(*names: str) -> Callable[[Json, Call], Json]:
    """Ignore these runtime options, whatever their value."""

    def hook(body: Json, _call: Call) -> Json:
        options = body.get("options") or {}
        return {**body, "options": {key: value for key, value in options.items() if key not in names}}

    return hook


def without_field(*names: str) -> Callable[[Json, Call], Json]:
    """Ignore these fields of a request, or leave them out of an answer."""

    def hook(body: Json, _call: Call) -> Json:
        return {key: value for key, value in body.items() if key not in names}

    return hook


def with_field(name: str, value: Any) -> Callable[[Json, Call], Json]:
    """Set one top-level field of every JSON object sent."""

    def hook(body: Json, _call: Call) -> Json:
        return {**body, name: value}

    return hook


def shorter_by(numbers: int) -> Callable[[list[Vector], Call], list[Vector]]:
    """Leave out the last ``numbers`` of each vector."""

    def hook(vectors: list[Vector], _call: Call) -> list[Vector]:
        return [vector[: len(vector) - numbers] for vector in vectors]

    return hook


def without_first_chat_model(models: Inventory, _call: Call) -> Inventory:
    """Lose the first chat model; a backend without one loses its first model."""
    chat = next((name for name, spec in models.items() if spec.kind == "chat"), None)
    lost = chat or next(iter(models), None)
    return {name: spec for name, spec in models.items() if name != lost}


def constant(vectors: list[Vector], _call: Call) -> list[Vector]:
    """The same unit vector for every input."""
    return [[1 / math.sqrt(len(vector))] * len(vector) for vector in vectors]


def swapped(models: Inventory, _call: Call) -> Inventory:
    """Each model was exchanged for one of another name; what can be asked for by the old ones is gone."""
    return {f"swapped-{name}": spec for name, spec in models.items()}


def first_is_nan(vectors: list[Vector], _call: Call) -> list[Vector]:
    """The first number of each vector is not a number; JSON has no such value, Python writes ``NaN``."""
    return [[math.nan, *vector[1:]] for vector in vectors]


def different_each_time(text: str, call: Call) -> str:
    """The text with the request's index; an answer that must be JSON gets white space instead."""
    return text + " " * (1 + call.index % 7) if call.body.get("format") else f"{text} ({call.index})"


def stop_must_be_array(body: Json, _call: Call) -> Json:
    """A string is no array: hand on a value that option parsing refuses."""
    options = body.get("options") or {}
    if isinstance(options.get("stop"), str):
        return {**body, "options": {**options, "stop": 0}}
    return body


SCENARIOS: dict[str, Scenario] = {}


def register(*scenarios: Scenario) -> None:
    """Add defects to the registry. Raises ValueError for a name that is taken."""
    for scenario in scenarios:
        if scenario.name in SCENARIOS:
            raise ValueError(f"scenario {scenario.name!r} is declared twice")
        SCENARIOS[scenario.name] = scenario


def scenario_named(name: str) -> Scenario:
    """The scenario of this name. Raises ValueError, which lists the known ones."""
    if name not in SCENARIOS:
        raise ValueError(f"unknown scenario {name!r}; known are: {', '.join(sorted(SCENARIOS))}")
    return SCENARIOS[name]


register(
    Scenario(
        name="backend-down",
        description="each connection is reset before an answer",
        connection=Connection.RESET,
    ),
    Scenario(
        name="black-hole",
        description="requests to models are accepted and never answered",
        endpoints=INFERENCE,
        connection=Connection.SILENT,
    ),
    Scenario(
        name="slow-first-token",
        description="requests to models wait 2 s before the answer begins",
        endpoints=INFERENCE,
        delay_s=2.0,
    ),
    Scenario(
        name="slow-tokens",
        description="a generated token takes 0.2 s",
        endpoints=GENERATING,
        token_delay_s=0.2,
    ),
    Scenario(
        name="model-missing",
        description="the first chat model is not there: not listed, and 404",
        inventory=without_first_chat_model,
    ),
    Scenario(
        name="model-unlisted",
        description="the listing lacks the first model, which is served all the same",
        endpoints=frozenset({"/api/tags"}),
        reply=lambda body, _call: {**body, "models": body["models"][1:]},
    ),
    Scenario(
        name="embedding-dimensions",
        description="each vector is one number short",
        vectors=shorter_by(1),
    ),
    Scenario(
        name="embedding-constant",
        description="every input has the same vector",
        vectors=constant,
    ),
    Scenario(
        name="embedding-nan",
        description="the first number of each vector is written as NaN, which is not JSON",
        vectors=first_is_nan,
    ),
    Scenario(
        name="embedding-order",
        description="a batch is answered in reversed order",
        vectors=lambda vectors, _call: vectors[::-1],
    ),
    Scenario(
        name="embedding-not-normalised",
        description="vectors have length 2",
        vectors=lambda vectors, _call: [[2 * value for value in vector] for vector in vectors],
    ),
    Scenario(
        name="nondeterministic",
        description="the same request is answered differently each time",
        text=different_each_time,
    ),
    Scenario(
        name="echo-disobeyed",
        description="the asked-for text is wrapped in other words",
        text=lambda text, _call: f"Sure! Here it is: {text} Anything else?",
    ),
    Scenario(
        name="ignores-num-predict",
        description="the limit of tokens has no effect",
        request=without_option("num_predict"),
    ),
    Scenario(
        name="ignores-stop",
        description="stop strings have no effect",
        request=without_option("stop"),
    ),
    Scenario(
        name="ignores-format",
        description="JSON mode and schemas have no effect",
        request=without_field("format"),
    ),
    Scenario(
        name="ignores-tools",
        description="tools have no effect",
        request=without_field("tools"),
    ),
    Scenario(
        name="stop-string-refused",
        description="stop as one string is refused, as Ollama's source does against its own description",
        endpoints=GENERATING,
        request=stop_must_be_array,
    ),
    Scenario(
        name="finish-stop-for-length",
        description="an answer that was cut claims to be complete",
        generation=lambda generation, _call: replace(generation, done_reason="stop"),
    ),
    Scenario(
        name="counts-missing",
        description="answers carry no token counts",
        endpoints=INFERENCE,
        reply=without_field("prompt_eval_count", "eval_count"),
    ),
    Scenario(
        name="stream-dies",
        description="the connection ends after a stream's first line",
        abort_after_lines=1,
    ),
    Scenario(
        name="stream-error-line",
        description="a stream ends with Ollama's error object after its first line",
        endpoints=GENERATING,
        lines=lambda lines, _call: (
            [lines[0], b'{"error":"an error was encountered while running the model"}\n']
            if lines[1:]
            else lines
        ),
    ),
    Scenario(
        name="stream-without-done",
        description="a stream ends regularly, without its last line",
        endpoints=GENERATING,
        lines=lambda lines, _call: lines[:-1] or lines,
    ),
    Scenario(
        name="error-500",
        description="requests to models fail inside the backend",
        endpoints=INFERENCE,
        fixed=Fixed(500, {"error": "llama runner process has terminated: exit status 2"}),
    ),
    Scenario(
        name="error-503",
        description="the backend is busy",
        endpoints=INFERENCE,
        fixed=Fixed(503, {"error": "server busy, please try again.  maximum pending requests exceeded"}),
    ),
    Scenario(
        name="wrong-version-path",
        description="the version is not where it belongs",
        endpoints=frozenset({"/api/version"}),
        fixed=Fixed(404, "404 page not found"),
    ),
    Scenario(
        name="runs-on",
        description="a generation goes on for 10 s after its client has left (ollama issue 11889)",
        runs_on_s=10.0,
    ),
    Scenario(
        name="stream-dies-late",
        description="the connection ends after ten lines of a stream, which were read by then",
        endpoints=GENERATING,
        token_delay_s=0.02,
        abort_after_lines=10,
    ),
    Scenario(
        name="stream-stops-half-way",
        description="a stream is complete in form after half of its text",
        endpoints=GENERATING,
        lines=lambda lines, _call: [*lines[: len(lines) // 2], lines[-1]],
    ),
)
register(
    Scenario(
        name="slow-version",
        description="the version takes 2.5 s",
        endpoints=frozenset({"/api/version"}),
        backends=frozenset({"llm-01"}),
        delay_s=2.5,
    ),
    Scenario(
        name="other-root",
        description="something else answers at the root",
        endpoints=frozenset({"/"}),
        fixed=Fixed(200, "It works!"),
    ),
    Scenario(
        name="version-differs",
        description="one backend was not updated",
        endpoints=frozenset({"/api/version"}),
        backends=frozenset({"llm-02"}),
        reply=with_field("version", "0.5.1"),
    ),
    Scenario(
        name="critical-release",
        description="a release with a critical hole (CVE-2026-103663)",
        endpoints=frozenset({"/api/version"}),
        reply=with_field("version", "0.34.2"),
    ),
    Scenario(
        name="older-release",
        description="a release with holes that are not critical (CVE-2026-85180 and others)",
        endpoints=frozenset({"/api/version"}),
        reply=with_field("version", "0.31.0"),
    ),
    Scenario(
        name="slow-warm",
        description="a loaded model waits 4.5 s before it answers",
        endpoints=frozenset({"/api/chat"}),
        backends=frozenset({"llm-01"}),
        delay_s=4.5,
    ),
    Scenario(
        name="digest-differs",
        description="the tags mean other models than before",
        endpoints=frozenset({"/api/tags"}),
        reply=lambda body, _call: {
            **body,
            "models": [{**model, "digest": model["digest"][::-1]} for model in body["models"]],
        },
    ),
    Scenario(
        name="capabilities-swapped",
        description="every model is one that only embeds",
        endpoints=frozenset({"/api/show"}),
        backends=frozenset({"llm-01", "llm-02"}),
        reply=with_field("capabilities", ["embedding"]),
    ),
    Scenario(
        name="undeclared-loaded",
        description="a model is in memory that the backend does not list",
        endpoints=frozenset({"/api/ps"}),
        reply=with_field("models", [{"name": "removed:7b", "model": "removed:7b", "digest": ""}]),
    ),
    Scenario(
        name="count-stands-still",
        description="the backend's own count tells nothing of what it serves",
        endpoints=frozenset({"/lab/counts"}),
        fixed=Fixed(200, {"models": {}}),
    ),
)
register(
    Scenario(
        name="error-429",
        description="requests to models are refused for their number",
        endpoints=INFERENCE,
        fixed=Fixed(429, {"error": "too many requests, please try again"}),
    ),
    Scenario(
        name="slower-than-patience",
        description="requests to models wait 30 s before the answer begins",
        endpoints=INFERENCE,
        delay_s=30.0,
    ),
    Scenario(
        name="model-swapped",
        description="the models were exchanged for others: what was declared is gone",
        inventory=swapped,
    ),
)
