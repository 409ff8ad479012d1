"""The jobs in docs/ci: they parse, keep what they must, and run commands that exist."""

from __future__ import annotations

import configparser
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway_acceptance.cli.main import build_parser
from gateway_acceptance.environment import load_environment
from lab.patience import patient

ROOT = Path(__file__).parents[2]
CI = ROOT / "docs" / "ci"
STAGING = "staging"
UNITS = ("gateway-acceptance-nightly.service", "gateway-acceptance-nightly.timer")
COMMAND = re.compile(r"\.venv/bin/(pytest|gateway-acceptance)( .*)?$", re.MULTILINE)


def github() -> dict[Any, Any]:
    document: dict[Any, Any] = yaml.safe_load((CI / "github-actions.yml").read_text(encoding="utf-8"))
    return document


def gitlab() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((CI / "gitlab-ci.yml").read_text(encoding="utf-8"))
    return document


def unit(name: str) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(strict=False, delimiters=("=",), comment_prefixes=("#",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(CI / name, encoding="utf-8")
    return parser


def commands() -> list[list[str]]:
    """Every command of ours in every job, split as a shell does."""
    found = []
    for path in sorted(CI.iterdir()):
        for line in COMMAND.finditer(path.read_text(encoding="utf-8")):
            words = shlex.split(line[0].replace("$RUNS", "RUNS"))
            found.append([Path(words[0]).name, *words[1:]])
    return found


def test_every_file_is_linted() -> None:
    assert {path.name for path in CI.iterdir()} == {"github-actions.yml", "gitlab-ci.yml", *UNITS}
    page = (ROOT / "docs" / "automation.md").read_text(encoding="utf-8")
    assert all(f"(ci/{path.name})" in page for path in CI.iterdir())


def test_the_commands_of_ours_are_accepted() -> None:
    ours = [words for words in commands() if words[0] == "gateway-acceptance"]
    assert len(ours) == 2
    for words in ours:
        assert build_parser().parse_args(words[1:]).env == [STAGING]


def test_the_runs_are_collected_as_written() -> None:
    """Collection validates the options and the environment; it needs no key and sends nothing."""
    runs = [words for words in commands() if words[0] == "pytest"]
    assert len(runs) == 3
    common = {
        tuple(word for word in words[1:] if not word.startswith(("--runs", "-p", "no:"))) for words in runs
    }
    assert common == {("-m", "nightly", "--env", STAGING, "-n", "2")}
    (longest,) = [words for words in runs if "-p" in words]
    done = subprocess.run(
        [sys.executable, "-m", *longest, "--collect-only", "-q"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=patient(120),
        env={"PATH": "/usr/bin:/bin"},
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert f"[{STAGING}" in done.stdout


def test_the_key_comes_from_the_place_for_secrets_and_every_variable_is_named() -> None:
    environment = load_environment(STAGING, ROOT, {})
    key = environment.gateway.key_variable
    source = (ROOT / "environments" / "staging.toml").read_text(encoding="utf-8")
    others = set(re.findall(r"\$\{(\w+)\}", source))
    (judge,) = [step for step in github()["jobs"][STAGING]["steps"] if step.get("name") == "Judge"]
    wanted = {key: f"${{{{ secrets.{key} }}}}"} | {name: f"${{{{ vars.{name} }}}}" for name in others}
    assert judge["env"] == wanted
    assert f"# {key} is a masked" in (CI / "gitlab-ci.yml").read_text(encoding="utf-8")
    for name in {key, *others}:
        assert f"# {name}=...\n" in (CI / UNITS[0]).read_text(encoding="utf-8")
        assert re.search(rf"\b{name}\b", (CI / "gitlab-ci.yml").read_text(encoding="utf-8"))


def test_a_bad_run_is_kept_as_well() -> None:
    steps = {step.get("name"): step for step in github()["jobs"][STAGING]["steps"]}
    assert steps["Show"]["if"] == steps["Keep"]["if"] == "always()"
    job = gitlab()["gateway-acceptance"]
    assert job["artifacts"]["when"] == "always"
    assert job["artifacts"]["reports"]["junit"].endswith("/junit.xml")
    assert job["script"] == [".venv/bin/pytest -m nightly --env staging -n 2"]  # its code is the job's


def test_one_run_at_a_time_and_not_for_ever() -> None:
    document = github()
    assert document["concurrency"]["cancel-in-progress"] is False
    assert document["jobs"][STAGING]["timeout-minutes"] == 60
    assert document[True]["schedule"][0]["cron"].split() == [
        "17",
        "2",
        "*",
        "*",
        "*",
    ]  # YAML reads "on" as true
    assert gitlab()["gateway-acceptance"]["resource_group"]
    assert unit(UNITS[0])["Service"]["TimeoutStartSec"] == "3600"


def test_the_units_fit_together() -> None:
    service, timer = unit(UNITS[0]), unit(UNITS[1])
    assert service["Service"]["Type"] == "oneshot"
    assert "Install" not in service
    assert timer["Install"]["WantedBy"] == "timers.target"
    assert timer["Timer"]["OnCalendar"].endswith(" UTC")
    started = shlex.split(service["Service"]["ExecStart"])
    state = f"/var/lib/{service['Service']['StateDirectory']}"
    assert f"--runs={state}/runs" in started
    assert started[0].startswith(service["Service"]["WorkingDirectory"])


@pytest.mark.parametrize("name", UNITS)
def test_systemd_knows_every_directive(name: str, tmp_path: Path) -> None:
    """Asked where it is installed; a program or user that is not on this machine is not the point."""
    known = {
        "Unit": {"Description", "Documentation", "Wants", "After"},
        "Service": {
            *("Type", "User", "WorkingDirectory", "EnvironmentFile", "Environment", "StateDirectory"),
            *("ExecStart", "TimeoutStartSec", "NoNewPrivileges", "ProtectSystem", "ProtectHome"),
            *("PrivateTmp", "PrivateDevices", "CapabilityBoundingSet"),
        },
        "Timer": {"OnCalendar", "RandomizedDelaySec", "Persistent"},
        "Install": {"WantedBy"},
    }
    parsed = unit(name)
    for section in parsed.sections():
        assert set(parsed[section]) <= known[section]
    analyze = shutil.which("systemd-analyze")
    if analyze is not None:
        text = (
            (CI / name)
            .read_text(encoding="utf-8")
            .replace("/opt/gateway-acceptance/.venv/bin/pytest", "/bin/true")
        )
        (tmp_path / name).write_text(text, encoding="utf-8")
        done = subprocess.run(
            [analyze, "verify", tmp_path / name], capture_output=True, text=True, check=False
        )
        wrong = [line for line in done.stderr.splitlines() if "Unknown" in line or "Failed to parse" in line]
        assert not wrong
