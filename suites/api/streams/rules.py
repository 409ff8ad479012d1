"""Each rule of the stream's state machine as a check of its own: the factory of ``test_stream_rules``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from gateway_acceptance.check import SPEND, check
from gateway_acceptance.environment import Ability
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.problem import Problem
from gateway_acceptance.verdict import NotApplicable, Untestable, require
from gateway_acceptance.wire.gateway import GatewayClient
from gateway_acceptance.wire.stream import RULES, ChatStream
from gateway_acceptance.wire.stream_choice import TEXT_KEYS
from suites.api.streams.probes import (
    Observed,
    StreamKind,
    no_call,
    observed,
    require_unbroken,
    require_unfailed,
    tool_alias,
)

EVERY = tuple(StreamKind)
CALLED_CHECK = "API-STREAM-060"
"""Says that a tool is called in a stream at all; the rules about tool calls have nothing to judge without."""


def _says(chunk: Mapping[str, Any]) -> bool:
    """Whether it brings a piece of a text, of thoughts among them."""
    choices = chunk.get("choices")
    deltas = (
        [one.get("delta") for one in choices if isinstance(one, dict)] if isinstance(choices, list) else []
    )
    return any(isinstance(delta, dict) and any(delta.get(key) for key in TEXT_KEYS) for delta in deltas)


COUNTED: Mapping[str, Callable[[ChatStream], int]] = {
    "chunks": lambda stream: len(stream.chunks) or len(stream.errors),
    "usages": lambda stream: int(stream.usage is not None),
    "finishes": lambda stream: len(stream.finish_reasons),
    "tool calls": lambda stream: len(stream.tool_calls()),
    "texts": lambda stream: sum(map(_says, stream.chunks)),
}
ABOUT = {
    "stream.usage.unasked": "chunks",
    "stream.usage.missing": "chunks",
    "stream.usage": "usages",
    "stream.finish.absent": "chunks",
    "stream.finish.missing": "chunks",
    "stream.finish.call_unsaid": "finishes",
    "stream.finish": "finishes",
    "stream.data.surrogate": "texts",
    "stream.content": "texts",
}
"""Rules by the beginning of their names -> the subject that they judge; of all others it is the chunks. Rules
about tool calls count them by themselves (``calls``)."""

JUDGED: dict[str, tuple[str, ...]] = {}
"""Check id -> the rules that it judges. Together they are all of them, each once."""

Checked = Callable[[Target, GatewayClient], None]


def stream_rule(
    check_id: str, *names: str, of: Sequence[StreamKind] = EVERY, calls: int = 0, title: str = ""
) -> Checked:
    """A check that these rules are kept by the streams of these kinds.

    names: in ``RULES``, all of one level; title: the first rule's own where none is given. calls: how many
    tool calls there must be for the rules to say anything. Raises ValueError at import where that is not so.
    """
    rules = [RULES[name] for name in names]
    if len({rule.level for rule in rules}) != 1:
        raise ValueError(f"{check_id}: the rules {', '.join(names)} are not of one level")
    if check_id in JUDGED:
        raise ValueError(f"{check_id} is declared twice")
    JUDGED[check_id] = names

    @check(
        check_id,
        title or rules[0].title,
        level=rules[0].level,
        effect=SPEND,
        claims="FUN-01",
        spec="; ".join(dict.fromkeys(rule.source for rule in rules)),
    )
    def kept(target: Target, gateway: GatewayClient) -> None:
        streams = [found for kind in of if (found := observed(target, kind)) is not None]
        if "stream.status" not in names:
            each(require_unbroken, streams)
        require(broken(streams, names), blame="gateway", judged=subjects(streams, names))
        if "stream.error.frame" not in names:
            each(require_unfailed, streams)
        if calls:
            _require_calls(target, streams, calls)

    kept.__doc__ = "\n".join(f"{rule.name}: {rule.title}. {rule.source}." for rule in rules)
    return kept


def subjects(streams: Sequence[Observed], names: Sequence[str]) -> dict[str, int]:
    """What these rules judge of the streams: the chunks, or what of them the rules are about."""
    kind = next((kind for start, kind in ABOUT.items() if names[0].startswith(start)), "chunks")
    return {kind: sum(COUNTED[kind](seen.stream) for seen in streams), "streams": len(streams)}


def each(require_that: Callable[[Observed], None], streams: Sequence[Observed]) -> None:
    """The premise for every stream."""
    for seen in streams:
        require_that(seen)


def broken(streams: Sequence[Observed], names: Sequence[str]) -> list[Problem]:
    """How the streams break the rules, each problem with the stream that it is of."""
    return [
        replace(problem, where=f"{seen.kind} stream, {problem.where}")
        for seen in streams
        for problem in seen.stream.broken(*names)
    ]


def _require_calls(target: Target, streams: Sequence[Observed], calls: int) -> None:
    """A rule about tool calls was kept only where there were any."""
    tool_alias(target)  # not applicable, or untestable
    for seen in streams:
        came = len(seen.stream.tool_calls())
        if came < calls:
            need = f"the stream brings {came} tool calls, at least {calls} are needed to judge"
            if came and not target.environment.can(tool_alias(target), Ability.PARALLEL_TOOLS):
                raise NotApplicable(
                    f"{need}; {tool_alias(target)} does not declare {Ability.PARALLEL_TOOLS}",
                    declared="models.abilities",
                )
            raise Untestable(need, root=CALLED_CHECK, saw="" if came else no_call(seen))
