"""What a run kept of its exchanges: that it is there, of its time, and of its gateway. Pure."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlsplit

from gateway_acceptance.check import Effect
from gateway_acceptance.record_model import Record, RecordedCase
from gateway_acceptance.verdict import Verdict

MEANWHILE_S = 60.0
"""Seconds by which an exchange may lie outside of its run: what is asked before its clock begins."""
OF_REQUESTS = (Effect.SPEND, Effect.PROBE)
"""Effects of checks of the API that nobody judges without a request."""
API = "api"
PORTS = {"http": 80, "https": 443}


def without_evidence(record: Record) -> list[str]:
    """Cases that asked the target and kept nothing of it, and checks that ask it by what they are and kept
    nothing in any case: no run of the suite leaves such."""
    empty = [
        case.nodeid
        for _, case in record.cases()
        if case.requests and not case.evidence and case.verdict is Verdict.PASSED
    ]
    found = []
    if empty:
        found.append(
            f"{len(empty)} cases say that they asked and show no exchange, such as {empty[0]}: evidence was "
            "lost"
        )
    silent = _silent(record)
    if silent:
        found.append(
            f"{len(silent)} checks pass by asking, and no case of them shows an exchange, such as "
            f"{silent[0]}: evidence was lost"
        )
    return found


def of_another_time(record: Record) -> list[str]:
    """Evidence that was sent outside of the run: of another one, whatever it shows."""
    begun, ended = (
        datetime.fromisoformat(moment).timestamp() for moment in (record.run.started, record.run.ended)
    )
    strange = [
        case.nodeid
        for _, case in record.cases()
        for entry in case.evidence
        if entry.sent_at is not None and not begun - MEANWHILE_S <= entry.sent_at <= ended + MEANWHILE_S
    ]
    if not strange:
        return []
    return [
        f"{len(strange)} exchanges were sent outside of the run, such as one of {strange[0]}: they are of "
        "another one"
    ]


def of_another_gateway(record: Record) -> list[str]:
    """Cases of the API none of whose exchanges went to the gateway: they are of another one, whatever they
    show. That single ones go elsewhere is what some checks try."""
    own = _place(record.target.gateway_url)
    strange = [
        case.nodeid
        for check, case in record.cases()
        if check.suite == API and case.evidence and not any(_place(one.url) == own for one in case.evidence)
    ]
    if not strange:
        return []
    return [
        f"{len(strange)} cases hold no exchange with {record.target.gateway_url}, such as {strange[0]}: they "
        "are of another gateway"
    ]


def _silent(record: Record) -> list[str]:
    """Checks of the API that passed by asking, and kept no exchange in any case."""
    return [
        check.id
        for check in record.checks
        if check.suite == API
        and check.effect in OF_REQUESTS
        and any(map(_passed, check.cases))
        and not any(case.evidence for case in check.cases)
    ]


def _passed(case: RecordedCase) -> bool:
    return case.verdict is Verdict.PASSED


def _place(url: str) -> tuple[str, int | None]:
    """Host and port of a URL, as HTTP knows them; the URL itself where it is none."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("idna").decode("ascii").lower()
        return host or url, parts.port or PORTS.get(parts.scheme)
    except ValueError:
        return url, None
