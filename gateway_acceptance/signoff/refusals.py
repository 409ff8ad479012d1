"""Why a run cannot be signed: every reason, a sentence each. Pure but for reading the run's directory."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gateway_acceptance.audit import findings
from gateway_acceptance.check import RELEASE
from gateway_acceptance.environment import Environment
from gateway_acceptance.record import environment_document
from gateway_acceptance.report.reading import first_line, utc
from gateway_acceptance.signoff.document import SIGNABLE

Record = Mapping[str, Any]


def refusals(run: Path, record: Record, environment: Environment, now: datetime) -> list[str]:
    """Everything against signing the run now; empty where it may be signed."""
    audited = [f"the run {run.name} cannot be relied on: {first_line(one)}" for one in findings(run)]
    try:
        reasons = [
            *unsignable(record, now),
            *stale(record, now, environment.tracker.fresh_h),
            *otherwise(record, environment),
        ]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        reasons = [
            f"the record of the run {run.name} is not whole ({type(error).__name__}: {error}); run again"
        ]
    return [*reasons, *audited]


def unsignable(record: Record, signed: datetime) -> list[str]:
    """What keeps a record from being signed, ever or at that time; asked at signing and at verifying."""
    run, suite = record["run"], record["run"]["suite"]
    name, found = f"the run {run['id']}", []
    if run["state"] not in SIGNABLE:
        why = first_line(run["headline"])
        found.append(f"{name} is {run['state']} ({why}); only {' or '.join(SIGNABLE)} is signed")
    if run["profile"] != RELEASE:
        found.append(
            f"{name} is of the profile {run['profile'] or 'none'}; only the profile {RELEASE} is signed"
        )
    if run["selection"]["narrowed"]:
        narrowed = ", ".join(run["selection"]["narrowed"])
        found.append(f"{name} was made smaller than its profile ({narrowed}); only a whole one is signed")
    if not suite["commit"]:
        found.append(
            f"{name} does not say which commit of the suite judged; judge from a git checkout, "
            "or with a wheel that was built from one"
        )
    elif suite["dirty"] is not False:
        found.append(
            f"{name} was judged by a changed suite (commit {suite['commit']}, dirty); commit, and run again"
        )
    expired = [
        waiver["id"]
        for waiver in record["waivers"]
        if waiver["used"] and waiver["expires"] < signed.date().isoformat()
    ]
    found += [
        f"the waiver {waiver} has expired since {name}; renew or remove it, and run again"
        for waiver in expired
    ]
    return found


def stale(record: Record, signed: datetime, fresh_h: float) -> list[str]:
    """Whether a run was too old for signing, or had not ended. fresh_h: hours that a proof counts."""
    run = record["run"]
    age_h = (signed - datetime.fromisoformat(run["ended"])).total_seconds() / 3600
    if age_h < 0:
        return [f"the run {run['id']} ended at {utc(run['ended'])}, after the signing; correct the clock"]
    if age_h > fresh_h:
        return [
            f"the run {run['id']} ended {age_h:.1f} hours before the signing; "
            f"a proof counts {fresh_h:g}; run again"
        ]
    return []


def otherwise(record: Record, environment: Environment) -> list[str]:
    """Whether the environment is declared as it was judged."""
    run, target = record["run"], record["target"]
    if run["environment"] != environment.name:
        return [f"the run {run['id']} is of the environment {run['environment']}, not of {environment.name}"]
    declared = {
        "kind": environment.kind.value,
        "gateway.url": environment.gateway.url,
        "gateway.product": environment.gateway.product,
        **environment_document(environment),
    }
    judged = {
        "kind": run["kind"],
        "gateway.url": target["gateway_url"],
        "gateway.product": target["product"],
        **record["environment"],
    }
    changed = [name for name in declared if declared[name] != judged.get(name)]
    if not changed:
        return []
    file = environment.source.name
    return [
        f"{file} declares otherwise than what was judged ({', '.join(changed)}); "
        "run again, or set the variables that were set then"
    ]


def utc_now() -> datetime:
    """Now, to the second."""
    return datetime.now(UTC).replace(microsecond=0)
