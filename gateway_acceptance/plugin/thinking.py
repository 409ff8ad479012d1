"""A model that thinks, and is not declared to, spends limits before it answers: no defect of the gateway."""

from __future__ import annotations

from collections.abc import Sequence

from gateway_acceptance.environment import Environment
from gateway_acceptance.plugin.outcome import Outcome
from gateway_acceptance.verdict import Verdict
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.reasoning import DECLARE, spent_by
from gateway_acceptance.wire.strict_json import parse_json


def unless_spent(outcome: Outcome, exchanges: Sequence[Exchange], environment: Environment) -> Outcome:
    """The same outcome, or UNTESTABLE where a case failed and an answer in it was cut at its limit while a
    model that is not declared to think was thinking: what it would have said, nobody knows. An alarm stays
    one."""
    if outcome.verdict is not Verdict.FAILED or outcome.alarm:
        return outcome
    for exchange in exchanges:
        if exchange.withheld or not exchange.url.startswith(environment.gateway.url):
            continue
        alias = _alias(exchange)
        said = "" if environment.thinks(alias) else spent_by(exchange)
        if said:
            detail = f"{outcome.message}\n{outcome.detail}".strip()
            return Outcome(Verdict.UNTESTABLE, f"Untestable: {alias}: {said}; {DECLARE}", detail=detail)
    return outcome


def _alias(exchange: Exchange) -> str:
    """The model that a request names; empty where it names none."""
    body, _ = parse_json(exchange.request_body)
    alias = body.get("model") if isinstance(body, dict) else None
    return alias if isinstance(alias, str) else ""
