"""BACKEND-BAL: who serves depends on nothing. Proportions may be right and routing wrong.

Judged over the one sample of the group, in which all of this was varied by chance (probes.py).
"""

from collections.abc import Callable

from gateway_acceptance.balance.dependence import DRIFT, ORDER, way_of
from gateway_acceptance.balance.dependence_power import silence, smallest_sticky, smallest_tied
from gateway_acceptance.balance.sequential import power_of_ten
from gateway_acceptance.check import MUST, SHOULD, SPEND, check
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import CheckFailed
from gateway_acceptance.wire.gateway import GatewayClient
from suites.backends.balance import cooldown
from suites.backends.balance.evaluation import Evaluation, by_value, table
from suites.backends.balance.later import order_explained, row_of, second_row, shown_bursts
from suites.backends.balance.observed import judgement
from suites.backends.balance.probes import (
    CLIENT,
    CONCURRENCY,
    CONNECTION,
    LENGTH,
    PARAMETER,
    STREAM,
    TEXT,
    USER,
)
from suites.backends.balance.recurring import recurrence
from suites.backends.balance.trace import suspected

Note = Callable[[str, object], None]
Smallest = Callable[[tuple[float, ...], float, float, int], float | None]

ENDS = 24
"""Draws in a row that a message shows: two turns of the longest cycle that is looked for."""


@check(
    "BACKEND-BAL-003",
    "who serves does not depend on who served before",
    level=SHOULD,
    effect=SPEND,
    claims="FUN-05",
    spec="litellm:simple-shuffle",
    alone=True,
)
def test_order(target: Target, gateway: GatewayClient, group: str, note: Note) -> None:
    """Sticky, in turns, in bursts. Requests one after the other; one at the same time as others breaks the
    row."""
    found = judgement(target, group)
    note_of(note, found, ORDER)
    if ORDER not in found.dependent:
        note("not found", _would_find_sticky(found))
        return
    row = row_of(found)
    words = (
        f"who serves {group} depends on who served before: it is {way_of(row)} ({evidence(found, ORDER)}); "
        f"the first {ENDS}: {' '.join(row[:ENDS])}"
    )
    second = second_row(target, group, found)
    reason = order_explained(found, second)
    if reason:
        raise suspected(target, found, second, reason, words)
    raise CheckFailed(
        f"{words}; a second row, later and in {len(second.blocks)} bursts, shows the same: "
        f"{shown_bursts(second)}",
        blame="gateway",
    )


@check(
    "BACKEND-BAL-004",
    "who serves does not depend on the text, or on its length",
    level=SHOULD,
    effect=SPEND,
    claims="FUN-05",
    spec="environment: groups.strategy",
    alone=True,
)
def test_text(target: Target, gateway: GatewayClient, group: str, note: Note) -> None:
    """Hashing the content sends all that one application asks to one backend."""
    require_independent(judgement(target, group), note, LENGTH, TEXT)


@check(
    "BACKEND-BAL-005",
    "who serves does not depend on the user, or on the client",
    level=MUST,
    effect=SPEND,
    claims="FUN-05",
    spec="environment: groups.strategy",
    alone=True,
)
def test_user(target: Target, gateway: GatewayClient, group: str, note: Note) -> None:
    """The field ``user`` of the request, and the header User-Agent. Whoever is tied to a backend has no
    balanced gateway, and loses it with that backend."""
    require_independent(judgement(target, group), note, USER, CLIENT)


@check(
    "BACKEND-BAL-006",
    "who serves does not depend on the connection",
    level=MUST,
    effect=SPEND,
    claims="FUN-05",
    spec="environment: groups.strategy",
    alone=True,
)
def test_connection(target: Target, gateway: GatewayClient, group: str, note: Note) -> None:
    """Clients keep their connections open: one that is tied to a backend is never balanced."""
    require_independent(judgement(target, group), note, CONNECTION)


@check(
    "BACKEND-BAL-007",
    "streamed and whole answers are balanced alike",
    level=MUST,
    effect=SPEND,
    claims="FUN-05",
    spec="environment: groups.strategy",
    alone=True,
)
def test_stream(target: Target, gateway: GatewayClient, group: str, note: Note) -> None:
    """Gateways route streams in code of their own."""
    require_independent(judgement(target, group), note, STREAM)


@check(
    "BACKEND-BAL-008",
    "who serves does not depend on the parameters",
    level=SHOULD,
    effect=SPEND,
    claims="FUN-05",
    spec="environment: groups.strategy",
    alone=True,
)
def test_parameters(target: Target, gateway: GatewayClient, group: str, note: Note) -> None:
    """Temperature, top_p, seed, or none of them."""
    require_independent(judgement(target, group), note, PARAMETER)


@check(
    "BACKEND-BAL-009",
    "who serves does not depend on other requests at the same time",
    level=MUST,
    effect=SPEND,
    claims="FUN-05",
    spec="environment: groups.strategy",
    alone=True,
)
def test_concurrency(target: Target, gateway: GatewayClient, group: str, note: Note) -> None:
    """Balance is for the time of load: four requests at once, against one alone."""
    require_independent(judgement(target, group), note, CONCURRENCY)


@check(
    "BACKEND-BAL-013",
    "the shares stay the same from the first draw to the last",
    level=MUST,
    effect=SPEND,
    claims="FUN-05",
    spec="environment: groups.strategy",
    alone=True,
)
def test_drift(target: Target, gateway: GatewayClient, group: str, note: Note) -> None:
    """Shares that change after some requests may be right on average. The sample is short: what changes by
    the hour is seen from run to run only."""
    found = judgement(target, group)
    note_of(note, found, DRIFT)
    if DRIFT not in found.dependent:
        note("not found", would_find_silence(found))
        return
    half = len(found.sample.draws) // 2
    early = [draw.served for draw in found.sample.draws[:half]]
    late = [draw.served for draw in found.sample.draws[half:]]
    halves = "; ".join(
        f"{name} {', '.join(f'{who} {row.count(who)}' for who in sorted(set(row)))}"
        for name, row in (("first half:", early), ("second half:", late))
    )
    words = f"who serves {group} changed on the way ({evidence(found, DRIFT)}); {halves}"
    second = cooldown.second_sample(target, group, found)
    reason = cooldown.explained_change(found, second)
    if not reason:
        reason = recurrence(target, group, found, cooldown.later_half(found), second)
    if reason:
        raise suspected(target, found, second, reason, words)
    raise CheckFailed(f"{words}; {cooldown.in_words(second)}", blame="gateway")


def require_independent(found: Evaluation, note: Note, *keys: str) -> None:
    """Of several keys that say the same, the one with the most evidence is named."""
    for key in keys:
        note_of(note, found, key)
    proven = [key for key in keys if key in found.dependent]
    if not proven:
        note("not found", _would_find_tied(found))
        return
    key = max(proven, key=found.dependence.log_e)
    raise CheckFailed(
        f"who serves {found.null.alias} depends on the {key} ({evidence(found, key)}); "
        f"{table(by_value(found.sample.draws, key))}",
        blame="gateway",
    )


def evidence(found: Evaluation, pattern: str) -> str:
    """How surely a pattern was found, and when."""
    test = found.dependence
    proven = pattern in test.found
    largest = test.largest[pattern] if proven else test.largest_tied[pattern]
    silent = ", ".join(f"{name} served none of the last {gap}" for name, gap in test.silent.items())
    return (
        (f"{silent}, " if pattern == DRIFT and silent else "")
        + f"e-value {power_of_ten(largest)}{'' if proven else ' against the declared shares'}, "
        f"proven after {found.dependent[pattern]} of "
        f"{test.draws} draws, alpha {test.alpha:.2g} over {len(test.patterns)} patterns"
    )


def note_of(note: Note, found: Evaluation, pattern: str) -> None:
    """The evidence for a pattern, found or not."""
    test = found.dependence
    largest = max(test.largest[pattern], test.largest_tied[pattern])
    note(f"e-value of dependence on the {pattern}", power_of_ten(largest))
    note("draws", test.draws)
    note("fails at an e-value of", power_of_ten(test.threshold))


def _would_find_sticky(found: Evaluation) -> str:
    """What a pass means: the smallest part of the requests that would have been found."""
    return _would_find(smallest_sticky, found, len(found.dependence.row), "served by whoever served last")


def would_find_silence(found: Evaluation) -> str:
    """From how many last draws on somebody's absence would have been found, by name."""
    test = found.dependence
    serving = {name: share for name, share in found.null.shares.items() if 0 < share < 1}
    found_from = {name: silence(share, test.alpha_of_each, len(serving)) for name, share in serving.items()}
    gaps = [f"{name} none of the last {gap}" for name, gap in found_from.items() if gap <= test.draws]
    if not gaps:
        return f"{test.draws} draws find nobody's absence, however long"
    return f"{test.draws} draws would find that somebody serves no more: {', '.join(gaps)}"


def _would_find_tied(found: Evaluation) -> str:
    return _would_find(smallest_tied, found, found.dependence.draws, "tied to a deployment by it")


def _would_find(smallest: Smallest, found: Evaluation, draws: int, words: str) -> str:
    shares = tuple(share for share in found.null.shares.values() if share > 0)
    power = found.trial.design.power
    part = smallest(shares, found.dependence.alpha_of_each, power, draws)
    if part is None:
        return f"{draws} draws find no dependence with a power of {power:g}, however strong"
    return f"{draws} draws would find {part:.0%} of the requests {words}, with a power of {power:g}"
