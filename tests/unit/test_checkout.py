"""Whether a checkout is as its commit, however a change is hidden from ``git status``."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway_acceptance.plugin.checkout import checkout_of

NOBODY = {
    **{f"GIT_{who}_NAME": "nobody" for who in ("AUTHOR", "COMMITTER")},
    **{f"GIT_{who}_EMAIL": "nobody@example.org" for who in ("AUTHOR", "COMMITTER")},
    "GIT_CONFIG_GLOBAL": os.devnull,
}
RULES = "suites/api/rules.py"


def git(root: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(root), *words],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, **NOBODY},
    )
    return done.stdout.strip()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "checkout"
    (made / "suites" / "api").mkdir(parents=True)
    (made / RULES).write_text("STRICT = True\n", encoding="utf-8")
    (made / "suites" / "profiles.toml").write_text("release = []\n", encoding="utf-8")
    (made / "conftest.py").write_text("", encoding="utf-8")
    (made / ".gitignore").write_text(".venv/\n__pycache__/\nreports/runs/\n", encoding="utf-8")
    (made / "link").symlink_to("conftest.py")
    git(tmp_path, "init", "-q", str(made))
    git(made, "add", "-A")
    git(made, "commit", "-q", "-m", "all")
    return made


def changed(root: Path) -> tuple[str, ...]:
    found = checkout_of(root)
    assert found is not None
    assert found.commit == git(root, "rev-parse", "HEAD")
    return found.changed


def test_a_clean_checkout(root: Path) -> None:
    for name in (".venv/lib/x.py", "suites/__pycache__/rules.pyc", "reports/runs/mini/x.json"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("", encoding="utf-8")
    assert changed(root) == ()


def _lenient(root: Path) -> None:
    (root / RULES).write_text("STRICT = False\n", encoding="utf-8")


def _assume_unchanged(root: Path) -> None:
    git(root, "update-index", "--assume-unchanged", RULES)
    _lenient(root)


def _skip_worktree(root: Path) -> None:
    git(root, "update-index", "--skip-worktree", RULES)
    _lenient(root)


def _excluded(root: Path) -> None:
    (root / ".git" / "info" / "exclude").write_text("httpx.py\n", encoding="utf-8")
    (root / "httpx.py").write_text("", encoding="utf-8")


def _excluded_by_a_file_of_the_user(root: Path) -> None:
    (root.parent / "ignored").write_text("*\n", encoding="utf-8")
    git(root, "config", "core.excludesFile", str(root.parent / "ignored"))
    (root / "suites" / "conftest.py").write_text("", encoding="utf-8")


def _ignored(root: Path) -> None:
    (root / "suites" / ".gitignore").write_text("*\n", encoding="utf-8")
    (root / "suites" / "conftest.py").write_text("", encoding="utf-8")


def _not_shown(root: Path) -> None:
    git(root, "config", "status.showUntrackedFiles", "no")
    (root / "suites" / "conftest.py").write_text("", encoding="utf-8")


def _another_git(root: Path) -> None:
    """Its status is always clean."""
    real = subprocess.run(["which", "git"], check=True, capture_output=True, text=True).stdout.strip()
    liar = root.parent / "bin" / "git"
    liar.parent.mkdir()
    liar.write_text(f'#!/bin/sh\ncase "$*" in *status*) exit 0;; esac\nexec {real} "$@"\n', encoding="utf-8")
    liar.chmod(0o755)
    _lenient(root)


def _another_index(root: Path) -> None:
    """The index was told that the file is as it is now; the work tree equals the index, not the commit."""
    _lenient(root)
    git(root, "add", RULES)


def _a_monitor_that_sees_nothing(root: Path) -> None:
    git(root, "config", "core.fsmonitor", "true")
    _lenient(root)


def _a_filter(root: Path) -> None:
    """What git would store is what the commit holds; what Python reads is not."""
    git(root, "config", "filter.strict.clean", "sed s/False/True/")
    (root / ".git" / "info" / "attributes").write_text("*.py filter=strict\n", encoding="utf-8")
    _lenient(root)


def _gone(root: Path) -> None:
    git(root, "update-index", "--assume-unchanged", RULES)
    (root / RULES).unlink()


def _a_link(root: Path) -> None:
    git(root, "update-index", "--assume-unchanged", RULES)
    (root / RULES).rename(root.parent / "elsewhere.py")
    (root / RULES).symlink_to(root.parent / "elsewhere.py")


def _a_compiled_module(root: Path) -> None:
    (root / ".git" / "info" / "exclude").write_text("*.so\n", encoding="utf-8")
    (root / "suites" / "api" / "rules.cpython-311-x86_64-linux-gnu.so").write_bytes(b"")


def _settings_of_pytest(root: Path) -> None:
    (root / ".git" / "info" / "exclude").write_text(".pytest.toml\n", encoding="utf-8")
    (root / ".pytest.toml").write_text("[pytest]\n", encoding="utf-8")


HIDDEN: dict[str, tuple[Callable[[Path], None], str]] = {
    "plainly": (_lenient, RULES),
    "assume-unchanged": (_assume_unchanged, RULES),
    "skip-worktree": (_skip_worktree, RULES),
    "info/exclude": (_excluded, "httpx.py"),
    "core.excludesFile": (_excluded_by_a_file_of_the_user, "suites/conftest.py"),
    "a .gitignore that ignores itself": (_ignored, "suites/conftest.py"),
    "status.showUntrackedFiles": (_not_shown, "suites/conftest.py"),
    "another git in PATH": (_another_git, RULES),
    "staged": (_another_index, RULES),
    "core.fsmonitor": (_a_monitor_that_sees_nothing, RULES),
    "a clean filter": (_a_filter, RULES),
    "gone": (_gone, RULES),
    "a link": (_a_link, RULES),
    "settings of pytest": (_settings_of_pytest, ".pytest.toml"),
    "a compiled module": (_a_compiled_module, "suites/api/rules.cpython-311-x86_64-linux-gnu.so"),
}


@pytest.mark.parametrize("how", HIDDEN)
def test_no_setting_hides_a_change(root: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    hide, name = HIDDEN[how]
    hide(root)
    monkeypatch.setenv("PATH", f"{root.parent / 'bin'}{os.pathsep}{os.environ['PATH']}")
    assert name in changed(root)


def test_a_replaced_object_is_not_taken(root: Path) -> None:
    """``git replace`` shows another content under the same id."""
    _lenient(root)
    other = git(root, "hash-object", "-w", RULES)
    git(root, "replace", git(root, "rev-parse", f"HEAD:{RULES}"), other)
    assert changed(root) == (RULES,)


def test_another_repository_is_not_taken(root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", str(root), str(tmp_path / "other"))
    _lenient(root)
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other" / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(tmp_path / "other"))
    found = checkout_of(root)
    assert found is not None
    assert found.changed == (RULES,)


LIAR = """#!/bin/sh
case "$*" in
  *rev-parse*) echo {commit};;
  *cat-file*) printf '{commit} commit 6\\nlenient\\n';;
esac
"""


def test_a_git_that_makes_up_what_a_commit_holds_is_not_believed(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    liar = root.parent / "bin" / "git"
    liar.parent.mkdir()
    liar.write_text(LIAR.format(commit=git(root, "rev-parse", "HEAD")), encoding="utf-8")
    liar.chmod(0o755)
    monkeypatch.setenv("PATH", f"{liar.parent}{os.pathsep}{os.environ['PATH']}")
    assert checkout_of(root) is None


def test_where_there_is_none(tmp_path: Path, root: Path) -> None:
    assert checkout_of(tmp_path) is None
    worktree = tmp_path / "worktree"
    git(root, "worktree", "add", "-q", str(worktree))
    assert changed(worktree) == ()
