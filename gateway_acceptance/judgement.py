"""The state of a run, judged from its record alone: so that anybody can judge it again.

All functions are pure over the record (docs/architecture.md, "The record").
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from gateway_acceptance.causes import ALIKE, findings, widest_alarms
from gateway_acceptance.check import RELEASE, VOLUNTARY
from gateway_acceptance.environment import EnvironmentKind
from gateway_acceptance.fingerprint import IDENTITY, compared
from gateway_acceptance.record_model import (
    JudgedBy,
    Record,
    RecordedBinding,
    RecordedCheck,
    RecordedPlanted,
    RecordedWaiver,
)
from gateway_acceptance.record_model.basis import RecordedCheckout
from gateway_acceptance.usage import (
    EXIT_HARNESS_ERROR,
    EXIT_INTERRUPTED,
    EXIT_NOT_READY,
    EXIT_READY,
    EXIT_USAGE,
)
from gateway_acceptance.verdict import Verdict

NOT_VERIFIED = "not verified"
VOID = "VOID"
MANY_ALIKE = 8
"""So many checks that were not executed, or fail for one cause, are told in one line and not all named."""
UNTESTABLE = "Untestable: "
"""How every sentence of an untestable case begins."""
NEEDLESS_DAYS = 14
"""For so long a waiver that is no longer needed is a warning; then it makes the run red."""
LEAST_PLANTED = 12
"""Planted defects that a run which could accept a release must have tried, if the suite has so many."""
CLOCK_TOLERANCE_S = 2.0
"""A leap second is one. Slewing by NTP moves both clocks that are compared alike, so it needs nothing."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """state: one word for the whole run; headline: why, in a sentence; reasons: everything against green."""

    state: str
    headline: str
    reasons: Sequence[str]
    exit_code: int


def judge(record: Record) -> Judgement:
    """The overall state: computed from what was executed, never written by hand.

    record: whole but for the judgement itself; its ``basis`` holds what is known of the run beside its cases.
    """
    run, basis = record.run, record.basis
    red = [check for check in record.checks if check.verdict and check.verdict.red]
    wide = widest_alarms(red)
    red.sort(key=lambda check: (not _alarms(check), wide.isdisjoint(_alarms(check))))
    alarm = next((f"{alarms[0]}; " for alarms in map(_alarms, red) if alarms), "")
    moved, unknown = compared(record.target.fingerprint.start, record.target.fingerprint.end)
    reasons = [
        *basis.broken,
        *_red_reasons(red),
        *_waiver_reasons(record),
    ]
    executed = record.totals.checks_executed
    harness = bool(basis.broken) or any(check.verdict == Verdict.HARNESS_ERROR for check in red)
    bad = EXIT_HARNESS_ERROR if harness else EXIT_NOT_READY
    if basis.unfinished:
        return Judgement(VOID, "the run began and has not ended", reasons, EXIT_INTERRUPTED)
    if basis.untrusted:
        found = basis.untrusted
        return Judgement(VOID, found.headline, [*reasons, *found.reasons], EXIT_HARNESS_ERROR)
    if basis.interrupted:
        headline = f"the run was interrupted: {basis.interrupted}"
        return Judgement(VOID, headline, _of_an_end(record, reasons), EXIT_INTERRUPTED)
    if not record.totals.checks_selected and not basis.broken:
        return Judgement(VOID, "no check was selected", ["no check was selected"], EXIT_USAGE)
    void = [
        *_rebound(basis.binding),
        *missed_defects(basis.planted),
        *(f"the target changed during the run: {change}" for change in moved),
        *clock_problems(record),
    ]
    if void:
        code = EXIT_HARNESS_ERROR if harness else EXIT_INTERRUPTED
        return Judgement(VOID, void[0], [*void, *reasons], code)
    if executed:
        reasons += unknown
    else:
        reasons.append("no check was executed")
    narrowed = run.selection.narrowed
    if run.profile is None or narrowed:
        outcome = f"{len(reasons)} against it" if reasons else "all that was executed passed"
        headline = f"{alarm}{executed} checks executed, which is no whole profile; {outcome}"
        return Judgement("PARTIAL RUN", headline, reasons, bad if reasons else EXIT_READY)
    reasons += _profile_reasons(record)
    unspoken = [claim.id for claim in record.claims if claim.verdict == NOT_VERIFIED]
    uncovered = f"{len(unspoken)} of {len(record.claims)} claims are not covered by it"
    if run.profile != RELEASE:
        name = run.profile.upper()
        if reasons:
            return Judgement(f"{name} FAILED", f"{alarm}{_count(reasons)}; {uncovered}", reasons, bad)
        return Judgement(f"{name} PASSED", f"{executed} checks executed; {uncovered}", [], EXIT_READY)
    reasons += _unfit(basis.binding)
    reasons += _unidentified(record)
    if unspoken:
        reasons.append(f"{len(unspoken)} claims are not verified: {', '.join(unspoken)}")
    if reasons:
        return Judgement("NOT READY", f"{alarm}{_count(reasons)}", reasons, bad)
    ready = "PRODUCTION READY" if run.kind == EnvironmentKind.PRODUCTION.value else "READY"
    headline = f"all {len(record.claims)} claims are verified"
    absent = len(record.not_part)
    headline += f"; {absent} of the tracker's are not part of this deployment" if absent else ""
    return Judgement(ready, headline, [], EXIT_READY)


def _of_an_end(record: Record, reasons: Sequence[str]) -> list[str]:
    """The reasons of a run that was ended early: all that was never reported is one of them."""
    why = record.basis.interrupted
    lost: dict[str, int] = {}
    for check in record.checks:
        red = [case for case in check.cases if case.verdict == Verdict.HARNESS_ERROR.value]
        if check.verdict == Verdict.HARNESS_ERROR and all(why in case.message for case in red):
            lost[check.id] = len(red)
    kept = [reason for reason in reasons if reason.split(" ", 1)[0] not in lost]
    return [*kept, f"{sum(lost.values())} cases were not judged: {why}"] if lost else kept


def _rebound(binding: RecordedBinding | None) -> list[str]:
    """What of the account of what judges was otherwise at the end of the run, or was written while it ran,
    be it as before again; records of an earlier suite have none."""
    if not binding or not binding.start or not binding.end:
        return []
    start, end = binding.start, binding.end
    names = [name for name in JudgedBy.model_fields if name in start.model_fields_set]
    pairs = ((name, getattr(start, name), getattr(end, name)) for name in names)
    found = [_moved(*pair) for pair in pairs if pair[1] != pair[2]]
    written = list(dict.fromkeys([*start.touched, *end.touched]))
    if written:
        found.append(f"files that decide were written during the run: {', '.join(written)}")
    return [f"what judges changed during the run: {words}" for words in found if words]


def _moved(name: str, before: Any, after: Any) -> str:
    """What changed, in words; nothing where it is said elsewhere, or nothing of it decides."""
    if name in ("problems", "touched"):
        return ""
    if name != "suite" or not isinstance(after, RecordedCheckout):
        return name
    if before.commit != after.commit:
        return f"its commit was {before.commit}, is {after.commit} (a pull, a commit or a checkout)"
    return f"its checkout, {', '.join([*before.changed, *after.changed])}"


def missed_defects(planted: RecordedPlanted | None) -> list[str]:
    """The planted defects that were not seen for their reason, and that there were too few of them."""
    if planted is None:
        return []
    results = planted.results
    found = []
    if len(results) < min(LEAST_PLANTED, planted.known):
        found.append(f"only {len(results)} planted defects were tried; {LEAST_PLANTED} are to be")
    for one in results:
        if one.verdict != Verdict.FAILED or not one.expected or one.expected not in one.said:
            text = one.verdict + (f": {one.said}" if one.said else "")
            wanted = f"{one.check} was to fail ({one.expected})"
            found.append(f"a planted defect was not seen: {wanted}, and is {text}")
    return found


def _unidentified(record: Record) -> list[str]:
    """Whether nobody knows that it was production which was judged: what it is known by must be declared, and
    seen at both ends of the run. What is declared of any other is held against it on every connection."""
    run, target = record.run, record.target
    if run.kind != EnvironmentKind.PRODUCTION.value:
        return []
    declared = target.identity
    if not declared:
        return [
            f"{run.environment} is production and declares nothing by which its gateway is known: declare "
            "[gateway.identity] with addresses, tls_name, certificates or ssh_host_key"
        ]
    wanted = f"as declared: {', '.join(declared)}"
    taken = {"start": target.fingerprint.start, "end": target.fingerprint.end}
    return [
        f"the identity of the gateway ({', '.join(declared)}) was not looked at at the {end} of the run: "
        f"{(facts or {}).get(IDENTITY, 'no fingerprint')}"
        for end, facts in taken.items()
        if (facts or {}).get(IDENTITY) != wanted
    ]


def _unfit(binding: RecordedBinding | None) -> list[str]:
    """What makes a run unfit to accept a release by, as it was seen at either end."""
    taken = [one for one in (binding.start, binding.end) if one] if binding else []
    return list(dict.fromkeys(problem for one in taken for problem in one.problems))


def clock_problems(record: Record) -> list[str]:
    """What shows that the clock did not run evenly: times of such a run prove nothing of when."""
    run, elapsed = record.run, record.basis.elapsed_s
    begun, ended = datetime.fromisoformat(run.started), datetime.fromisoformat(run.ended)
    span_s = (ended - begun).total_seconds()
    if elapsed is not None and abs(span_s - elapsed) > CLOCK_TOLERANCE_S:
        return [f"the clock jumped during the run: {elapsed:.1f} s passed, and it says {span_s:.1f} s"]
    if span_s < 0:
        return [f"the clock ran backwards: the run began at {run.started} and ended at {run.ended}"]
    for check in record.checks:
        for case in check.cases:
            at = datetime.fromisoformat(case.started)
            early, late = (begun - at).total_seconds(), (at - ended).total_seconds()
            if max(early, late) > CLOCK_TOLERANCE_S or case.duration_s < 0:
                return [
                    f"the clock jumped during the run: {case.nodeid} is said to have begun at "
                    f"{case.started} and to have taken {case.duration_s} s"
                ]
    return []


def _profile_reasons(record: Record) -> list[str]:
    """What keeps a run from being its whole profile."""
    profile, listed = record.run.profile, record.basis.frozen or ()
    unlisted = [check.id for check in record.checks if profile in check.profiles and check.id not in listed]
    missing = _not_executed(record, [*listed, *unlisted])
    alike = Counter(why for _, why in missing)
    reasons = [f"{check_id} was not executed: {why}" for check_id, why in missing if alike[why] < MANY_ALIKE]
    for why, count in alike.items():
        if count >= MANY_ALIKE:
            first = ", ".join([check_id for check_id, reason in missing if reason == why][:3])
            reasons.append(f"{count} checks were not executed ({first}, and so on): {why}")
    if unlisted:
        reasons.append(f"not in the list of {profile} in suites/profiles.toml: {', '.join(unlisted)}")
    return reasons


def _count(reasons: Sequence[str]) -> str:
    return "1 reason against it" if len(reasons) == 1 else f"{len(reasons)} reasons against it"


def _red_reasons(red: Sequence[RecordedCheck]) -> list[str]:
    """One each; those that fail, or are untestable, for one and the same cause are one together, and
    counted."""
    alike = Counter(_cause(check) for check in red)
    shared = findings(red)
    together = {check_id for finding in shared for check_id in finding.checks}
    reasons = [
        _red_reason(check)
        for check in red
        if check.id not in together and (alike[_cause(check)] < ALIKE or not _cause(check))
    ]
    reasons += [str(finding) for finding in shared]
    return reasons + [
        f"{count} checks are {_verdict_of(cause)} because of one cause: {cause.removeprefix(UNTESTABLE)}"
        for cause, count in alike.items()
        if cause and count >= ALIKE
    ]


def _cause(check: RecordedCheck) -> str:
    """Why a check is untestable, or inconclusive, where that is all that keeps it from green, in every red
    case alike."""
    red = {(case.verdict, case.message) for case in check.cases if case.verdict.red}
    verdict, message = next(iter(red)) if len(red) == 1 else ("", "")
    return str(message) if verdict in (Verdict.UNTESTABLE, Verdict.INCONCLUSIVE) else ""


def _verdict_of(cause: str) -> str:
    return Verdict.UNTESTABLE.value if cause.startswith(UNTESTABLE) else Verdict.INCONCLUSIVE.value


def _red_reason(check: RecordedCheck) -> str:
    counted = Counter(case.verdict for case in check.cases if case.verdict.red)
    words = ", ".join(f"{count} {verdict}" for verdict, count in counted.items())
    return f"{check.id} {'; '.join(_alarms(check)) or check.title}: {words}"


def _alarms(check: RecordedCheck) -> list[str]:
    """What outweighs everything else, one sentence each. A record of an earlier suite has none."""
    red = (case for case in check.cases if case.verdict.red)
    return list(dict.fromkeys(case.alarm for case in red if case.alarm))


def needless(waiver: RecordedWaiver, record: Record) -> str:
    """What to do about a waiver that is no longer needed; of a record's own waivers."""
    return f"the waiver {waiver.id} is no longer needed: {waiver.check} passes; {_advice(waiver, record)}"


def days_needless(waiver: RecordedWaiver, record: Record) -> int | None:
    """For how many days runs found it so; None where the record keeps no history: then it is too long."""
    since = waiver.needless_since
    if since is None:
        return None
    return (date.fromisoformat(record.basis.today) - date.fromisoformat(since)).days


def _advice(waiver: RecordedWaiver, record: Record) -> str:
    """Narrow what fits elsewhere as well, remove the rest."""
    scope = waiver.scope
    versions = scope.versions or ""
    bounds = {part.lstrip("<>=~! ") for part in versions.split(",")}
    pinned = len(bounds) == 1 and ("==" in versions or versions.count("=") > 1) and "*" not in versions
    here = record.target.product_version
    if versions and not pinned:
        return f"narrow its versions ({versions}) to those that need it, without {here}"
    if len(scope.environments) > 1:
        return f"take {record.run.environment} out of its environments"
    if scope.product and not versions and not scope.environments:
        return f"give it the versions that need it, without {here or 'this one'}, or remove it"
    return "remove it"


def _waiver_reasons(record: Record) -> list[str]:
    reasons = []
    for waiver in record.waivers:
        if waiver.expired:
            reasons.append(f"the waiver {waiver.id} expired on {waiver.expires}: renew it or remove it")
        elif waiver.stale:
            days = days_needless(waiver, record)
            if days is None or days > NEEDLESS_DAYS:
                reasons.append(needless(waiver, record))
    return reasons


def _not_executed(record: Record, expected: Sequence[str]) -> list[tuple[str, str]]:
    """The checks of a frozen list that neither ran nor were declared absent, and why. An environment need not
    permit that something of it is taken down, or that its key is shown; what that would tell is then not
    told, and said to be so."""
    by_id = {check.id: check for check in record.checks}
    permitted = record.environment.policy.effects
    voluntary = {effect.value for effect in VOLUNTARY if effect.value not in permitted}
    missing = []
    for check_id in expected:
        check = by_id.get(check_id)
        if check is None or check.verdict is None:
            missing.append((check_id, "it is in the profile's list and was not there to run"))
        elif check.verdict == Verdict.NOT_PERMITTED and check.effect not in voluntary:
            missing.append((check_id, "the policy does not permit it"))
    return missing
