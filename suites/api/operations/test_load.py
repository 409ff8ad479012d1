"""API-OPS: how fast, and how many at once."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from gateway_acceptance.check import MUST, SPEND, check
from gateway_acceptance.environment import Environment
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.subjects import judged
from gateway_acceptance.verdict import CheckFailed, NoAnswer
from gateway_acceptance.wire.gateway import GatewayClient
from gateway_acceptance.wire.stream import read_chat_stream
from suites.api.extract import answered_by_a_model
from suites.api.observations import ECHO_PROMPT, ECHO_TOKENS, ask_echo, balanced_or_first, echoed_twice, room
from suites.api.operations.rules import late_twice


@check(
    "API-OPS-007",
    "the first token arrives within its bound",
    level=MUST,
    effect=SPEND,
    claims="STA-06",
    spec="bounds.first_token_s",
)
def test_first_token(
    target: Target,
    gateway: GatewayClient,
    environment: Environment,
    chat_model: str,
    note: Callable[[str, object], None],
) -> None:
    """Measured to the first piece of text in a stream. A model that has to be loaded, or a machine that is
    busy just then, is late once: what is late is asked again, and two of three are too many."""
    bound = environment.bounds.first_token_s
    limit = room(environment, chat_model, ECHO_TOKENS)

    def first_token() -> float:
        answer = gateway.chat(chat_model, ECHO_PROMPT, temperature=0, max_tokens=limit, stream=True)
        first = read_chat_stream(answer.status or 0, answer.headers, answer.chunks).first_token_at
        if first is None:
            text = f"{answer.status} {answer.text[:200]}"
            raise CheckFailed(f"no text came in the stream of {chat_model}: {text}")
        return first

    took = late_twice(bound, [first_token()], first_token)
    note(f"{chat_model}.first_token_s", ", ".join(f"{first:.3f}" for first in took))
    late = [first for first in took if first > bound]
    if len(late) > 1:
        raise CheckFailed(
            f"expected the first token of {chat_model} within {bound:g} s, it took {late[0]:.2f} s, and "
            f"{late[-1]:.2f} s when asked again"
        )


@check(
    "API-OPS-008",
    "a short answer is complete within its bound",
    level=MUST,
    effect=SPEND,
    claims="STA-06",
    spec="bounds.answer_s",
)
def test_complete_answer(
    target: Target, gateway: GatewayClient, environment: Environment, chat_model: str
) -> None:
    """The validation prompt, to the last byte; both times that it is asked, once more where one is late. What
    brings no answer of the model is quick for another reason."""
    bound = environment.bounds.answer_s
    answers = echoed_twice(target, chat_model)
    for answer in answers:
        if not answered_by_a_model(answer):
            raise CheckFailed(f"no answer came of {chat_model}: {answer.status} {answer.text[:200]}")
    judged(answers=len(answers))
    seen = [answer.elapsed_s for answer in answers]
    late = [
        took
        for took in late_twice(bound, seen, lambda: ask_echo(target, chat_model).elapsed_s)
        if took > bound
    ]
    if len(late) > 1:
        raise CheckFailed(
            f"expected {chat_model} to answer within {bound:g} s, it took {late[0]:.2f} s, and "
            f"{late[-1]:.2f} s when asked again"
        )


@check(
    "API-OPS-009",
    "as many requests at once as declared are all answered",
    level=MUST,
    effect=SPEND,
    claims="STA-06",
    spec="bounds.concurrency",
)
def test_concurrency(target: Target, gateway: GatewayClient, environment: Environment) -> None:
    """Sent at the same time to one alias, without retries: not one may be refused, lost or failed."""
    load = environment.bounds.concurrency
    alias = balanced_or_first(environment)

    def ask(_: int) -> str:
        try:
            answer = ask_echo(target, alias)
        except NoAnswer as failure:
            return str(failure)
        return "" if answered_by_a_model(answer) else f"{answer.status}: {answer.text[:200]}"

    with ThreadPoolExecutor(load) as pool:
        failures = Counter(outcome for outcome in pool.map(ask, range(load)) if outcome)
    if failures:
        seen = "; ".join(f"{count} times {what}" for what, count in failures.items())
        raise CheckFailed(f"of {load} requests at once, {failures.total()} were not answered: {seen}")
