"""``signoff.html``: one file, without scripts, opened from disk or printed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from gateway_acceptance import places
from gateway_acceptance.report.reading import printable
from gateway_acceptance.signoff.summary import summary_of

TEMPLATE = "signoff.html.j2"


def page(document: Mapping[str, Any], *, earlier: bool = False) -> str:
    """The page of a sign-off. document: ``signoff.json``; earlier: as of ``summary_of``."""
    text = _template(places.templates()).render(summary=summary_of(document, earlier=earlier))
    return printable(text)


@cache
def _template(folder: Path) -> Template:
    """Compiled once."""
    jinja = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    jinja.tests["link"] = _is_link
    return jinja.get_template(TEMPLATE)


def _is_link(cell: str) -> bool:
    """Only what a browser opens as a page is made a link."""
    return cell.startswith(("https://", "http://"))
