"""The look at a git work tree: what it finds, and what it must not run."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from gateway_acceptance.host.collect.tree import repository


@pytest.fixture
def work_tree(tmp_path: Path) -> Path:
    base = tmp_path / "tree"
    base.mkdir()
    git(base, "init", "-q")
    (base / "file").write_text("one\n")
    git(base, "add", "file")
    git(base, "commit", "-q", "-m", "one")
    return base


def git(base: Path, *words: str) -> None:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run(["git", *identity, "-C", str(base), *words], check=True, capture_output=True)


def test_a_change_is_seen(work_tree: Path) -> None:
    assert repository({"tree": str(work_tree)})["dirty"] == []
    (work_tree / "file").write_text("two\n")
    (work_tree / "new").write_text("new\n")
    assert repository({"tree": str(work_tree)})["dirty"] == [" M file", "?? new"]


@pytest.mark.parametrize("key", ["core.fsmonitor", "filter.x.clean", "filter.x.y.process"])
def test_nothing_that_the_repository_names_is_run(work_tree: Path, tmp_path: Path, key: str) -> None:
    """Who owns a work tree must not get the rights of the account that looks at it."""
    trace = tmp_path / "ran"
    git(work_tree, "config", key, f"touch {trace}; cat")
    (work_tree / ".gitattributes").write_text(
        f"file {key.rpartition('.')[0].replace('filter.', 'filter=')}\n"
    )
    (work_tree / "file").write_text("two\n")
    assert " M file" in repository({"tree": str(work_tree)})["dirty"]
    assert not trace.exists()


def test_the_trap_of_that_test_is_one(work_tree: Path, tmp_path: Path) -> None:
    trace = tmp_path / "ran"
    git(work_tree, "config", "core.fsmonitor", f"touch {trace}; cat")
    git(work_tree, "status")
    assert trace.exists()
