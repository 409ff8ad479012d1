"""The fingerprint of a target: what it is, taken at a run's start and again at its end.

Gateway and backends are asked within the budget; machines are looked at only where a check of them runs. What
cannot be had is a value (``fingerprint.UNKNOWN``), never an error. Of backends' machines no process is part
of it: a check may take a backend down, and brings it back. The gateway's own process is.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from gateway_acceptance.environment import Backend
from gateway_acceptance.environment.host import Host
from gateway_acceptance.environment.model import GATEWAY_MACHINE
from gateway_acceptance.fingerprint import IDENTITY, LOOPBACK, NOT_ASKED, REACHED, UNKNOWN
from gateway_acceptance.host.facts import NoFacts
from gateway_acceptance.plugin.at_once import at_once
from gateway_acceptance.plugin.connection import key_for
from gateway_acceptance.plugin.preflight import Preflight
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import CheckFailed, NotPermitted, Untestable
from gateway_acceptance.wire.backends import Offer, client_of
from gateway_acceptance.wire.exchange import Notebook
from gateway_acceptance.wire.ledger import Conduct
from gateway_acceptance.wire.sender import Deadline, Sender

LONGEST_S = 10.0
"""Seconds for one question to a backend: these are answered from memory."""
GIVEN_UP_S = 2.0
"""The same at the end of a run that was given up because of the gateway: backends that are well answer in
that time, and those that went with it are not waited for."""
SECTIONS = ("unit", "files", "python", "ollama")
"""Of a look at a machine: what its fingerprint is made of."""

BY_SSH = "ssh_host_key"
Taken = dict[str, str]


def identities(
    targets: Iterable[tuple[Target, bool]],
    before: Mapping[str, Taken] | None = None,
    meanwhile: Callable[[], object] | None = None,
    *,
    short: bool = False,
) -> dict[str, Taken]:
    """The fingerprint of each target, by its environment's name. With each: whether its machines are part.

    before: the fingerprints at the start, None at the start itself; what gave no answer then is not asked
    again. meanwhile: as of ``at_once``. short: a run of seconds, at whose end only the lists of models are
    asked for again, with their digests, and no version.
    """
    asked = list(targets)
    taken = at_once(
        [
            functools.partial(
                _identity,
                target,
                machines,
                None if before is None else before[target.environment.name],
                short,
            )
            for target, machines in asked
        ],
        meanwhile=meanwhile,
    )
    return {target.environment.name: one for (target, _), one in zip(asked, taken, strict=True)}


def _identity(target: Target, machines: bool, before: Taken | None, short: bool) -> Taken:
    direct = [backend for backend in target.environment.backends if backend.direct]
    asked = [functools.partial(_of_a_backend, target, one, before, short) for one in direct]
    found: Taken = {}
    for taken in at_once([functools.partial(_of_the_gateway, target, before, short), *asked]):
        found |= taken  # one silence is waited for, not one after the other
    reached = found["gateway.models"] != UNKNOWN or not _silent(found, "gateway.version")
    for name in target.environment.machines if machines else ():
        found |= _of_a_machine(target, name, before)
    found |= _as_declared(target, found, reached=reached)
    return dict.fromkeys(before or (), UNKNOWN) | found  # what was there to be had and is not now


def _as_declared(target: Target, found: Taken, *, reached: bool) -> Taken:
    """What of the declared identity was looked at just now: no connection comes about where it does not hold
    (``wire.identified``; ssh's own look at host keys)."""
    declared = target.environment.gateway.identity
    if declared is None:
        return {}
    whom = target.conduct.route.whom
    home = {REACHED: LOOPBACK} if whom is not None and whom.at_home else {}
    by_ssh = not _silent(found, "host.unit")
    parts = [name for name in declared.parts if (by_ssh if name == BY_SSH else reached)]
    return home | {IDENTITY: f"as declared: {', '.join(parts)}" if parts else UNKNOWN}


def _of_the_gateway(target: Target, before: Taken | None, short: bool) -> Taken:
    if before is not None and _silent(before, "gateway.models") and _silent(before, "gateway.version"):
        return {name: value for name, value in before.items() if name.startswith("gateway.")}
    trouble = None if before is None else target.breaker.trouble()
    try:
        if trouble is not None:
            seen = Preflight(silent=trouble.what)
        else:
            seen = target.preflight() if before is None else target.probe(version=not short)
    except NotPermitted as refusal:
        seen = Preflight(silent=str(refusal))
    found = {"gateway.models": UNKNOWN if seen.models is None else seen.models}
    if target.gateway.product.version_key:
        again = before is None or not short or seen.models is None
        found["gateway.version"] = (seen.version or UNKNOWN) if again else NOT_ASKED
    return found


def _of_a_backend(target: Target, backend: Backend, before: Taken | None, short: bool) -> Taken:
    prefix = f"backend.{backend.name}."
    earlier = {name: value for name, value in (before or {}).items() if name.startswith(prefix)}
    if before is not None and all(_silent(before, name) for name in earlier):
        return earlier
    limit = target.environment.gateway
    longest_s = LONGEST_S if before is None or target.breaker.trouble() is None else GIVEN_UP_S
    longest_s = min(longest_s, limit.request_deadline_s)
    deadline = Deadline(min(limit.connect_deadline_s, longest_s), longest_s)
    notebook = Notebook(agent=target.notebook.agent, key_places=target.notebook.key_places)
    conduct = Conduct(pace=target.conduct.pace, route=target.conduct.route)
    sender = Sender(notebook, target.budget, deadline, conduct=conduct)
    key = key_for(backend, target.notebook)
    client = client_of(backend, sender, target.kept if before is None else None, key)
    numbered = Offer.VERSION in client.offers
    wanted = sorted({client.name_of(name) for name in target.environment.upstreams_on(backend.name)})
    try:
        again = before is None or not short
        found = {f"{prefix}version": client.version() if again else NOT_ASKED} if numbered else {}
        listed = client.models()
        return found | {f"{prefix}model.{name}": listed.get(name, "absent") or "no digest" for name in wanted}
    except (CheckFailed, NotPermitted, Untestable):
        names = [*(["version"] if numbered else []), *(f"model.{name}" for name in wanted)]
        return {f"{prefix}{name}": UNKNOWN for name in names}
    finally:
        sender.close()


def _of_a_machine(target: Target, name: str, before: Taken | None) -> Taken:
    prefix = "host" if name == GATEWAY_MACHINE else f"backend.{name}.host"
    if before is not None and _silent(before, f"{prefix}.unit"):
        return {key: value for key, value in before.items() if key.startswith(f"{prefix}.")}
    try:
        sections = (
            target.machines.facts(name).sections
            if before is None
            else target.machines.refresh(name, SECTIONS)
        )
    except NoFacts:
        return {f"{prefix}.unit": UNKNOWN}
    found = {f"{prefix}.unit": _unit_files(sections)}
    machine = target.environment.machines[name]
    if not isinstance(machine, Host):
        version = _value(sections, "ollama").get("version")
        return found | {f"{prefix}.version": str(version or UNKNOWN)}
    properties = _value(sections, "unit").get("properties", {})
    for key in ("MainPID", "NRestarts"):
        found[f"{prefix}.{key}"] = str(properties.get(key) or UNKNOWN)
    if machine.configuration:
        entry = _value(sections, "files").get(machine.configuration, {})
        found[f"{prefix}.configuration"] = str(entry.get("sha256") or UNKNOWN)
    if machine.virtual_environment:
        packages = _value(sections, "python").get("packages") or {}
        found[f"{prefix}.packages"] = _digest(packages) if packages else UNKNOWN
    return found


def _unit_files(sections: Mapping[str, Any]) -> str:
    files = _value(sections, "unit").get("files") or ()
    return _digest([[file["path"], file["sha256"]] for file in files]) if files else UNKNOWN


def _value(sections: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = sections.get(name, {}).get("value")
    return value if isinstance(value, Mapping) else {}


def _digest(value: object) -> str:
    return "sha256:" + hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _silent(taken: Taken, name: str) -> bool:
    return taken.get(name, UNKNOWN).startswith(UNKNOWN)
