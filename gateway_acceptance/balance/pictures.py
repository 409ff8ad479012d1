"""Drawings of a judgement: SVG documents that follow the reader's light or dark theme. Pure."""

from __future__ import annotations

import math
from html import escape

from gateway_acceptance.balance.sequential import Outcome, Trial

WIDTH = 720
LEFT, RIGHT = 150, 24
ROW, TOP, FOOT = 46, 64, 58
CHART = 240
MOST_POINTS = 400
"""Of a path: more draws than pixels are thinned."""
STYLE = (
    "svg{color:#1f2328;background:#fff;font:13px system-ui,sans-serif}"
    ".t{fill:currentColor}.m{fill:#59636e}.g{stroke:#d1d9e0;fill:none}"
    ".band{fill:#0969da;opacity:.14}.want{stroke:#0969da;stroke-width:3;fill:none}"
    ".seen{fill:currentColor}.range{stroke:currentColor;stroke-width:2;fill:none}"
    ".path{stroke:#0969da;stroke-width:2;fill:none}"
    ".limit{stroke:#cf222e;stroke-width:1.5;stroke-dasharray:6 4;fill:none}"
    "@media (prefers-color-scheme:dark){svg{color:#e6edf3;background:#0d1117}"
    ".m{fill:#9198a1}.g{stroke:#3d444d}.band{fill:#4493f8;opacity:.22}"
    ".want,.path{stroke:#4493f8}.limit{stroke:#f85149}}"
)
WORDS = {
    Outcome.PASSED: "passed: every share is within the tolerance",
    Outcome.FAILED: "failed: the declared shares are disproved",
    Outcome.INCONCLUSIVE: "inconclusive: too few draws to tell",
    None: "undecided",
}


def shares_svg(trial: Trial) -> str:
    """A row for each backend: its declared share with the tolerance around it, and what was seen with its
    confidence sequence."""
    names = list(trial.null.shares)
    height = TOP + ROW * len(names) + FOOT
    drawn = max(sum(trial.counts.values()), 1)
    told = f"{trial.draws} draws; {WORDS[trial.outcome]}"
    parts = [*_head(height, f"Shares of {trial.null.alias}", told)]
    bottom = TOP + ROW * len(names)
    for tenth in range(0, 11, 2):
        at = _x(tenth / 10)
        parts.append(f'<path class="g" d="M{at} {TOP - 8}V{bottom}"/>')
        parts.append(_text(at, bottom + 18, f"{tenth * 10} %", "m", "middle"))
    for place, name in enumerate(names):
        parts += _row(trial, name, TOP + ROW * place + ROW / 2, drawn)
    parts.append(
        _text(LEFT, bottom + 42, "bar: declared, shade: tolerance; dot: seen, line: confidence sequence", "m")
    )
    return _closed(parts)


def _row(trial: Trial, name: str, middle: float, drawn: int) -> list[str]:
    share, count = trial.null.shares[name], trial.counts[name]
    low, high = trial.intervals[name]
    tolerance = trial.design.tolerance
    left, right = _x(max(share - tolerance, 0.0)), _x(min(share + tolerance, 1.0))
    return [
        _text(LEFT - 12, middle - 2, _cut(name), "t", "end"),
        _text(LEFT - 12, middle + 14, f"{share:.1%} → {count / drawn:.1%} ({count})", "m", "end", 11),
        f'<rect class="band" x="{left}" y="{middle - 12}" width="{round(right - left, 1)}" height="24"/>',
        f'<path class="want" d="M{_x(share)} {middle - 14}V{middle + 14}"/>',
        f'<path class="range" d="M{_x(low)} {middle}H{_x(high)}'
        f'M{_x(low)} {middle - 5}v10M{_x(high)} {middle - 5}v10"/>',
        f'<circle class="seen" cx="{_x(count / drawn)}" cy="{middle}" r="5"/>',
    ]


def evidence_svg(trial: Trial) -> str:
    """The path of the e-process over the draws, logarithmic, and the line above which all is disproved."""
    height = TOP + CHART + FOOT
    limit = math.log10(1 / trial.design.alpha)
    path = [min(max(value / math.log(10), -limit), 2 * limit) for value in trial.path]
    top, least = max([limit * 1.15, *path]), min([-1.0, *path])
    told = f"after {trial.draws} draws; disproved at 1/alpha = {1 / trial.design.alpha:,.0f}"

    def y(value: float) -> float:
        return round(TOP + CHART * (top - value) / (top - least), 1)

    parts = [*_head(height, f"Evidence against the shares of {trial.null.alias}", told)]
    for power in range(math.ceil(least), math.floor(top) + 1):
        parts.append(f'<path class="g" d="M{LEFT} {y(power)}H{WIDTH - RIGHT}"/>')
        parts.append(_text(LEFT - 10, y(power) + 4, f"{10.0**power:g}", "m", "end"))
    most = max(len(path), 1)
    step = max(math.ceil(most / MOST_POINTS), 1)
    kept = [*range(0, len(path), step)]
    if kept and kept[-1] != len(path) - 1:
        kept.append(len(path) - 1)
    points = [f"{_x((place + 1) / most)} {y(path[place])}" for place in kept]
    parts.append(f'<path class="path" d="M{_x(0)} {y(0)}{"".join(f"L{point}" for point in points)}"/>')
    parts.append(f'<path class="limit" d="M{LEFT} {y(limit)}H{WIDTH - RIGHT}"/>')
    parts.append(_text(WIDTH - RIGHT, y(limit) - 6, "disproved above this line", "t", "end"))
    bottom = TOP + CHART
    parts.append(_text(LEFT, bottom + 20, "0", "m", "middle"))
    parts.append(_text(WIDTH - RIGHT, bottom + 20, f"{trial.draws} draws", "m", "end"))
    parts.append(_text(LEFT, bottom + 44, "e-value (how much a bet against the declaration has won)", "m"))
    return _closed(parts)


def _head(height: float, title: str, told: str) -> list[str]:
    return [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'width="{WIDTH}" height="{height}">',
        f"<title>{escape(title)}</title><desc>{escape(told)}</desc><style>{STYLE}</style>",
        _text(16, 26, title, "t", size=16),
        _text(16, 46, told, "m"),
    ]


def _closed(parts: list[str]) -> str:
    return "".join([*parts, "</svg>"])


def _x(share: float) -> float:
    return round(LEFT + (WIDTH - LEFT - RIGHT) * share, 1)


def _text(x: float, y: float, text: str, kind: str, anchor: str = "start", size: int = 13) -> str:
    return (
        f'<text class="{kind}" x="{round(x, 1)}" y="{round(y, 1)}" text-anchor="{anchor}" font-size="{size}">'
        f"{escape(text)}</text>"
    )


def _cut(name: str) -> str:
    return name if len(name) <= 18 else f"{name[:17]}…"
