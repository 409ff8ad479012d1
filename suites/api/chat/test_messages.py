"""API-CHAT: that all that was said reaches the model: roles, turns, parts, and the beginning of long prompts.

Every question was answered by the model itself before, asked past the gateway: its weakness is not the
gateway's fault.
"""

from gateway_acceptance.check import MUST, SHOULD, SPEND, Level, check
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.problem import at_level
from gateway_acceptance.verdict import CheckFailed, require
from gateway_acceptance.wire.gateway import GatewayClient
from gateway_acceptance.wire.schema import error_problems
from gateway_acceptance.wire.subject import answers_among
from suites.api.chat.probes import (
    CODE_WORD,
    DEVELOPER,
    LONG_ECHO,
    LONG_PROMPT,
    LONG_TEXT,
    NAME,
    PARTS,
    ROLES,
    SYSTEM,
    SYSTEM_WORD,
    TURNS,
    able_alias,
    chat_answer,
    user,
)
from suites.api.chat.window import BEYOND, BEYOND_TOKENS, Read, cut_by, read_directly
from suites.api.extract import (
    counted,
    first_difference,
    first_text,
    refused_honestly,
    same_text,
    unless_served_or_refused,
)

MESSAGES = "openai:CreateChatCompletionRequest.messages"
TOO_LONG = (400, 413, 422)
EMPTY = {
    "a conversation of one empty message": [user("")],
    "an empty answer in a conversation": [
        user("Good morning."),
        {"role": "assistant", "content": ""},
        user("Good morning again."),
    ],
}


@check(
    "API-CHAT-024",
    "a system message is heeded",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec="openai:ChatCompletionRequestSystemMessage",
)
def test_system(target: Target, gateway: GatewayClient) -> None:
    """It carries an application's rules; without it the model is another one."""
    text = first_text(chat_answer(target, SYSTEM))
    if not same_text(text, SYSTEM_WORD):
        raise CheckFailed(
            f"expected {SYSTEM_WORD!r}, as the system message says, got {text[:200]!r}", blame="gateway"
        )


@check(
    "API-CHAT-025",
    "a developer message is heeded like a system message, or refused",
    level=SHOULD,
    effect=SPEND,
    claims="FUN-01",
    spec="openai:ChatCompletionRequestDeveloperMessage",
)
def test_developer(target: Target, gateway: GatewayClient) -> None:
    """The newer name of the role; templates of small models do not know it, and drop it in silence."""
    answer = chat_answer(target, DEVELOPER)
    if refused_honestly(answer):
        return
    text = first_text(answer)
    if not same_text(text, SYSTEM_WORD):
        raise CheckFailed(
            f"expected {SYSTEM_WORD!r}, as the developer message says, got {text[:200]!r}", blame="gateway"
        )


@check(
    "API-CHAT-026",
    "earlier turns of a conversation reach the model",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    profile="smoke",
    spec=MESSAGES,
)
def test_turns(target: Target, gateway: GatewayClient) -> None:
    """The contract has no memory but this. The turns are plain texts, as most applications send them: the
    long conversation of the sentinels tells the name in parts, and shows nothing of these.
    """
    text = first_text(chat_answer(target, TURNS))
    if NAME not in text:
        raise CheckFailed(f"expected {NAME}, said three turns before, got {text[:200]!r}", blame="gateway")


@check(
    "API-CHAT-027",
    "turns keep who said them",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec=f"{MESSAGES}.role",
)
def test_roles(target: Target, gateway: GatewayClient) -> None:
    """Gateways that write a conversation into one prompt lose it."""
    text = first_text(chat_answer(target, ROLES))
    if NAME not in text or "Bertram" in text:
        raise CheckFailed(f"expected {NAME}, the user's name, got {text[:200]!r}", blame="gateway")


@check(
    "API-CHAT-028",
    "content in several text parts is read whole",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec="openai:ChatCompletionRequestUserMessage.content; LiteLLM #6808",
)
def test_parts(target: Target, gateway: GatewayClient) -> None:
    """Frameworks send even a single text as a list of parts. The question is in one, the word in another."""
    text = first_text(chat_answer(target, PARTS))
    if CODE_WORD not in text:
        raise CheckFailed(
            f"expected {CODE_WORD}, said in the first part, got {text[:200]!r}", blame="gateway"
        )


@check(
    "API-CHAT-029",
    "an empty message is served or refused, and never an internal error",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec=f"{MESSAGES}.content",
)
def test_empty(target: Target, gateway: GatewayClient) -> None:
    """A user who pressed enter too early, and a model that had nothing to say."""
    alias = able_alias(target, TURNS)
    problems, answers = [], []
    for what, messages in EMPTY.items():
        answer = gateway.chat(alias, messages, temperature=0, max_tokens=8)
        answers.append(answer)
        problems += unless_served_or_refused(what, answer)
    require(problems, judged={"answers": answers_among(answers)})


@check(
    "API-CHAT-030",
    "a long text comes back whole",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec="openai:ChatCompletionResponseMessage.content",
)
def test_long_text(target: Target, gateway: GatewayClient) -> None:
    """More than a thousand characters there and back: neither cut, nor anything lost in between."""
    text = first_text(chat_answer(target, LONG_ECHO)).strip()
    if text != LONG_TEXT:
        difference = first_difference(text, LONG_TEXT)
        raise CheckFailed(f"{difference}; {len(text)} characters in all", blame="gateway")


@check(
    "API-CHAT-036",
    "a long prompt is read from its beginning",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec="openai:CreateChatCompletionRequest.messages; Ollama #4967: prompts are cut in front",
)
def test_long_prompt(target: Target, gateway: GatewayClient) -> None:
    """As long as the backend itself reads it whole: a gateway that sets a smaller window cuts it."""
    text = first_text(chat_answer(target, LONG_PROMPT))
    if CODE_WORD not in text:
        raise CheckFailed(f"expected {CODE_WORD}, said at the beginning, got {text[:200]!r}", blame="gateway")


@check(
    "API-CHAT-037",
    "a prompt beyond the window is refused, not cut silently",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec="openai:guides/error-codes context_length_exceeded; Ollama #4967, #17889",
)
def test_beyond_window(target: Target, gateway: GatewayClient) -> None:
    """A window that holds it is as good. What is lost is the beginning: the rules, or the first pages; the
    answer looks like any other. That breaks clients whoever cuts: the backend is asked, too, to say who.
    prompt_tokens tell a model that forgets from one that never saw it."""
    alias = able_alias(target, LONG_PROMPT)
    answer = gateway.chat(alias, BEYOND, temperature=0, max_tokens=BEYOND_TOKENS)
    if answer.status in TOO_LONG:
        return require(at_level(error_problems(answer.status, answer.headers, answer.body), Level.MUST))
    text, words = first_text(answer), len(str(BEYOND[0]["content"]).split())
    if CODE_WORD in text:
        return None
    seen = Read(text, counted(answer, "prompt_tokens"))
    if seen.tokens >= words:
        return None  # all was read; that the model does not find one word is its own weakness
    blame, how = cut_by(seen, read_directly(target, target.environment.model(alias)))
    raise CheckFailed(
        f"expected a refusal, or {CODE_WORD}, said at the beginning of {words} words; "
        f"got {text[:80]!r} to {seen.tokens} tokens of prompt: {how}",
        blame=blame,
    )
