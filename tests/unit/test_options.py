"""What the command line means for the verdict of a run."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from gateway_acceptance.plugin.options import environment_names, judges, narrowed, profile_of, runs_root

DEFAULTS = {"keyword": "", "deselect": None, "lf": False, "ignore": None, "ignore_glob": None, "maxfail": 0}


def config(
    root: Path, *args: str, env: list[str] | None = None, runs: str | None = None, **options: Any
) -> pytest.Config:
    (root / "suites" / "api").mkdir(parents=True, exist_ok=True)
    (root / "tests").mkdir(exist_ok=True)
    made = SimpleNamespace(
        option=SimpleNamespace(**{"markexpr": "", **DEFAULTS, **options}),
        args=list(args) or ["suites"],
        rootpath=root,
        invocation_params=SimpleNamespace(dir=root),
        stash=pytest.Stash(),
        getoption={"--env": env, "--runs": runs}.get,
    )
    return cast(pytest.Config, made)


@pytest.mark.parametrize(
    ("expression", "profile"),
    [
        ("smoke", "smoke"),
        (" nightly ", "nightly"),
        ("release", "release"),
        ("", "release"),
        ("smoke and must", None),
        ("not spend", None),
        ("must", None),
    ],
)
def test_the_profile(tmp_path: Path, expression: str, profile: str | None) -> None:
    assert profile_of(config(tmp_path, markexpr=expression)) == profile


@pytest.mark.parametrize(
    "options",
    [
        {"keyword": "alive"},
        {"deselect": ["x"]},
        {"lf": True},
        {"ignore": ["x"]},
        {"ignore_glob": ["x"]},
        {"maxfail": 1},
    ],
)
def test_what_makes_a_run_smaller(tmp_path: Path, options: dict[str, Any]) -> None:
    assert narrowed(config(tmp_path, **options))


@pytest.mark.parametrize("args", [["suites/api"], ["suites/api/test_a.py::test_b"], ["suites::x"], ["tests"]])
def test_paths_that_make_a_run_smaller(tmp_path: Path, args: list[str]) -> None:
    assert narrowed(config(tmp_path, *args)) == args


@pytest.mark.parametrize("args", [["suites"], ["."], []])
def test_paths_that_do_not(tmp_path: Path, args: list[str]) -> None:
    assert narrowed(config(tmp_path, *args)) == []


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (["suites"], True),
        (["."], True),
        (["suites/api/test_a.py::test_b"], True),
        (["tests"], False),
        (["tests", "suites"], True),
        (["suites-of-another"], False),
    ],
)
def test_which_runs_judge(tmp_path: Path, args: list[str], *, expected: bool) -> None:
    assert judges(config(tmp_path, *args)) is expected


def test_a_folder_without_suites_judges_nothing(tmp_path: Path) -> None:
    made = config(tmp_path)
    (tmp_path / "suites" / "api").rmdir()
    (tmp_path / "suites").rmdir()
    assert not judges(made)


def test_environments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GATEWAY_ACCEPTANCE_ENV", raising=False)
    assert environment_names(config(tmp_path)) == ["local"]
    monkeypatch.setenv("GATEWAY_ACCEPTANCE_ENV", "a,b")
    assert environment_names(config(tmp_path)) == ["a", "b"]
    assert environment_names(config(tmp_path, env=["c"])) == ["c"]


def test_where_runs_go(tmp_path: Path) -> None:
    assert runs_root(config(tmp_path)) == tmp_path / "reports" / "runs"
    assert runs_root(config(tmp_path, runs="elsewhere")) == tmp_path / "elsewhere"
