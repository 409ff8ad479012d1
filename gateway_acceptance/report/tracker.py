"""STATUS.md: the tracker of one environment, written from the record. The rules: docs/tracker.md."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from gateway_acceptance.claims import NOT_VERIFIED, SECTIONS, SECURITY, Claim
from gateway_acceptance.report.assess import NAMED_AT_MOST, next_action, risk
from gateway_acceptance.report.changes import changes
from gateway_acceptance.report.markdown import code, md, template
from gateway_acceptance.report.models import model_rows
from gateway_acceptance.report.pictures import pictures
from gateway_acceptance.report.reading import (
    SYMBOLS,
    Entry,
    Record,
    case_name,
    cases,
    cut,
    is_executed,
    is_red,
    last_curl,
    parameters,
    severity,
    utc,
)
from gateway_acceptance.verdict import Verdict

MESSAGE_LIMIT = 1200
"""Characters of one failure's message in STATUS.md; the record has it whole."""
FAILURES_AT_MOST = 40
"""More failures than a person reads in one page are counted, not shown."""

COMMIT_LENGTH = 12
STATE_SYMBOLS = {"PRODUCTION READY": "🚀", "READY": "✅", "PARTIAL RUN": "◻️", "NOT READY": "❌", "VOID": "🚫"}
OUTCOME_SYMBOLS = {"PASSED": "✅", "FAILED": "❌"}
"""``SMOKE PASSED``, ``NIGHTLY FAILED`` and their like, by their last word."""


def render_status(record: Record, previous: Record | None, claims: Iterable[Claim]) -> str:
    """The whole of STATUS.md.

    previous: the record of this environment's last run, or None; one of another environment counts as None.
    claims: the tracker's statements; what the record says of an undeclared one is shown as well.
    """
    if previous is not None and previous["run"]["environment"] != record["run"]["environment"]:
        previous = None
    declared = tuple(claims)
    mends = {claim.id: claim.mend for claim in declared if claim.mend}
    sections = _sections(record, declared)
    return template("STATUS.md.j2").render(
        run=record["run"],
        target=record["target"],
        environment=record["environment"],
        state_symbol=_state_symbol(record["run"]["state"]),
        commit=str(record["run"]["suite"].get("commit") or "")[:COMMIT_LENGTH],
        facts=_target_facts(record),
        server=_server(record),
        totals=_totals(record),
        sections=sections,
        models=model_rows(record),
        resources=_measured(record, "Resource Utilisation"),
        mend=_mend(sections[SECURITY], mends),
        previous=previous,
        changes=changes(record, previous) if previous else None,
        failures=_failures(record),
        failures_at_most=FAILURES_AT_MOST,
        untestable=_untestable(record),
        waivers=[waiver for waiver in record["waivers"] if waiver.get("in_scope", True)],
        summary=_summary(record),
        pictures=pictures(record),
        action=next_action(record, mends),
        risk=risk(record),
        verdict=_verdict,
        utc=utc,
    )


def _verdict(word: str) -> Markup:
    """Symbol and word: colours alone say nothing to many, and nothing to a search."""
    return Markup(f"{SYMBOLS.get(word, '')} {md(word)}".strip())  # noqa: S704  (escaped)


def _state_symbol(state: str) -> str:
    return STATE_SYMBOLS.get(state) or OUTCOME_SYMBOLS.get(state.split(" ")[-1], "")


def _target_facts(record: Record) -> dict[str, object]:
    """What was measured of the target, without what the table of models shows."""
    aliases = tuple(f"{model['alias']}." for model in record["environment"]["models"])
    return {
        name: value for name, value in record["target"]["facts"].items() if not str(name).startswith(aliases)
    }


def _server(record: Record) -> Markup:
    host = record["environment"].get("host") or {}
    name = host.get("name") or host.get("hostname") or ""
    address = code(record["target"]["gateway_url"])
    return Markup(f"{md(name)} ({address})") if name else address  # noqa: S704  (escaped)


def _mend(requirements: Sequence[Entry], mends: Mapping[str, str]) -> str:
    """One block of commands for the security requirements that are not proven, each command once."""
    ids: dict[str, list[str]] = {}
    for claim in requirements:
        if claim["id"] in mends and claim["verdict"] not in (Verdict.PASSED, Verdict.NOT_APPLICABLE):
            ids.setdefault(mends[claim["id"]], []).append(claim["id"])
    return "\n".join(f"# {', '.join(names)}\n{command}" for command, names in ids.items())


def _sections(record: Record, declared: Sequence[Claim]) -> dict[str, list[dict[str, Any]]]:
    """Every claim by section, in the file's order; those that the record does not know are not verified."""
    known = {claim["id"]: claim for claim in record["claims"]}
    checks = {check["id"]: check for check in record["checks"]}
    about = {claim.id: claim.about for claim in declared}
    ids = [claim.id for claim in declared]
    texts = {claim.id: (claim.section, claim.text) for claim in declared}
    extra = [name for name in known if name not in texts]
    sections: dict[str, list[dict[str, Any]]] = {section: [] for section in SECTIONS}
    for name in [*ids, *extra]:
        entry = known.get(name, {})
        section, text = texts.get(name) or (entry["section"], entry["text"])
        evidence = sorted(
            (
                (check_id, verdict)
                for check_id in entry.get("checks", ())
                if check_id in checks and (verdict := _spoken(checks[check_id], name, about.get(name)))
            ),
            key=lambda pair: -severity(pair[1]),
        )
        sections.setdefault(section, []).append(
            {
                "id": name,
                "text": text,
                "verdict": entry.get("verdict", NOT_VERIFIED),
                "evidence": _evidence(evidence),
                "proven": _proven(entry),
            }
        )
    return sections


def _spoken(check: Entry, claim: str, about: str | None) -> str:
    """A check's verdict on one claim: of all its cases, or of those that concern what the claim is about."""
    own = [
        str(case["verdict"])
        for case in check["cases"]
        if claim in check["claims"] or about in case["parameters"].values()
    ]
    return max(own, key=severity, default="")


def _proven(entry: Entry) -> str:
    if entry.get("verdict") not in (Verdict.PASSED, Verdict.WAIVED):
        return "—"
    return utc(entry.get("proven")).removesuffix(" UTC") or "—"


def _evidence(checks: Sequence[tuple[str, str]]) -> Markup:
    """Check ids with their verdicts, the worst first; the symbol says a passed one, a word every other."""
    shown = [
        f"{SYMBOLS.get(verdict, '')} {code(name)}" + ("" if verdict == Verdict.PASSED else f" {md(verdict)}")
        for name, verdict in checks[:NAMED_AT_MOST]
    ]
    if len(checks) > NAMED_AT_MOST:
        shown.append(f"and {len(checks) - NAMED_AT_MOST} more")
    return Markup(", ".join(shown) or "not verified: no executed check")  # noqa: S704  (every part is escaped)


def _totals(record: Record) -> list[tuple[str, int, int, int]]:
    """(verdict, cases, checks, claims), every verdict that occurs, in the order of the lattice."""
    of_checks = Counter(check["verdict"] for check in record["checks"] if check["cases"])
    of_claims = Counter(claim["verdict"] for claim in record["claims"])
    of_cases: Mapping[str, int] = record["totals"]
    return [
        (word, of_cases.get(word, 0), of_checks[word], of_claims[word])
        for word in (*Verdict, NOT_VERIFIED)
        if of_cases.get(word, 0) or of_checks[word] or of_claims[word]
    ]


def _measured(record: Record, section: str) -> list[tuple[str, str, object]]:
    """(check id, name, value) of every fact that the evidence of a section measured."""
    ids = {claim["id"] for claim in record["claims"] if claim["section"] == section}
    return [
        (check["id"], name, value)
        for check, case in cases(record)
        if ids & set(check["claims"]) and is_executed(case["verdict"])
        for name, value in case["facts"].items()
    ]


def _failures(record: Record) -> list[dict[str, Any]]:
    """Every red case but the untestable ones, MUST first."""
    red = [
        (check, case)
        for check, case in cases(record)
        if is_red(case["verdict"]) and case["verdict"] != Verdict.UNTESTABLE
    ]
    red.sort(key=lambda pair: pair[0]["level"] != "MUST")
    return [
        {
            "id": check["id"],
            "name": case_name(record, check, case),
            "level": check["level"],
            "spec": check["spec"],
            "verdict": case["verdict"],
            "parameters": [f"{name}={value}" for name, value in parameters(record, case).items()],
            "message": cut(case["message"], MESSAGE_LIMIT),
            "blame": case["blame"],
            "curl": last_curl(case),
        }
        for check, case in red
    ]


def _untestable(record: Record) -> list[tuple[str, list[str]]]:
    """(message, the cases it concerns): one missing prerequisite is told once."""
    by_message: dict[str, list[str]] = {}
    for check, case in cases(record):
        if case["verdict"] == Verdict.UNTESTABLE:
            named = by_message.setdefault(cut(case["message"], MESSAGE_LIMIT), [])
            if check["id"] not in named:
                named.append(check["id"])
    return list(by_message.items())


def _summary(record: Record) -> str:
    claims = record["claims"]
    of = Counter(str(claim["verdict"]) for claim in claims)
    red = sum(number for verdict, number in of.items() if is_red(verdict))
    aside = of[Verdict.NOT_APPLICABLE] + of[Verdict.NOT_PERMITTED]
    totals = record["totals"]
    parts = [f"{of[Verdict.PASSED]} of {len(claims)} claims proven"]
    parts += [f"{of[Verdict.WAIVED]} waived"] if of[Verdict.WAIVED] else []
    parts += [f"{red} red"] if red else []
    parts += [f"{of[NOT_VERIFIED]} not verified"] if of[NOT_VERIFIED] else []
    parts += [f"{aside} not applicable or not permitted"] if aside else []
    executed = f"{totals['checks_executed']} of {totals['checks_selected']} selected checks executed"
    return f"{', '.join(parts)}; {executed}; {totals['requests']} requests, {totals['tokens']} tokens"
