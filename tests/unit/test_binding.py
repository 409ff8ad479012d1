"""What judged is bound by content; what makes a run unfit to accept a release by is a sentence each."""

from __future__ import annotations

import base64
import hashlib
import os
import sysconfig
from collections.abc import Callable
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

import pytest

from gateway_acceptance.environment import resolved
from gateway_acceptance.plugin import loaded
from gateway_acceptance.plugin.binding import name_and_version
from gateway_acceptance.plugin.deciding import stamps_of, touched
from gateway_acceptance.plugin.loaded import (
    LEADING,
    Brought,
    brought_files,
    distribution_problems,
    interpreter_problems,
    missing_files,
    module_problems,
    option_problems,
    plugin_problems,
    read_lock,
    setting_problems,
    startup_problems,
    variable_problems,
)
from tests.unit.declared import environment


def test_every_table_of_an_environment_is_in_its_number() -> None:
    one = environment()
    assert resolved(one) == resolved(environment())
    others = [
        environment(bounds={"answer_s": 999}),
        environment(balance={"alpha": 0.05}),
        environment(outage={"retries": 3}),
        environment(description="lenient"),
    ]
    assert len({resolved(one), *map(resolved, others)}) == 5
    assert resolved(one.model_copy(update={"source": Path("elsewhere.toml")})) == resolved(one)


def test_assertions_that_are_taken_away() -> None:
    assert interpreter_problems(0, "rewrite") == []
    assert "Python ran with -O" in interpreter_problems(1, "rewrite")[0]
    assert interpreter_problems(0, "plain") == ["pytest ran with --assert=plain: run without it"]


def test_plugins_that_are_none_of_the_suites() -> None:
    assert plugin_problems(["hypothesis 6.1", "pytest-xdist 3.8.0"]) == []
    assert plugin_problems(["pytest-lenient 0.1"]) == [
        "the pytest plugin pytest-lenient 0.1 took part, which is none of the suite's: uninstall it"
    ]


def test_modules_from_elsewhere(tmp_path: Path) -> None:
    inside, outside = tmp_path / "suite", tmp_path / "elsewhere"
    modules = [("checks", inside / "checks.py"), ("sitecustomize", outside / "sitecustomize.py")]
    assert module_problems(modules[:1], [inside]) == []
    assert (
        "from outside the suite and its distributions: sitecustomize;"
        in module_problems(modules, [inside])[0]
    )
    many = [(f"m{number}", outside / f"m{number}.py") for number in range(5)]
    assert "m0, m1, m2 and 2 more" in module_problems(many, [inside])[0]


def test_the_standard_library_may_hold_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Debian and Ubuntu link their sitecustomize to /etc; nobody else's folder beside it is meant."""
    library, settings = tmp_path / "python3.11", tmp_path / "etc"
    for folder in (library, settings, library / "below"):
        folder.mkdir()
    (settings / "sitecustomize.py").touch()
    for folder in (library, library / "below"):
        (folder / "sitecustomize.py").symlink_to(settings / "sitecustomize.py")
    monkeypatch.setattr(loaded, "_standard_library", lambda: {library})

    def told(path: Path) -> list[str]:
        return module_problems([("sitecustomize", path)], [])

    assert told(library / "sitecustomize.py") == []
    assert told(settings / "sitecustomize.py")
    assert told(library / "below" / "sitecustomize.py")
    assert told(library / ".." / "etc" / "sitecustomize.py")


def test_variables_that_lead_elsewhere() -> None:
    assert variable_problems({"PYTHONUNBUFFERED": "1", "PYTHONPATH": "", "HOME": "/"}) == []
    found = variable_problems(dict.fromkeys(LEADING, "x"))
    assert [sentence.split(" ", 1)[0] for sentence in found] == list(LEADING)


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ("no:cacheprovider", None),
        ("no:hypothesispytest", None),
        ("gateway_acceptance.plugin.early", None),
        ("xdist", None),
        ("lenient", "-p lenient loads a plugin that is none of the suite's"),
        ("no:assertion", "-p no:assertion takes a part of pytest away"),
    ],
)
def test_plugins_that_options_name(named: str, words: str | None) -> None:
    found = option_problems([named])
    assert len(found) == (words is not None)
    assert words is None or words in found[0]


def test_modules_of_a_hidden_folder_and_those_whose_file_is_gone(tmp_path: Path) -> None:
    hidden, gone = tmp_path / ".lenient" / "httpx.py", tmp_path / "suites" / "gone.py"
    assert "from outside the suite" in module_problems([("httpx", hidden)], [tmp_path])[0]
    assert module_problems([("gone", gone)], [tmp_path]) == []
    assert missing_files([("gone", gone), ("here", Path(__file__))]) == [
        "files of loaded modules are gone: gone; run again"
    ]


def test_distributions_against_their_records_and_the_lock(tmp_path: Path) -> None:
    path = Path(pytest.__file__)
    assert path.is_relative_to(sysconfig.get_path("purelib"))
    digest = base64.urlsafe_b64encode(hashlib.sha256(path.read_bytes()).digest()).rstrip(b"=").decode()
    (tmp_path / "suite.lock").write_text("pytest==9.9.9 \\\n    --hash=sha256:00\n", encoding="utf-8")
    lock, modules = read_lock(tmp_path / "suite.lock"), [("pytest", path)]
    good = {path: Brought("pytest", "9.9.9", digest)}
    assert distribution_problems(modules, good, lock) == []
    assert distribution_problems(modules, {path: Brought("pytest", "9.9.9", "")}, lock) == []
    (changed,) = distribution_problems(modules, {path: Brought("pytest", "9.9.9", "other")}, lock)
    assert changed == "installed files were changed: pytest of pytest 9.9.9; install them again"
    (nobodys,) = distribution_problems(modules, {}, lock)
    assert nobodys == "modules that no distribution brought were loaded: pytest; remove them"
    (other,) = distribution_problems(modules, {path: Brought("pytest", "9.9.8", digest)}, lock)
    assert other == "pytest 9.9.8 was loaded, and the lock holds 9.9.9: install what the lock holds"
    assert distribution_problems(modules, {path: Brought("pytest", "9.9.8", digest)}, None) == []
    assert read_lock(tmp_path / "nothing") is None


def test_names_and_versions_are_those_of_the_metadata(tmp_path: Path) -> None:
    for one in distributions():
        assert name_and_version(one) == f"{one.metadata['Name']}=={one.version}"
    odd = tmp_path / "odd-1.dist-info"
    odd.mkdir()
    for written in (
        "Metadata-Version: 2.1\nname: odd\nVersion: 1\n\nName: other\nVersion: 2\n",
        "Name: odd\r\nVersion: 1\r\nSummary: x\r\n\r\nName: other\r\n",
    ):
        (odd / "METADATA").write_text(written, encoding="utf-8", newline="")
        assert name_and_version(Distribution.at(odd)) == "odd==1"


def _edited_and_restored(rules: Path) -> None:
    was = rules.stat()
    rules.write_text("STRICT = False\n", encoding="utf-8")
    rules.write_text("STRICT = True\n", encoding="utf-8")
    os.utime(rules, ns=(was.st_atime_ns, was.st_mtime_ns))


def _swapped(rules: Path) -> None:
    other = rules.with_name("other")
    other.write_text("STRICT = True\n", encoding="utf-8")
    other.rename(rules)


TOUCHES: dict[str, tuple[Callable[[Path], object], list[str]]] = {
    "nothing": (lambda _: None, []),
    "read": (lambda rules: rules.read_text(encoding="utf-8"), []),
    "edited and restored, its time set back": (_edited_and_restored, ["suites/rules.py"]),
    "swapped": (_swapped, ["suites/rules.py"]),
    "gone": (lambda rules: rules.unlink(), ["suites/rules.py"]),
    "added": (lambda rules: rules.with_name("conftest.py").touch(), ["suites/conftest.py"]),
    "bytecode": (lambda rules: rules.with_name("rules.pyc").touch(), []),
}


@pytest.mark.parametrize("how", TOUCHES)
def test_files_that_are_written_meanwhile(tmp_path: Path, how: str) -> None:
    rules = tmp_path / "suites" / "rules.py"
    rules.parent.mkdir()
    rules.write_text("STRICT = True\n", encoding="utf-8")
    before = stamps_of(tmp_path)
    touch, names = TOUCHES[how]
    touch(rules)
    assert touched(tmp_path, before) == names


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"overridden": ["python_files=other_*.py"]}, "-o python_files=other_*.py sets pytest otherwise"),
        ({"overridden": ["addopts="]}, "-o addopts= sets pytest otherwise"),
        ({"overridden": ["log_cli=true"]}, None),
        ({"ini_file": "../pytest.ini"}, "-c ../pytest.ini takes pytest's settings from elsewhere"),
        ({"conftests_from": "/"}, "--confcutdir / lets conftest.py files of elsewhere decide"),
        ({"conftests_from": "."}, None),
        ({"without": True}, "--noconftest leaves out what the suites tell the plugin"),
    ],
)
def test_settings_by_which_others_decide(
    options: dict[str, Any], words: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    given = {"overridden": [], "ini_file": None, "conftests_from": None, "without": False, **options}
    found = setting_problems(
        given["overridden"],
        given["ini_file"],
        given["conftests_from"],
        tmp_path,
        without=given["without"],
    )
    assert len(found) == (words is not None)
    assert words is None or words in found[0]


def test_files_that_python_runs_at_its_start(tmp_path: Path) -> None:
    for name, text in (
        ("evil.pth", "import os; os.environ\n"),
        ("folder.pth", "/some/where\n"),
        ("_virtualenv.pth", "import _virtualenv\n"),
        ("known.pth", "import known\n"),
    ):
        (tmp_path / name).write_text(text, encoding="utf-8")
    known = {tmp_path / "known.pth": Brought("known", "1", "")}
    assert startup_problems(known, [tmp_path]) == [
        "start-up files that no distribution brought: evil.pth; remove them"
    ]
    assert startup_problems(brought_files()) == []
