"""Drawings of a judgement, as SVG: the shares with their intervals, and the path of the evidence.

Plain documents: no script, no link, no font of their own. Lines and words have the colour of the page's text,
so they are read on white and on black; whoever hears them gets title and description.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

from gateway_acceptance.balance.sequential import SequentialDecision, Trial

WIDTH = 640
LEFT, RIGHT = 190, 30
"""Of the plot's area: names stand to its left."""
ROW, TOP = 40, 34
PATH_HEIGHT, PATH_TOP, PATH_BOTTOM, PATH_LEFT = 150, 38, 34, 56
LEAST_SPAN = 1.0
"""Powers of ten that the path's axis shows at least, on each side of the threshold."""
MOST_POWER = 60.0
"""Powers of ten beyond which nothing is told apart: an infinite e-value is drawn there."""
MOST_POINTS = 400
LONGEST_NAME = 24
"""Characters of a name that have room; the whole one is in the row's title."""

STYLE = (
    "svg{color:#1f2328;background:#ffffff;font:12px sans-serif}text{fill:currentColor}"
    ".axis{stroke:currentColor;stroke-opacity:.35}.faint{fill-opacity:.7}"
    ".band{fill:#1a7f37;fill-opacity:.16}.declared{stroke:#1a7f37;stroke-width:2}"
    ".interval{stroke:currentColor;stroke-width:2}.observed{fill:#0969da}.out .observed{fill:#cf222e}"
    ".path{fill:none;stroke:#0969da;stroke-width:1.5}.limit{stroke:#cf222e;stroke-dasharray:5 3}"
    "@media (prefers-color-scheme:dark){svg{color:#e6edf3;background:#0d1117}"
    ".band{fill:#3fb950;fill-opacity:.22}.declared{stroke:#3fb950}.observed{fill:#58a6ff}"
    ".out .observed{fill:#ff7b72}.path{stroke:#58a6ff}.limit{stroke:#ff7b72}}"
)


def draw_shares(trial: Trial) -> str:
    """A row for each deployment: its declared share, the tolerance around it, what was observed, and the
    confidence sequence."""
    null, drawn = trial.null, sum(trial.counts.values())
    height = TOP + ROW * len(trial.counts) + 26
    rows = []
    for place, (name, count) in enumerate(trial.counts.items()):
        share, observed = null.shares[name], count / drawn if drawn else 0.0
        rows.append(_row(name, place, share, observed, count, trial.intervals[name], trial.design.tolerance))
    label = ", ".join(
        f"{name}: declared {null.shares[name]:.1%}, observed {count} of {drawn}"
        for name, count in trial.counts.items()
    )
    outcome = trial.outcome or SequentialDecision.INCONCLUSIVE
    title = f"{null.alias}: shares after {trial.draws} draws, {outcome}"
    foot = TOP + ROW * len(trial.counts)
    return _document(
        height,
        title,
        f"{label}. Green: declared, and the tolerance of {trial.design.tolerance:g}.",
        _text(10, 18, title),
        *(
            _line("axis", _across(percent / 100), TOP - 4, _across(percent / 100), foot)
            + _text(_across(percent / 100), foot + 14, f"{percent} %", anchor="middle", kind="faint")
            for percent in (0, 25, 50, 75, 100)
        ),
        *rows,
    )


def _row(
    name: str,
    place: int,
    share: float,
    observed: float,
    count: int,
    interval: tuple[float, float],
    tolerance: float,
) -> str:
    middle = TOP + ROW * place + ROW / 2
    low, high = max(0.0, share - tolerance), min(1.0, share + tolerance)
    kind = "within" if interval[0] <= share <= interval[1] else "out"
    short = name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
    return (
        f'<g class="{kind}"><title>{escape(name)}: declared {share:.1%}, observed {observed:.1%} '
        f"({count}), between {interval[0]:.1%} and {interval[1]:.1%}</title>"
        + _text(LEFT - 10, middle - 2, short, anchor="end")
        + _text(LEFT - 10, middle + 13, f"{share:.1%} → {observed:.1%} ({count})", anchor="end", kind="faint")
        + f'<rect class="band" x="{_across(low):.1f}" y="{middle - 11:.1f}" '
        + f'width="{_across(high) - _across(low):.1f}" height="22"/>'
        + _line("declared", _across(share), middle - 11, _across(share), middle + 11)
        + _line("interval", _across(interval[0]), middle, _across(interval[1]), middle)
        + f'<circle class="observed" cx="{_across(observed):.1f}" cy="{middle:.1f}" r="4"/>'
        + "</g>"
    )


def draw_evidence(trial: Trial) -> str:
    """The e-process draw by draw, on a logarithmic scale, and the line at which the shares are refuted."""
    limit = -math.log10(trial.design.alpha)
    powers = [max(-MOST_POWER, min(MOST_POWER, log_e / math.log(10))) for log_e in trial.path]
    top = max([limit + LEAST_SPAN, *powers])
    bottom = min([-LEAST_SPAN, *powers])
    draws = max(1, len(powers))
    span = WIDTH - PATH_LEFT - RIGHT

    def across(draw: int) -> float:
        return PATH_LEFT + span * draw / draws

    def down(power: float) -> float:
        return PATH_TOP + PATH_HEIGHT * (top - power) / (top - bottom)

    points = [(across(0), down(0.0))]
    points += [(across(place), down(powers[place - 1])) for place in _places(draws, len(powers))]
    last = (
        f"10^{trial.path[-1] / math.log(10):.1f}" if powers and math.isfinite(trial.path[-1]) else "infinite"
    )
    ended = last if powers else "1"
    title = f"{trial.null.alias}: evidence against the declared shares"
    foot = PATH_TOP + PATH_HEIGHT
    return _document(
        foot + PATH_BOTTOM,
        title,
        f"The e-value after {len(powers)} draws is {ended}; at 1/alpha, which is {1 / trial.design.alpha:g}, "
        "the declared shares are refuted.",
        _text(10, 15, title),
        *(
            _line("axis", PATH_LEFT, down(power), WIDTH - RIGHT, down(power))
            + _text(PATH_LEFT - 6, down(power) + 4, f"10^{power:g}", anchor="end", kind="faint")
            for power in _ticks(bottom, top)
        ),
        _line("limit", PATH_LEFT, down(limit), WIDTH - RIGHT, down(limit)),
        _text(PATH_LEFT + 6, down(limit) - 4, f"1/alpha = {1 / trial.design.alpha:g}: refuted"),
        '<polyline class="path" points="' + " ".join(f"{x:.1f},{y:.1f}" for x, y in points) + '"/>',
        _text(PATH_LEFT, foot + 16, "0", anchor="middle", kind="faint"),
        _text(WIDTH - RIGHT, foot + 16, f"{len(powers)} draws", anchor="end", kind="faint"),
        _text(PATH_LEFT + 20, foot + 16, f"ends at {ended}", kind="faint"),
    )


def _places(draws: int, known: int) -> list[int]:
    """The draws that are drawn: all of them, or evenly spaced ones and the last."""
    if not known:
        return []
    step = max(1, math.ceil(draws / MOST_POINTS))
    return sorted({*range(1, known + 1, step), known})


def _ticks(bottom: float, top: float) -> list[int]:
    """Whole powers of ten, five or six of them."""
    step = max(1, math.ceil((top - bottom) / 5))
    first = math.ceil(bottom / step) * step
    return list(range(first, math.floor(top) + 1, step))


def _across(share: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * min(1.0, max(0.0, share))


def _line(kind: str, x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _text(x: float, y: float, words: str, *, anchor: str = "start", kind: str = "") -> str:
    shown = f" class={quoteattr(kind)}" if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{shown}>{escape(words)}</text>'


def _document(height: float, title: str, description: str, *parts: Sequence[str] | str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" '
        f'height="{height:.0f}" role="img" aria-label={quoteattr(title)}>'
        f"<title>{escape(title)}</title><desc>{escape(description)}</desc><style>{STYLE}</style>"
        + "".join("".join(part) for part in parts)
        + "</svg>\n"
    )
