"""The reference deployment's scripts and files, as far as they need no host of their own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from gateway_acceptance.environment import load_environment
from lab.patience import patient

ROOT = Path(__file__).parents[2]
DEPLOYMENT = ROOT / "lab" / "deployment"
SCRIPT = "api-gateway/scripts/deployment/deploy-litellm-gateway.sh"
OWN = "127.0.0.1"
"""An address that every host owns."""
NO_HOSTS = {OWN, "0.0.0.0"}  # noqa: S104  (compared, not bound)
BACKENDS = ("HX_LLM_01_URL", "HX_LLM_02_URL", "HX_ORC_URL")


def deploy(
    base: Path, *arguments: str, variables: Mapping[str, str] | None = None, path: str | None = None
) -> subprocess.CompletedProcess[str]:
    settings = {"HX_GATEWAY_ADDRESS": OWN, **dict.fromkeys(BACKENDS, f"http://{OWN}:11434")}
    environment = {"PATH": path or os.environ["PATH"], **settings, **(variables or {})}
    command = ["/bin/bash", str(base / SCRIPT), *arguments]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        timeout=patient(60),
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    shutil.copytree(DEPLOYMENT, tmp_path / "checkout")
    return tmp_path / "checkout"


def snapshot(folder: Path) -> dict[str, tuple[int, int]]:
    return {str(path): (path.lstat().st_mode, path.lstat().st_mtime_ns) for path in sorted(folder.rglob("*"))}


def test_every_script_is_valid_and_executable() -> None:
    scripts = sorted(DEPLOYMENT.rglob("*.sh"))
    assert len(scripts) == 4
    for script in scripts:
        assert os.access(script, os.X_OK), script
        assert subprocess.run(["bash", "-n", str(script)], check=False).returncode == 0


def test_help_tells_options_settings_and_exit_codes(checkout: Path) -> None:
    done = deploy(checkout, "--help")
    assert done.returncode == 0
    for word in ("--wheelhouse", "--dry-run", "--dev", "HX_GATEWAY_ADDRESS", "FORCE=1", "Exit codes"):
        assert word in done.stdout


@pytest.mark.parametrize("missing", ["ip", "python3", "curl", "jq"])
def test_a_missing_command_is_named_before_the_first_step(
    checkout: Path, tmp_path: Path, missing: str
) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in {"ip", "python3", "curl", "jq", "dirname", "basename", "id"} - {missing}:
        found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
        assert found is not None
        (tools / name).symlink_to(found)
    before = snapshot(checkout)
    done = deploy(checkout, path=str(tools))
    assert done.returncode == 3
    assert f"the command {missing} is missing; install the package" in done.stderr
    assert "1/7" not in done.stdout
    assert snapshot(checkout) == before


def test_a_wrong_host_is_refused(checkout: Path) -> None:
    done = deploy(checkout, "--dry-run", variables={"HX_GATEWAY_ADDRESS": "203.0.113.7"})
    assert done.returncode == 3
    assert "this host does not own 203.0.113.7" in done.stderr
    assert "2/7" not in done.stdout


@pytest.mark.parametrize("name", ["HX_GATEWAY_ADDRESS", *BACKENDS])
def test_no_address_is_a_default(checkout: Path, name: str) -> None:
    done = deploy(checkout, "--dry-run", variables={name: ""})
    assert done.returncode == 2
    assert f"not set: {name}; set them for this deployment" in done.stderr
    assert "1/7" not in done.stdout


def test_the_last_deployments_settings_are_kept(checkout: Path) -> None:
    """From its file, which a script of ours reads at a place of ours."""
    place = checkout / "secrets"
    place.mkdir()
    (place / "hx-litellm-gateway.env").write_text("HX_ORC_URL=http://127.0.0.1:7\n")
    text = (checkout / SCRIPT).read_text().replace("=/etc/hx-gateway", f"={place}")
    (checkout / SCRIPT).write_text(text)
    done = deploy(checkout, "--dry-run", variables={"HX_ORC_URL": ""})
    assert done.returncode == 0, done.stderr


def test_no_address_stands_in_the_deployment() -> None:
    found = [
        path.name
        for path in sorted(DEPLOYMENT.rglob("*"))
        if path.is_file()
        and "__pycache__" not in path.parts
        and set(re.findall(r"\d+\.\d+\.\d+\.\d+", path.read_text())) - NO_HOSTS
    ]
    assert found == []


def test_force_goes_on_and_says_so(checkout: Path) -> None:
    variables = {"HX_GATEWAY_ADDRESS": "203.0.113.7", "FORCE": "1"}
    done = deploy(checkout, "--dry-run", variables=variables)
    assert done.returncode == 0, done.stderr
    assert "because of FORCE=1" in done.stdout


def test_a_dry_run_says_every_step_and_changes_nothing(checkout: Path) -> None:
    before = snapshot(checkout)
    done = deploy(checkout, "--dry-run", "--dev", "--dev-user", "root")
    assert done.returncode == 0, done.stderr
    assert [f"{step}/7" in done.stdout for step in range(1, 8)] == [True] * 7
    assert "would give" in done.stdout
    assert snapshot(checkout) == before


def test_a_dry_run_makes_twenty_directories_of_the_declared_structure(checkout: Path) -> None:
    done = deploy(checkout, "--dry-run")
    base = f"{checkout}/api-gateway/"
    made = set(re.findall(r"would run: install -d -m 755 (\S+)", done.stdout))
    there = {str(path) for path in (checkout / "api-gateway").rglob("*") if path.is_dir()}
    structure = {path.removeprefix(base) for path in made | there if path.startswith(base)}
    declared = load_environment("lab", ROOT, {}).host
    assert declared is not None
    assert structure == set(declared.directories)
    assert len(structure) == 20


@pytest.mark.parametrize("key", ["sk-hx-dev-1234", "sk-1234"])
def test_a_default_key_is_refused(checkout: Path, key: str) -> None:
    done = deploy(checkout, "--dry-run", variables={"LITELLM_MASTER_KEY": key})
    assert done.returncode == 1
    assert "known to the world" in done.stderr
    assert key not in done.stdout + done.stderr


@pytest.mark.parametrize(("kept", "replaced"), [("sk-1234", True), ("sk-1234567890abcdef", False)])
def test_a_default_key_that_is_set_already_is_not_kept(checkout: Path, kept: str, replaced: bool) -> None:
    """A dry run against a secrets' file of ours: it says what it would do with the key."""
    place = checkout / "secrets"
    place.mkdir()
    (place / "hx-litellm-gateway.env").write_text(f"LITELLM_MASTER_KEY={kept}\n")
    text = (
        (checkout / SCRIPT)
        .read_text()
        .replace("SECRETS_DIRECTORY=/etc/hx-gateway", f"SECRETS_DIRECTORY={place}")
    )
    (checkout / SCRIPT).write_text(text)
    done = deploy(checkout, "--dry-run")
    assert done.returncode == 0, done.stderr
    assert ("known to the world and is replaced" in done.stdout) is replaced
    assert ("would make up a master key" in done.stdout) is replaced
    assert kept not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--no-such-option"], "unknown option '--no-such-option'; see --help"),
        (["--wheelhouse"], "--wheelhouse needs a directory"),
        (["--wheelhouse", "/no/such/place"], "is no directory"),
    ],
)
def test_wrong_usage_is_one_sentence(checkout: Path, arguments: list[str], sentence: str) -> None:
    done = deploy(checkout, *arguments)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_the_configuration_serves_seven_aliases_and_balances_one() -> None:
    text = (DEPLOYMENT / "api-gateway/config/api-gateway/config.yaml").read_text(encoding="utf-8")
    config = yaml.safe_load(text)
    names = [entry["model_name"] for entry in config["model_list"]]
    assert sorted(set(names)) == sorted(load_environment("lab", ROOT, {}).aliases)
    assert names.count("hx-chat") == 3
    assert config["general_settings"]["master_key"] == "os.environ/LITELLM_MASTER_KEY"
    assert "model_group" not in config["router_settings"]
    assert not re.search(r"sk-|\d+\.\d+\.\d+\.\d+", text)
