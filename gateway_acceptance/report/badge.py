"""badge.svg: the state of one environment as a small picture, with its word and its day. Pure."""

from __future__ import annotations

from html import escape

from gateway_acceptance.report.status_model import StatusModel

GREEN, RED, GREY, AMBER = "#1a7f37", "#b42318", "#59636e", "#8a5a00"
"""Each with white text on it a contrast of 4.5 or more."""
HEIGHT, PADDING = 22, 8
CHARACTER = 6.9
"""Width of a character of Verdana at 11 px, a generous mean: the text is stretched to its box anyway."""
STALE = "stale"


def render_badge(status: StatusModel) -> str:
    """The badge of one run."""
    run = status.run
    return badge_svg(run.environment, run.state, str(run.ended)[:10])


def badge_svg(environment: str, state: str, day: str, *, stale: bool = False) -> str:
    """environment: its name; state: as in the record, or a sentence of a few words; day: of the run's end, or
    nothing. A stale badge says so instead of showing an old green."""
    word = f"{STALE}: {state.lower()}" if stale else state.lower()
    label = f"{word} · {day}" if day else word
    left, right = _width(environment), _width(label)
    title = f"{environment}: {label}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="{HEIGHT}" '
        f'viewBox="0 0 {left + right} {HEIGHT}" role="img" aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title>"
        f'<rect width="{left + right}" height="{HEIGHT}" rx="4" fill="#32383f"/>'
        f'<path d="M{left} 0h{right - 4}a4 4 0 0 1 4 4v{HEIGHT - 8}a4 4 0 0 1 -4 4h-{right - 4}z" '
        f'fill="{colour(state, stale=stale)}"/>'
        f'<g fill="#ffffff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">'
        f"{_text(environment, 0, left)}{_text(label, left, right)}</g></svg>"
    )


def colour(state: str, *, stale: bool = False) -> str:
    """Green only for what was judged whole and is good; grey for what says nothing."""
    if stale or state in ("VOID", "PARTIAL RUN"):
        return GREY
    if state in ("READY", "PRODUCTION READY") or state.endswith(" PASSED"):
        return GREEN
    return RED if state == "NOT READY" or state.endswith(" FAILED") else AMBER


def _width(text: str) -> int:
    return round(len(text) * CHARACTER) + 2 * PADDING


def _text(text: str, left: int, width: int) -> str:
    return (
        f'<text x="{left + PADDING}" y="15" textLength="{width - 2 * PADDING}" '
        f'lengthAdjust="spacingAndGlyphs">{escape(text)}</text>'
    )
