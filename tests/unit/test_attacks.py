"""The attacks of docs/evidence.md: each test that it names is there, and there are enough of them."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.live.conftest import ROOT
from tests.plugin import test_fooling
from tests.unit import signoff_touches

SECTION = "## Attacks, and the tests that hold them"
NAMED = re.compile(r"`((?:unit|plugin|lab|live)/\w+\.py)::(\w+)(?:\[([^\]]+)\])?`")
LEAST_WAYS, LEAST_ATTACKS = 60, 40


def rows() -> list[str]:
    """The rows of the table."""
    text = (ROOT / "docs" / "evidence.md").read_text(encoding="utf-8")
    section = text.split(SECTION, 1)[1].split("\n## ", 1)[0]
    return [line for line in section.splitlines() if line.startswith("| ")][1:]


ROWS = rows()


def words_in(file: Path, seen: set[Path]) -> set[str]:
    """Every text in a file of tests and in those of tests that it imports."""
    if file in seen or not file.is_file():
        return set()
    seen.add(file)
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tests."):
            found |= words_in(ROOT.joinpath(*(node.module or "").split(".")).with_suffix(".py"), seen)
    return found


@pytest.mark.parametrize("row", ROWS, ids=[row.split("|")[1].strip()[:40] for row in ROWS])
def test_each_attack_has_a_test(row: str) -> None:
    attack, ends, tests = row.strip("| ").split(" | ")
    assert attack
    assert ends
    named = NAMED.findall(tests)
    assert len(named) == tests.count("`") / 2 >= 1
    for name, function, parameter in named:
        file = ROOT / "tests" / name
        tree = ast.parse(file.read_text(encoding="utf-8"))
        assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        assert not parameter or parameter in words_in(file, set())


def test_there_are_enough_ways_and_tamperings() -> None:
    ways = {**test_fooling.QUIET, **test_fooling.DESELECTING, **test_fooling.HOOKS, **test_fooling.WRONG}
    tamperings = [*signoff_touches.UNSIGNED, *signoff_touches.RESIGNED]
    assert len(ways) + len(tamperings) >= LEAST_WAYS
    assert len(ROWS) >= LEAST_ATTACKS
