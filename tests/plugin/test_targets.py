"""Targets that are dead, closed or odd; and budgets, counted where the requests arrive."""

from __future__ import annotations

import socket

import pytest

from tests.plugin.gateway import USAGE, Gateway
from tests.plugin.project import ALIVE, EXPIRES, OPENED, Project, a_check

ASKS = [a_check(number, "gateway.models()", "gateway") for number in range(1, 6)]
SECONDS_ENOUGH = 30


def test_a_dead_gateway_is_one_failure_and_the_rest_untestable(project: Project) -> None:
    with (
        socket.socket() as held
    ):  # bound and not listening: connections are refused, nobody else gets the port
        held.bind(("127.0.0.1", 0))
        project.environment(f"http://127.0.0.1:{held.getsockname()[1]}")
        project.checks(ALIVE, *ASKS)
        run = project.run("-n", "2")
    assert run.code == 1
    assert run.verdict("API-OPS-001") == "failed"
    assert {run.verdict(f"API-T-{number:03}") for number in range(1, 6)} == {"untestable"}
    assert run.record()["totals"]["failed"] == 1
    assert "connection refused" in run.cases("API-T-001")[0]["message"]
    assert run.took_s < SECONDS_ENOUGH


def test_a_refused_key_is_one_failure_and_the_rest_untestable(project: Project, gateway: Gateway) -> None:
    gateway.accepted = "another"
    accepted = a_check(9, "assert live_gateway.models().status == 200", "live_gateway")
    project.checks(ALIVE, accepted, *ASKS)
    run = project.run()
    assert run.code == 1
    assert run.verdict("API-OPS-001") == "passed"
    assert run.record()["totals"]["failed"] == 1
    assert {run.verdict(f"API-T-{number:03}") for number in range(1, 6)} == {"untestable"}
    assert "refuses the environment's key" in run.cases("API-T-001")[0]["message"]
    assert "correct the key in MINI_KEY" in run.cases("API-T-001")[0]["message"]
    assert run.took_s < SECONDS_ENOUGH


def test_the_budget_of_requests_holds_over_all_workers(project: Project, gateway: Gateway) -> None:
    project.environment(gateway.url, requests=7)
    many = a_check(1, "for _ in range(4):\n    any_gateway.get('/alive', key=None)", "any_gateway, n")
    project.checks(many.replace("@check", "@pytest.mark.parametrize('n', range(6))\n@check", 1))
    run = project.run("-n", "2")
    assert len(gateway.seen) == 7
    assert (run.code, run.verdict("API-T-001")) == (1, "not permitted")
    assert run.record()["totals"]["requests"] == 7
    assert "the budget of 7 requests is used up" in str(run.cases("API-T-001"))


@pytest.mark.parametrize(
    ("usage", "workers", "sent"), [(USAGE, "2", range(1, 12)), (-100000, "0", range(2, 3))]
)
def test_the_budget_of_tokens_holds(
    project: Project, gateway: Gateway, usage: int, workers: str, sent: range
) -> None:
    """Nor does a gateway that reports nonsense extend it."""
    gateway.usage = usage
    project.environment(gateway.url, tokens=200)
    many = a_check(1, "any_gateway.chat('chat-one', 'hi', max_tokens=80)", "any_gateway, n", effect="SPEND")
    project.checks(many.replace("@check", "@pytest.mark.parametrize('n', range(20))\n@check", 1))
    run = project.run("-n", workers)
    assert gateway.count("/v1/chat/completions") in sent
    assert (run.code, run.verdict("API-T-001")) == (1, "not permitted")


def test_the_budget_of_seconds_is_looked_at_before_sending(project: Project, gateway: Gateway) -> None:
    project.environment(gateway.url, seconds=0.000001)
    project.checks(ALIVE)
    run = project.run()
    assert gateway.seen == []
    assert (run.code, run.verdict("API-OPS-001")) == (1, "not permitted")
    assert "policy.seconds" in run.cases("API-OPS-001")[0]["message"]


def test_a_budget_that_is_used_up_below_the_sdk_is_no_failure_of_the_gateway(
    project: Project, gateway: Gateway
) -> None:
    project.environment(gateway.url, requests=2)
    project.checks(a_check(1, "for _ in range(3):\n    sdk.models.with_raw_response.list()", "sdk"))
    run = project.run()
    assert run.verdict("API-T-001") == "not permitted"
    assert len(gateway.seen) == 2


def test_a_failure_is_told_when_the_budget_leaves_nothing_to_look_into_it(
    project: Project, gateway: Gateway
) -> None:
    """Waivers ask for the product's version, blame asks the backend: neither may cost the verdict. The
    fingerprint at the start takes the first four."""
    project.environment(gateway.url, requests=5, gateway='product = "litellm"')
    project.write("environments/waivers.toml", WAIVER)
    body = "any_gateway.get('/alive', key=None)\nassert 1 == 2"
    project.checks(a_check(1, body, "any_gateway, chat_model"))
    run = project.run()
    assert (run.code, run.verdict("API-T-001")) == (1, "failed"), run.output
    assert "INTERNALERROR" not in run.output


WAIVER = f"""
[[waiver]]
id = "A"
check = "API-T-001"
scope = {{ product = "litellm", versions = ">=1" }}
observed = "assert 1 == 2"
reason = "known"
link = "https://example.com/1"
owner = "us"
opened = {OPENED}
expires = {EXPIRES}
"""


def test_a_backend_that_answers_junk_costs_no_verdict(project: Project, gateway: Gateway) -> None:
    project.checks(
        a_check(1, "assert gateway.chat('chat-one', 'hi', max_tokens=4).status == 418", "gateway, chat_model")
    )
    run = project.run()
    assert (run.code, run.verdict("API-T-001")) == (1, "failed"), run.output


@pytest.mark.parametrize("workers", ["0", "1"])
def test_half_a_character_in_an_answer_is_shown_and_breaks_nothing(project: Project, workers: str) -> None:
    body = "answer = gateway.get('/surrogate').json()\nassert answer['text'] == 'x', answer['text']\n"
    project.checks(
        ALIVE,
        a_check(1, body, "gateway"),
        a_check(2, body.replace("assert", "print(answer['text']); assert"), "gateway"),
    )
    run = project.run("-n", workers)
    assert run.code == 1, run.output
    assert (run.verdict("API-OPS-001"), run.verdict("API-T-001")) == ("passed", "failed")
    assert "half \\ud800 a character" in run.cases("API-T-001")[0]["message"]
