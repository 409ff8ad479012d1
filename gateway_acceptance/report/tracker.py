"""STATUS.md and index.html: the tracker of one environment, one model shown twice. Rules: docs/tracker.md."""

from __future__ import annotations

from markupsafe import Markup

from gateway_acceptance.report.ages import hours_in_words
from gateway_acceptance.report.assess import NAMED_AT_MOST
from gateway_acceptance.report.markdown import code, md, template
from gateway_acceptance.report.page import page_template, style, style_hash
from gateway_acceptance.report.reading import SYMBOLS, utc
from gateway_acceptance.report.red_cases import FAILURES_AT_MOST
from gateway_acceptance.report.states import state_symbol, tone
from gateway_acceptance.report.status_model import ClaimLine, StatusModel
from gateway_acceptance.report.strip import history_strip
from gateway_acceptance.verdict import Verdict

CHANGES_AT_MOST = 40
"""Changes of one kind that a person reads; more are counted in STATUS.md and fold away in index.html."""
REASONS_AT_MOST = 8
"""Reasons of the state that stand open in index.html; the others fold away."""


def render_status(status: StatusModel) -> str:
    """The whole of STATUS.md."""
    deployment = status.deployment
    address = code(deployment.target.gateway_url)
    server = Markup(f"{md(deployment.server)} ({address})") if deployment.server else address  # noqa: S704
    return template("STATUS.md.j2").render(
        status=status,
        run=status.run,
        target=deployment.target,
        server=server,
        state_symbol=state_symbol(status.run.state),
        failures_at_most=FAILURES_AT_MOST,
        changes_at_most=CHANGES_AT_MOST,
        verdict=_verdict,
        evidence=_evidence,
        last_proof=_last_proof,
        state_of=state_symbol,
        counts_for=hours_in_words(status.fresh_h),
        utc=utc,
    )


def render_page(status: StatusModel) -> str:
    """The whole of index.html: one file, no script, nothing loaded; opens from disk, prints."""
    return page_template("index.html.j2").render(
        status=status,
        style=style(),
        style_hash=style_hash(),
        strip=history_strip(status),
        state_symbol=state_symbol,
        symbols=SYMBOLS,
        failures_at_most=FAILURES_AT_MOST,
        changes_at_most=CHANGES_AT_MOST,
        reasons_at_most=REASONS_AT_MOST,
        tone=tone,
        counts_for=hours_in_words(status.fresh_h),
        utc=utc,
    )


def _verdict(word: str) -> Markup:
    """Symbol and word: colours alone say nothing to many, and nothing to a search."""
    return Markup(f"{SYMBOLS.get(word, '')} {md(word)}".strip())  # noqa: S704  (escaped)


def _last_proof(line: ClaimLine) -> Markup:
    """When, how long ago, by which run; and what else is known."""
    proof = line.proof
    lines = []
    if proof.at:
        lines.append(md(f"{utc(proof.at).removesuffix(' UTC')} ({proof.age})"))
    if proof.run:
        lines.append(Markup(f"in run {code(proof.run)}"))  # noqa: S704  (escaped)
    if proof.note:
        lines.append(md(proof.note))
    return Markup(", ").join(lines) or Markup("—")


def _evidence(line: ClaimLine) -> Markup:
    """Check ids with their verdicts, the worst first; the symbol says a passed one, a word every other."""
    shown = [
        f"{SYMBOLS.get(verdict, '')} {code(name)}" + ("" if verdict == "passed" else f" {md(verdict)}")
        for name, _, verdict in line.evidence[:NAMED_AT_MOST]
    ]
    if len(line.evidence) > NAMED_AT_MOST:
        hidden = [verdict for _, _, verdict in line.evidence[NAMED_AT_MOST:]]
        away = hidden.count(Verdict.NOT_APPLICABLE)
        shown.append(f"and {len(hidden)} more" + (f" ({away} not applicable)" if away else ""))
    held = f"; held for {md(line.held)}" if line.held else ""
    return Markup((", ".join(shown) + held) or "not verified: no executed check")  # noqa: S704  (escaped)
