"""Why a run cannot be signed: every reason, a sentence each. Pure but for reading runs and the suite's
lists."""

from __future__ import annotations

from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from gateway_acceptance.audit import findings
from gateway_acceptance.check import RELEASE
from gateway_acceptance.environment import Environment, EnvironmentKind, resolved
from gateway_acceptance.fingerprint import LOOPBACK, REACHED
from gateway_acceptance.record import environment_document
from gateway_acceptance.record_model import Record
from gateway_acceptance.report.reading import first_line, utc
from gateway_acceptance.signoff.accepted import declared
from gateway_acceptance.signoff.again import contradicted
from gateway_acceptance.signoff.commit import of_another_commit
from gateway_acceptance.signoff.document import SIGNABLE
from gateway_acceptance.signoff.kept import of_another_gateway, of_another_time, without_evidence
from gateway_acceptance.signoff.suite import Suite
from gateway_acceptance.waivers import unsound

UNBOUND = "does not bind what it was judged by; run again with this suite"


def refusals(
    run: Path, record: Record, environment: Environment, now: datetime, suite: Suite | None = None
) -> list[str]:
    """Everything against signing the run now; empty where it may be signed. suite: the one at hand, which the
    run is held against; None where that is told elsewhere."""
    audited = [f"the run {run.name} cannot be relied on: {first_line(one)}" for one in findings(run)]
    try:
        reasons = [
            *_renamed(run, record),
            *unsignable(record, now),
            *unsound_waivers(record, now),
            *stale(record, now, environment.tracker.fresh_h),
            *otherwise(record, environment),
            *unbound(record, environment),
            *at_home(environment, record),
            *without_evidence(record),
            *of_another_time(record),
            *of_another_gateway(record),
            *([] if suite is None else of_another_commit(record, suite)),
            *([] if suite is None else contradicted(record, environment, suite)),
        ]
    except ValueError as error:
        reasons = [f"the record of the run {run.name} is not whole ({first_line(str(error))}); run again"]
    return [*reasons, *audited]


def _renamed(run: Path, record: Record) -> list[str]:
    name = record.run.id
    return [] if name == run.name else [f"the run {name} lies under the name {run.name}; it was moved"]


def unsignable(record: Record, signed: datetime) -> list[str]:
    """What keeps a record from being signed, ever or at that time; asked at signing and at verifying."""
    run, suite = record.run, record.run.suite
    name, found = f"the run {run.id}", []
    if run.state not in SIGNABLE:
        why = first_line(run.headline)
        found.append(f"{name} is {run.state} ({why}); only {' or '.join(SIGNABLE)} is signed")
    if run.profile != RELEASE:
        found.append(
            f"{name} is of the profile {run.profile or 'none'}; only the profile {RELEASE} is signed"
        )
    if run.selection.narrowed:
        narrowed = ", ".join(run.selection.narrowed)
        found.append(f"{name} was made smaller than its profile ({narrowed}); only a whole one is signed")
    if not suite.commit:
        found.append(
            f"{name} does not say which commit of the suite judged; judge from a git checkout, "
            "or with a wheel that was built from one"
        )
    elif suite.dirty is not False:
        found.append(
            f"{name} was judged by a changed suite (commit {suite.commit}, dirty); commit, and run again"
        )
    expired = [
        waiver.id for waiver in record.waivers if waiver.used and waiver.expires < signed.date().isoformat()
    ]
    found += [
        f"the waiver {waiver} has expired since {name}; renew or remove it, and run again"
        for waiver in expired
    ]
    return found


def unsound_waivers(record: Record, signed: datetime) -> list[str]:
    """What no file of waivers may say, of those that the run used, however they came into its record."""
    return [
        sentence
        for entry in record.waivers
        if entry.used
        for sentence in unsound(declared(entry), signed.date())
    ]


def stale(record: Record, signed: datetime, fresh_h: float) -> list[str]:
    """Whether a run was too old for signing, or had not ended. fresh_h: hours that a proof counts."""
    run = record.run
    age_h = (signed - datetime.fromisoformat(run.ended)).total_seconds() / 3600
    if age_h < 0:
        return [f"the run {run.id} ended at {utc(run.ended)}, after the signing; correct the clock"]
    if age_h > fresh_h:
        return [
            f"the run {run.id} ended {age_h:.1f} hours before the signing; "
            f"a proof counts {fresh_h:g}; run again"
        ]
    return []


def otherwise(record: Record, environment: Environment) -> list[str]:
    """Whether the environment is declared as it was judged."""
    run, target = record.run, record.target
    if run.environment != environment.name:
        return [f"the run {run.id} is of the environment {run.environment}, not of {environment.name}"]
    today = {
        "kind": environment.kind.value,
        "gateway.url": environment.gateway.url,
        "gateway.product": environment.gateway.product,
        **environment_document(environment),
    }
    judged = {
        "kind": run.kind,
        "gateway.url": target.gateway_url,
        "gateway.product": target.product,
        **record.environment.model_dump(mode="python", by_alias=True, exclude_unset=True),
    }
    changed = [name for name in today if today[name] != judged.get(name)]
    if not changed:
        return []
    file = environment.source.name
    return [
        f"{file} declares otherwise than what was judged ({', '.join(changed)}); "
        "run again, or set the variables that were set then"
    ]


def unbound(record: Record, environment: Environment) -> list[str]:
    """Whether the run bound what it judged by, and whether the environment is declared just so: every
    table of it, and not only what the record shows."""
    name, binding = f"the run {record.run.id}", record.basis.binding
    if binding is None or binding.start is None or binding.end is None:
        return [f"{name} {UNBOUND}"]
    start = binding.start.environment
    if start.resolved_sha256 != resolved(environment):
        return [
            f"{environment.source.name} declares another environment than {name} was judged by, which was "
            f"read from {start.file}; give that file, or run again with this one"
        ]
    return []


def at_home(environment: Environment, record: Record) -> list[str]:
    """Whether what is called production is this very machine's loopback, by its URL, its declared addresses
    or what its name stood for: no deployment is."""
    if environment.kind is not EnvironmentKind.PRODUCTION:
        return []
    declared = environment.gateway.identity
    host = urlsplit(environment.gateway.url).hostname or ""
    named = [host, *(declared.addresses if declared is not None else ())]
    taken = [one or {} for one in (record.target.fingerprint.start, record.target.fingerprint.end)]
    if any(one.get(REACHED) == LOOPBACK for one in taken) and not any(map(_is_loopback, named)):
        return [
            f"{environment.source.name} calls {host} production, and that name stood for {LOOPBACK}: correct "
            "the resolver, or declare another kind"
        ]
    return [
        f"{environment.source.name} calls {one} production: a loopback address is no deployment; "
        "declare the address that clients use, or another kind"
        for one in dict.fromkeys(named)
        if _is_loopback(one)
    ]


def _is_loopback(host: str) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        return host.rstrip(".").lower() == "localhost" or host.rstrip(".").lower().endswith(".localhost")
    mapped = getattr(address, "ipv4_mapped", None)
    return address.is_loopback or address.is_unspecified or (mapped is not None and mapped.is_loopback)


def utc_now() -> datetime:
    """Now, to the second."""
    return datetime.now(UTC).replace(microsecond=0)
