"""Paths on the command line that pytest would take for its root, folders without checks, URLs with /v1."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from lab.patience import patient
from tests.plugin.gateway import Gateway
from tests.plugin.project import ALIVE, Project


@pytest.fixture
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("elsewhere")


def test_runs_elsewhere_with_the_equals_sign_and_a_url_with_v1(
    project: Project, gateway: Gateway, elsewhere: Path
) -> None:
    project.environment(f"{gateway.url}/v1")
    project.checks(ALIVE)
    run = project.run(f"--runs={elsewhere}")
    assert run.code == 0, run.output
    assert (elsewhere / "mini" / "latest" / "record.json").is_file()
    assert run.directories == {}
    said = f"gateway.url '{gateway.url}/v1' is taken as '{gateway.url}': every request names /v1 itself"
    assert run.output.count(said) == 1


@pytest.mark.parametrize("named", [True, False])
def test_runs_elsewhere_alone_is_one_right_sentence(
    project: Project, gateway: Gateway, elsewhere: Path, *, named: bool
) -> None:
    """Whether the environment is named or is the default."""
    project.checks(ALIVE)
    done = subprocess.run(
        project.command("-m", "smoke", "--runs", str(elsewhere), *(["--env=mini"] if named else [])),
        cwd=project.root,
        env=project.variables(),
        capture_output=True,
        text=True,
        check=False,
        timeout=patient(120),
        stdin=subprocess.DEVNULL,
    )
    output = done.stdout + done.stderr
    assert done.returncode == 4, output
    assert f"for its root; write --runs={elsewhere}, with the equals sign" in output
    assert "--env=" not in output
    assert gateway.seen == []


def test_a_profile_in_an_empty_folder_says_what_to_write(project: Project, elsewhere: Path) -> None:
    done = subprocess.run(
        project.command("-m", "smoke"),
        cwd=elsewhere,
        env=project.variables(),
        capture_output=True,
        text=True,
        check=False,
        timeout=patient(120),
        stdin=subprocess.DEVNULL,
    )
    output = done.stdout + done.stderr
    assert done.returncode == 4, output
    assert f"{elsewhere} holds no checks" in output
    assert "write pytest -m smoke --env=FILE" in output
    assert list(elsewhere.iterdir()) == []


def test_a_folder_with_tests_of_somebody_elses_is_theirs(project: Project, elsewhere: Path) -> None:
    (elsewhere / "test_own.py").write_text("def test_own():\n    pass\n", encoding="utf-8")
    done = subprocess.run(
        project.command("-m", "smoke"),
        cwd=elsewhere,
        env=project.variables(),
        capture_output=True,
        text=True,
        check=False,
        timeout=patient(120),
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 5, done.stdout + done.stderr
    assert "holds no checks" not in done.stdout + done.stderr
