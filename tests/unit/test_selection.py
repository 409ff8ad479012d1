"""What a run builds: only what it selects, and all of that, as if everything had been built."""

from __future__ import annotations

import contextlib
import io
import sys
from importlib import import_module
from pathlib import Path

import pytest

from gateway_acceptance.check import MUST, READ, Check, declared
from gateway_acceptance.cli.catalogue import collect
from gateway_acceptance.lazily import lazily, lazily_from, left_out
from gateway_acceptance.plugin import selection
from gateway_acceptance.plugin.declared import NotReadFromText, checks_in
from gateway_acceptance.plugin.selection import needs_smoke

ROOT = Path(__file__).parents[2]
EASY = 70
"""Files of checks that can be read without an import: nearly all."""


@pytest.mark.parametrize(
    ("expression", "needed"),
    [
        ("smoke", True),
        ("smoke and not spend", True),
        ("smoke and (must or should)", True),
        ("not not smoke", True),
        ("must and smoke and not spend and read", True),
        ("", False),
        ("nightly", False),
        ("not smoke", False),
        ("smoke or must", False),
        ("not (smoke and must)", False),
        ("smoke and", False),
        ("smokes", False),
    ],
)
def test_only_what_needs_smoke_leaves_files_out(expression: str, needed: bool) -> None:
    assert needs_smoke(expression) is needed


class Collected:
    def __init__(self) -> None:
        self.kept: list[str] = []
        self.built = 0

    @pytest.hookimpl(tryfirst=True)
    def pytest_itemcollected(self) -> None:
        self.built += 1

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.kept = [item.nodeid for item in session.items]


def collected(*arguments: str) -> tuple[Collected, int]:
    seen = Collected()
    with (
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
        contextlib.chdir(ROOT),
    ):
        code = pytest.main(
            ["--collect-only", "-q", "-p", "no:cacheprovider", "--env=local", *arguments], plugins=[seen]
        )
    return seen, int(code)


@pytest.mark.parametrize(
    "arguments",
    [
        ("-m", "smoke"),
        ("-m", "smoke and must and not spend"),
        ("-m", "smoke", "-k", "shape or alive", "suites/api"),
        ("-m", "smoke", "suites/api/errors/test_fields.py", "suites/api/chat"),
    ],
    ids=" ".join,
)
def test_what_is_selected_is_what_it_was(arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    little, code = collected(*arguments)
    monkeypatch.setattr(selection, "needs_smoke", lambda _: False)
    everything, same = collected(*arguments)
    assert little.kept == everything.kept
    assert code == same == 0
    assert little.kept
    assert little.built < everything.built


def test_a_file_that_is_named_is_built_and_deselected() -> None:
    seen, code = collected("-m", "smoke", "suites/api/errors/test_fields.py")
    assert seen.built
    assert (seen.kept, code) == ([], 4), "no check was selected"


def test_files_say_what_importing_them_says() -> None:
    read: dict[str, Check] = {}
    unreadable = []
    for path in sorted((ROOT / "suites").rglob("test_*.py")):
        try:
            read |= {check.id: check for check in checks_in(path.read_text(encoding="utf-8")).values()}
        except NotReadFromText:
            unreadable.append(path.name)
    imported = {check.id: check for check in collect(ROOT).checks}
    assert {name: imported.get(name) for name in read} == read
    files = len(list((ROOT / "suites").rglob("test_*.py")))
    assert files - len(unreadable) >= EASY, unreadable


PLAIN = """
from gateway_acceptance.check import MUST, READ, check
SPEC = "openai:Model"

@check("API-X-001", "it answers", level=MUST, effect=READ, claims=("FUN-01",), spec=f"{SPEC}.id")
def test_it(gateway): ...

def helper(): ...
"""


def test_a_check_is_read_whole() -> None:
    wanted = declared(
        "API-X-001", "it answers", level=MUST, effect=READ, claims="FUN-01", spec="openai:Model.id"
    )
    assert checks_in(PLAIN) == {"test_it": wanted}


@pytest.mark.parametrize(
    "more",
    [
        "def test_more(): ...",
        "test_more = refusal('API-X-002')",
        "class TestMore: ...",
        "@check('API-X-002', TITLES[0], level=MUST, effect=READ)\ndef test_more(): ...",
        "@check(**GIVEN)\ndef test_more(): ...",
        "@check('no id', 'title', level=MUST, effect=READ)\ndef test_more(): ...",
        "@check('API-X-002', level=MUST)\ndef test_more(): ...",
        "for one in ALL:\n    test_more = one",
        "def test_more(:",
    ],
)
def test_what_only_an_import_tells_is_imported(more: str) -> None:
    with pytest.raises(NotReadFromText):
        checks_in(f"{PLAIN}\n{more}\n")


def test_a_module_comes_when_it_is_used() -> None:
    module = lazily("no_such_module_at_all")
    assert not hasattr(module, "__test__"), "what pytest asks of every name loads nothing"
    assert "no_such_module_at_all" in repr(module)
    with pytest.raises(ModuleNotFoundError):
        _ = module.anything
    assert lazily("json").dumps is __import__("json").dumps


def test_a_name_of_a_module_comes_when_it_is_used() -> None:
    (absent,) = lazily_from("no_such_module_at_all", "anything")
    assert not hasattr(absent, "__test__")
    assert "no_such_module_at_all" in repr(absent)
    with pytest.raises(ModuleNotFoundError):
        absent()
    dumps, decoder = lazily_from("json", "dumps", "JSONDecoder")
    assert dumps([1], indent=None) == "[1]"
    assert decoder.decode is __import__("json").JSONDecoder.decode


def test_what_is_left_out_is_there_again_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    """An import of it fails within, and works behind; what is imported already stays."""
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    with pytest.raises(ModuleNotFoundError), left_out("colorsys"):
        import_module("colorsys")
    assert import_module("colorsys").rgb_to_hsv(0, 0, 0) == (0, 0, 0)
    with left_out("colorsys"):
        assert import_module("colorsys")
    assert "colorsys" in sys.modules
