"""``signoff.pdf``: A4, to be printed and filed. The same bytes for the same sign-off and the same library."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any
from xml.sax.saxutils import escape

import font_roboto
from reportlab.lib.colors import HexColor, white
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfmetrics import registerFont, registerFontFamily
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    Flowable,
    Frame,
    LongTable,
    PageBreak,
    PageTemplate,
    Paragraph,
    Spacer,
    TableStyle,
)
from reportlab.platypus.doctemplate import LayoutError

from gateway_acceptance.report.reading import printable, utc
from gateway_acceptance.signoff.summary import Section, Summary, SummaryTable, summary_of

REGULAR, BOLD = "Roboto", "Roboto-Bold"
MARGIN = 16 * mm
INNER = A4[0] - 2 * MARGIN
GOOD, EXERCISE, SOFT, LINE, HEAD, WARN = map(
    HexColor, ("#0f5c33", "#7a3e00", "#57606a", "#c4ccd4", "#eef1f4", "#fff4e0")
)
LONG_WORD = re.compile(r"\S{24,}")
BREAK = "\u200b"
BREAK_AFTER = re.compile(r"([/_.:=&?-])")

BODY = ParagraphStyle("body", fontName=REGULAR, fontSize=9.5, leading=13, spaceAfter=4)
TITLE = ParagraphStyle("title", parent=BODY, fontName=BOLD, fontSize=16, leading=20, spaceAfter=8)
DECISION = ParagraphStyle(
    "decision", parent=BODY, fontName=BOLD, fontSize=24, leading=30, textColor=white, spaceAfter=14
)
WARNING = ParagraphStyle("warning", parent=BODY, fontName=BOLD, fontSize=11, leading=15, spaceAfter=8)
SENTENCE = ParagraphStyle("sentence", parent=BODY, fontSize=12, leading=16.5, spaceAfter=8)
HEADING = ParagraphStyle(
    "heading",
    parent=BODY,
    fontName=BOLD,
    fontSize=13,
    leading=17,
    spaceBefore=12,
    spaceAfter=4,
    keepWithNext=1,
)
POINT = ParagraphStyle("point", parent=BODY, leftIndent=12, bulletIndent=2, spaceAfter=2)
CELL = ParagraphStyle("cell", parent=BODY, fontSize=8, leading=10.2, spaceAfter=0)
HEADER = ParagraphStyle("header", parent=CELL, fontName=BOLD)
FACT = ParagraphStyle("fact", parent=BODY, spaceAfter=0)
LABEL = ParagraphStyle("label", parent=FACT, textColor=SOFT)


def pdf_of(document: Mapping[str, Any], *, earlier: bool = False) -> bytes:
    """The PDF of a sign-off. document: ``signoff.json``; earlier: as of ``summary_of``. Raises ValueError for
    what fits on no page."""
    return _pdf_of(json.dumps({**document, "manifest_sha256": ""}), earlier)


@lru_cache(maxsize=4)
def _pdf_of(text: str, earlier: bool) -> bytes:
    """Kept for a while: what was written is looked at again at once."""
    _fonts()
    document: dict[str, Any] = json.loads(text)
    content = summary_of(document, earlier=earlier)
    target = io.BytesIO()
    template = BaseDocTemplate(
        target,
        pagesize=A4,
        invariant=1,
        title=printable(content.title),
        author=printable(document["approver"]["name"]),
        subject=printable(content.sentence),
        lang="en",
    )
    frame = Frame(MARGIN, MARGIN + 4 * mm, INNER, A4[1] - 2 * MARGIN - 4 * mm, 0, 0, 0, 0)
    foot = f"{content.title}, signed {utc(document['signed'])}"
    template.addPageTemplates([PageTemplate("all", [frame])])
    try:
        template.build(
            [*_first(content), PageBreak(), *_rest(content)], canvasmaker=_numbered(in_glyphs(foot))
        )
    except LayoutError as error:
        raise ValueError(f"no page holds it: {str(error)[:80]}") from None
    return target.getvalue()


def in_glyphs(text: str) -> str:
    """The text with every character that the font lacks named by its number, so that nothing goes unseen."""
    known = _glyphs()
    return "".join(
        character if ord(character) in known or character in "\n " else f"[U+{ord(character):04X}]"
        for character in printable(text)
    )


def _first(content: Summary) -> list[Flowable]:
    colour = GOOD if content.production else EXERCISE
    flow: list[Flowable] = [
        Paragraph(_markup(content.title), TITLE),
        _box(content.decision, DECISION, colour),
    ]
    if content.warning:
        flow += [Spacer(1, 3 * mm), _box(content.warning, WARNING, WARN)]
    facts = LongTable(
        [
            [Paragraph(_markup(label), LABEL), Paragraph(_markup(value), FACT)]
            for label, value in content.facts
        ],
        colWidths=[36 * mm, INNER - 36 * mm],
        splitInRow=1,
        style=TableStyle(
            [
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LINEBELOW", (0, 0), (-1, -1), 0.4, LINE),
                ("LEFTPADDING", (0, 0), (-1, -1), 0),
                ("TOPPADDING", (0, 0), (-1, -1), 2.5),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 3.5),
            ]
        ),
    )
    return [
        *flow,
        Spacer(1, 4 * mm),
        Paragraph(_markup(content.sentence), SENTENCE),
        facts,
        *_section(content.accepted),
    ]


def _rest(content: Summary) -> list[Flowable]:
    return [flowable for section in content.sections for flowable in _section(section)]


def _section(section: Section) -> list[Flowable]:
    flow: list[Flowable] = [Paragraph(_markup(section.title), HEADING)]
    if section.text:
        style = ParagraphStyle("lead", parent=BODY, keepWithNext=1) if section.table else BODY
        flow.append(Paragraph(_markup(section.text), style))
    flow += [Paragraph(_markup(point), POINT, bulletText="–") for point in section.points]
    if section.table:
        flow += [Spacer(1, 1.5 * mm), _table(section.table)]
    return flow


def _table(table: SummaryTable) -> Flowable:
    total = sum(table.widths)
    rows = [[Paragraph(_markup(word), HEADER) for word in table.header]]
    rows += [[Paragraph(_linked(cell), CELL) for cell in row] for row in table.rows]
    return LongTable(
        rows,
        colWidths=[INNER * width / total for width in table.widths],
        repeatRows=1,
        splitInRow=1,  # a row may be higher than a page
        style=TableStyle(
            [
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("BACKGROUND", (0, 0), (-1, 0), HEAD),
                ("LINEBELOW", (0, 0), (-1, -1), 0.4, LINE),
                ("LEFTPADDING", (0, 0), (-1, -1), 3),
                ("RIGHTPADDING", (0, 0), (-1, -1), 3),
                ("TOPPADDING", (0, 0), (-1, -1), 2),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
            ]
        ),
    )


def _box(text: str, style: ParagraphStyle, colour: Any) -> Flowable:
    return LongTable(
        [[Paragraph(_markup(text), style)]],
        colWidths=[INNER],
        style=TableStyle(
            [
                ("BACKGROUND", (0, 0), (-1, -1), colour),
                ("LEFTPADDING", (0, 0), (-1, -1), 10),
                ("TOPPADDING", (0, 0), (-1, -1), 5),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 9),
            ]
        ),
    )


def _markup(text: str) -> str:
    """Text as reportlab's paragraphs take it; long words may break after their punctuation."""
    pieces = LONG_WORD.sub(lambda word: _breakable(word[0]), in_glyphs(text).replace(BREAK, "")).split(BREAK)
    return "<wbr/>".join(map(escape, pieces))


def _breakable(word: str) -> str:
    parts = [part for part in BREAK_AFTER.sub(rf"\1{BREAK}", word).split(BREAK) if part]
    return BREAK.join(part[start : start + 24] for part in parts for start in range(0, len(part), 24))


def _linked(cell: str) -> str:
    if cell.startswith(("https://", "http://")):
        return f'<a href="{escape(cell, {chr(34): "&quot;"})}" color="#0a53be">{_markup(cell)}</a>'
    return _markup(cell)


def _numbered(foot: str) -> type[Canvas]:
    """A canvas that writes ``page 2 of 9`` below each page: it is drawn when all are known."""

    class Numbered(Canvas):  # type: ignore[misc]
        def __init__(self, *arguments: Any, **named: Any) -> None:
            super().__init__(*arguments, **named)
            self.kept: list[dict[str, Any]] = []

        def showPage(self) -> None:  # noqa: N802  (reportlab's name)
            self.kept.append(dict(self.__dict__))
            self._startPage()

        def save(self) -> None:
            for number, state in enumerate(self.kept, start=1):
                self.__dict__.update(state)
                self.setFont(REGULAR, 8)
                self.setFillColor(SOFT)
                self.drawString(MARGIN, MARGIN - 4 * mm, _fitting(foot))
                self.drawRightString(A4[0] - MARGIN, MARGIN - 4 * mm, f"page {number} of {len(self.kept)}")
                super().showPage()
            super().save()

    return Numbered


def _fitting(text: str, limit: int = 120) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


@cache
def _fonts() -> None:
    registerFont(TTFont(REGULAR, font_roboto.Roboto))
    registerFont(TTFont(BOLD, font_roboto.RobotoBold))
    registerFontFamily(REGULAR, normal=REGULAR, bold=BOLD, italic=REGULAR, boldItalic=BOLD)


@cache
def _glyphs() -> frozenset[int]:
    return frozenset(TTFont("probe", font_roboto.Roboto).face.charToGlyph)
