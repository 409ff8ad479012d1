"""Not applicable comes of a declaration alone: every place that says so names the key that declares it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway_acceptance.environment import Environment
from gateway_acceptance.environment.model import known_keys
from gateway_acceptance.plugin.parametrise import AXES, DECLARED_BY
from gateway_acceptance.verdict import NotApplicable

ROOT = Path(__file__).parents[2]
COMPUTED = {"gateway_acceptance/plugin/fixtures.py": 1, "suites/host/deployment/extract.py": 1}
"""Where the key is not written out: the axes of the plugin, and ``extract.declared`` of the host's keys."""


def raised() -> Iterator[tuple[str, int, ast.Call]]:
    """Every call of the exception: file, line, call."""
    for folder in ("suites", "gateway_acceptance"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "NotApplicable":
                    yield str(path.relative_to(ROOT)), node.lineno, node


def is_key(declared: str) -> bool:
    """Whether an environment file may hold this key."""
    *tables, last = declared.split(".")
    return last in known_keys(Environment, tuple(tables))


def test_every_place_names_a_key_of_an_environment_file() -> None:
    wrong, computed = [], dict.fromkeys(COMPUTED, 0)
    for path, line, call in raised():
        declared = next((word.value for word in call.keywords if word.arg == "declared"), None)
        if isinstance(declared, ast.Constant) and isinstance(declared.value, str):
            if not is_key(declared.value):
                wrong.append(f"{path}:{line}: {declared.value} is no key of an environment file")
        elif declared is not None and path in computed:
            computed[path] += 1
        else:
            wrong.append(f"{path}:{line}: names no key")
    assert wrong == []
    assert computed == COMPUTED


def test_the_places_are_found() -> None:
    assert len(list(raised())) > 60


def test_axes_name_keys() -> None:
    assert set(DECLARED_BY) == set(AXES)
    assert [key for key in DECLARED_BY.values() if not is_key(key)] == []


def test_keys_of_the_host_helper() -> None:
    calls = [
        node.args[1].value
        for path in sorted((ROOT / "suites" / "host").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", "") == "declared"
        and len(node.args) == 2
        and isinstance(node.args[1], ast.Constant)
        and isinstance(node.args[1].value, str)
    ]
    keys = [key if "." in key else f"host.{key.split()[0]}" for key in calls]
    assert len(keys) > 10
    assert [key for key in keys if not is_key(key)] == []


def test_the_message_names_the_key_once() -> None:
    assert str(NotApplicable("no such route", declared="gateway.endpoints")) == (
        "no such route (gateway.endpoints)"
    )
    assert str(NotApplicable("gateway.endpoints is empty", declared="gateway.endpoints")) == (
        "gateway.endpoints is empty"
    )


@pytest.mark.parametrize("declared", ["", "as observed", "models."])
def test_what_is_no_key_is_refused(declared: str) -> None:
    with pytest.raises(ValueError, match="is no key of an environment file"):
        NotApplicable("not seen", declared=declared)
