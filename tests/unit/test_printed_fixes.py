"""What findings of machines print is pasted as it stands: a command is nothing but commands, and whoever
begins with a command that only shows something says what to decide by it."""

from __future__ import annotations

import ast
import shlex
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import pytest

from suites.host.process.rules import fix_of_group
from suites.host.unit.rules import fix_of_load, not_reloaded, other_account
from tests.unit.host_facts_service import FRAGMENT, declared, unit

ROOT = Path(__file__).parents[2]
STANDS_FOR = "x"
PROGRAMS = ("sudo", "journalctl", "sort", "tail", "head", STANDS_FOR)
SHOWING = ("journalctl", "curl", "time", "ps", "git", "systemctl status", "systemctl cat", "systemd-analyze")
BETWEEN = ";|&"


def strings_of(source: str) -> Iterator[str]:
    """Every string of a module, whole: what is put in stands as a word."""
    tree = ast.parse(source)
    within = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in (node for node in ast.walk(tree) if id(node) not in within):
        if isinstance(node, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.Constant) else STANDS_FOR for part in node.values]
            yield "".join(str(part) for part in parts)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def fix_in(text: str) -> str:
    """The fix that a string holds, or is."""
    _, found, fix = text.partition("fix: ")
    return fix if found else text


def words_of_prose(command: str) -> list[str]:
    """The words of a pasted line that no shell should run, or that are cut off by a comma."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    tokens = list(lexer)
    pieces = [
        list(group) for between, group in groupby(tokens, lambda t: set(t) <= set(BETWEEN)) if not between
    ]
    return [piece[0] for piece in pieces if piece[0] not in PROGRAMS] + [
        token for token in tokens if token.endswith(",")
    ]


@pytest.mark.parametrize("folder", ["suites/host", "gateway_acceptance/host"])
def test_a_command_is_nothing_but_commands(folder: str) -> None:
    seen, wrong = 0, []
    for path in sorted((ROOT / folder).rglob("*.py")):
        for text in strings_of(path.read_text(encoding="utf-8")):
            fix = fix_in(text)
            if fix.startswith("sudo ") and len(fix.split()) > 2:
                seen += 1
                prose = words_of_prose(fix)
                wrong += [f"{path.name}: {fix}: {prose}"] if prose else []
            elif fix.startswith(tuple(f"{name} " for name in SHOWING)):
                wrong.append(f"{path.name}: {fix}: it shows something; say what to decide by it")
    assert wrong == []
    assert seen > 20 or folder != "suites/host"


@pytest.mark.parametrize(
    ("command", "prose"),
    [
        ("sudo systemctl restart x", []),
        ("sudo rm x && sudo systemctl daemon-reload; sudo du x | sort -h | tail -n 3", []),
        ("sudo systemctl unmask x, or deploy again", ["x,"]),
        ("sudo systemctl restart x; look at its --host", ["look"]),
        ("sudo sed -i -e '/^User=/d; s/a, b/c/' x", []),
    ],
)
def test_prose_is_told_from_commands(command: str, prose: list[str]) -> None:
    assert words_of_prose(command) == prose


@pytest.mark.parametrize(
    ("state", "enabled", "fix"),
    [
        ("not-found", "", "put the unit's file back, or deploy again"),
        ("masked", "masked", "sudo systemctl unmask hx.service"),
        ("masked", "masked-runtime", "sudo systemctl unmask --runtime hx.service"),
        ("bad-setting", "enabled", "correct what systemd says of its file"),
    ],
)
def test_a_unit_that_is_not_loaded(state: str, enabled: str, fix: str) -> None:
    assert fix_of_load(state, enabled, "hx.service").startswith(fix)


def test_a_unit_that_was_edited_is_looked_at_before_it_is_in_force() -> None:
    edited = unit()
    edited["properties"]["NeedDaemonReload"] = "yes"
    (problem,) = not_reloaded(edited, "hx.service")
    assert "fix: see what is new" in str(problem)


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("of-account", "sudo gpasswd -d hx of-account && sudo systemctl restart hx.service"),
        ("first", "sudo usermod -g hx hx && sudo systemctl restart hx.service"),
        ("of-unit", "take it out of SupplementaryGroups= and Group= of hx.service"),
    ],
)
def test_a_group_is_taken_away_where_it_comes_from(name: str, fix: str) -> None:
    assert fix_of_group(name, declared(), "first", ["of-account", "first"]).startswith(fix)


def test_an_account_is_corrected_in_the_file_that_says_it_last() -> None:
    wrong = unit()
    wrong["properties"]["User"] = "root"
    (problem,) = other_account(wrong, declared())
    assert f"' {FRAGMENT} && sudo systemctl daemon-reload" in str(problem)
    drop_in = f"{FRAGMENT}.d/a b.conf"
    wrong["files"].append({**wrong["files"][0], "path": drop_in, "text": "[Service]\nUser=root\n"})
    (problem,) = other_account(wrong, declared())
    assert f"fix: sudo rm '{drop_in}' && sudo systemctl daemon-reload" in str(problem)
