"""Risk level and next action, computed from the record by the rules that docs/tracker.md states."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gateway_acceptance.causes import findings, widest_alarms
from gateway_acceptance.check import Effect, Level
from gateway_acceptance.claims import NOT_VERIFIED, SECURITY
from gateway_acceptance.evaluation import spoken_cases
from gateway_acceptance.record_model import Record, RecordedCase, RecordedCheck, RecordedClaim
from gateway_acceptance.report.reading import first_line, is_red
from gateway_acceptance.verdict import Verdict

VOID = "VOID"
ABILITIES = "(models.abilities)"
"""How a case's message ends that does not apply for want of a declared ability."""
NAMED_AT_MOST = 12
"""So many ids are named in one sentence; the rest is counted."""

URGENCY = (Verdict.FAILED, Verdict.HARNESS_ERROR, Verdict.UNTESTABLE, Verdict.INCONCLUSIVE)
"""Which red verdict is looked at first: a failure is often why others are untestable."""


WEIGHED_ALIKE = 3
"""Of what ``importance`` compares: an open door, level and urgency."""


@dataclass(frozen=True, slots=True)
class Risk:
    """level: HIGH, MEDIUM, LOW or UNKNOWN; because: the rule that decided, with what met it."""

    level: str
    because: str


@dataclass(frozen=True, slots=True)
class Action:
    """What a person does next; command: how, where the tracker knows it."""

    text: str
    command: str = ""


def risk(record: Record) -> Risk:
    """The first rule that holds decides."""
    if record.run.state == VOID:
        return Risk("UNKNOWN", "the run is void")
    security = {claim.id for claim in record.claims if claim.section == SECURITY}
    must = [(check, case) for check, case in record.cases() if check.level == Level.MUST]
    failed = [check.id for check, case in must if case.verdict == Verdict.FAILED]
    if failed:
        return Risk("HIGH", f"MUST failed: {named(failed)}")
    unsafe = [check.id for check, case in must if is_red(case.verdict) and security & set(check.claims)]
    if unsafe:
        return Risk("HIGH", f"a security requirement could not be proven: {named(unsafe)}")
    unknown = [claim.id for claim in record.claims if claim.verdict == NOT_VERIFIED]
    if 2 * len(unknown) > len(record.claims) or not record.claims:
        return Risk("UNKNOWN", f"{len(unknown)} of {len(record.claims)} claims are not verified")
    red = [check.id for check, case in record.cases() if is_red(case.verdict)]
    if red:
        return Risk("MEDIUM", f"not green: {named(red)}")
    waived = [check.id for check, case in must if case.verdict == Verdict.WAIVED]
    if waived:
        return Risk("MEDIUM", f"MUST waived: {named(waived)}")
    deviating = [check.id for check, case in must if case.verdict == Verdict.DEVIATION]
    if deviating:
        return Risk("MEDIUM", f"the product does not keep a MUST: {named(deviating)}")
    open_security = [name for name in unknown if name in security]
    if open_security:
        return Risk("MEDIUM", f"security requirements not verified: {named(open_security)}")
    rest = f"; {len(unknown)} of {len(record.claims)} claims are not verified" if unknown else ""
    return Risk("LOW", f"nothing is red and no MUST is waived{rest}")


def next_action(record: Record, fixes: Mapping[str, str]) -> Action:
    """The most important thing to do. fixes: claim id to the command that fixes it."""
    run = record.run
    if run.state == VOID:
        return Action(f"Run again: {first_line(next(iter(run.reasons), 'the run is void'))}")
    if red := most_important(record):
        return _for_case(*red, fixes)
    stale = [waiver.id for waiver in record.waivers if waiver.stale]
    if stale:
        return Action(f"Narrow or remove the waivers that are no longer needed here: {named(stale)}")
    expired = [waiver.id for waiver in record.waivers if waiver.expired]
    if expired:
        return Action(f"Renew or remove the waivers that have expired: {named(expired)}")
    if run.exit_code and run.reasons:
        return Action(f"Resolve: {first_line(run.reasons[0])}")
    unknown = sorted(
        (claim for claim in record.claims if claim.verdict == NOT_VERIFIED),
        key=lambda claim: claim.section != SECURITY,
    )
    return _for_unverified(record, unknown) if unknown else Action("none")


def unjudged(record: Record) -> str:
    """The checks that no declared ability allows to be asked, in a sentence; empty where there are none. A
    profile that is green says nothing of them."""
    away = [
        check
        for check in record.checks
        if check.verdict is Verdict.NOT_APPLICABLE
        and any(case.message.endswith(ABILITIES) for case in check.cases)
    ]
    must = sum(check.level == Level.MUST for check in away)
    said = f"no model declares the abilities that {len(away)} checks ({must} MUST) need; see Not covered"
    return said if away else ""


def _for_unverified(record: Record, unknown: Sequence[RecordedClaim]) -> Action:
    """Running more proves what was not run, and nothing of what does not apply: that needs a declaration."""
    away = {claim.id: why for claim in unknown if (why := _declared_away(record, claim))}
    parts = [f"Prove what is not verified ({len(unknown)} claims): {named(claim.id for claim in unknown)}"]
    if record.run.profile != "release" and len(away) < len(unknown):
        parts.append("the profile release runs every check")
    if away:
        parts.append(f"as declared nothing of {named(away)} applies: {next(iter(away.values()))}")
    if any(why.endswith(ABILITIES) for why in away.values()):
        parts.append("gateway-acceptance abilities measures what the models can")
    return Action("; ".join(parts))


def _declared_away(record: Record, claim: RecordedClaim) -> str:
    """Why no evidence of a claim applies, as its first case says; empty where any of it was not run."""
    own = [check for check in record.checks if check.id in claim.checks]
    cases = [case for check in own for case in spoken_cases(claim, check)]
    run = all(check.cases for check in own)
    return (
        cases[0].message if cases and run and all(c.verdict is Verdict.NOT_APPLICABLE for c in cases) else ""
    )


def most_important(record: Record) -> tuple[RecordedCheck, RecordedCase] | None:
    """The red case to look at first, by ``importance``. Of a family's checks that fail for one cause and
    weigh alike, the first speaks: that a gateway serves everybody is no matter of well-known keys."""
    red = [(check, case) for check, case in record.cases() if is_red(case.verdict)]
    if not red:
        return None
    wide = widest_alarms(record.checks)
    check, case = min(red, key=lambda pair: (importance(record, *pair), pair[1].alarm not in wide))
    weight, family = importance(record, check, case)[:WEIGHED_ALIKE], _family(check.id)
    shared = next(
        (found.checks for found in findings(record.checks) if check.id in found.checks), (check.id,)
    )
    alike = {one for one in shared if _family(one) == family}
    return next(
        pair for pair in red if pair[0].id in alike and importance(record, *pair)[:WEIGHED_ALIKE] == weight
    )


def _family(check_id: str) -> str:
    return check_id.rpartition("-")[0]


def importance(record: Record, check: RecordedCheck, case: RecordedCase) -> tuple[bool, bool, int, bool, int]:
    """An open door before all else; MUST first, then urgency, then security; then the milder effect, because
    a read that fails is often the cause of what fails to be served."""
    if case.alarm:
        return (False, False, 0, False, 0)  # in the order of the reasons
    security = {claim.id for claim in record.claims if claim.section == SECURITY}
    return (
        True,
        check.level != Level.MUST,
        URGENCY.index(case.verdict),
        not security & set(check.claims),
        list(Effect).index(check.effect),
    )


def _for_case(check: RecordedCheck, case: RecordedCase, fixes: Mapping[str, str]) -> Action:
    what = f"{check.id} ({check.title}): {first_line(case.alarm or case.message)}"
    command = next((fixes[name] for name in check.claims if fixes.get(name)), "")
    match case.verdict:
        case Verdict.FAILED:
            return Action(f"Fix {what}", command)
        case Verdict.UNTESTABLE:
            return Action(f"Provide what is missing for {what}")
        case Verdict.HARNESS_ERROR:
            return Action(f"Report this error of the suite itself: {what}")
        case _:
            return Action(f"Decide what the budget did not allow to decide: {what}")


def named(ids: Iterable[str]) -> str:
    """``A, B, C and 4 more``, each id once."""
    unique = list(dict.fromkeys(ids))
    more = len(unique) - NAMED_AT_MOST
    return ", ".join(unique[:NAMED_AT_MOST]) + (f" and {more} more" if more > 0 else "")
