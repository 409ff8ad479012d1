"""Requests that several checks look at: asked once per worker, evidence of each of them."""

from gateway_acceptance.environment import Environment, ModelKind
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.wire.exchange import Exchange

ECHO_TEXT = "HX-OK"
ECHO_PROMPT = f"Return exactly the text: {ECHO_TEXT}"
"""The reference deployment's own validation prompt, asked at temperature 0."""
ECHO_TOKENS = 16
"""Enough for the text in any tokenizer, and a bound on what a chatty model may cost."""


def ask_echo(target: Target, alias: str) -> Exchange:
    """One chat completion of the validation prompt."""
    return target.gateway.chat(alias, ECHO_PROMPT, temperature=0, max_tokens=ECHO_TOKENS)


def echoed_twice(target: Target, alias: str) -> tuple[Exchange, Exchange]:
    """The same question to the same alias two times over."""
    return target.once(("echo", alias), lambda: (ask_echo(target, alias), ask_echo(target, alias)))


def balanced_or_first(environment: Environment) -> str:
    """The alias that stands for the deployment where one is enough: of chat, balanced if there is any."""
    balanced = [group.alias for group in environment.groups if group.kind is ModelKind.CHAT]
    return [*balanced, *environment.aliases_of(ModelKind.CHAT), *environment.aliases][0]
