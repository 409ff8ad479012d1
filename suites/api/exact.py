"""Whether a model keeps the first thing that is declared of it: that it repeats a text exactly. Asked of the
backends themselves, and only where an answer through the gateway strayed (docs/abilities.md)."""

from __future__ import annotations

from functools import partial

from gateway_acceptance.environment import Ability, ServedModel
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import CheckFailed, NotApplicable, NotPermitted, Untestable
from suites.api.abilities import FIX
from suites.api.observations import ECHO_PROMPT, ECHO_TEXT, ECHO_TOKENS, room


def require_exact(target: Target, alias: str) -> None:
    """Raises Untestable where a model behind this alias that is declared ``exact`` does not repeat the text
    when its backend is asked: what comes through the gateway then says nothing of the gateway. Backends that
    may not be asked, or give no message, leave it to whoever asks this."""
    environment = target.environment
    if not environment.can(alias, Ability.EXACT):
        return
    for served in environment.deployments_of(alias):
        said = target.once(
            ("exact", served.backend, served.upstream), partial(_said_directly, target, alias, served)
        )
        if said is not None and said.strip() != ECHO_TEXT:
            raise Untestable(
                f"model: {served.upstream} on {served.backend} is declared {Ability.EXACT}, and its backend, "
                f"asked directly, answers {ECHO_PROMPT!r} with {said[:80]!r}",
                FIX.format(name=environment.name),
            )


def _said_directly(target: Target, alias: str, served: ServedModel) -> str | None:
    limit = room(target.environment, alias, ECHO_TOKENS)
    try:
        backend = target.backend(served.backend)
        return backend.read(backend.chat(served.upstream, ECHO_PROMPT, max_tokens=limit)).text
    except (CheckFailed, NotApplicable, NotPermitted, Untestable):
        return None
