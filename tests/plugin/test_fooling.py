"""Every way to get green out of a run that did not prove it: each gives its reason, never READY or PASSED.

Crashed workers, Ctrl-C, SIGTERM and kill -9: test_ends.py. Edited records: tests/unit/test_audit.py.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway_acceptance.audit import findings
from tests.plugin.gateway import Gateway
from tests.plugin.project import ALIVE, Project, Run, a_check

PASSES = a_check(1, "pass")
PLUGIN = 'pytest_plugins = ["gateway_acceptance.plugin.hooks"]\n'


def assert_never_green(run: Run, code: int, state: str, reason: str, *, audited: bool = True) -> None:
    """By exit code, by record and by every view. audited: nothing is left for an audit to find."""
    assert run.code == code, run.output
    for folder in run.directories.values():
        record = json.loads((folder / "record.json").read_text(encoding="utf-8"))
        assert record["run"]["state"] == state
        assert record["run"]["exit_code"] == code
        assert reason in record["run"]["headline"] + "\n".join(record["run"]["reasons"])
        assert json.loads((folder / "status.json").read_text(encoding="utf-8"))["state"] == state
        assert state in (folder / "STATUS.md").read_text(encoding="utf-8")
        assert not audited or findings(folder) == []
    for green in ("SMOKE PASSED", "READY:"):
        assert green not in run.output.replace("NOT READY", "")


def test_a_green_run_has_nothing_against_it(project: Project, gateway: Gateway) -> None:
    """Without which nothing below would show anything."""
    gateway.version = "0.1.2"
    project.checks(ALIVE, PASSES)
    for options in ([], ["-n", "2"], ["-m", "release"]):
        run = project.run(*options)
        assert (run.code, run.state) == (0, "READY" if options[:1] == ["-m"] else "SMOKE PASSED")
        assert findings(run.directories["mini"]) == []
    taken = run.record()["target"]["fingerprint"]
    assert taken["start"] == taken["end"]
    assert taken["start"] == {
        "gateway.models": "chat-one",
        "backend.one.version": "0.1.2",
        "backend.one.model.tiny:latest": "2" * 64,
    }


@pytest.mark.parametrize("how", ["os._exit(0)", "os._exit(1)"])
def test_a_check_that_ends_the_only_process(project: Project, how: str) -> None:
    project.checks(ALIVE)
    assert project.run().state == "SMOKE PASSED"
    project.checks(ALIVE, a_check(1, how))
    run = project.run()
    assert run.code == (3 if how == "os._exit(0)" else 1)
    assert "the run is void" in run.output
    assert (run.state, run.record()["run"]["headline"]) == ("VOID", "the run began and has not ended")


def test_a_forked_child_may_end_itself(project: Project) -> None:
    """As Python's own multiprocessing does."""
    body = "child = os.fork()\nif not child:\n    os._exit(0)\nassert os.waitpid(child, 0)[1] == 0"
    project.checks(ALIVE, a_check(1, body))
    run = project.run()
    assert (run.code, run.state) == (0, "SMOKE PASSED"), run.output


@pytest.mark.parametrize("workers", ["0", "1"])
def test_a_check_that_ends_the_session(project: Project, workers: str) -> None:
    project.checks(ALIVE, a_check(1, "pytest.exit('enough', returncode=0)"), a_check(2, "pass"))
    run = project.run("-n", workers)
    assert run.code in (2, 3)
    assert run.state in ("VOID", "SMOKE FAILED")
    assert run.verdict("API-T-002") == "harness error"


QUIET = {
    "skips": a_check(1, "pytest.skip('not today')"),
    "expects its own failure": a_check(1, "pytest.xfail('known')"),
    "is marked to be skipped": a_check(1, "pass").replace("@check", "@pytest.mark.skip\n@check", 1),
    "is marked to be skipped if": a_check(1, "pass").replace(
        "@check", "@pytest.mark.skipif(True, reason='no')\n@check", 1
    ),
    "is marked to fail and never runs": a_check(1, "pass").replace(
        "@check", "@pytest.mark.xfail(run=False)\n@check", 1
    ),
    "exits": a_check(1, "raise SystemExit(0)"),
    "imports or skips": a_check(1, "pytest.importorskip('no_such_module')"),
}


@pytest.mark.parametrize("what", list(QUIET))
def test_a_check_that_looks_away(project: Project, what: str) -> None:
    project.checks(ALIVE, QUIET[what])
    assert_never_green(project.run(), 3, "SMOKE FAILED", "API-T-001 check 1: 1 harness error")


def test_a_failure_that_was_expected_is_a_failure(project: Project) -> None:
    project.checks(ALIVE, a_check(1, "assert 1 == 2").replace("@check", "@pytest.mark.xfail\n@check", 1))
    assert_never_green(project.run(), 1, "SMOKE FAILED", "API-T-001 check 1: 1 failed")


DESELECTING: dict[str, tuple[list[str], str]] = {
    "-k": (["-k", "alive"], ""),
    "--deselect": (["--deselect", "suites/test_checks.py::test_1"], ""),
    "a path": (["suites/test_checks.py::test_alive"], ""),
    "--ignore": (["--ignore", "suites/test_more.py"], ""),
    "another -m": (["-m", "smoke and read"], ""),
    "-x": (["-x"], ""),
    "--maxfail": (["--maxfail=3"], ""),
    "a hook": ([], "def pytest_collection_modifyitems(items):\n    items[:] = items[:1]\n"),
    "a hook that is first": (
        [],
        "import pytest\n@pytest.hookimpl(tryfirst=True)\n"
        "def pytest_collection_modifyitems(items):\n    items[:] = items[:1]\n",
    ),
}


@pytest.mark.parametrize("how", list(DESELECTING))
def test_deselected_checks_are_a_part(project: Project, how: str) -> None:
    """A part is never green: its own word, and no sign-off. The hook is in a conftest.py of the suites, which
    pytest hears before the plugin."""
    options, hook = DESELECTING[how]
    project.checks(ALIVE, PASSES)
    project.write("suites/conftest.py", hook)
    run = project.run(*(["-n", "1"] if hook else []), *options)
    assert (run.code, run.state) == (0, "PARTIAL RUN"), run.output
    assert "PASSED" not in run.output


@pytest.mark.parametrize("workers", ["0", "2"])
def test_the_first_failure_that_ends_a_run_voids_it(project: Project, workers: str) -> None:
    project.checks(ALIVE, a_check(1, "assert 1 == 2"), *(a_check(number, "pass") for number in range(2, 9)))
    run = project.run("-n", workers, "-x")
    assert_never_green(run, 2, "VOID", "stopping after 1 failures")


def test_only_what_failed_last_is_a_part(project: Project) -> None:
    project.checks(ALIVE, a_check(1, "assert os.path.exists('fixed')"))
    assert project.run("-p", "cacheprovider").code == 1
    project.write("fixed", "")
    run = project.run("-p", "cacheprovider", "--lf")
    assert (run.code, run.state, run.cases("API-OPS-001")) == (0, "PARTIAL RUN", []), run.output


def test_checks_that_are_hidden_from_collection_are_missed(project: Project) -> None:
    project.checks(ALIVE)
    project.checks(PASSES, name="test_more.py", listed=["API-OPS-001", "API-T-001"])
    project.write("suites/conftest.py", "collect_ignore = ['test_more.py']\n")
    assert_never_green(project.run(), 1, "SMOKE FAILED", "API-T-001 was not executed: it is in the profile's")


def test_a_list_that_shrank_is_missed(project: Project) -> None:
    project.checks(ALIVE, PASSES, listed=["API-OPS-001"])
    assert_never_green(
        project.run(), 1, "SMOKE FAILED", "not in the list of smoke in suites/profiles.toml: API-T-001"
    )


def test_a_file_that_cannot_be_collected(project: Project) -> None:
    project.checks(ALIVE)
    project.write("suites/test_broken.py", "import no_such_module\n")
    for options in ([], ["--continue-on-collection-errors"], ["-n", "1"]):
        assert_never_green(project.run(*options), 3, "SMOKE FAILED", "test_broken.py could not be collected")


def test_an_empty_run(project: Project) -> None:
    project.checks(listed=[])
    run = project.run()
    assert (run.code, run.directories) == (4, {})
    assert "no check was selected" in run.output


def test_a_plugin_that_runs_failures_again_is_refused(project: Project) -> None:
    project.checks(ALIVE)
    project.write("rerunfailures.py", "")
    run = project.run("-p", "rerunfailures")
    assert (run.code, run.directories) == (4, {})
    assert "rerunfailures runs failed checks again, and a retry is no evidence" in run.output


HOOKS: dict[str, tuple[str, str]] = {
    "a case that is reported twice": (
        "seen = []\n"
        "def pytest_runtest_logreport(report):\n"
        "    if report.when == 'teardown' and not seen:\n"
        "        seen.append(report)\n"
        "        config.hook.pytest_runtest_logreport(report=report)\n",
        "was reported 2 times",
    ),
    "a check that is run twice": (
        "import pytest\nfrom _pytest.runner import runtestprotocol\n"
        "@pytest.hookimpl(tryfirst=True)\n"
        "def pytest_runtest_protocol(item, nextitem):\n"
        "    runtestprotocol(item, nextitem=nextitem)\n    item._initrequest()\n"
        "    runtestprotocol(item, nextitem=nextitem)\n    return True\n",
        "was reported 2 times",
    ),
    "a verdict that nobody spoke": (
        "import pytest\n"
        "@pytest.hookimpl(wrapper=True, tryfirst=True)\n"
        "def pytest_runtest_makereport(item, call):\n"
        "    report = yield\n"
        "    if hasattr(report, 'gateway_case'):\n"
        "        report.gateway_case = {**report.gateway_case, 'verdict': 'passed'}\n"
        "    return report\n",
        "was reported as passed; its phases said failed",
    ),
    "a case of another name": (
        "import pytest\n"
        "@pytest.hookimpl(wrapper=True, tryfirst=True)\n"
        "def pytest_runtest_makereport(item, call):\n"
        "    report = yield\n"
        "    if hasattr(report, 'gateway_case'):\n"
        "        report.gateway_case = {**report.gateway_case, 'nodeid': 'another', 'verdict': 'passed'}\n"
        "    return report\n",
        "another was reported and never selected",
    ),
    "a case of another check": (
        "import pytest\n"
        "@pytest.hookimpl(wrapper=True, tryfirst=True)\n"
        "def pytest_runtest_makereport(item, call):\n"
        "    report = yield\n"
        "    if hasattr(report, 'gateway_case'):\n"
        "        report.gateway_case = {**report.gateway_case, 'check': 'API-OPS-001'}\n"
        "    return report\n",
        "was reported as API-OPS-001 and is API-T-001",
    ),
    "a node id that is there twice": (
        "import pytest\n"
        "@pytest.hookimpl(trylast=True)\n"
        "def pytest_collection_modifyitems(items):\n    items.append(items[0])\n",
        "was selected 2 times",
    ),
}


@pytest.mark.parametrize("what", list(HOOKS))
def test_reports_that_are_not_one_per_case(project: Project, what: str) -> None:
    hook, reason = HOOKS[what]
    project.checks(ALIVE, a_check(1, "assert 1 == 2"))
    kept = "config = None\ndef pytest_configure(config):\n    globals()['config'] = config\n"
    project.write("conftest.py", PLUGIN + kept + hook)
    run = project.run()
    assert_never_green(run, 3, run.state, reason, audited=False)


@pytest.mark.parametrize(
    ("workers", "request_path", "reason"),
    [
        ("2", "/list/other", "the target changed during the run: gateway.models was chat-one, is other"),
        ("0", "/upgrade/0.1.3", "the target changed during the run: backend.one.model.tiny:latest was 222"),
    ],
)
def test_a_target_that_changes_during_the_run(
    project: Project, gateway: Gateway, request_path: str, reason: str, workers: str
) -> None:
    gateway.version = "0.1.2"
    project.checks(ALIVE, a_check(1, f"any_gateway.get('{request_path}')", "any_gateway"))
    assert_never_green(project.run("-n", workers), 2, "VOID", reason)


def test_a_target_that_dies_of_the_last_check(project: Project) -> None:
    """Everything has passed. It is no other target than before: it failed."""
    project.checks(ALIVE, a_check(1, "any_gateway.get('/die')", "any_gateway"))
    reason = "the target's fingerprint cannot be compared: gateway.models was chat-one, is no answer"
    assert_never_green(project.run(), 1, "SMOKE FAILED", reason)


@pytest.mark.parametrize("by", [3600, -3600, 5])
def test_a_clock_that_jumps(project: Project, by: int) -> None:
    body = f"import time\nreal = time.time\ntime.time = lambda: real() + {by}"
    project.checks(ALIVE, a_check(1, body))
    assert_never_green(project.run(), 2, "VOID", "the clock jumped during the run")


FULL = """
import errno
from pathlib import Path

real = Path.write_text

def full(self, *arguments, **options):
    if ".part" in str(self.parent) and {name!r} in self.name:
        raise OSError(errno.ENOSPC, "No space left on device", str(self))
    return real(self, *arguments, **options)

Path.write_text = full
"""


@pytest.mark.parametrize(
    "name", ["record.json", "STATUS.md", "status.json", "junit.xml", "-result.json", "seal.json"]
)
def test_a_disk_that_is_full_while_the_results_are_written(project: Project, name: str) -> None:
    project.checks(ALIVE)
    assert project.run().state == "SMOKE PASSED"
    project.write("conftest.py", PLUGIN + FULL.format(name=name))
    run = project.run()
    assert (run.code, run.state) == (3, "VOID"), run.output
    said = "the results could not be written: No space left on device"
    assert said in run.output
    assert "Traceback" not in run.output
    assert run.record()["run"]["headline"] == said
    assert [path.name for path in run.directories["mini"].parent.glob(".*")] == []


def test_a_disk_that_is_full_from_the_beginning(project: Project) -> None:
    """Nothing is judged where nothing can be written; the green run before is not the newest."""
    project.checks(ALIVE)
    assert project.run().state == "SMOKE PASSED"
    project.write("conftest.py", PLUGIN + FULL.format(name="").replace('".part" in str(self.parent)', "True"))
    run = project.run()
    assert (run.code, run.directories) == (3, {}), run.output
    assert "No space left on device" in run.output


WRONG: dict[str, tuple[str, str]] = {
    "junit.xml": (
        "write_outputs.render_junit = lambda record: real(record).replace('failure', 'skipped')",
        "junit.xml counts",
    ),
    "status.json": (
        "status = write_outputs.status_document\n"
        "write_outputs.status_document = lambda record: {**status(record), 'state': 'SMOKE PASSED'}",
        "status.json says state 'SMOKE PASSED'; the record says 'SMOKE FAILED'",
    ),
    "allure-results": (
        "write_outputs.finish_results = lambda staging, out, record, redact: out.mkdir(exist_ok=True)",
        "allure-results says nothing of suites/test_checks.py::test_1[mini]",
    ),
}


@pytest.mark.parametrize("view", list(WRONG))
def test_a_view_that_says_something_else_voids_the_run(project: Project, view: str) -> None:
    project.checks(ALIVE, a_check(1, "assert 1 == 2"))
    patch, reason = WRONG[view]
    begin = "from gateway_acceptance.report import write_outputs\nreal = write_outputs.render_junit\n"
    project.write("conftest.py", PLUGIN + begin + patch)
    run = project.run()
    record: dict[str, Any] = run.record()["run"]
    assert (run.code, record["state"], record["exit_code"]) == (3, "VOID", 3), run.output
    assert reason in run.reasons
    assert record["headline"] == "the record and its views do not agree: an error of the suite"
