"""What happened: one record per run and environment, built by one process. It is the authority.

Shape: ``record_model``. All functions are pure.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from gateway_acceptance.check import Check
from gateway_acceptance.claims import NOT_VERIFIED, Absent, Claim
from gateway_acceptance.deviations import Known
from gateway_acceptance.environment import Environment
from gateway_acceptance.policy import Spent
from gateway_acceptance.usage import EXIT_INTERRUPTED
from gateway_acceptance.verdict import Verdict
from gateway_acceptance.waivers import Waiver

if TYPE_CHECKING:
    from gateway_acceptance.record_model import Record

Document = dict[str, Any]
ENVIRONMENT_PARTS = {"models", "groups", "backends", "host", "policy", "tracker"}


@dataclass(frozen=True, slots=True)
class Selected:
    """One case that the run set out to execute."""

    nodeid: str
    check: str
    environment: str
    parameters: Mapping[str, str]


NO_FINGERPRINT: Mapping[str, None] = {"start": None, "end": None}
NO_SUITE: Mapping[str, object] = {"version": "", "commit": None, "dirty": None}


@dataclass(frozen=True, slots=True)
class Run:
    """What the controller knows of the run itself. Times are UTC ISO-8601.

    profile: what ``-m`` names, or None; narrowed: the options that made the run smaller than its profile;
    interrupted: why it ended early, or empty; broken: collection errors and crashes that belong to no case;
    unfinished: it has begun and not ended; elapsed_s: by a clock that nobody sets, or None; fingerprint: of
    this environment, ``start`` and ``end``, None where it was not taken; binding: what judged, ``start`` and
    ``end`` (plugin/binding.py), None where the run did not come to it; planted: defects that were planted
    (``planted``), blind_spots: what the suite does not cover (``signoff.uncovered``), both None where the
    suite has none or the run could not accept a release; nonce: a word that somebody gave it beforehand, or
    empty.
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
    unfinished: bool = False
    elapsed_s: float | None = None
    fingerprint: Mapping[str, Mapping[str, str] | None] = field(default_factory=lambda: dict(NO_FINGERPRINT))
    binding: Mapping[str, Mapping[str, Any] | None] | None = None
    planted: Mapping[str, Any] | None = None
    blind_spots: Mapping[str, Any] | None = None
    nonce: str = ""
    suite: Mapping[str, object] = field(default_factory=lambda: dict(NO_SUITE))
    tools: Mapping[str, str] = field(default_factory=dict)


def build(
    environment: Environment,
    run: Run,
    *,
    catalogue: Sequence[Check],
    selected: Sequence[Selected],
    cases: Sequence[Document],
    claims: Sequence[Claim],
    absent: Sequence[Absent] = (),
    waivers: Sequence[Waiver],
    known: Known | None = None,
    frozen: Mapping[str, Sequence[str]],
    spent: Spent,
    product_version: str,
    today: date,
    advisories: Mapping[str, object] | None = None,
    needless: Mapping[str, str] | None = None,
) -> Record:
    """The record of one environment. cases: as the workers sent them; what was selected and never reported
    becomes a harness error, so that nothing is lost silently. advisories: {dated, count, origin} of the base
    that published holes were judged by; needless: waiver -> the date since which runs found it so, None where
    no history is kept. Raises NoRecord where the parts make none."""
    from gateway_acceptance.evaluation import rejudged  # a collection makes no record
    from gateway_acceptance.record_model import record_of
    from gateway_acceptance.record_model.record import FORMAT

    identity = environment.gateway.identity
    complete = [*cases, *_unfinished(selected, cases, run)]
    by_check: dict[str, list[Document]] = {}
    for case in complete:
        by_check.setdefault(case["check"], []).append(_without(case, "check", "environment"))
    document: Document = {
        "format": FORMAT,
        "run": _run_document(environment, run),
        "target": {
            "gateway_url": environment.gateway.url,
            "product": environment.gateway.product,
            "product_version": product_version,
            "fingerprint": dict(run.fingerprint),
            "facts": {name: value for case in complete for name, value in case["facts"].items()},
            **_given(advisories=advisories, identity=None if identity is None else identity.document),
        },
        "environment": environment_document(environment),
        "checks": [_check_document(check, by_check.get(check.id, []), claims) for check in catalogue],
        "claims": [_claim_document(claim) for claim in claims],
        **({"not_part": [asdict(one) for one in absent]} if absent else {}),
        "waivers": [_waiver_document(waiver) for waiver in waivers],
        **_known_document(known),
        "basis": {
            "frozen": None if run.profile is None else list(frozen.get(run.profile, ())),
            "broken": list(run.broken),
            "interrupted": run.interrupted,
            "unfinished": run.unfinished,
            "untrusted": None,
            "elapsed_s": run.elapsed_s,
            "today": today.isoformat(),
            **_given(needless=needless, binding=run.binding),
            **_given(blind_spots=run.blind_spots, planted=run.planted),
        },
        "totals": {
            "checks_selected": 0,
            "checks_executed": 0,
            "requests": spent.requests,
            "tokens": spent.tokens,
        },
    }
    return rejudged(record_of(document))


def _run_document(environment: Environment, run: Run) -> Document:
    """The run; what came of it is evaluated when the record is whole."""
    return {
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
        "suite": dict(run.suite),
        "tools": dict(run.tools),
        **({"nonce": run.nonce} if run.nonce else {}),
        "state": "VOID",
        "headline": "not evaluated yet",
        "reasons": [],
        "exit_code": EXIT_INTERRUPTED,
    }


def _given(**parts: object) -> Document:
    return {name: part for name, part in parts.items() if part is not None}


def unheard(selected: Sequence[Selected], cases: Sequence[Mapping[str, Any]]) -> list[str]:
    """What is wrong with the reports of cases: of one that was never selected, of another check than its
    own, or a second one (a retry is no evidence, and nobody may overwrite a verdict)."""
    known = {(case.environment, case.nodeid): case.check for case in selected}
    counted = Counter((case["environment"], case["nodeid"]) for case in cases)
    found = [f"{name[1]} was reported {count} times" for name, count in counted.items() if count > 1]
    for case in cases:
        check = known.get((case["environment"], case["nodeid"]))
        if check is None:
            found.append(f"{case['nodeid']} was reported and never selected")
        elif check != case["check"]:
            found.append(f"{case['nodeid']} was reported as {case['check']} and is {check}")
    return list(dict.fromkeys(found))


def _claim_document(claim: Claim) -> Document:
    document: Document = {
        "id": claim.id,
        "section": claim.section,
        "text": claim.text,
        "mend": claim.fix,
        "about": claim.about,
        "verdict": NOT_VERIFIED,
        "checks": [],
        "proven": None,
    }
    if claim.fix_when:
        document["fix_when"] = claim.fix_when
    return document | ({"not_about": list(claim.not_about)} if claim.not_about else {})


def _waiver_document(waiver: Waiver) -> Document:
    flags = ("in_scope", "used", "stale", "expired", "expires_soon")
    declared: Document = json.loads(waiver.model_dump_json())
    return declared | dict.fromkeys(flags, False)


def _named_claims(check: Check, claims: Sequence[Claim]) -> list[str]:
    """The claims that a check names, those that name it, and of a template all that it stands for."""
    also = [claim.id for claim in claims if {check.id, *check.claims} & set(claim.checks)]
    return [*check.claims, *(name for name in also if name not in check.claims)]


def _check_document(check: Check, cases: Sequence[Document], claims: Sequence[Claim]) -> Document:
    return {
        "id": check.id,
        "title": check.title,
        "level": check.level.value,
        "effect": check.effect.value,
        "suite": check.suite,
        "claims": _named_claims(check, claims),
        "profiles": list(check.profiles),
        "spec": check.spec,
        "verdict": None,
        "cases": cases,
    }


def evidence_of(claim: Claim, check: Check, values: Collection[str]) -> bool:
    """Whether a check speaks of a claim: it names it, or the claim is about one of its parameters' values."""
    named = claim.id in check.claims or bool({check.id, *check.claims} & set(claim.checks))
    return named or (claim.about is not None and claim.about in values)


def _known_document(known: Known | None) -> Document:
    if known is None or not (known.judged_by or known.note):
        return {}
    document = {
        "product": known.product,
        "version": known.version,
        "variant": known.variant,
        "judged_by": list(known.judged_by),
        "note": known.note,
        "known": [
            {
                "check": one.check,
                "level": one.level,
                "title": one.title,
                "link": one.link,
                "cases": 0,
                "absent": False,
            }
            for one in known.deviations.values()
        ],
    }
    return {"deviations": document}


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
            "alarm": "",
            "waiver": None,
            "started": run.ended,
            "duration_s": 0.0,
            "requests": 0,
            "evidence": [],
            "subjects": {},
            "facts": {},
            "pictures": {},
            "detail": "",
        }
        for case in selected
        if case.nodeid not in reported
    ]


def environment_document(environment: Environment) -> Document:
    """What the record says of the declared environment."""
    document = environment.model_dump(mode="json", include=ENVIRONMENT_PARTS)
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
