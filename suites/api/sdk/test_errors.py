"""API-SDK: every error is the class that applications catch, and carries what they show.

SPEND wherever something would be generated if the gateway did not refuse.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING

from gateway_acceptance.check import MUST, READ, SPEND, check
from gateway_acceptance.environment import Environment
from gateway_acceptance.lazily import lazily
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.subjects import judged
from gateway_acceptance.verdict import CheckFailed
from suites.api.auth.tried import refused_plainly
from suites.api.errors.rules import forbids_the_model
from suites.api.extract import answered_by_a_model
from suites.api.observations import ECHO_TOKENS, balanced_or_first, echoed
from suites.api.sdk.probes import ECHO, UNKNOWN_MODEL, asked_by_an_outsider

if TYPE_CHECKING:
    import openai
else:
    openai = lazily("openai")

ERRORS = "openai-python:README Handling errors"


@check(
    "API-SDK-017",
    "a wrong key is an AuthenticationError",
    level=MUST,
    effect=READ,
    claims="FUN-04",
    spec=ERRORS,
)
def test_wrong_key(target: Target, sdk: openai.OpenAI) -> None:
    """Applications ask for another key on this class, and on no other."""
    outsider = sdk.with_options(api_key=f"sk-{secrets.token_hex(16)}")
    error = _error_of(lambda: asked_by_an_outsider(target, outsider))
    if isinstance(error, openai.RateLimitError):  # strangers are told to wait: the sender does
        error = _error_of(lambda: asked_by_an_outsider(target, outsider))
    if not isinstance(error, openai.AuthenticationError):
        if error is None:
            refused_plainly(target)  # or it says nothing of keys
        raise CheckFailed(f"expected AuthenticationError, got {_named(error)}", blame="gateway")


@check(
    "API-SDK-018",
    "an unknown model is a NotFoundError or a BadRequestError",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec=ERRORS,
)
def test_unknown_model(target: Target, sdk: openai.OpenAI) -> None:
    """OpenAI answers 404, LiteLLM 400; both say that the request is at fault. So does 403 that names the
    model, where the key may use some models alone."""
    _judge_where_served(target)
    error = _unknown_model(target, sdk)
    if not (isinstance(error, openai.NotFoundError | openai.BadRequestError) or _forbids_it(error)):
        raise CheckFailed(f"expected NotFoundError or BadRequestError, got {_named(error)}", blame="gateway")


@check(
    "API-SDK-019",
    "an error carries the gateway's message, and its envelope as body",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec="openai-python:APIError.body",
)
def test_error_tells(target: Target, sdk: openai.OpenAI) -> None:
    """The SDK unwraps ``error``; where the envelope is another one, applications have nothing to show."""
    error = _unknown_model(target, sdk)
    if not isinstance(error, openai.APIStatusError):
        raise CheckFailed(f"expected an error with a status, got {_named(error)}", blame="gateway")
    message = error.body.get("message") if isinstance(error.body, dict) else None
    if not isinstance(message, str) or not message:
        raise CheckFailed(f"expected a message in the error's body, got {error.body!r}", blame="gateway")
    if message not in error.message:
        raise CheckFailed(f"expected the error to say {message!r}, it says {error.message!r}")


@check(
    "API-SDK-020",
    "an error of a streamed request is raised before the first chunk",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec=ERRORS,
)
def test_stream_error(target: Target, sdk: openai.OpenAI) -> None:
    """A refusal with status 200 and an error in the stream escapes what surrounds ``create``."""
    _judge_where_served(target)
    error = _error_of(lambda: sdk.chat.completions.create(model=UNKNOWN_MODEL, messages=ECHO, stream=True))
    if not (isinstance(error, openai.NotFoundError | openai.BadRequestError) or _forbids_it(error)):
        raise CheckFailed(f"expected NotFoundError or BadRequestError, got {_named(error)}", blame="gateway")


@check(
    "API-SDK-021",
    "messages of the wrong type are a BadRequestError",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec=ERRORS,
)
def test_bad_request(target: Target, sdk: openai.OpenAI, environment: Environment) -> None:
    """The commonest mistake: a text where a list belongs. FastAPI's 422 says the same."""
    _judge_where_served(target)
    _raises(
        lambda: sdk.chat.completions.create(
            model=balanced_or_first(environment),
            messages="hello",  # type: ignore[arg-type]
            max_tokens=ECHO_TOKENS,
        ),
        openai.BadRequestError,
        openai.UnprocessableEntityError,
    )


@check(
    "API-SDK-022",
    "an unknown route is a NotFoundError",
    level=MUST,
    effect=READ,
    claims="FUN-01",
    spec=ERRORS,
)
def test_unknown_route(sdk: openai.OpenAI) -> None:
    """An application that uses what the gateway does not have learns so at once."""
    _raises(lambda: sdk.get("/no-such-route", cast_to=object), openai.NotFoundError)


def _judge_where_served(target: Target) -> None:
    """A refusal says something of what was asked only where the ordinary question is answered."""
    plain = echoed(target, balanced_or_first(target.environment))
    judged(errors=int(answered_by_a_model(plain)))


def _unknown_model(target: Target, sdk: openai.OpenAI) -> openai.OpenAIError | None:
    def ask() -> openai.OpenAIError | None:
        return _error_of(
            lambda: sdk.chat.completions.create(model=UNKNOWN_MODEL, messages=ECHO, max_tokens=ECHO_TOKENS)
        )

    return target.once(("sdk", "unknown model"), ask)


def _forbids_it(error: openai.OpenAIError | None) -> bool:
    """Whether the key may not use the model that does not exist."""
    if not isinstance(error, openai.PermissionDeniedError):
        return False
    return forbids_the_model(error.status_code, error.response.text, UNKNOWN_MODEL)


def _raises(call: Callable[[], object], *expected: type[openai.APIStatusError]) -> None:
    error = _error_of(call)
    if not isinstance(error, expected):
        names = " or ".join(kind.__name__ for kind in expected)
        raise CheckFailed(f"expected {names}, got {_named(error)}", blame="gateway")


def _error_of(call: Callable[[], object]) -> openai.OpenAIError | None:
    try:
        call()
    except openai.OpenAIError as error:
        return error
    return None


def _named(error: openai.OpenAIError | None) -> str:
    if error is None:
        return "an answer"
    status = f" ({error.status_code})" if isinstance(error, openai.APIStatusError) else ""
    first = (str(error).splitlines() or [""])[0]
    return f"{type(error).__name__}{status}: {first[:160]}"
