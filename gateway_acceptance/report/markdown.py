"""Text of strangers in Markdown: it shows as written and can do nothing (GitHub's dialect)."""

from __future__ import annotations

import html
import re
from functools import cache
from pathlib import Path

import jinja2
from markupsafe import Markup

from gateway_acceptance import places
from gateway_acceptance.report.reading import printable

PUNCTUATION = re.compile(r"([\\`*\[\]|~$])")
OUTER_UNDERSCORE = re.compile(r"(?<!\w)_|_(?!\w)")
"""Inside a word an underscore means nothing to GitHub, and ``finish_reason`` stays readable."""
BLOCK_START = re.compile(r"^(\d+(?=[.)](?:\s|$))|(?=[#+=-]))")
WWW = re.compile(r"\b(www)\.", re.IGNORECASE)
PLAIN_CODE = re.compile(r"[^`|\n]*[^`|\n\s][^`|\n]*")
ADDRESS = re.compile(r"https?://[^\s<>|\\`]+")
FENCE = re.compile(r"`{3,}")


def md(value: object) -> Markup:
    """Any text as inline Markdown: no markup, no HTML, no table cells, no links of its own; lines by <br>."""
    lines = [_line(line) for line in printable(value).strip().split("\n")]
    return Markup("<br>".join(lines))  # noqa: S704  (escaped line by line)


def _line(line: str) -> str:
    text = html.escape(line.replace("\t", " ").strip(), quote=False)
    text = OUTER_UNDERSCORE.sub(r"\\_", PUNCTUATION.sub(r"\\\1", text))
    text = WWW.sub(r"\1\\.", text.replace("://", ":\\//"))  # GitHub links bare addresses
    return BLOCK_START.sub(r"\1\\", text, count=1)


def code(value: object) -> Markup:
    """Inline code where the text allows it, escaped text where it does not."""
    text = printable(value)
    if not PLAIN_CODE.fullmatch(text):
        return md(text)
    return Markup(f"`{text}`")  # noqa: S704  (nothing in it can end the code span or the table cell)


def link(value: object) -> Markup:
    """A web address as a link, anything else as escaped text."""
    text = printable(value)
    return Markup(f"<{text}>") if ADDRESS.fullmatch(text) else md(text)  # noqa: S704  (nothing ends it early)


def fenced(value: object, language: str = "") -> Markup:
    """A code block that its content cannot close."""
    text = printable(value).strip("\n")
    longest = max((len(run) for run in FENCE.findall(text)), default=2)
    fence = "`" * (longest + 1)
    return Markup(f"{fence}{language}\n{text}\n{fence}")  # noqa: S704  (the fence is longer than any inside)


def template(name: str) -> jinja2.Template:
    """A Markdown template of ``reports/templates``. What it prints is escaped unless it is Markup."""
    return _template(name, places.templates())


@cache
def _template(name: str, folder: Path) -> jinja2.Template:
    """Compiled once."""
    environment = jinja2.Environment(  # noqa: S701  (Markdown: `finalize` escapes, HTML's rules would not do)
        loader=jinja2.FileSystemLoader(folder),
        undefined=jinja2.StrictUndefined,
        finalize=lambda value: value if isinstance(value, Markup) else md("" if value is None else value),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(code=code, fenced=fenced, link=link)
    return environment.get_template(name)
