"""An installation that is marked as ready and no longer stands is made anew."""

from __future__ import annotations

import hashlib
import re
import shutil
from pathlib import Path

import pytest

import lab.litellm.install as install
import lab.packaged.install as packaged
from lab.installed import READY, tree_stands, venv_stands

SHORT = "#!{python}\n# -*- coding: utf-8 -*-\nimport sys\n"
LONG = "#!/bin/sh\n'''exec' \"{python}\" \"$0\" \"$@\"\n' '''\nimport sys\n"
"""The two forms in which pip writes programs (distlib's): a kernel reads 127 characters of the first line."""


def made(place: Path, script: str = SHORT) -> Path:
    """A virtual environment with a distribution, as far as anybody looks."""
    bin_, packages = place / "bin", place / "lib" / "python3.11" / "site-packages"
    bin_.mkdir(parents=True)
    (bin_ / "python").symlink_to(shutil.which("true") or "/bin/true")
    for name in ("litellm", "pip"):
        (bin_ / name).write_text(script.format(python=bin_ / "python"))
        (bin_ / name).chmod(0o755)
    information = packages / "litellm-1.108.7.dist-info"
    information.mkdir(parents=True)
    (packages / "litellm").mkdir()
    (packages / "litellm" / "__init__.py").touch()
    brought = ("litellm/__init__.py", "litellm/out/chat.html", "litellm/__pycache__/__init__.cpython-311.pyc")
    (information / "RECORD").write_text("".join(f"{path},,\n" for path in brought))
    (place / READY).touch()
    return place


def stands(place: Path) -> bool:
    return venv_stands(place, "litellm", "litellm")


@pytest.mark.parametrize("script", [SHORT, LONG])
def test_a_whole_one_stands(tmp_path: Path, script: str) -> None:
    """Also one of whose pages and compiled files some are gone, and whose path has a space."""
    assert stands(made(tmp_path / "a venv", script))


@pytest.mark.parametrize(
    "gone",
    [READY, "bin/python", "bin/litellm", "lib/python3.11/site-packages/litellm/__init__.py",
     "lib/python3.11/site-packages/litellm-1.108.7.dist-info/RECORD"],
)  # fmt: skip
def test_what_lacks_a_part_does_not(tmp_path: Path, gone: str) -> None:
    place = made(tmp_path / "venv")
    (place / gone).unlink()
    assert not stands(place)


def test_an_interpreter_that_is_gone(tmp_path: Path) -> None:
    """As after an upgrade of the machine's Python: the link is there, and leads nowhere."""
    place = made(tmp_path / "venv")
    (place / "bin" / "python").unlink()
    (place / "bin" / "python").symlink_to(tmp_path / "python3.11-that-was")
    assert not stands(place)


@pytest.mark.parametrize("script", [SHORT, LONG])
def test_one_that_was_made_through_a_link_of_a_checkout_that_is_gone(tmp_path: Path, script: str) -> None:
    shared, checkout = tmp_path / "shared", tmp_path / "checkout"
    shared.mkdir()
    checkout.symlink_to(shared)
    made(checkout / "venv", script)
    assert stands(shared / "venv"), "by the link it can still be started"
    checkout.unlink()
    assert not stands(shared / "venv")


def test_one_that_starts_the_interpreter_of_another(tmp_path: Path) -> None:
    """A copy of a checkout would run what the first one installs, or lose it with the first."""
    first = made(tmp_path / "first")
    shutil.copytree(first, tmp_path / "copy", symlinks=True)
    assert stands(first)
    assert not stands(tmp_path / "copy")


def test_what_pip_did_not_write(tmp_path: Path) -> None:
    place = made(tmp_path / "venv")
    (place / "bin" / "litellm").write_bytes(b"\x7fELF\x00")
    assert not stands(place)


def test_a_tree(tmp_path: Path) -> None:
    assert not tree_stands(tmp_path, "node_modules")
    (tmp_path / READY).touch()
    assert not tree_stands(tmp_path, "node_modules")
    (tmp_path / "node_modules").mkdir()
    assert tree_stands(tmp_path, "node_modules")


@pytest.fixture
def installers(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """What was installed, instead of pip and venv."""
    called: list[Path] = []

    def venv(command: list[str], _variables: object) -> str:
        made(Path(command[-1]))
        (Path(command[-1]) / READY).unlink()
        called.append(Path(command[-1]))
        return ""

    for module in (install, packaged):
        monkeypatch.setattr(module, "run", venv)
        monkeypatch.setattr(module, "install_lock", lambda _python, _lock: None)
    return called


def test_litellm_is_made_anew_and_once(tmp_path: Path, installers: list[Path]) -> None:
    """Where ``.lab/litellm`` is a link, under the path that it leads to: the link may go."""
    version, said = install.default_version(), list[str]()
    shared = tmp_path / "shared"
    shared.mkdir()
    (tmp_path / ".lab").mkdir()
    (tmp_path / ".lab" / "litellm").symlink_to(shared)
    program = install.ensure_litellm(tmp_path, version, said.append)
    assert program.parent.parent.parent == shared
    assert install.ensure_litellm(tmp_path, version, said.append) == program
    assert len(installers) == len(said) == 1
    program.unlink()
    assert install.ensure_litellm(tmp_path, version, said.append) == program
    assert program.exists()
    assert len(installers) == len(said) == 2
    assert re.fullmatch(rf"installing LiteLLM {re.escape(version)} \(locked\), once \.\.\.", said[1])


def test_a_packaged_gateway_is_made_anew_and_once(tmp_path: Path, installers: list[Path]) -> None:
    lock = tmp_path / "litellm.lock"
    lock.write_text("litellm==1.0\n")
    said: list[str] = []

    def folder() -> Path:
        return packaged.from_pypi(tmp_path, "a-gateway", "1.0", lock, said.append, package="litellm")

    assert folder() == folder()
    assert len(installers) == 1
    (folder() / "python").unlink()
    folder()
    assert len(installers) == len(said) == 2
    assert hashlib.sha256(lock.read_bytes()).hexdigest()[:12] in str(installers[-1])
