"""Requests that several checks look at: asked once per worker, evidence of each of them."""

from gateway_acceptance.environment import Environment, Model, ModelKind
from gateway_acceptance.environment.abilities import Ability
from gateway_acceptance.plugin.observations import MODELS
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import NotApplicable
from gateway_acceptance.wire.exchange import Exchange

ECHO_TEXT = "HX-OK"
ECHO_PROMPT = f"Return exactly the text: {ECHO_TEXT}"
"""The reference deployment's own validation prompt, asked at temperature 0."""
ECHO_TOKENS = 16
"""Enough for the text in any tokenizer, and a bound on what a chatty model may cost."""
COUNT_TO = 30
COUNT_PROMPT = f"Count from 1 to {COUNT_TO}"
COUNT_TOKENS = 200
"""Thirty numbers with what a chatty model writes between and around them."""
ENDS = (".", "e", "0", "。")
"""Stop strings, one of which comes soon in whatever a model says (letters, numbers, Chinese): they end what a
model says that talks on."""
REASONING_TOKENS = 2048
"""What a model that thinks may spend before it answers a short question: Qwen3 and DeepSeek-R1 write some
hundred tokens about a greeting."""


def room(environment: Environment, alias: str, tokens: int) -> int:
    """The limit that leaves so many tokens for the answer itself: a model that is declared to think spends
    others first."""
    return tokens + (REASONING_TOKENS if environment.thinks(alias) else 0)


def strays(environment: Environment, alias: str, text: str | None) -> bool:
    """Whether a text is no answer to the validation prompt: of a model that is declared ``exact`` any other
    than the one asked for; of another, none at all. What it says is not the gateway's."""
    said = (text or "").strip()
    return said != ECHO_TEXT if environment.can(alias, Ability.EXACT) else not said


def wanted_of(environment: Environment, alias: str) -> str:
    """What is expected of an alias that is asked the validation prompt, in words."""
    return repr(ECHO_TEXT) if environment.can(alias, Ability.EXACT) else "a text"


def upstreams_of(environment: Environment, alias: str) -> list[str]:
    """The models that stand behind an alias. Raises NotApplicable where the environment does not say."""
    served = environment.deployments_of(alias)
    if not all(one.declared for one in served):
        raise NotApplicable(f"which model serves {alias} is not declared", declared="models.upstream")
    return [one.upstream for one in served]


def ask_echo(target: Target, alias: str) -> Exchange:
    """One chat completion of the validation prompt."""
    limit = room(target.environment, alias, ECHO_TOKENS)
    return target.gateway.chat(alias, ECHO_PROMPT, temperature=0, max_tokens=limit)


def listed_models(target: Target) -> Exchange:
    """The gateway's list of models, which the run has asked for before its first check."""
    return target.at_the_start(MODELS, target.gateway.models)


def echo_room(environment: Environment) -> int:
    """The limit for the validation prompt at ``balanced_or_first``."""
    return room(environment, balanced_or_first(environment), ECHO_TOKENS)


def echoed(target: Target, alias: str) -> Exchange:
    """The answer of an alias to the validation prompt."""
    return target.once(("echo", alias), lambda: ask_echo(target, alias))


def echoed_twice(target: Target, alias: str) -> tuple[Exchange, Exchange]:
    """The same question to the same alias two times over."""
    return echoed(target, alias), target.once(("echo again", alias), lambda: ask_echo(target, alias))


def balanced_or_first(environment: Environment) -> str:
    """The alias that stands for the deployment where one is enough: of chat, balanced if there is any."""
    balanced = [group.alias for group in environment.groups if group.kind is ModelKind.CHAT]
    return [*balanced, *environment.aliases_of(ModelKind.CHAT), *environment.aliases][0]


def comparable_alias(environment: Environment) -> str:
    """The balanced alias where its words are known before, or else one with a single deployment, whose
    answers can be compared."""
    alias = balanced_or_first(environment)
    models = [model.alias for model in environment.models if model.kind is ModelKind.CHAT]
    return alias if environment.can(alias, Ability.EXACT) or not models else models[0]


def single(environment: Environment, kind: ModelKind) -> Model:
    """The first model with one deployment: what is compared must be served by the same one. Raises
    NotApplicable."""
    for model in environment.models:
        if model.kind is kind:
            return model
    raise NotApplicable(
        f"the environment declares no {kind.value} model with a single deployment", declared="models"
    )
