"""Who served a request of a balanced group, in the words of the null hypothesis."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from gateway_acceptance.balance.expected_shares import WitnessResolution
from gateway_acceptance.environment import Group
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import Untestable
from gateway_acceptance.wire.backends import client_of, full_name
from gateway_acceptance.wire.deployments import Listed
from gateway_acceptance.wire.exchange import Exchange
from suites.backends.routing.probes import MARK, counting, grown, listed

Named = tuple[str, str]
"""Who served (empty where nobody says), and what is contradictory about that (empty where nothing is)."""
Who = Callable[[Exchange], Named]


def who_of(target: Target, group: Group) -> Who:
    """What tells of an answer who served it. Raises Untestable where the environment wants deployments told
    apart, and the gateway does not tell them."""
    if witness_of(target) is WitnessResolution.BACKEND:
        return lambda answer: (answer.served_by, "")
    header = target.gateway.product.deployment_id
    if header is None:
        raise Untestable(
            "no header of this gateway names the deployment that served", 'set balance.witness = "backend"'
        )
    entries = {entry.id: entry for entry in listed(target)}
    return lambda answer: deployment_named(answer, header, entries, group)


def witness_of(target: Target) -> WitnessResolution:
    """What the environment wants told apart."""
    return WitnessResolution(target.environment.balance.witness)


def deployment_named(answer: Exchange, header: str, entries: Mapping[str, Listed], group: Group) -> Named:
    """By the header with the deployment's id and the gateway's own list; held against the other header."""
    named = answer.header(header)
    if not named:
        return "", ""
    entry = entries.get(named)
    if entry is None:
        return f"the unknown deployment {named[:16]}", ""
    contradiction = ""
    if answer.served_by and entry.backend != answer.served_by:
        contradiction = f"{header} means {entry.backend}, the other header {answer.served_by}"
    return identity(group, entry.backend, entry.upstream), contradiction


def identity(group: Group, backend: str, upstream: str) -> str:
    """The deployment's name in the null hypothesis, where it is one of the group's."""
    for member in group.deployments:
        if (member.backend, full_name(member.upstream)) == (backend, full_name(upstream)):
            return f"{member.backend}/{member.upstream}"
    return f"{backend}/{upstream}"


class CountWitness:
    """The second witness of a sample: what the backends counted from the making of this on."""

    def __init__(self, target: Target, group: Group, mark: str) -> None:
        self._target, self._group, self._mark = target, group, mark
        self._clients = [client_of(one, target.sender) for one in counting(target.environment)]
        wanted = {member.backend for member in group.deployments}
        self.complete = wanted <= {client.backend.name for client in self._clients}
        self.exact = self.complete and all(MARK in (one.backend.counts or "") for one in self._clients)
        self._before = {} if self.exact or not self.complete else self._read()

    def counted(self) -> dict[str, int] | None:
        """Requests by identity; None where not every backend of the group counts."""
        if not self.complete:
            return None
        backends = witness_of(self._target) is WitnessResolution.BACKEND
        found: Counter[str] = Counter()
        for name, models in self._read().items():
            for model, number in grown(self._before.get(name, {}), models).items():
                found[name if backends else identity(self._group, name, model)] += number
        return dict(found)

    def _read(self) -> dict[str, dict[str, int]]:
        return {client.backend.name: client.counts(self._mark) for client in self._clients}
