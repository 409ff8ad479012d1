"""Drawings that checks make: small SVG documents, shown by tracker and report."""

from __future__ import annotations

import re
from xml.etree import ElementTree

LARGEST = 200_000
"""Characters of one drawing: a record with pictures stays a document that editors open."""
SVG = "{http://www.w3.org/2000/svg}"
OUTSIDE = re.compile(r"url\(\s*['\"]?(?!#)|@import", re.IGNORECASE)
NOT_DRAWN = ("script", "foreignObject", "image", "use", "iframe", "a")
"""Elements by which a drawing could run or load something."""


def harmless(svg: str) -> str:
    """The drawing, if it is an SVG document that runs nothing and loads nothing. Raises ValueError."""
    if len(svg) > LARGEST:
        raise ValueError(f"the drawing has {len(svg)} characters; at most {LARGEST} are kept")
    if "<!" in svg.replace("<!--", ""):
        raise ValueError("the drawing holds a declaration such as DOCTYPE; a plain <svg> element is enough")
    try:
        root = ElementTree.fromstring(svg)  # noqa: S314  (no declarations, so no entities)
    except ElementTree.ParseError as error:
        raise ValueError(f"the drawing is no XML: {error}") from None
    if root.tag != f"{SVG}svg":
        raise ValueError(f"the drawing is a {root.tag}, not an svg element of {SVG}")
    for element in root.iter():
        name = str(element.tag).rpartition("}")[2]
        if name in NOT_DRAWN:
            raise ValueError(f"the drawing holds the element {name}, which can run or load something")
        for attribute, value in element.attrib.items():
            if attribute.rpartition("}")[2].lower().startswith(("on", "href")) or OUTSIDE.search(value):
                raise ValueError(f"the drawing holds {attribute}={value!r}, which can run or load something")
        if OUTSIDE.search(element.text or "") and name == "style":
            raise ValueError("the drawing's style loads something")
    return svg
