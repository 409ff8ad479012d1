"""BACKEND-OUT: what clients see while backends die, hang, refuse, break off, and come back.

The programs are played once per run; every check looks at them with a rule of its own. docs/outage.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from gateway_acceptance.balance.expectation import design_of_survivors
from gateway_acceptance.balance.expected_shares import (
    ExpectedShares,
    UndefinedSharesError,
    WitnessResolution,
    null_of,
)
from gateway_acceptance.balance.sequential import SequentialDecision, Trial
from gateway_acceptance.check import DISRUPT, MUST, SHOULD, check
from gateway_acceptance.disruptor import Disruptor
from gateway_acceptance.environment import Environment
from gateway_acceptance.environment.abilities import Ability
from gateway_acceptance.outage.expected import failing, most, smallest_found, tail
from gateway_acceptance.outage.timeline import timeline
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.subjects import judged
from gateway_acceptance.verdict import CheckFailed, Inconclusive, NotApplicable, Untestable
from gateway_acceptance.wire.gateway import GatewayClient
from suites.api.abilities import declared_able
from suites.backends.balance.witness import identity
from suites.backends.outage.evaluation import obeyed
from suites.backends.outage.programs import MeasuredOutage, of_backend, play
from suites.backends.outage.rules import comparable_streams
from suites.backends.routing.probes import listed, require_counts

Note = Callable[[str, object], None]
Picture = Callable[[str, str], None]
FIXED_SHOWN = 3
"""Fixed programs that become pictures; and one of the machine's, that with the most outages."""


@pytest.fixture
def outages(target: Target, gateway: GatewayClient, disruptor: Disruptor) -> Disruptor:
    """Who takes backends away, of a gateway that answers."""
    assert gateway
    return disruptor


@check(
    "BACKEND-OUT-001",
    "no request outlives the gateway's patience while its backends are silent",
    level=MUST,
    effect=DISRUPT,
    spec="environment: outage.patience_s",
)
def test_deadline(target: Target, outages: Disruptor, waivable: bool) -> None:
    """A backend that accepts and says nothing is given up after what ``[outage]`` declares."""
    obeyed(target, outages, "outlived", ["silent"], waivable=waivable)


@check(
    "BACKEND-OUT-002",
    "while a backend is dead, clients see no more errors than the declared retries leave",
    level=MUST,
    effect=DISRUPT,
    spec="environment: outage.retries",
)
def test_errors_predicted(target: Target, outages: Disruptor, environment: Environment, note: Note) -> None:
    """Each attempt draws anew: a request fails with p_dead^(1 + retries), or less. Exact binomial test."""
    seen = play(target, outages)
    dead = sum(share for name, share in seen.null.shares.items() if of_backend(name) == seen.dead)
    chance, alpha = failing(dead, environment.outage.retries), environment.outage.alpha
    errors = [one for one in seen.sample if not one.served]
    requests = len(seen.sample)
    limit = most(requests, chance, alpha)
    found = smallest_found(requests, chance, alpha, environment.balance.power)
    note(
        "client errors", f"{len(errors)} of {requests} while {seen.dead} was dead; up to {limit} are expected"
    )
    note("smallest error rate found", "none" if found is None else f"{found:.0%}, {chance:.0%} is expected")
    target.notebook.exchanges[:] = [one.exchange for one in errors[:3] if one.exchange is not None]
    if len(errors) > limit:
        raise CheckFailed(
            f"{seen.program.words(seen.sample[0])}: {len(errors)} of {requests} requests to {seen.group} "
            f"failed; with {dead:.0%} of it dead and {environment.outage.retries} retries up to {limit} may "
            f"(p = {tail(len(errors), requests, chance):.1g})",
            blame="gateway",
        )


@check(
    "BACKEND-OUT-003",
    "nobody is served by a backend that is away, by another one than declared, or by nobody",
    level=MUST,
    effect=DISRUPT,
    spec="environment: models.backend, groups.deployments",
)
def test_served_by_the_living(
    target: Target, outages: Disruptor, note: Note, picture: Picture, waivable: bool
) -> None:
    """Header, count and content: a cached answer, another model behind the alias, a lying witness."""
    played = obeyed(target, outages, "wrongly served", ["measured", "all-dead", "dropped"], waivable=waivable)
    note("programs", len(played))
    note("requests", sum(len(program.seen) for program in played))
    backends = [backend.name for backend in target.environment.backends]
    shown = [*played[:FIXED_SHOWN], *sorted(played[FIXED_SHOWN:], key=lambda one: -len(one.spans))[:1]]
    for number, program in enumerate(shown, start=1):
        picture(f"who served what {number}", timeline(program, backends))


@check(
    "BACKEND-OUT-004",
    "while a backend is dead, the others share its requests in proportion",
    level=SHOULD,
    effect=DISRUPT,
    spec="environment: groups.deployments",
)
def test_survivors_share(target: Target, outages: Disruptor, environment: Environment, note: Note) -> None:
    """The null hypothesis without the dead ones; the test, alpha and power of ``[balance]``."""
    seen = play(target, outages)
    null = survivors(seen, environment, target.preflight().version or None)
    if sum(share > 0 for share in null.shares.values()) < 2:
        left = "only one" if null.shares else "nobody who serves"
        raise NotApplicable(
            f"without {seen.dead} {left} of {seen.group} is left, as far as answers tell",
            declared="groups.deployments",
        )
    draws = max(1, sum(1 for one in seen.sample if one.served))  # those that failed drew nobody who is left
    trial = Trial(null, design_of_survivors(environment, null, draws))
    named = identities(target, seen)
    target.notebook.exchanges.clear()
    for one in seen.sample:
        if one.served:
            trial.observe(named(one.deployment, one.witness))
    note("survivors", trial.sentence())
    if trial.outcome is SequentialDecision.FAILED:
        raise CheckFailed(f"{seen.program.words(seen.sample[0])}: {trial.sentence()}", blame="gateway")
    if trial.outcome is not SequentialDecision.PASSED:
        raise Inconclusive(f"{trial.sentence()}; raise outage.requests of {environment.source.name}")


@check(
    "BACKEND-OUT-005",
    "a backend that is back is served from again, within the cooldown",
    level=MUST,
    effect=DISRUPT,
    spec="environment: outage.cooldown_s",
)
def test_revived(
    target: Target, outages: Disruptor, environment: Environment, note: Note, waivable: bool
) -> None:
    """After its death and after its refusals; as a member of the group, and by every alias of its own."""
    seen = play(target, outages)
    promised = environment.outage.cooldown_s
    for one in seen.revivals:
        words = f"{one.kind.value} {one.backend}; revive {one.backend}"
        if one.after_s is None and not one.witnessed:
            raise Untestable(f"{words}: no answer says who served it", "see BACKEND-WITNESS-005")
        if one.after_s is None:
            raise CheckFailed(
                f"{words}: {one.backend} served none of {one.draws} requests to {seen.group} in "
                f"{promised:g} s of cooldown and after",
                blame="gateway",
            )
        note(f"back after {one.kind.value}", f"{one.after_s:.1f} s, {one.draws} requests")
    obeyed(target, outages, "not revived", ["measured", "all-dead", "dropped"], waivable=waivable)


@check(
    "BACKEND-OUT-006",
    "the gateway lives on, and serves what has nothing to do with the outage",
    level=MUST,
    effect=DISRUPT,
    spec="environment: bounds.health_s, models",
)
def test_gateway_lives(target: Target, outages: Disruptor, waivable: bool) -> None:
    """Its liveness route within ``bounds.health_s``, and an alias whose backends are well, at every step."""
    obeyed(target, outages, "gateway suffered", ["measured", "all-dead", "silent"], waivable=waivable)


@check(
    "BACKEND-OUT-007",
    "after outages no slot is taken and no connection is left open",
    level=MUST,
    effect=DISRUPT,
    spec="environment: bounds.concurrency",
)
def test_nothing_leaks(target: Target, outages: Disruptor, waivable: bool) -> None:
    """As the backends see it: a gateway that gives a request up has to hang up as well."""
    obeyed(target, outages, "leaked", ["measured", "silent"], waivable=waivable)


@check(
    "BACKEND-OUT-008",
    "with all backends dead the error comes at once, as an envelope",
    level=MUST,
    effect=DISRUPT,
    spec="openai:ErrorResponse; environment: outage.patience_s",
)
def test_all_dead(target: Target, outages: Disruptor, waivable: bool) -> None:
    """No slower than the first token of an answer would be."""
    obeyed(target, outages, "late when dead", ["all-dead"], waivable=waivable)


@check(
    "BACKEND-OUT-009",
    "errors during outages are errors, in the envelope that clients read",
    level=MUST,
    effect=DISRUPT,
    spec="openai:ErrorResponse",
)
def test_errors_well_formed(target: Target, outages: Disruptor, waivable: bool) -> None:
    """Status, content type and body."""
    obeyed(
        target, outages, "malformed error", ["measured", "all-dead", "dropped", "silent"], waivable=waivable
    )


@check(
    "BACKEND-OUT-010",
    "errors during outages tell nothing of the inside",
    level=MUST,
    effect=DISRUPT,
    spec="CWE-209",
)
def test_errors_tell_nothing(target: Target, outages: Disruptor, waivable: bool) -> None:
    """No address of a backend, no stack trace, no path, nothing of the key."""
    obeyed(
        target, outages, "information leak", ["measured", "all-dead", "dropped", "silent"], waivable=waivable
    )


@check(
    "BACKEND-OUT-011",
    "backends are asked no more often than requests and declared retries explain",
    level=MUST,
    effect=DISRUPT,
    spec="environment: outage.retries",
)
def test_no_retry_storm(target: Target, outages: Disruptor, environment: Environment, waivable: bool) -> None:
    """By the backends' own count: hidden retries make an outage worse for everybody."""
    require_counts(environment)
    obeyed(target, outages, "over-asked", ["measured", "dropped"], waivable=waivable)


@check(
    "BACKEND-OUT-012",
    "a stream whose backend breaks off does not end as if it were whole",
    level=MUST,
    effect=DISRUPT,
    spec="openai:CreateChatCompletionRequest.stream: ended by data: [DONE]",
)
def test_broken_stream(target: Target, outages: Disruptor, waivable: bool) -> None:
    """Clients must be able to tell half an answer: an error frame, or a broken connection. Known only of a
    model that repeats what it is told."""
    declared_able(target.environment, Ability.EXACT)
    played = obeyed(target, outages, "truncated stream marked complete", ["dropped"], waivable=waivable)
    streams = sum(len(comparable_streams(program, target.environment)) for program in played)
    judged({"streams of a model that says what it was asked for": streams})


def survivors(seen: MeasuredOutage, environment: Environment, version: str | None) -> ExpectedShares:
    """The hypothesis of what is left of the group without the dead backend, read as the router reads it:
    which weights and orders count may change with the deployments that are left. No shares where nobody
    is left."""
    group = environment.group(seen.group)
    left = tuple(one for one in group.deployments if one.backend != seen.dead)
    if not left:
        return replace(seen.null, shares={})
    fine = any("/" in name for name in seen.null.shares)
    rest = group.model_copy(update={"deployments": left})
    known = version or environment.gateway.version
    try:
        return null_of(
            rest,
            environment.gateway,
            known,
            WitnessResolution.DEPLOYMENT if fine else WitnessResolution.BACKEND,
        )
    except UndefinedSharesError as unknown:
        raise NotApplicable(
            f"what those who are left get is not known: {unknown}", declared="groups.deployments"
        ) from None


def identities(target: Target, seen: MeasuredOutage) -> Callable[[str, str], str]:
    """From a deployment's id and a backend's name to an identity of the hypothesis. Raises Untestable where
    an answer tells neither, or the gateway does not list the id."""
    if not any("/" in name for name in seen.null.shares):
        return named_backend
    group = target.environment.group(seen.group)
    known = {one.id: identity(group, one.backend, one.upstream) for one in listed(target)}

    def named(deployment: str, backend: str) -> str:
        if deployment not in known:
            raise Untestable(
                f"an answer of {backend or 'nobody'} names the deployment {deployment!r}, listed by nobody",
                "let the gateway tell its deployments",
            )
        return known[deployment]

    return named


def named_backend(_: str, backend: str) -> str:
    """The backend that an answer names. Raises Untestable where it names none."""
    if not backend:
        raise Untestable("an answer does not say who served it", "see BACKEND-WITNESS-005")
    return backend
