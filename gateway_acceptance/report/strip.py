"""The history of runs as a small SVG strip: newest at the right, told by height and mark and colour."""

from __future__ import annotations

from markupsafe import Markup, escape

from gateway_acceptance.report.reading import printable, utc
from gateway_acceptance.report.states import BAD, GOOD, PARTLY, VOID, tone
from gateway_acceptance.report.status_model import StatusModel

SHOWN = 30
STEP, HEIGHT, FOOT = 14, 36, 12
TALL = {GOOD: HEIGHT, PARTLY: HEIGHT * 2 // 3, BAD: HEIGHT // 2, VOID: HEIGHT // 4}
MARKS = {GOOD: "✓", PARTLY: "◦", BAD: "✗", VOID: "–"}


def history_strip(status: StatusModel) -> Markup:
    """One bar per run with its state in words as title; empty where this run is the only one."""
    runs = [(run.started, run.state) for run in reversed(status.earlier.history.runs[: SHOWN - 1])]
    if not runs:
        return Markup("")
    runs.append((status.run.started, status.run.state))
    bars = []
    for place, (started, state) in enumerate(runs):
        kind, left = tone(state), place * STEP
        title = escape(printable(f"{utc(started)}: {state}"))
        bars.append(
            f'<g class="bar {kind}"><title>{title}</title>'
            f'<rect x="{left}" y="{HEIGHT - TALL[kind]}" width="{STEP - 3}" height="{TALL[kind]}" rx="1"/>'
            f'<text x="{left + (STEP - 3) / 2}" y="{HEIGHT + FOOT - 2}">{MARKS[kind]}</text></g>'
        )
    good = sum(tone(state) == GOOD for _, state in runs)
    label = f"The last {len(runs)} runs, newest at the right: {good} good, {len(runs) - good} not"
    width = len(runs) * STEP
    return Markup(  # noqa: S704  (numbers, our own words, escaped text)
        f'<svg class="strip" role="img" aria-label="{label}" viewBox="0 0 {width} {HEIGHT + FOOT}" '
        f'width="{width}" height="{HEIGHT + FOOT}" xmlns="http://www.w3.org/2000/svg">{"".join(bars)}</svg>'
    )
