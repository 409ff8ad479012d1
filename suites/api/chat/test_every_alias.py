"""API-CHAT: what is declared of every model is kept at every alias."""

from gateway_acceptance.check import MUST, SPEND, check
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.problem import Problem
from gateway_acceptance.verdict import CheckFailed, NotApplicable, Untestable, require
from gateway_acceptance.wire.gateway import GatewayClient
from suites.api.abilities import FIX
from suites.api.chat.every_alias import Question, models_behind, questions_for


@check(
    "API-CHAT-067",
    "every ability that is declared of an alias's models shows at that alias",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec="environment: models.abilities",
)
def test_every_ability_of_every_alias(target: Target, gateway: GatewayClient, chat_model: str) -> None:
    """Other checks ask the first model that is able. Gateways lose a system message, a schema or tools at one
    alias alone: by its provider's prefix, its parameters that are dropped, its template."""
    questions = questions_for(target.environment, chat_model)
    if not questions:
        raise NotApplicable(
            f"{chat_model} does not declare an ability that a question could show",
            declared="models.abilities",
        )
    problems = [problem for question in questions if (problem := _lost(target, chat_model, question))]
    require(problems, blame="gateway", judged={"abilities": len(questions)})


def _lost(target: Target, alias: str, question: Question) -> Problem | None:
    """What is said of an ability that the alias does not show. Raises Untestable where its models do not show
    it either, CheckFailed where there is no answer to read."""
    answer = question.asks(target, alias)
    try:
        if question.shown(answer):
            return None
        seen = f"got {answer.text[:160]}"
    except CheckFailed as failure:
        seen = f"got no such answer: {failure}"
    models = models_behind(target.environment, alias)
    unable = [model.alias for model in models if not question.control(target, model)]
    if unable:
        raise Untestable(
            f"model: {', '.join(unable)} does not show {question.ability} ({question.does}) when asked past "
            f"{alias} either, and is declared to",
            FIX.format(name=target.environment.name),
        )
    past = "which its model does when it is asked past it" if models else "and nobody else can be asked"
    return Problem("", f"{alias} loses {question.ability}: expected that it {question.does}, {past}; {seen}")
