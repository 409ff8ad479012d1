"""One meaning per class name: nobody has to ask which of two a sentence means."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("gateway_acceptance", "suites", "lab")


@cache
def _trees() -> dict[str, ast.Module]:
    return {
        str(path.relative_to(ROOT)): ast.parse(path.read_text(encoding="utf-8"))
        for folder in FOLDERS
        for path in sorted((ROOT / folder).rglob("*.py"))
    }


def test_no_two_classes_have_the_same_name() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for path, tree in _trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(f"{path}:{node.lineno}")
    assert len(places) > 300
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


UNCLEAR = {
    *("told", "whole", "stranger", "company", "unwell", "spoiled", "barrage", "dishonest"),
    *("mend", "mends", "mended", "mending", "want", "wants", "look", "looks", "looked", "looking"),
}
"""Parts of names that the field has plainer ones for."""
OF_THE_FIELD = {"look_up", "second_look", "_second_looks", "later_looks", "looks"}
"""A name is looked up; a sequential design has looks at its data."""
OF_THE_RECORD = {
    "gateway_acceptance/record_model/basis.py",
    "gateway_acceptance/record_model/case.py",
    "gateway_acceptance/cli/held_against.py",
    "gateway_acceptance/signoff/again.py",
    "gateway_acceptance/wire/exchange.py",
    "gateway_acceptance/wire/ledger.py",
    "gateway_acceptance/wire/seen.py",
    "gateway_acceptance/wire/transport.py",
}
"""They say ``whole`` as the record of format 2 does, which others read."""


def test_names_are_the_fields() -> None:
    found = {
        f"{path}: {name}"
        for path, tree in _trees().items()
        for name in {Path(path).stem, *_names(tree)}
        for part in re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower())
        if part in UNCLEAR and name not in OF_THE_FIELD and not (name == "whole" and path in OF_THE_RECORD)
    }
    assert found == set()


def _names(tree: ast.Module) -> Iterator[str]:
    """What a file defines, binds or takes."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name) | ast.AsyncFunctionDef(name) | ast.ClassDef(name):
                yield name
            case ast.arg(name) | ast.Name(name) | ast.Attribute(_, name):
                yield name
