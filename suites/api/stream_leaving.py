"""A client that leaves in mid-stream, and how the gateway and the backend are afterwards."""

from __future__ import annotations

from typing import Any

from gateway_acceptance.environment import Model
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.problem import Problem
from gateway_acceptance.verdict import CheckFailed, Inconclusive, NotApplicable, Untestable
from gateway_acceptance.wire.backend import full_name
from gateway_acceptance.wire.exchange import Exchange

LONG_PROMPT = "Speak slowly. Count from 1 to 400"
LONG_TOKENS = 400
"""An answer that takes much longer than the looks below: 8 s in the lab."""
SHORT_PROMPT = "Speak slowly. Count from 1 to 20"
SHORT_TOKENS = 80
LOOKS = 5
"""Short answers within which the slot has to be free: 2 s in the lab."""
WAITED_FACTOR, WAITED_S = 3.0, 2.0
"""A short answer that takes so many times its usual time, and so many seconds more, waited for a slot."""


def leave(target: Target, alias: str) -> Exchange:
    """Open a long stream, read what comes first, and disconnect. Raises Untestable where no stream begins,
    Inconclusive where it is over already."""
    with target.gateway.open_chat(alias, LONG_PROMPT, temperature=0, max_tokens=LONG_TOKENS) as live:
        for _ in live.chunks():
            break
    left = live.exchange()
    if left.status != 200 or not left.chunks:
        raise Untestable(
            f"no stream began that could be left: {left.status} {left.error or left.text[:160]}",
            "see API-STREAM-002",
        )
    if b"[DONE]" in left.body:
        raise Inconclusive("the whole stream came at once: there was no middle to leave; see API-STREAM-085")
    return left


def short_answer(target: Target, alias: str) -> Exchange:
    """A short answer of the same model, not streamed."""
    return target.gateway.chat(alias, SHORT_PROMPT, temperature=0, max_tokens=SHORT_TOKENS)


def unwell(target: Target, alias: str) -> list[Problem]:
    """What is wrong after clients have left: liveness, and the next answer of the same model."""
    problems = []
    path, bounds = target.gateway.product.liveness, target.environment.bounds
    if path is not None:
        alive = target.gateway.get(path, key=None)
        if alive.status != 200:
            problems.append(
                Problem("", f"the gateway is not alive afterwards: {path} answers {alive.status}")
            )
    answer = short_answer(target, alias)
    if answer.status != 200:
        seen = f"{answer.status}: {answer.text[:200]}"
        problems.append(Problem("", f"the next request to {alias} is answered with {seen}"))
    elif answer.elapsed_s > bounds.answer_s:
        problems.append(
            Problem("", f"the next answer took {answer.elapsed_s:.1f} s, {bounds.answer_s:g} s are declared")
        )
    return problems


def idle_mark(target: Target, model: Model) -> str:
    """``expires_at`` of a loaded model: it moves when the last request to the model has ended, and stands
    still while one is under way (Ollama, server/sched.go). Raises NotApplicable where it is not loaded."""
    answer = target.backend(model.backend).get("/api/ps")
    body: Any = answer.json() if answer.status == 200 else {}
    for entry in body.get("models", []):
        if full_name(str(entry.get("name"))) == full_name(model.upstream):
            return str(entry.get("expires_at"))
    raise NotApplicable(f"{model.backend} keeps {model.upstream} not loaded; a held slot cannot be seen")


def slot_freed(target: Target, model: Model) -> None:
    """Leave a stream; then look for the backend's slot. Raises CheckFailed where it stays taken."""
    usual = short_answer(target, model.alias)
    before = idle_mark(target, model)
    leave(target, model.alias)
    waited = 0.0
    for _ in range(LOOKS):
        answer = short_answer(target, model.alias)
        if answer.elapsed_s > WAITED_FACTOR * usual.elapsed_s + WAITED_S:
            raise CheckFailed(
                f"the slot of {model.backend} was held: the next short answer took {answer.elapsed_s:.1f} s, "
                f"{usual.elapsed_s:.1f} s before",
                blame="gateway, or the backend",
            )
        waited += answer.elapsed_s
        if idle_mark(target, model) != before:
            return
    raise CheckFailed(
        f"the slot is not free {waited:.1f} s after the client left: {model.backend} has a request to "
        f"{model.upstream} under way all the time (expires_at in /api/ps stands at {before})",
        blame="gateway, or the backend",
    )
