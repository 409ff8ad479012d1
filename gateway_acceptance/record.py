"""What happened: one document per run and environment, written by one process. It is the authority.

Shape: docs/architecture.md, "The record". All functions are pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from gateway_acceptance.check import RELEASE, Check, Effect
from gateway_acceptance.claims import Claim
from gateway_acceptance.environment import Environment, Kind
from gateway_acceptance.policy import Spent
from gateway_acceptance.usage import (
    EXIT_HARNESS_ERROR,
    EXIT_INTERRUPTED,
    EXIT_NOT_READY,
    EXIT_READY,
    EXIT_USAGE,
)
from gateway_acceptance.verdict import Verdict, worst
from gateway_acceptance.waivers import Waiver

FORMAT = 1
NOT_VERIFIED = "not verified"
Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Selected:
    """One case that the run set out to execute."""

    nodeid: str
    check: str
    environment: str
    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Run:
    """What the controller knows of the run itself. Times are UTC ISO-8601.

    profile: what ``-m`` names, or None; narrowed: the options that made the run smaller than its profile;
    interrupted: why it ended early, or empty; broken: collection errors and crashes that belong to no case.
    """

    id: str
    started: str
    ended: str
    profile: str | None
    marker: str
    narrowed: Sequence[str] = ()
    arguments: Sequence[str] = ()
    interrupted: str = ""
    broken: Sequence[str] = ()
    suite: Mapping[str, object] = field(default_factory=dict)
    tools: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Judgement:
    """state: one word for the whole run; headline: why, in a sentence; reasons: everything against green."""

    state: str
    headline: str
    reasons: Sequence[str]
    exit_code: int


def build(
    environment: Environment,
    run: Run,
    *,
    catalogue: Sequence[Check],
    selected: Sequence[Selected],
    cases: Sequence[Document],
    claims: Sequence[Claim],
    waivers: Sequence[Waiver],
    frozen: Mapping[str, Sequence[str]],
    spent: Spent,
    product_version: str,
    today: date,
) -> Document:
    """The record of one environment. cases: as the workers sent them; what was selected and never reported
    becomes a harness error, so that nothing is lost silently."""
    complete = [*cases, *_unfinished(selected, cases, run)]
    checks = [_check_document(check, complete) for check in catalogue]
    by_id = {check.id: check for check in catalogue}
    claim_documents = [_claim_document(claim, checks, by_id) for claim in claims]
    waiver_documents = [
        _waiver_document(waiver, environment, product_version, complete, today) for waiver in waivers
    ]
    document: Document = {
        "format": FORMAT,
        "run": {},
        "target": {
            "gateway_url": environment.gateway.url,
            "product": environment.gateway.product,
            "product_version": product_version,
            "facts": {name: value for case in complete for name, value in case["facts"].items()},
        },
        "environment": _environment_document(environment),
        "checks": checks,
        "claims": claim_documents,
        "waivers": waiver_documents,
        "totals": {
            **Counter(case["verdict"] for case in complete),
            "checks_selected": len({case["check"] for case in complete}),
            "checks_executed": sum(1 for check in checks if _executed(check)),
            "requests": spent.requests,
            "tokens": spent.tokens,
        },
    }
    judged = judge(document, run, environment, frozen)
    document["run"] = {
        "id": run.id,
        "environment": environment.name,
        "kind": environment.kind.value,
        "profile": run.profile,
        "selection": {
            "marker": run.marker,
            "narrowed": list(run.narrowed),
            "arguments": list(run.arguments),
        },
        "started": run.started,
        "ended": run.ended,
        **asdict(judged),
        "suite": dict(run.suite),
        "tools": dict(run.tools),
    }
    return document


def judge(
    document: Document, run: Run, environment: Environment, frozen: Mapping[str, Sequence[str]]
) -> Judgement:
    """The overall state: computed from what was executed, never written by hand."""
    red = [check for check in document["checks"] if check["verdict"] and Verdict(check["verdict"]).red]
    reasons = [*run.broken, *(_red_reason(check) for check in red), *_waiver_reasons(document["waivers"])]
    executed = document["totals"]["checks_executed"]
    if run.interrupted:
        return Judgement("VOID", f"the run was interrupted: {run.interrupted}", reasons, EXIT_INTERRUPTED)
    if not document["totals"]["checks_selected"] and not run.broken:
        return Judgement("VOID", "no check was selected", ["no check was selected"], EXIT_USAGE)
    if not executed:
        reasons.append("no check was executed")
    harness = run.broken or any(check["verdict"] == Verdict.HARNESS_ERROR for check in red)
    bad = EXIT_HARNESS_ERROR if harness else EXIT_NOT_READY
    if run.profile is None or run.narrowed:
        outcome = f"{len(reasons)} against it" if reasons else "all that was executed passed"
        headline = f"{executed} checks executed, which is no whole profile; {outcome}"
        return Judgement("PARTIAL RUN", headline, reasons, bad if reasons else EXIT_READY)
    listed = frozen.get(run.profile, ())
    unlisted = [
        check["id"]
        for check in document["checks"]
        if run.profile in check["profiles"] and check["id"] not in listed
    ]
    missing = _not_executed(document, [*listed, *unlisted], environment)
    reasons += [f"{check_id} was not executed: {why}" for check_id, why in missing]
    if unlisted:
        reasons.append(f"not in the list of {run.profile} in suites/profiles.toml: {', '.join(unlisted)}")
    unspoken = [claim["id"] for claim in document["claims"] if claim["verdict"] == NOT_VERIFIED]
    silence = f"it does not speak of {len(unspoken)} of {len(document['claims'])} claims"
    if run.profile != RELEASE:
        name = run.profile.upper()
        if reasons:
            return Judgement(f"{name} FAILED", f"{_count(reasons)}; {silence}", reasons, bad)
        return Judgement(f"{name} PASSED", f"{executed} checks executed; {silence}", [], EXIT_READY)
    if unspoken:
        reasons.append(f"{len(unspoken)} claims are not verified: {', '.join(unspoken)}")
    if reasons:
        return Judgement("NOT READY", _count(reasons), reasons, bad)
    ready = "PRODUCTION READY" if environment.kind is Kind.PRODUCTION else "READY"
    return Judgement(ready, f"all {len(document['claims'])} claims are verified", [], EXIT_READY)


def _count(reasons: Sequence[str]) -> str:
    return "1 reason against it" if len(reasons) == 1 else f"{len(reasons)} reasons against it"


def _red_reason(check: Document) -> str:
    counted = Counter(case["verdict"] for case in check["cases"] if Verdict(case["verdict"]).red)
    words = ", ".join(f"{count} {verdict}" for verdict, count in counted.items())
    return f"{check['id']} {check['title']}: {words}"


def _waiver_reasons(waivers: Sequence[Document]) -> list[str]:
    reasons = []
    for waiver in waivers:
        if waiver["expired"]:
            reasons.append(f"the waiver {waiver['id']} expired on {waiver['expires']}: renew it or remove it")
        elif waiver["stale"]:
            reasons.append(
                f"the waiver {waiver['id']} is no longer needed: {waiver['check']} passes; remove it"
            )
    return reasons


def _not_executed(
    document: Document, expected: Sequence[str], environment: Environment
) -> list[tuple[str, str]]:
    """The checks of a frozen list that neither ran nor were declared absent, and why. An environment need not
    permit that something of it is taken down; what that would show is then not shown, and said to be so."""
    by_id = {check["id"]: check for check in document["checks"]}
    missing = []
    for check_id in expected:
        check = by_id.get(check_id)
        if check is None or check["verdict"] is None:
            missing.append((check_id, "it is in the profile's list and was not there to run"))
        elif check["verdict"] == Verdict.NOT_PERMITTED and (
            check["effect"] != Effect.DISRUPT or Effect.DISRUPT in environment.policy.effects
        ):
            missing.append((check_id, "the policy does not permit it"))
    return missing


def _executed(check: Document) -> bool:
    return any(Verdict(case["verdict"]).executed for case in check["cases"])


def _check_document(check: Check, cases: Sequence[Document]) -> Document:
    own = [_without(case, "check", "environment") for case in cases if case["check"] == check.id]
    verdict = worst(Verdict(case["verdict"]) for case in own)
    return {
        "id": check.id,
        "title": check.title,
        "level": check.level.value,
        "effect": check.effect.value,
        "suite": check.suite,
        "claims": list(check.claims),
        "profiles": list(check.profiles),
        "spec": check.spec,
        "verdict": verdict.value if verdict else None,
        "cases": own,
    }


def evidence_of(claim: Claim, check: Check, values: Collection[str]) -> bool:
    """Whether a check speaks of a claim: it names it, or the claim is about one of its parameters' values."""
    return claim.id in check.claims or (claim.about is not None and claim.about in values)


def _claim_document(claim: Claim, checks: Sequence[Document], catalogue: Mapping[str, Check]) -> Document:
    """A claim is the worst of its evidence, and not verified without an executed check.

    Evidence are all cases of the checks that name the claim, and, where the claim is about one alias or
    backend, the cases of any check that concern it.
    """
    own, cases = [], []
    for check in checks:
        named = claim.id in check["claims"]
        spoken = [case for case in check["cases"] if named or claim.about in case["parameters"].values()]
        values = {value for case in check["cases"] for value in case["parameters"].values()}
        if evidence_of(claim, catalogue[check["id"]], values):
            own.append(check["id"])
            cases += spoken
    verdict = worst(Verdict(case["verdict"]) for case in cases)
    proven = verdict is not None and (verdict.red or any(Verdict(c["verdict"]).executed for c in cases))
    return {
        "id": claim.id,
        "section": claim.section,
        "text": claim.text,
        "mend": claim.mend,
        "verdict": verdict.value if verdict and proven else NOT_VERIFIED,
        "checks": own,
        "proven": max(case["started"] for case in cases)
        if verdict in (Verdict.PASSED, Verdict.WAIVED)
        else None,
    }


def _waiver_document(
    waiver: Waiver, environment: Environment, version: str, cases: Sequence[Document], today: date
) -> Document:
    here = waiver.in_scope(environment.name, environment.gateway.product, version or None)
    own = [case for case in cases if waiver.concerns(case["check"], case["parameters"])] if here else []
    used = any(case["waiver"] == waiver.id for case in own)
    passed = bool(own) and all(case["verdict"] == Verdict.PASSED for case in own)
    return {
        "id": waiver.id,
        "check": waiver.check,
        "reason": waiver.reason,
        "link": waiver.link,
        "owner": waiver.owner,
        "opened": waiver.opened.isoformat(),
        "expires": waiver.expires.isoformat(),
        "in_scope": here,
        "used": used,
        "stale": passed,
        "expired": here and waiver.expired(today),
    }


def _unfinished(selected: Sequence[Selected], cases: Sequence[Document], run: Run) -> list[Document]:
    reported = {case["nodeid"] for case in cases}
    why = f"the run was interrupted: {run.interrupted}" if run.interrupted else "its worker died or lost it"
    return [
        {
            "environment": case.environment,
            "check": case.check,
            "nodeid": case.nodeid,
            "parameters": dict(case.parameters),
            "verdict": Verdict.HARNESS_ERROR.value,
            "message": f"the case was selected and never reported: {why}",
            "blame": "harness",
            "waiver": None,
            "started": run.ended,
            "duration_s": 0.0,
            "requests": 0,
            "evidence": [],
            "facts": {},
            "pictures": {},
            "detail": "",
        }
        for case in selected
        if case.nodeid not in reported
    ]


def _environment_document(environment: Environment) -> Document:
    document = environment.model_dump(mode="json", include={"models", "groups", "backends", "host", "policy"})
    document["models"] = [
        *document["models"],
        *(
            {
                "alias": group.alias,
                "kind": group.kind.value,
                "backend": ", ".join(sorted({member.backend for member in group.deployments})),
                "upstream": ", ".join(member.upstream for member in group.deployments),
                "dimensions": None,
            }
            for group in environment.groups
        ),
    ]
    return document


def _without(document: Document, *names: str) -> Document:
    return {name: value for name, value in document.items() if name not in names}
