"""What happened: one document per run and environment, written by one process. It is the authority.

Shape: docs/architecture.md, "The record". All functions are pure.
"""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from gateway_acceptance.check import Check
from gateway_acceptance.claims import Absent, Claim
from gateway_acceptance.deviations import Known
from gateway_acceptance.environment import Environment
from gateway_acceptance.judgement import NOT_VERIFIED, Judgement, judge
from gateway_acceptance.policy import Spent
from gateway_acceptance.verdict import PROVEN, Verdict, worst
from gateway_acceptance.waivers import Waiver

__all__ = ["FORMAT", "NOT_VERIFIED", "Judgement", "Run", "Selected", "build", "judge", "rejudged"]

FORMAT = 2
"""2: ``basis`` and the fingerprint are in it, so that the record can be judged again from itself."""
Document = dict[str, Any]
ENVIRONMENT_PARTS = {"models", "groups", "backends", "host", "policy", "tracker"}
WAIVER_FIELDS = tuple(Waiver.model_fields)


@dataclass(frozen=True, slots=True)
class Selected:
    """One case that the run set out to execute."""

    nodeid: str
    check: str
    environment: str
    parameters: Mapping[str, str]


NO_FINGERPRINT: Mapping[str, None] = {"start": None, "end": None}


@dataclass(frozen=True, slots=True)
class Run:
    """What the controller knows of the run itself. Times are UTC ISO-8601.

    profile: what ``-m`` names, or None; narrowed: the options that made the run smaller than its profile;
    interrupted: why it ended early, or empty; broken: collection errors and crashes that belong to no case;
    unfinished: it has begun and not ended; elapsed_s: by a clock that nobody sets, or None; fingerprint: of
    this environment, ``start`` and ``end``, None where it was not taken; binding: what judged, ``start`` and
    ``end`` (plugin/binding.py), None where the run did not come to it; planted: defects that were planted
    (``planted``), blind_spots: what the suite does not speak of (``signoff.uncovered``), both None where the
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
    suite: Mapping[str, object] = field(default_factory=dict)
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
) -> Document:
    """The record of one environment. cases: as the workers sent them; what was selected and never reported
    becomes a harness error, so that nothing is lost silently. advisories: {dated, count, origin} of the base
    that published holes were judged by; needless: waiver -> the date since which runs found it so, None where
    no history is kept."""
    complete = [*cases, *_unfinished(selected, cases, run)]
    document: Document = {
        "format": FORMAT,
        "run": {
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
        },
        "target": {
            "gateway_url": environment.gateway.url,
            "product": environment.gateway.product,
            "product_version": product_version,
            "fingerprint": {name: _copied(taken) for name, taken in run.fingerprint.items()},
            "facts": {name: value for case in complete for name, value in case["facts"].items()},
            **({} if advisories is None else {"advisories": dict(advisories)}),
        },
        "environment": environment_document(environment),
        "checks": [_check_document(check, complete, claims) for check in catalogue],
        "claims": [_claim_document(claim) for claim in claims],
        **({"not_part": [asdict(one) for one in absent]} if absent else {}),
        "waivers": [json.loads(waiver.model_dump_json()) for waiver in waivers],
        **_known_document(known),
        "basis": {
            "frozen": None if run.profile is None else list(frozen.get(run.profile, ())),
            "broken": list(run.broken),
            "interrupted": run.interrupted,
            "unfinished": run.unfinished,
            "untrusted": None,
            "elapsed_s": run.elapsed_s,
            "today": today.isoformat(),
            **({} if needless is None else {"needless": dict(needless)}),
            **({} if run.binding is None else {"binding": copy.deepcopy(dict(run.binding))}),
            **({} if run.blind_spots is None else {"blind_spots": copy.deepcopy(dict(run.blind_spots))}),
            **({} if run.planted is None else {"planted": copy.deepcopy(dict(run.planted))}),
        },
        "totals": {"requests": spent.requests, "tokens": spent.tokens},
    }
    return rejudged(document)


def rejudged(document: Mapping[str, Any]) -> Document:
    """The same record, everything that is judged judged anew from its cases and its basis: verdicts of checks
    and claims, waivers, totals, the state. Raises ValueError, KeyError or TypeError where it is no record."""
    judged: Document = {**document, "run": {**document["run"]}}
    judged["checks"] = [{**check} for check in document["checks"]]  # cases are shared, and never changed
    cases = []
    for check in judged["checks"]:
        verdict = worst(Verdict(case["verdict"]) for case in check["cases"])
        check["verdict"] = verdict.value if verdict else None
        cases += [{**case, "check": check["id"]} for case in check["cases"]]
    untested = {waiver["id"] for waiver in judged["waivers"] if waiver.get("verdict") == Verdict.UNTESTABLE}
    judged["claims"] = [_judged_claim(claim, judged["checks"], untested) for claim in judged["claims"]]
    judged["waivers"] = [_judged_waiver(waiver, judged, cases) for waiver in judged["waivers"]]
    if "deviations" in judged:
        judged["deviations"] = _judged_deviations(judged["deviations"], judged["checks"])
    judged["totals"] = {
        **Counter(case["verdict"] for case in cases),
        "checks_selected": len({case["check"] for case in cases}),
        "checks_executed": sum(1 for check in judged["checks"] if _executed(check, untested)),
        "requests": judged["totals"]["requests"],
        "tokens": judged["totals"]["tokens"],
    }
    judged["run"] |= asdict(judge(judged))
    return judged


def distrusted(document: Mapping[str, Any], headline: str, reasons: Sequence[str]) -> Document:
    """The same record, void: what came out of the run cannot be trusted, whatever its cases say."""
    basis = {**document["basis"], "untrusted": {"headline": headline, "reasons": list(reasons)}}
    return rejudged({**document, "basis": basis})


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


def _copied(taken: Mapping[str, str] | None) -> dict[str, str] | None:
    return None if taken is None else dict(taken)


def _executed(check: Document, untested: Collection[str]) -> bool:
    return any(_told(case, untested) for case in check["cases"])


def _told(case: Document, untested: Collection[str]) -> bool:
    """Whether a case came to a statement. untested: the waivers that accept what could not be tested."""
    return Verdict(case["verdict"]).executed and case["waiver"] not in untested


def _claim_document(claim: Claim) -> Document:
    document: Document = {
        "id": claim.id,
        "section": claim.section,
        "text": claim.text,
        "mend": claim.mend,
        "about": claim.about,
    }
    return document | ({"not_about": list(claim.not_about)} if claim.not_about else {})


def _named_claims(check: Check, claims: Sequence[Claim]) -> list[str]:
    """The claims that a check names, those that name it, and of a template all that it stands for."""
    also = [claim.id for claim in claims if {check.id, *check.claims} & set(claim.checks)]
    return [*check.claims, *(name for name in also if name not in check.claims)]


def _check_document(check: Check, cases: Sequence[Document], claims: Sequence[Claim] = ()) -> Document:
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
        "cases": [_without(case, "check", "environment") for case in cases if case["check"] == check.id],
    }


def evidence_of(claim: Claim, check: Check, values: Collection[str]) -> bool:
    """Whether a check speaks of a claim: it names it, or the claim is about one of its parameters' values."""
    named = claim.id in check.claims or bool({check.id, *check.claims} & set(claim.checks))
    return named or (claim.about is not None and claim.about in values)


def spoken_cases(claim: Mapping[str, Any], check: Mapping[str, Any]) -> list[Document]:
    """The cases of a check that are evidence of a claim, both as the record has them."""
    about, others = claim.get("about"), set(claim.get("not_about") or ())
    named = claim["id"] in check["claims"]
    return [
        case
        for case in check["cases"]
        if (named and not others & set(case["parameters"].values()))
        or (about is not None and about in case["parameters"].values())
    ]


def _judged_claim(claim: Document, checks: Sequence[Document], untested: Collection[str]) -> Document:
    """A claim is the worst of its evidence, and not verified without an executed check.

    Evidence are all cases of the checks that name the claim, and, where the claim is about one alias or
    backend, the cases of any check that concern it; never those of what another of its kind is about.
    """
    own, cases = [], []
    for check in checks:
        spoken = spoken_cases(claim, check) if check["cases"] else []
        if spoken or claim["id"] in check["claims"]:
            own.append(check["id"])
            cases += spoken
    verdict = worst(Verdict(case["verdict"]) for case in cases)
    proven = verdict is not None and (verdict.red or any(_told(case, untested) for case in cases))
    return {
        **claim,
        "verdict": verdict.value if verdict and proven else NOT_VERIFIED,
        "checks": own,
        "proven": max(case["started"] for case in cases) if proven and verdict in PROVEN else None,
    }


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
            {"check": one.check, "level": one.level, "title": one.title, "link": one.link}
            for one in known.deviations.values()
        ],
    }
    return {"deviations": document}


def _judged_deviations(document: Document, checks: Sequence[Document]) -> Document:
    """Of each known deviation, how many cases showed it; absent: all its cases passed, but a note."""
    cases = {check["id"]: check["cases"] for check in checks}
    judged = []
    for entry in document["known"]:
        verdicts = [case["verdict"] for case in cases.get(entry["check"], ())]
        declared = {name: entry[name] for name in ("check", "level", "title", "link")}
        absent = bool(verdicts) and all(verdict == Verdict.PASSED for verdict in verdicts)
        judged.append({**declared, "cases": verdicts.count(Verdict.DEVIATION), "absent": absent})
    return {**document, "known": judged}


def _judged_waiver(entry: Document, document: Document, cases: Sequence[Document]) -> Document:
    declared = {name: value for name, value in entry.items() if name in WAIVER_FIELDS}
    waiver = Waiver.model_validate_json(json.dumps(declared))
    today = date.fromisoformat(document["basis"]["today"])
    target = document["target"]
    here = waiver.in_scope(
        document["run"]["environment"], target["product"], target["product_version"] or None
    )
    own = [case for case in cases if waiver.concerns(case["check"], case["parameters"])] if here else []
    used = any(case["waiver"] == waiver.id for case in own)
    stale = bool(own) and all(case["verdict"] == Verdict.PASSED for case in own)
    return {
        **declared,
        "in_scope": here,
        "used": used,
        "stale": stale,
        **_needless(waiver.id, document["basis"], stale=stale, over=used or not here),
        "expired": here and waiver.expired(today),
        "expires_soon": here and waiver.expires_soon(today),
    }


def _needless(name: str, basis: Document, *, stale: bool, over: bool) -> Document:
    """Since when a waiver is needless, as far as earlier runs tell: over: it is in use again, or out of
    scope; one whose check was not looked at stays as it was. Nothing in records that keep no history."""
    if "needless" not in basis:
        return {}
    since = basis["needless"].get(name)
    return {"needless_since": None if over else since or (basis["today"] if stale else None)}


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
