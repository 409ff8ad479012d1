"""Who served what over time, as a picture: a lane per backend, a mark per request, outages shaded."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from gateway_acceptance.disruptor import OutageKind
from gateway_acceptance.outage.program import ObservedRequest, Program, RequestKind
from gateway_acceptance.wire.stream import read_chat_stream

WIDTH, LEFT, RIGHT = 960, 92, 16
LANE, TOP, BOTTOM = 46, 34, 46
NOBODY = "nobody"
"""The lane of requests that no backend answered."""
SPREAD = 15
"""Pixels by which marks of a lane are moved apart, so that simultaneous ones are seen."""
STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#24292f}.s{fill:#57606a;font-size:11px}.g{stroke:#d0d7de}"
    ".away{fill:#f2d8a0;stroke:#9a6700}.ok{fill:#1a7f37}.half{fill:none;stroke:#1a7f37;stroke-width:2}.bad{stroke:#cf222e;stroke-width:2;fill:none}"
    "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.s{fill:#9198a1}.g{stroke:#3d444d}"
    ".away{fill:#4d3800;stroke:#d29922}.ok{fill:#3fb950}.half{stroke:#3fb950}.bad{stroke:#f85149}}"
)


def timeline(program: Program, backends: Sequence[str]) -> str:
    """An SVG document, legible on light and dark grounds and without colours: served is a dot (half a
    stream an empty one), an error a cross. backends: the lanes, from the top. Times are seconds since the
    program's start."""
    lanes = [*backends, NOBODY]
    total = max([1.0, *(seen.ended for seen in program.seen)])
    height = TOP + LANE * len(lanes) + BOTTOM
    parts = [_grid(lanes, total)]
    parts += [_span(number, program, lane, total) for number, lane in enumerate(backends)]
    asked = [seen for seen in program.seen if seen.way is not RequestKind.LIVENESS]
    for place, seen in enumerate(sorted(asked, key=lambda one: one.ended)):
        lane = seen.witness if seen.served and seen.witness in backends else NOBODY
        y = TOP + LANE * lanes.index(lane) + LANE / 2 + (place % 5 - 2) * SPREAD / 2
        parts.append(_mark(seen, LEFT + seen.ended / total * (WIDTH - LEFT - RIGHT), y))
    served = sum(seen.served for seen in asked)
    title = f"Who served what: {served} of {len(asked)} requests were served"
    legend = height - 12
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
        f'height="{height}" role="img"><title>{escape(title)}</title>'
        f"<desc>{escape(program.words())}</desc><style>{STYLE}</style>"
        f'<text x="{LEFT}" y="18">{escape(_cut(program.words()))}</text>{"".join(parts)}'
        f'<circle class="ok" cx="{LEFT + 4}" cy="{legend - 4}" r="3"/>'
        f'<text class="s" x="{LEFT + 12}" y="{legend}">served</text>'
        f'{_cross(LEFT + 72, legend - 4)}<text class="s" x="{LEFT + 80}" y="{legend}">error</text>'
        f'<rect class="away" x="{LEFT + 128}" y="{legend - 10}" width="18" height="10"/>'
        f'<text class="s" x="{LEFT + 152}" y="{legend}">outage</text>'
        f'<circle class="half" cx="{LEFT + 208}" cy="{legend - 4}" r="3"/>'
        f'<text class="s" x="{LEFT + 216}" y="{legend}">half a stream</text></svg>'
    )


def _grid(lanes: Sequence[str], total: float) -> str:
    bottom = TOP + LANE * len(lanes)
    step = next((step for step in (0.5, 1, 2, 5, 10, 20) if total / step <= 12), 60)
    parts = []
    for number, lane in enumerate(lanes):
        y = TOP + LANE * number
        parts.append(f'<line class="g" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + LANE / 2 + 4}" text-anchor="end">{escape(lane)}</text>')
    parts.append(f'<line class="g" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{bottom}" y2="{bottom}"/>')
    for tick in range(int(total / step) + 1):
        x = LEFT + tick * step / total * (WIDTH - LEFT - RIGHT)
        parts.append(
            f'<text class="s" x="{x:.0f}" y="{bottom + 14}" text-anchor="middle">{tick * step:g} s</text>'
        )
    return "".join(parts)


def _span(number: int, program: Program, lane: str, total: float) -> str:
    parts = []
    for span in program.spans:
        if span.backend != lane:
            continue
        scale = (WIDTH - LEFT - RIGHT) / total
        x, end = LEFT + span.begun * scale, LEFT + min(span.ended, total) * scale
        y = TOP + LANE * number + 2
        parts.append(
            f'<rect class="away" x="{x:.1f}" y="{y}" width="{max(end - x, 2):.1f}" height="{LANE - 4}">'
            f"<title>{escape(span.kind.value)}</title></rect>"
            f'<text class="s" x="{x + 3:.1f}" y="{y + 11}">{escape(_label(span.kind, end - x))}</text>'
        )
    return "".join(parts)


def _label(kind: OutageKind, width: float) -> str:
    """The kind, where there is room for it."""
    return kind.value if width > 7 * len(kind.value) else ""


def _mark(seen: ObservedRequest, x: float, y: float) -> str:
    text = f"{seen.way.value} to {seen.alias}: {seen.status or seen.error}, {seen.took_s:.2f} s"
    title = f"<title>{escape(text)}</title>"
    if seen.served:
        how = "half" if _cut_short(seen) else "ok"
        return f'<circle class="{how}" cx="{x:.1f}" cy="{y:.1f}" r="3">{title}</circle>'
    return f"<g>{title}{_cross(x, y)}</g>"


def _cut_short(seen: ObservedRequest) -> bool:
    """Whether it is a stream of which not everything came."""
    if seen.way is not RequestKind.STREAM or seen.exchange is None:
        return False
    answer = seen.exchange
    return read_chat_stream(answer.status or 0, answer.headers, answer.chunks).text() != seen.expects


def _cross(x: float, y: float) -> str:
    return f'<path class="bad" d="M{x - 3:.1f} {y - 3:.1f}l6 6m0-6l-6 6"/>'


def _cut(words: str) -> str:
    return words if len(words) <= 120 else f"{words[:119]}…"
