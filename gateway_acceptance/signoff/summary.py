"""What a sign-off tells people, in order; page and paper show the same. Pure over ``signoff.json``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway_acceptance.report.reading import first_line, utc
from gateway_acceptance.signoff.document import summary
from gateway_acceptance.signoff.layout import NAMESPACE

Document = Mapping[str, Any]
Entry = Mapping[str, Any]
EXAMPLE_AT_MOST = 200
"""Characters of one waiver's reason on the first page; further below it stands whole."""
CHANGES = (
    ("broken", "broken"),
    ("fixed", "fixed"),
    ("moved", "otherwise changed"),
    ("newly_not_verified", "newly not verified"),
    ("new", "new"),
    ("gone", "gone"),
)

UNCOVERED = ("Not covered", "What this decision does not cover:")
UNCOVERED_EARLIER = ("Blind spots", "What this decision does not speak of:")


@dataclass(frozen=True, slots=True)
class SummaryTable:
    """header: words over the columns; widths: theirs, relative. A cell that is an address is a link."""

    header: Sequence[str]
    widths: Sequence[float]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, and below it sentences, then points, then a table, where there are any."""

    title: str
    text: str = ""
    points: Sequence[str] = ()
    table: SummaryTable | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    """The first page: title, decision (in capitals), warning where it says nothing of production, facts
    (label and value), and what was accepted; then everything else."""

    title: str
    decision: str
    production: bool
    warning: str
    sentence: str
    facts: Sequence[tuple[str, str]]
    accepted: Section
    sections: Sequence[Section]


def summary_of(document: Document, *, earlier: bool = False) -> Summary:
    """The whole account. document: ``signoff.json``, its manifest's digest may be missing still; earlier: in
    the words of sign-offs that were written before they were reworded."""
    counted, run, target = summary(document), document["run"], document["target"]
    production = bool(document["production"])
    environment, approver = document["environment"], document["approver"]
    warning = (
        ""
        if production
        else f"This is not production: {environment} is an environment of kind {document['kind']}. "
        "What is accepted here says nothing of any other deployment."
    )
    return Summary(
        title=f"Sign-off: release {document['release']} of {environment}",
        decision=document["state"] if production else f"{document['state']}, NOT PRODUCTION",
        production=production,
        warning=warning,
        sentence=f"{approver['name']} accepts release {document['release']} of the environment {environment} "
        f"({document['kind']}): {document['headline']}.",
        facts=(
            ("Judged", f"{target['product']} {target['product_version']} at {target['gateway_url']}".strip()),
            ("Environment", f"{environment}, of kind {document['kind']}"),
            ("Accepted by", approver["name"]),
            (
                "Signed",
                f"{utc(document['signed'])}, {approver['key']['kind']} {approver['key']['fingerprint']}",
            ),
            *[("Signed despite", one) for one in document.get("despite", ())],
            ("Result", _result(document, counted)),
            *_kept_words(document, counted),
            ("Accepted deviations", _accepted_words(document, counted)),
            ("Risk level", f"{document['risk']['level']}: {document['risk']['because']}"),
            ("Since the last release", _since(document)),
            *_runs_words(document),
            ("Not covered", _not_covered(document)),
            *_planted_words(document),
            ("Evidence", f"run {run['id']}, {utc(run['started'])} to {utc(run['ended'])}, profile release"),
        ),
        accepted=_areas(document),
        sections=(
            _scope(document),
            _fingerprint(document),
            _claims(document),
            _waivers(document),
            _differences(document),
            *_runs(document),
            _uncovered(document, UNCOVERED_EARLIER if earlier else UNCOVERED),
            _not_executed(document),
            _reproduce(document),
            _verify(document),
        ),
    )


def _result(document: Document, counted: Mapping[str, int]) -> str:
    totals = document["totals"]
    return (
        f"{counted['verified']} of {counted['claims']} claims are verified, {counted['deviating']} of them "
        f"with accepted deviations; {totals['checks_executed']} of {totals['checks_selected']} checks "
        "executed, none red"
    )


def _accepted_words(document: Document, counted: Mapping[str, int]) -> str:
    if not counted["accepted"]:
        return "none"
    first = min(waiver["expires"] for waiver in document["accepted"])
    return (
        f"{_count(counted['accepted'], 'waiver')}, {counted['accepted_must']} of a MUST; "
        f"{_count(counted['deviations'], 'deviation')} seen. The first expires on {first}"
    )


def _planted_words(document: Document) -> tuple[tuple[str, str], ...]:
    """What the run proved of itself, and the word that somebody gave it beforehand."""
    planted, nonce, runner = document.get("planted"), document.get("nonce"), document.get("runner")
    found = [("Run sealed by", f"a runner's key, {runner['kind']} {runner['fingerprint']}")] if runner else []
    if planted:
        found.append(
            (
                "Planted defects",
                f"{planted['tried']} of {planted['known']} known were sent at something bad, "
                "and all were seen "
                f"({planted['took_s']:.1f} s; seeds {', '.join(planted['seeds'])})",
            )
        )
    return (*found, *([("Nonce", nonce)] if nonce else []))


def _kept_words(document: Document, counted: Mapping[str, int]) -> tuple[tuple[str, str], ...]:
    """What the product does not keep by itself; nothing where nothing is known of it."""
    known = document.get("not_kept")
    if not known:
        return ()
    text = f"{_count(counted['not_kept'], 'check')}, {counted['not_kept_must']} of a MUST, that its release "
    text += f"breaks by itself (as learned of {' and '.join(known['judged_by']) or 'no release'})"
    return (("The product does not keep", f"{text}; {known['note']}" if known["note"] else text),)


def _since(document: Document) -> str:
    previous = document["previous"]
    if previous is None:
        return "there is none: this is the first of this environment"
    changes = [f"{len(previous[name])} {words}" for name, words in CHANGES if previous[name]]
    changes += [f"{len(previous['newly_accepted'])} newly accepted"] if previous["newly_accepted"] else []
    return f"{previous['release']}: {', '.join(changes) or 'nothing changed'}"


def _runs_words(document: Document) -> tuple[tuple[str, str], ...]:
    """All that was tried, so that nobody chooses the run that suits; nothing in what earlier suites wrote."""
    if "runs" not in document:
        return ()
    runs = document["runs"]
    counted = Counter(one["state"] or "unreadable" for one in runs)
    counts = ", ".join(f"{count} {state}" for state, count in sorted(counted.items()))
    return (("Runs since then", f"{len(runs)}: {counts}" if runs else "none is at hand"),)


def _runs(document: Document) -> tuple[Section, ...]:
    if "runs" not in document:
        return ()
    title = "Runs since the last accepted release"
    rows = [
        (one["run"], one["profile"] or "a selection", one["state"] or "unreadable", one["headline"])
        for one in document["runs"]
    ]
    if not rows:
        return (Section(title, "None is at hand."),)
    header = ("run", "profile", "state", "why")
    text = f"Every run of this environment; signed is {document['run']['id']}."
    return (Section(title, text, (), SummaryTable(header, (2.4, 1.4, 1.8, 5.4), rows)),)


def _not_covered(document: Document) -> str:
    promises = document["blind_spots"]["promises"]
    return (
        f"{promises['all'] - promises['covered']} of {promises['all']} promises of the contract have no "
        "check; "
        f"not executed here: {_count(len(document['not_executed']), 'check')}"
    )


def _areas(document: Document) -> Section:
    found: dict[str, list[Entry]] = {}
    for waiver in document["accepted"]:
        found.setdefault(waiver["check"].rpartition("-")[0], []).append(waiver)
    rows = [
        (
            area,
            str(len(waivers)),
            str(sum(1 for waiver in waivers if waiver["level"] == "MUST")),
            first_line(_weightiest(waivers)["reason"], EXAMPLE_AT_MOST),
        )
        for area, waivers in sorted(found.items())
    ]
    if not rows:
        return Section("What was accepted", "Nothing: no deviation was waived.")
    table = SummaryTable(("area", "waivers", "of a MUST", "for example"), (2.2, 1, 1.3, 8), rows)
    return Section(
        "What was accepted", "Each waiver with reason, owner and expiry stands further below.", (), table
    )


def _weightiest(waivers: Sequence[Entry]) -> Entry:
    return max(waivers, key=lambda waiver: (waiver["level"] == "MUST", waiver["cases"]))


def _scope(document: Document) -> Section:
    target = document["target"]
    rows = [
        (model["alias"], model["kind"], model["upstream"], model["backend"]) for model in target["models"]
    ]
    return Section(
        "Scope",
        f"The environment {document['environment']} as {document['environment_file']['name']} declares it: "
        f"the gateway {target['gateway_url']} ({target['product']} {target['product_version']}) and these "
        "models.",
        (),
        SummaryTable(("alias", "kind", "models behind it", "backends"), (3, 1.6, 5, 2.6), rows),
    )


def _fingerprint(document: Document) -> Section:
    taken = document["target"]["fingerprint"]
    start, end = taken["start"] or {}, taken["end"] or {}
    same = bool(start) and start == end
    rows = [(name, _shown(start, end, name)) for name in sorted({*start, *end})]
    words = (
        "It was the same at the run's start and end."
        if same
        else "It was not the same at the run's start and end."
    )
    return Section("Fingerprint of the target", words, (), SummaryTable(("of", "value"), (4, 8), rows))


def _shown(start: Entry, end: Entry, name: str) -> str:
    before, after = start.get(name, "absent"), end.get(name, "absent")
    return str(before) if before == after else f"{before}; at the end {after}"


def _claims(document: Document) -> Section:
    rows = [
        (
            claim["id"],
            claim["text"],
            f"{claim['verdict']} ({claim['waived']})" if claim["waived"] else claim["verdict"],
            f"{_count(claim['cases'], 'case')}, {_count(claim['checks'], 'check')}",
            utc(claim["proven"]).removesuffix(" UTC"),
        )
        for claim in document["claims"]
    ]
    header = ("claim", "statement", "verdict", "evidence", "proven (UTC)")
    return Section(
        "Results by claim",
        "Waived: it holds but for so many accepted deviations. "
        "Evidence: cases that were executed, and their checks.",
        (),
        SummaryTable(header, (1.2, 5.3, 1.5, 2.3, 2.3), rows),
    )


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _waivers(document: Document) -> Section:
    rows = [
        (
            f"{waiver['check']} {waiver['level']}",
            waiver["reason"],
            waiver["owner"],
            f"{waiver['opened']} to {waiver['expires']}",
            waiver["link"],
        )
        for waiver in sorted(
            document["accepted"], key=lambda waiver: (waiver["level"] != "MUST", waiver["check"])
        )
    ]
    if not rows:
        return Section("Accepted deviations", "None.")
    table = SummaryTable(("check", "reason", "owner", "accepted", "link"), (2.1, 4.5, 1.5, 1.6, 3), rows)
    return Section(
        "Accepted deviations", f"{_count(len(rows), 'waiver')} in use, those of a MUST first.", (), table
    )


def _differences(document: Document) -> Section:
    previous = document["previous"]
    title = "Since the last accepted release"
    if previous is None:
        return Section(title, "There is none: this is the first sign-off of this environment.")
    rows = [
        (
            words,
            change["id"],
            change["title"],
            f"{change['before'] or 'absent'} to {change['after'] or 'absent'}",
        )
        for name, words in CHANGES
        for change in previous[name]
    ]
    rows += [("newly accepted", waiver, "", "") for waiver in previous["newly_accepted"]]
    rows += [("no longer accepted", waiver, "", "") for waiver in previous["no_longer_accepted"]]
    text = (
        f"Compared with release {previous['release']} ({previous['product_version']}, run {previous['run']}, "
        f"SHA-256 of its record {previous['record_sha256']}, of its signoff.json "
        f"{previous.get('signoff_sha256', 'not told')})."
    )
    if not rows:
        return Section(title, f"{text} Nothing changed.")
    return Section(
        title, text, (), SummaryTable(("what", "id", "title", "verdict"), (1.8, 2.6, 5, 2.6), rows)
    )


def _uncovered(document: Document, words: tuple[str, str]) -> Section:
    spots = document["blind_spots"]
    rows = [
        (each["reason"], str(each["promises"]), each["text"]) for each in spots["promises"]["not_covered"]
    ]
    table = SummaryTable(("promises without a check", "count", "why"), (2.4, 0.8, 8), rows) if rows else None
    return Section(*words, spots["limits"], table)


def _not_executed(document: Document) -> Section:
    rows = [
        (each["check"], each["title"], each["verdict"] or "not there", each["why"])
        for each in document["not_executed"]
    ]
    if not rows:
        return Section("Checks that were not executed", "None.")
    table = SummaryTable(("check", "title", "verdict", "why"), (2.2, 3.9, 1.5, 4.1), rows)
    return Section("Checks that were not executed", "", (), table)


def _reproduce(document: Document) -> Section:
    run, file = document["run"], document["environment_file"]
    return Section(
        "How to reproduce",
        "",
        (
            f"The suite, version {run['suite']['version']}, at commit {run['suite']['commit']}",
            f"{file['name']} with SHA-256 {file['sha256']}",
            f"Command: {run['command']}",
            "Tools: " + ", ".join(f"{name} {version}" for name, version in run["tools"].items()),
        ),
    )


def _verify(document: Document) -> Section:
    approver = document["approver"]
    return Section(
        "How to verify",
        "This page is bound by manifest.json, that by signoff.json, and that by the approver's signature.",
        (
            "gateway-acceptance verify DIRECTORY --allowed-signers FILE looks at everything, offline",
            f"ssh-keygen -Y verify -f allowed_signers -I {approver['principal']} -n {NAMESPACE} "
            "-s signoff.json.sig < signoff.json",
            f"SHA-256 of record.json: {document['record_sha256']}",
            f"The approver's key: {approver['key']['kind']} {approver['key']['fingerprint']}. Compare it "
            "with what the approver says elsewhere: the directory alone cannot prove whose it is",
        ),
    )
