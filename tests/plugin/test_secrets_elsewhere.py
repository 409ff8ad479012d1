"""Files and screens that pytest and other tools write beside a run hold no key either."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.plugin.gateway import KEY, serving
from tests.plugin.project import ALIVE, Run, a_check, new_project

ENV = "key = os.environ['MINI_KEY']\n"
BROKEN = """
import logging
logging.raiseExceptions = True
logging.getLogger('somebody').warning('%d', key)
assert 1 == 2
"""
GROUP = "raise ExceptionGroup(key, [ValueError(key), KeyError(key)])"
NOTED = "error = ValueError('plain')\nerror.add_note(key)\nraise error from RuntimeError(key)"
CHECKS = [
    a_check(1, ENV + "assert [key, 'x' * 400] == ['other', 'x' * 400], f'not {key}'"),
    a_check(2, ENV + "assert {'k': key} == {'k': 'other'}"),
    a_check(3, ENV + BROKEN),
    a_check(4, ENV + GROUP),
    a_check(5, ENV + NOTED),
    a_check(6, ENV + "record_property('key', key)\nassert 1 == 2", "environment, record_property"),
    a_check(7, ENV + "import allure\nallure.dynamic.title(key)\nallure.dynamic.link(f'http://x/{key}')\n"
                     "allure.dynamic.parameter('key', key)\nallure.attach(key, name='n')\nassert 1 == 2"),
    a_check(8, ENV + "class Held:\n    def __repr__(self):\n        return key\n"
                     "held = Held()\nassert held == 1"),
    a_check(9, ENV + "import warnings\nwarnings.warn_explicit(key, UserWarning, key, 1)\nassert 1 == 2"),
    a_check(10, ENV + "class Gone:\n    def __del__(self):\n        raise ValueError(key)\n"
                      "Gone()\nassert 1 == 2"),
    a_check(11, ENV + "import threading\n"
                      "def fails():\n    raise ValueError(key)\n"
                      "thread = threading.Thread(target=fails)\nthread.start()\nthread.join()\n"
                      "assert 1 == 2"),
]  # fmt: skip


@pytest.fixture(scope="module", params=[["-s"], ["-n", "2"]], ids=["uncaptured", "workers"])
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Path]:
    """A run of which everything is written that pytest can be asked to write."""
    beside = tmp_path_factory.mktemp("beside")
    with serving() as gateway:
        project = new_project(tmp_path_factory.mktemp("elsewhere"))
        project.environment(gateway.url)
        project.checks(ALIVE, *CHECKS)
        run = project.run(
            *request.param, "-vv", "-rA", "--showlocals", "--full-trace", "--setup-show", "--durations=0",
            f"--junitxml={beside / 'junit.xml'}", "-o", "junit_logging=all", "-o", "junit_family=xunit1",
            f"--alluredir={beside / 'allure'}", "-o", f"cache_dir={beside / 'cache'}",
            f"--log-file={beside / 'log'}", "--log-file-level=DEBUG", "-o", "log_cli=true",
        )  # fmt: skip
    return run, beside


def test_it_was_written(told: tuple[Run, Path]) -> None:
    run, beside = told
    assert (beside / "junit.xml").exists(), run.output
    assert list((beside / "allure").glob("*-result.json"))


def test_no_file_holds_the_key(told: tuple[Run, Path]) -> None:
    _, beside = told
    files = [path for path in beside.rglob("*") if path.is_file()]
    assert [path.name for path in files if KEY.encode() in path.read_bytes()] == []


def test_no_screen_shows_it(told: tuple[Run, Path]) -> None:
    run, _ = told
    assert [line for line in run.output.splitlines() if KEY in line] == []
