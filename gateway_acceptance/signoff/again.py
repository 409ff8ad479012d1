"""What can be judged again from the evidence in a record: the rules over every exchange. Pure.

A run held every exchange against them while it went on, and what broke one is a red case of the check that
owns the rule. So in a run that can be signed no exchange that is kept as evidence breaks one, but for what
the product's release does by itself and what a waiver describes. Rules that compare several exchanges, or
what was cut or redacted, are not asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gateway_acceptance.check import Check, Effect
from gateway_acceptance.deviations import LEARNED, Harm, Known, forbidden, known_of, names_of
from gateway_acceptance.environment import Environment
from gateway_acceptance.environment.model import BEARER_HEADER
from gateway_acceptance.record_model import Record, RecordedCase, RecordedExchange
from gateway_acceptance.signoff.accepted import declared
from gateway_acceptance.signoff.suite import Suite
from gateway_acceptance.wire.exchange import SHOWN_BODY, Exchange
from gateway_acceptance.wire.memory import Memory
from gateway_acceptance.wire.seen import SeenExchange, seen_exchange
from gateway_acceptance.wire.watch import UniversalRule

KEY = "own-key"
"""Stands for the environment's key, which no record holds."""
INCOMPLETE = ("[redacted", "… (", "characters in all)")
MOST_REPORTED = 5


def contradicted(record: Record, environment: Environment, suite: Suite) -> list[str]:
    """Exchanges in a record that break a rule and are called green, a sentence each."""
    known = _known(record, environment)
    found: dict[str, str] = {}
    for case, entry in _evidence(record):
        exchange = exchange_of(entry, environment)
        seen = None if exchange is None else seen_exchange(exchange, environment, KEY)
        for rule in suite.rules if seen is not None else ():
            if seen is None or not seen.kinds & rule.kinds or rule.check not in suite.checks:
                continue
            owner = suite.checks[rule.check]
            broken = _broken(rule, owner, seen, known, suite.harms, record)
            if broken and owner.effect in environment.policy.effects:
                found.setdefault(
                    f"{rule.check}{seen.alias}",
                    f"the evidence of {case.nodeid} contradicts its verdict: {owner.id} "
                    f"({owner.title}) does not hold of {entry.method} {entry.url}: {broken}",
                )
    listed = list(found.values())
    more = len(listed) - MOST_REPORTED
    return (
        listed if more <= 0 else [*listed[:MOST_REPORTED], f"the evidence contradicts {more} verdicts more"]
    )


def exchange_of(entry: RecordedExchange, environment: Environment) -> Exchange | None:
    """An exchange as its evidence tells it; None where it was cut, redacted or not kept whole."""
    asked, response = entry.request or "", entry.response or ""
    if entry.sent_at is None or any(
        mark in text for text in (asked, response, entry.url) for mark in INCOMPLETE
    ):
        return None
    if len(response) >= SHOWN_BODY or entry.whole is False or entry.error:
        return None
    headers = [(name, "?") for name in entry.bent or ()]
    name = environment.gateway.key_header
    own = f"Bearer {KEY}" if name == BEARER_HEADER else KEY
    headers.append(
        (name, own if entry.own_key else "?")
    )  # which other key it was, or none, nobody wrote down
    body = response.encode("utf-8")
    return Exchange(
        entry.method,
        entry.url,
        tuple(headers),
        asked.encode("utf-8"),
        status=entry.status,
        headers=tuple(entry.headers.items()),
        chunks=((entry.elapsed_s, body),) if body else (),
        elapsed_s=entry.elapsed_s,
        first_byte_s=entry.first_byte_s,
        served_by=entry.served_by or "",
        sent_at=entry.sent_at,
    )


def _evidence(record: Record) -> Iterator[tuple[RecordedCase, RecordedExchange]]:
    """Each exchange once, with a case that kept it; none of checks that take something down."""
    reported: set[str] = set()
    for check, case in record.cases():
        if check.effect is Effect.DISRUPT:
            continue
        for entry in case.evidence:
            one = entry.model_dump_json()
            if one not in reported:
                reported.add(one)
                yield case, entry


def _broken(
    rule: UniversalRule,
    owner: Check,
    seen: SeenExchange,
    known: Known,
    harms: Sequence[Harm],
    record: Record,
) -> str:
    """The first problem that neither the release shows by itself nor a waiver describes; or nothing."""
    problems = [str(problem) for problem in rule.judge(seen, Memory())]
    names, learned = names_of(seen.environment), _learned(record)
    left = [
        problem
        for problem in problems
        if forbidden(harms, owner.id, problem)
        or not (
            owner.id in learned or any(known.covers(owner.id, text, names) for text in rule.alike(problem))
        )
    ]
    for entry in record.waivers:
        if entry.check != owner.id or not entry.in_scope:
            continue
        waiver = declared(entry)
        if all(waiver.covers(problem) for problem in left):
            return ""
    return left[0].splitlines()[0][:200] if left else ""


def _learned(record: Record) -> set[str]:
    """The checks whose deviations a twin showed: its words are gone with the run."""
    recorded = record.deviations
    return (
        {one.check for one in recorded.known} if recorded is not None and recorded.note == LEARNED else set()
    )


def _known(record: Record, environment: Environment) -> Known:
    """What the release that was judged does by itself, by the suite at hand."""
    gateway = environment.gateway
    return known_of(
        gateway.product, record.target.product_version, gateway.variant, upstreams=environment.spoken
    )
