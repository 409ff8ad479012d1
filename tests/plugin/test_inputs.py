"""Bad input: one sentence with file, key and fix, exit code 4, and nothing sent."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.plugin.gateway import Gateway, serving
from tests.plugin.project import ALIVE, Project, Run, a_check, new_project

MODELS = '[[models]]\nalias = "chat-one"\nkind = "chat"\nbackend = "one"\nupstream = "b"\n'
BAD_FILES = {
    "unknown key": (
        "connect_deadline = 2",
        "",
        "unknown key gateway.connect_deadline, did you mean 'connect_deadline_s'?",
    ),
    "wrong type": (
        "version = 3",
        "",
        "gateway.version: input should be a valid string (found 3); correct it",
    ),
    "missing key": ("", '[[backends]]\nname = "two"\n', "backends[2] (two).url is missing; add it"),
    "duplicate alias": ("", MODELS, "models and groups: 'chat-one' is declared more than once"),
    "unknown backend": (
        "",
        MODELS.replace("chat-one", "x").replace('"one"', '"tow"'),
        "model 'x' names the backend 'tow', declared are: one",
    ),
    "credentials in an address": (
        "",
        '[[backends]]\nname = "two"\nurl = "http://me:secret@127.0.0.1:1"\n',
        "must not hold a user or a password",
    ),
    "invalid TOML": ("][", "", "is not valid TOML"),
}


BAD_NAMES = {
    "mimi": "--env mimi: no such environment, did you mean 'mini'?; known are:",
    "nowhere/mini.toml": "--env nowhere/mini.toml: there is no such file",
}


@dataclass(frozen=True)
class Refused:
    """One run with every mistake at once, and what arrived at the gateway meanwhile."""

    run: Run
    paths: dict[str, Path]
    arrived: int


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> Refused:
    with serving() as served:
        project = new_project(tmp_path_factory.mktemp("inputs"))
        project.environment(served.url)
        project.checks(ALIVE)
        paths = {
            what: project.environment(served.url, f"bad-{number}", gateway=in_gateway, more=more)
            for number, (what, (in_gateway, more, _)) in enumerate(BAD_FILES.items())
        }
        paths["unreadable"] = project.root / "environments" / "unreadable.toml"
        paths["unreadable"].mkdir()
        names = [*(path.stem for path in paths.values()), *BAD_NAMES, "mini", "environments/mini.toml"]
        run = project.run(*(f"--env={name}" for name in names))
        return Refused(run, paths, len(served.seen))


@pytest.mark.parametrize("what", list(BAD_FILES))
def test_a_bad_environment_file(refused: Refused, what: str) -> None:
    lines = [line for line in refused.run.output.splitlines() if str(refused.paths[what]) in line]
    assert len(lines) == 1, refused.run.output
    assert BAD_FILES[what][2] in lines[0]


@pytest.mark.parametrize("name", list(BAD_NAMES))
def test_a_bad_env_option(refused: Refused, name: str) -> None:
    assert BAD_NAMES[name] in refused.run.output


def test_an_environment_given_twice(refused: Refused) -> None:
    assert "the environment 'mini' is given more than once" in refused.run.output


def test_an_unreadable_file(refused: Refused) -> None:
    assert f"{refused.paths['unreadable']}: cannot be read (Is a directory)" in refused.run.output


def test_bad_input_is_exit_code_4_and_nothing_is_sent(refused: Refused) -> None:
    assert refused.run.code == 4
    assert refused.arrived == 0
    assert refused.run.directories == {}
    assert "Traceback" not in refused.run.output


@pytest.mark.parametrize(
    ("workers", "key", "sentence"),
    [
        ("0", None, "gateway.key_variable names MINI_KEY, which is not set; export MINI_KEY"),
        ("2", "", "gateway.key_variable names MINI_KEY, which is not set; export MINI_KEY"),
        ("0", "sk-copied-with-its-end\n", "characters that no header can carry"),
    ],
)
def test_a_missing_or_impossible_key(
    project: Project, gateway: Gateway, workers: str, key: str | None, sentence: str
) -> None:
    project.environment(gateway.url, gateway='version = "${MINI_VERSION}"')
    project.checks(ALIVE)
    run = project.run("-n", workers, key=key)
    assert run.code == 4, run.output
    assert sentence in run.output
    assert "gateway.version needs the variable MINI_VERSION, which is not set" in run.output
    assert "Traceback" not in run.output
    assert gateway.seen == []
    assert run.directories == {}


def test_collecting_needs_no_key_and_no_variable(project: Project, gateway: Gateway) -> None:
    project.environment("${MINI_URL}")
    project.checks(ALIVE)
    run = project.run("--collect-only", "-q", key=None)
    assert run.code == 0
    assert "test_alive[mini]" in run.output
    assert gateway.seen == []
    assert run.directories == {}


def test_the_frozen_lists_are_read_before_anything_is_sent(project: Project, gateway: Gateway) -> None:
    project.checks(ALIVE)
    project.write("suites/profiles.toml", "smoke = 3\nnightly = []\nrelease = []\n")
    run = project.run()
    assert run.code == 4
    assert "smoke must be a list" in run.output
    assert gateway.seen == []


@pytest.mark.parametrize("workers", ["0", "2"])
def test_wrong_declarations_of_checks_are_refused(project: Project, gateway: Gateway, workers: str) -> None:
    twin = ALIVE.replace("test_alive", "test_twin")
    unclaimed = (
        ALIVE.replace("FUN-01", "FUN-77").replace("API-OPS-001", "API-OPS-002").replace("_alive", "_2")
    )
    project.checks(ALIVE, twin, unclaimed, a_check(1, "pass", asks=""), listed=[])
    run = project.run("-n", workers)
    assert run.code == 4, run.output
    for sentence in (
        "the check id API-OPS-001 is used twice: suites/test_checks.py::test_alive and suites/",
        "API-OPS-002 names the claim FUN-77, which suites/claims.toml does not hold",
        "API-T-001 (suites/test_checks.py::test_1) asks for no environment",
    ):
        assert sentence in run.output
    assert gateway.seen == []
    assert run.directories == {}


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_collection_error_is_a_harness_error(project: Project, gateway: Gateway, workers: str) -> None:
    project.checks(ALIVE, name="test_alive.py")
    broken = a_check(1, "pass").replace("API-T-001", "api-1")
    project.checks(broken, name="test_bad.py", listed=["API-OPS-001"])
    run = project.run("-n", workers)
    assert run.code == 3, run.output
    assert run.state == "SMOKE FAILED"
    assert "check id 'api-1' is not of the form" in run.output
    assert "suites/test_bad.py could not be collected" in run.reasons
