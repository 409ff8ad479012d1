"""From an exception to a verdict. Whole runs are in tests/plugin/test_verdicts.py."""

from __future__ import annotations

import json
from pathlib import Path

import httpx2
import openai
import pytest

from gateway_acceptance.plugin.outcome import PACKAGE, outcome_of
from gateway_acceptance.problem import Problem
from gateway_acceptance.verdict import (
    CheckFailed,
    Inconclusive,
    NoAnswer,
    NotApplicable,
    NotPermitted,
    Untestable,
    Verdict,
)

REQUEST = httpx2.Request("GET", "http://127.0.0.1/")


def raised(error: BaseException, cause: BaseException | None = None) -> BaseException:
    """The exception with a traceback that ends here, as one of a check does."""
    with pytest.raises(type(error)) as caught:
        raise error from cause
    return caught.value


TABLE: list[tuple[BaseException, Verdict, str]] = [
    (AssertionError("one is not two"), Verdict.FAILED, ""),
    (CheckFailed("broken", blame="backend"), Verdict.FAILED, "backend"),
    (NoAnswer("silent"), Verdict.FAILED, ""),
    (openai.OpenAIError("no"), Verdict.FAILED, ""),
    (Untestable("a", "b"), Verdict.UNTESTABLE, ""),
    (Inconclusive("a"), Verdict.INCONCLUSIVE, ""),
    (NotApplicable("a", declared="models"), Verdict.NOT_APPLICABLE, ""),
    (NotPermitted("a"), Verdict.NOT_PERMITTED, ""),
    (KeyError("a"), Verdict.HARNESS_ERROR, "harness"),
    (TypeError("a"), Verdict.HARNESS_ERROR, "harness"),
    (SystemExit(0), Verdict.HARNESS_ERROR, "harness"),
]


@pytest.mark.parametrize(("error", "verdict", "blame"), TABLE, ids=lambda value: type(value).__name__)
def test_the_table(error: BaseException, verdict: Verdict, blame: str) -> None:
    outcome = outcome_of(raised(error), "call")
    assert (outcome.verdict, outcome.blame, outcome.waiver) == (verdict, blame, "")


def test_json_that_is_nested_too_deep_came_from_the_target() -> None:
    with pytest.raises(RecursionError) as deep:
        json.loads("[" * 100_000)
    outcome = outcome_of(deep.value, "call")
    assert outcome.verdict is Verdict.FAILED
    assert "nested too deep" in outcome.message
    assert outcome_of(raised(RecursionError("ours")), "call").verdict is Verdict.HARNESS_ERROR


@pytest.mark.parametrize("error", [AssertionError("a"), CheckFailed("a"), KeyError("a")])
def test_a_failing_teardown_is_ours(error: BaseException) -> None:
    outcome = outcome_of(raised(error), "teardown")
    assert (outcome.verdict, outcome.blame) == (Verdict.HARNESS_ERROR, "harness")
    assert outcome.message.startswith("while cleaning up: ")
    assert "Traceback" in outcome.detail


def test_nothing_raised_is_passed() -> None:
    assert outcome_of(None, "call").verdict is Verdict.PASSED


def test_an_assertion_of_the_machinery_is_not_about_the_target() -> None:
    with pytest.raises(AssertionError) as ours:
        _assert_in(PACKAGE / "wire" / "exchange.py")
    assert outcome_of(ours.value, "call").verdict is Verdict.HARNESS_ERROR


def test_an_assertion_of_a_tool_is_not_about_the_target() -> None:
    with pytest.raises(AssertionError) as tool:
        _assert_in(Path(httpx2.__file__))
    assert outcome_of(tool.value, "call").verdict is Verdict.HARNESS_ERROR


def _assert_in(file: Path) -> None:
    """A failing assertion whose innermost frame is in that file."""
    exec(compile("raise AssertionError('ours')", str(file), "exec"))  # noqa: S102


@pytest.mark.parametrize(
    ("cause", "verdict"),
    [
        (httpx2.ConnectError("refused"), Verdict.FAILED),
        (httpx2.DecodingError("gzip"), Verdict.FAILED),
        (None, Verdict.FAILED),
        (httpx2.LocalProtocolError("illegal header"), Verdict.HARNESS_ERROR),
        (NotPermitted("used up"), Verdict.NOT_PERMITTED),
    ],
)
def test_what_the_sdk_wraps_as_a_broken_connection(cause: BaseException | None, verdict: Verdict) -> None:
    error = raised(openai.APIConnectionError(request=REQUEST), cause)
    assert outcome_of(error, "call").verdict is verdict


def test_problems_are_kept_one_by_one() -> None:
    outcome = outcome_of(raised(CheckFailed([Problem("a", "x"), Problem("b", "y")])), "call")
    assert outcome.problems == ("a: x", "b: y")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"Internal Server Error", ", with the body 'Internal Server Error'"),
        (b"<html>" + b"x" * 900, f", with the body '<html>{'x' * 194}'"),
        (b'{"error": {"message": "boom"}}', ""),
        (b"[" * 200_000, ""),
        (b"", ""),
    ],
)
def test_a_refusal_that_is_no_json_is_told_with_its_body(body: bytes, told: str) -> None:
    response = httpx2.Response(500, content=body, request=REQUEST)
    error = openai.InternalServerError("Error code: 500", response=response, body=None)
    outcome = outcome_of(error, "call")
    assert outcome.message == f"the official SDK raised InternalServerError: Error code: 500{told}"
