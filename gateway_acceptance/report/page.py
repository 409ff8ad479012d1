"""HTML for people: strangers' text shows as written and can do nothing, and the page loads nothing."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from pathlib import Path
from urllib.parse import quote

import jinja2
from markupsafe import Markup

from gateway_acceptance import places
from gateway_acceptance.report.markdown import ADDRESS
from gateway_acceptance.report.reading import printable

STYLE = "page.css"
WORD = re.compile(r"[^a-z]+")


def page_template(name: str) -> jinja2.Template:
    """An HTML template of ``reports/templates``. What it prints is made printable and escaped."""
    return _template(name, places.templates())


@cache
def _template(name: str, folder: Path) -> jinja2.Template:
    """Compiled once."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        finalize=lambda value: (
            value if isinstance(value, Markup) else printable("" if value is None else value)
        ),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(link=link, tag=tag, drawn=drawn, path=quote)
    return environment.get_template(name)


@cache
def style() -> Markup:
    """The page's only style sheet."""
    return Markup((places.templates() / STYLE).read_text(encoding="utf-8"))  # noqa: S704  (our own file)


@cache
def style_hash() -> str:
    """Its SHA-256 for the content security policy: no other style applies, none at an element either."""
    return base64.b64encode(hashlib.sha256(style().encode()).digest()).decode()


def link(value: object) -> Markup:
    """A web address as a link, anything else (``javascript:``) as text."""
    text = printable(value)
    if not ADDRESS.fullmatch(text):
        return Markup("{}").format(text)
    return Markup('<a href="{0}" rel="noreferrer">{0}</a>').format(text)


def tag(word: object) -> str:
    """A verdict as the name of a style class: letters and hyphens."""
    return WORD.sub("-", str(word).lower()).strip("-") or "unknown"


def drawn(svg: str) -> Markup:
    """A drawing as an image's address: as an image it runs nothing, whatever it holds."""
    content = base64.b64encode(svg.encode("utf-8", "replace")).decode()
    return Markup(f"data:image/svg+xml;base64,{content}")  # noqa: S704  (base64)
