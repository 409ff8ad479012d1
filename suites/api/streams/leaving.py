"""A client that leaves in mid-stream, and how the gateway and the backend are afterwards."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

from gateway_acceptance.environment import Model
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.problem import Problem
from gateway_acceptance.verdict import CheckFailed, Inconclusive, Untestable
from gateway_acceptance.wire.exchange import Exchange
from suites.api.extract import answered_by_a_model

LONG_PROMPT = "Speak slowly. Count from 1 to 400"
LONG_TOKENS = 400
"""An answer that takes much longer than is looked for a slot: 8 s in the lab."""
SHORT_PROMPT = "Speak slowly. Count from 1 to 20"
SHORT_TOKENS = 80
WATCH_S, WATCH_SHARE = 3.0, 0.25
"""For so long a slot may stay taken after the client has left, and for no more than this share of the time
that the abandoned answer would have taken: a slot seen free later may be free because that answer is over."""
POLL_S, WAIT_S = 0.2, 1.0
"""Between two looks: for a slot that is to be free at once, and for an answer's own end."""
MOST_S = 60.0
"""The longest that is waited for an abandoned answer to end by itself."""
MOST_REQUESTS = 2 + 2 * (3 + math.ceil(WATCH_S / POLL_S)) + 1 + math.ceil(MOST_S / WAIT_S)
"""Of ``slot_freed``: two short answers, a stream, its mark and the looks at the slot, and all but the answers
once more after the wait for the stream's end."""


def leave(target: Target, alias: str, meanwhile: Callable[[], object] = lambda: None) -> Exchange:
    """Open a long stream, read its first chunk, and disconnect. meanwhile: done while the stream is open.
    Raises Untestable where no stream begins, Inconclusive where it is over already."""
    with target.gateway.open_chat(alias, LONG_PROMPT, temperature=0, max_tokens=LONG_TOKENS) as live:
        seen = b""
        for _, data in live.chunks():
            seen += data
            if live.status == 200 and not begun(seen):
                continue
            if live.status == 200:
                meanwhile()  # here: a loop that is left closes the connection
            break
    left = live.exchange()
    if left.status != 200 or not begun(left.body):
        raise Untestable(
            f"no stream began that could be left: {left.status} {left.error or left.text[:160]}",
            "see API-STREAM-002",
        )
    if b"[DONE]" in left.body:
        raise Inconclusive("the whole stream came at once: there was no middle to leave; see API-STREAM-085")
    return left


def begun(body: bytes) -> bool:
    """Whether a chunk of a model has come: comments, blank lines and an error alone are none."""
    return any(line.startswith(b"data:") and b'"choices"' in line for line in body.splitlines())


def short_answer(target: Target, alias: str) -> Exchange:
    """A short answer of the same model, not streamed."""
    return target.gateway.chat(alias, SHORT_PROMPT, temperature=0, max_tokens=SHORT_TOKENS)


def health_problems(target: Target, alias: str) -> list[Problem]:
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
    if not answered_by_a_model(answer):
        seen = f"{answer.status}: {answer.text[:200]}"
        problems.append(Problem("", f"the next request to {alias} is answered with {seen}"))
    elif answer.elapsed_s > bounds.answer_s:
        problems.append(
            Problem("", f"the next answer took {answer.elapsed_s:.1f} s, {bounds.answer_s:g} s are declared")
        )
    return problems


def idle_mark(target: Target, model: Model) -> str:
    """The idle mark of a loaded model: it moves when the last request to the model has ended, and stands
    still while one is under way. Raises Untestable where it is not loaded."""
    mark = target.backend(model.backend).idle_mark(model.upstream)
    if mark is not None:
        return mark
    raise Untestable(
        f"{model.backend} keeps {model.upstream} not loaded: a held slot cannot be seen",
        "let it keep its models for some minutes (OLLAMA_KEEP_ALIVE)",
    )


def watch_s(usual: Exchange) -> float:
    """How long to look for a free slot, in seconds, by the pace of a usual short answer."""
    body: Any = usual.json()
    usage = body.get("usage") if isinstance(body, dict) else None
    reported = usage.get("completion_tokens") if isinstance(usage, dict) else None
    tokens = reported if isinstance(reported, int) and 0 < reported <= SHORT_TOKENS else SHORT_TOKENS
    return min(WATCH_S, WATCH_SHARE * usual.elapsed_s * LONG_TOKENS / tokens)


def moved(
    target: Target, model: Model, before: str, within_s: float, every_s: float = POLL_S
) -> float | None:
    """After how many seconds the idle mark was seen to be another; None where it stands for ``within_s``."""
    began = time.monotonic()
    while idle_mark(target, model) == before:
        if time.monotonic() - began > within_s:
            return None
        time.sleep(every_s)
    return time.monotonic() - began


def slot_freed(target: Target, model: Model) -> None:
    """Leave a stream; then look for the backend's slot. Raises CheckFailed where it stays taken, Untestable
    or Inconclusive where what is seen tells nothing."""
    _, usual = (short_answer(target, model.alias) for _ in range(2))  # the first one may have to load it
    if not answered_by_a_model(usual):
        raise Untestable(f"{model.alias} answers {usual.status}: {usual.text[:160]}", "see API-CHAT-001")
    window = watch_s(usual)
    stood, seen = left_and_moved(target, model, window)
    if seen is None or seen > 2 * window:  # or it was somebody else's request, or a busy machine: once more
        if seen is None and moved(target, model, stood, MOST_S, WAIT_S) is None:
            raise Inconclusive(
                f"others keep {model.upstream} of {model.backend} busy: its slot is never free"
            )
        stood, seen = left_and_moved(target, model, window)
    if seen is None:
        raise CheckFailed(
            f"the slot is not free {window:.1f} s after the client left: {model.backend} has a request to "
            f"{model.upstream} under way all the time (expires_at in /api/ps stands at {stood}); seen twice",
            blame="gateway, or the backend",
        )
    if seen > 2 * window:
        raise Inconclusive(
            f"the slot was looked at {seen:.1f} s after the client left, {window:.1f} s were meant: "
            "the abandoned answer may have ended by itself"
        )


def left_and_moved(target: Target, model: Model, window: float) -> tuple[str, float | None]:
    """Leave a stream; the idle mark while it was open, when it cannot move whatever others do, and after how
    many seconds it was seen to be another: the slot was free. See ``moved``."""
    marks: list[str] = []
    leave(target, model.alias, lambda: marks.append(idle_mark(target, model)))
    return marks[0], moved(target, model, marks[0], window)
