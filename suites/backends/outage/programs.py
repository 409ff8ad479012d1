"""The programs of outages that every run plays: short ones that show one thing each. Each is played once per
run and looked at by several checks."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from gateway_acceptance import subjects
from gateway_acceptance.balance.expected_shares import (
    ExpectedShares,
    NoSharesError,
    UndefinedSharesError,
    WitnessResolution,
    null_of,
)
from gateway_acceptance.balance.ledger import NOT_DRAWN
from gateway_acceptance.disruptor import Disruptor, OutageKind
from gateway_acceptance.environment import Group, ModelKind
from gateway_acceptance.outage.program import ObservedRequest, Program, RequestKind
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import NotApplicable
from gateway_acceptance.wire.meter import Chance
from suites.backends.outage.stage import (
    MOST_PATIENCE_S,
    POLL_S,
    SLACK_S,
    Ask,
    OutageStage,
    pauses,
    polls_within,
)


@dataclass(frozen=True)
class Revival:
    """A backend that was given back. kind: what it had; after_s: seconds until it served again, None where it
    did not; draws: requests that were sent meanwhile; witnessed: whether an answer said who served it."""

    kind: OutageKind
    backend: str
    after_s: float | None
    draws: int
    witnessed: bool


@dataclass(frozen=True)
class MeasuredOutage:
    """The first program, with what statistics need of it. sample: requests while ``dead`` was certainly away;
    null: the group's hypothesis when all live, by deployment where the gateway tells which."""

    program: Program
    group: str
    dead: str
    sample: list[ObservedRequest]
    null: ExpectedShares
    revivals: list[Revival]


def group_of(target: Target) -> Group:
    """The balanced chat group. Raises NotApplicable where none stands on two backends."""
    for group in target.environment.groups:
        if group.kind is ModelKind.CHAT and len({one.backend for one in group.deployments}) > 1:
            return group
    raise NotApplicable("the environment declares no chat group over two backends or more", declared="groups")


def members(group: Group) -> list[str]:
    """The backends of a group."""
    return list(dict.fromkeys(one.backend for one in group.deployments))


def null_by_deployment(target: Target, group: Group) -> ExpectedShares:
    """The hypothesis of a group, told apart as finely as the gateway's answers allow. Raises NotApplicable
    where the declaration says none."""
    product = target.gateway.product
    fine = product.deployment_id is not None and product.deployments_path is not None
    witness = WitnessResolution.DEPLOYMENT if fine else WitnessResolution.BACKEND
    try:
        return null_of(group, target.environment.gateway, target.preflight().version, witness)
    except (NoSharesError, UndefinedSharesError) as unknown:
        raise NotApplicable(
            f"what an outage of a part of it may do is not known: {unknown}", declared="groups.strategy"
        ) from None


def of_backend(identity: str) -> str:
    """The backend of an identity of ``null_by_deployment``."""
    return identity.split("/", 1)[0]


def around(stage: OutageStage, *asks: Ask) -> tuple[Ask, ...]:
    """These requests, with a look at the gateway and at an alias that is not concerned."""
    liveness = stage.target.gateway.product.liveness
    other = stage.other_alias()
    return (*asks, *([(RequestKind.LIVENESS, liveness)] if liveness else []), *([other] if other else []))


def measured(target: Target, disruptor: Disruptor) -> MeasuredOutage:
    """One backend dies while requests flow, then it is back; then it is too busy, and back again."""
    group = group_of(target)
    null = null_by_deployment(target, group)
    shares = {name: _share(null, name) for name in members(group)}
    # of its death the most is seen where several are left to share, and it had a part to lose
    dead = max(
        (name for name in shares if shares[name] > 0),
        key=lambda name: sum(share > 0 and of_backend(one) != name for one, share in null.shares.items()),
    )
    chats = [(RequestKind.CHAT, group.alias)] * target.environment.outage.requests
    with OutageStage(target, disruptor) as stage:
        stage.take_down(OutageKind.KILL, dead, *around(stage, *chats[:6]))
        sent = stage.send(*around(stage, *chats))
        sample = [seen for seen in sent if seen.alias == group.alias]
        revivals = [_revived(stage, group, dead, OutageKind.KILL, shares[dead])]
        stage.take_down(OutageKind.BUSY, dead, *around(stage, *chats[:24]))
        revivals.append(_revived(stage, group, dead, OutageKind.BUSY, shares[dead]))
        program = stage.settle()
    return MeasuredOutage(program, group.alias, dead, sample, null, revivals)


def all_dead(target: Target, disruptor: Disruptor) -> Program:
    """One after the other, in different ways, until none is left."""
    group = group_of(target)
    with OutageStage(target, disruptor) as stage:
        for number, backend in enumerate(members(group)):
            kind = OutageKind.REFUSE if number % 2 else OutageKind.KILL
            stage.take_down(kind, backend, *around(stage, *[(RequestKind.CHAT, group.alias)] * 3))
        stage.send(*around(stage, *[(RequestKind.CHAT, group.alias), (RequestKind.STREAM, group.alias)] * 3))
        return stage.settle()


def silent(target: Target, disruptor: Disruptor) -> Program:
    """The first backend swallows requests, all others are slower than the gateway's patience. Raises
    NotApplicable where that patience is too long to wait for."""
    group = group_of(target)
    patience = target.environment.outage.patience_s
    if patience > MOST_PATIENCE_S:
        raise NotApplicable(
            f"outage.patience_s is {patience:g}; silent backends are tried up to {MOST_PATIENCE_S:g} only",
            declared="outage.patience_s",
        )
    with OutageStage(target, disruptor) as stage:
        for number, backend in enumerate(members(group)):
            stage.take_down(OutageKind.SLOW if number else OutageKind.BLACK_HOLE, backend)
        chats: list[Ask] = [(RequestKind.CHAT, group.alias)] * 4 + [(RequestKind.STREAM, group.alias)] * 2
        stage.send(*around(stage, *chats))
        return stage.settle()


def dropped(target: Target, disruptor: Disruptor) -> Program:
    """Every backend breaks its streams off; then the models are exchanged."""
    group = group_of(target)
    with OutageStage(target, disruptor) as stage:
        for backend in members(group):
            stage.take_down(OutageKind.DROP, backend)
        stage.send(*around(stage, *[(RequestKind.STREAM, group.alias)] * 6))
        first, *others = members(group)
        for backend in others:
            stage.revive(backend)
        stage.take_down(OutageKind.SWAP, first)
        singles = [model.alias for model in target.environment.models if model.backend == first]
        stage.send(*around(stage, *[(RequestKind.CHAT, alias) for alias in (*singles, group.alias)] * 3))
        return stage.settle()


FIXED: dict[str, Callable[[Target, Disruptor], Program]] = {
    "measured": lambda target, disruptor: play(target, disruptor).program,
    "all-dead": all_dead,
    "dropped": dropped,
    "silent": silent,
}
"""In the order in which they are played."""


def play(target: Target, disruptor: Disruptor) -> MeasuredOutage:
    """The first program, once per run."""
    seen = target.once_per_run("outage-numbers", lambda: measured(target, disruptor))
    subjects.judged(requests=len(seen.sample))
    return seen


def _share(null: ExpectedShares, backend: str) -> float:
    return sum(share for identity, share in null.shares.items() if of_backend(identity) == backend)


def _revived(stage: OutageStage, group: Group, backend: str, kind: OutageKind, share: float) -> Revival:
    """Give it back, and ask until it serves: slowly while it may cool down, then as often as chance needs."""
    stage.revive(backend, *around(stage))
    begun, draws, witnessed = stage.now, 0, False
    cool = begun + stage.environment.outage.cooldown_s + SLACK_S
    missed, waits = 1.0, pauses()
    with stage.target.notebook.meter.chance(Chance.WAIT, most_draws(stage, share)):
        while missed > NOT_DRAWN:
            (seen,) = stage.again((RequestKind.CHAT, group.alias))
            draws += 1
            witnessed = witnessed or bool(seen.witness)
            if seen.served and seen.witness == backend:
                return Revival(kind, backend, stage.now - begun, draws, witnessed)
            if stage.now > cool:
                missed *= 1 - share
            else:
                time.sleep(min(next(waits), max(POLL_S, cool - stage.now)))
    return Revival(kind, backend, None, draws, witnessed)


def most_draws(stage: OutageStage, share: float) -> int:
    """Requests until a backend of this share that is back was drawn, at most: as long as it may cool down one
    with each look, and then as many as chance needs."""
    cooling = polls_within(stage.environment.outage.cooldown_s + SLACK_S)
    return cooling + (math.ceil(math.log(NOT_DRAWN) / math.log(1 - share)) if 0 < share < 1 else 1)
