"""What makes booted hosts the reference deployment: accounts, backends, and the deployment script's run."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from gateway_acceptance.embedded import NotStarted
from gateway_acceptance.environment import Environment
from gateway_acceptance.host.privileges import privileges_in, sudoers
from lab.backend_factory import backends_of
from lab.deployment import FILES, PROBE_ACCOUNT, PROJECT, REMOTE, REPOSITORY, SCRIPT, TREE
from lab.hosts.base import STAND_IN, WHEELHOUSE
from lab.hosts.machine import Given, Leader

"""An ordinary account: the suite needs no more than it and its sudo rules."""
LAB = Path(__file__).parents[1]
MODELS = "/usr/share/ollama/.ollama/models"
SCRIPT_BUDGET_S = 120
OLLAMA_UNIT = """\
[Unit]
Description=Ollama Service
After=network-online.target

[Service]
ExecStart=/usr/local/bin/ollama serve
User=ollama
Group=ollama
Restart=always
RestartSec=3
Environment="PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
Environment="OLLAMA_HOST={address}:11434"
NoNewPrivileges=yes
ProtectSystem=full
PrivateTmp=yes
ProtectHome=yes

[Install]
WantedBy=multi-user.target
"""
"""As Ollama's installer writes it, with the listening address and the first steps of hardening."""
OLLAMA = f"""\
#!/usr/bin/python3
import sys

sys.path.insert(0, "{STAND_IN}")
from lab.hosts.stand_in import main

main()
"""
JOURNAL = "[Journal]\nSystemMaxUse=200M\nRuntimeMaxUse=64M\n"
SSHD = "PermitRootLogin no\nPasswordAuthentication no\nUseDNS no\n"


def provision(
    name: str,
    leader: Leader,
    environment: Environment,
    address: str,
    keys: Path,
    deploying: Mapping[str, str],
) -> None:
    """Everything of one host. keys: folder with ``client.pub`` and ``NAME``/``NAME.pub``; deploying: the
    deployment script's variables. Raises NotStarted."""
    machine = environment.machines[name]
    rules = sudoers(PROBE_ACCOUNT, privileges_in(environment, machine))
    files = {
        f"/home/{PROBE_ACCOUNT}/.ssh/authorized_keys": Given((keys / "client.pub").read_bytes(), 0o644),
        "/etc/ssh/ssh_host_ed25519_key": Given((keys / name).read_bytes(), 0o600),
        "/etc/ssh/ssh_host_ed25519_key.pub": Given((keys / f"{name}.pub").read_bytes()),
        "/etc/ssh/sshd_config.d/lab.conf": Given(f"HostKey /etc/ssh/ssh_host_ed25519_key\n{SSHD}"),
        "/etc/sudoers.d/gateway-acceptance": Given(rules, 0o440),
        "/etc/systemd/journald.conf.d/size.conf": Given(JOURNAL),
    }
    steps = [
        f"useradd --create-home --shell /bin/bash {PROBE_ACCOUNT}",
        "systemctl restart systemd-journald; systemctl enable --quiet --now ssh",
    ]
    if name == "gateway":
        files |= repository_files()
        _require(name, leader.run(steps[0], timeout=SCRIPT_BUDGET_S))
        _require(name, leader.give(files, timeout=SCRIPT_BUDGET_S))
        _require(name, leader.run(f"{steps[1]}\n{commit_script()}", timeout=SCRIPT_BUDGET_S))
        script = f"{TREE}/{SCRIPT} --wheelhouse /{WHEELHOUSE}"
        _require(name, leader.run(script, timeout=SCRIPT_BUDGET_S, environment=deploying))
        return
    files |= backend_files(environment, name, address)
    steps.insert(
        0,
        "useradd --system --user-group --shell /bin/false --create-home --home-dir /usr/share/ollama ollama",
    )
    _require(name, leader.run("\n".join(steps[:2]), timeout=SCRIPT_BUDGET_S))
    _require(name, leader.give(files, timeout=SCRIPT_BUDGET_S))
    steps.append("chown -R ollama:ollama /usr/share/ollama; systemctl daemon-reload")
    steps.append("systemctl enable --quiet --now ollama.service")
    _require(name, leader.run("\n".join(steps[2:]), timeout=SCRIPT_BUDGET_S))


def repository_files() -> dict[str, Given]:
    """The deployed work tree, file by file."""
    found = {f"{REPOSITORY}/.gitignore": Given((FILES / "dot-gitignore").read_bytes())}
    for path in sorted((FILES / PROJECT).rglob("*")):
        if path.is_file():
            mode = 0o755 if path.suffix == ".sh" else 0o644
            found[f"{REPOSITORY}/{path.relative_to(FILES)}"] = Given(path.read_bytes(), mode)
    return found


def commit_script() -> str:
    """Makes the work tree a commit that its remote has."""
    git = f"git -C {REPOSITORY}"
    return "\n".join(
        (
            "export GIT_AUTHOR_DATE='2025-08-15T13:51:00Z' GIT_COMMITTER_DATE='2025-08-15T13:51:00Z'",
            f"{git} init --quiet --initial-branch main",
            f"{git} config user.name deployer; {git} config user.email deployer@git.example",
            f"{git} add --all && {git} commit --quiet --message 'API gateway'",
            f"{git} remote add origin {REMOTE}",
            f"{git} update-ref refs/remotes/origin/main HEAD",
        )
    )


def backend_files(environment: Environment, name: str, address: str) -> dict[str, Given]:
    """The stand-in for Ollama, its unit, and the models on disk as Ollama lays them out."""
    backend = backends_of(environment)[name]
    specs = {model: asdict(spec) for model, spec in backend.models.items()}
    found = {
        "/etc/systemd/system/ollama.service": Given(OLLAMA_UNIT.format(address=address)),
        "/usr/local/bin/ollama": Given(OLLAMA, 0o755),
        f"{STAND_IN}/models.json": Given(json.dumps(specs, indent=1)),
    }
    sources = [
        LAB / "hosts" / "__init__.py",
        LAB / "hosts" / "stand_in.py",
        *sorted((LAB / "backends").glob("*.py")),
    ]
    for path in sources:
        found[f"{STAND_IN}/lab/{path.relative_to(LAB)}"] = Given(path.read_bytes())
    for model in specs:
        short, _, tag = model.partition(":")
        blob = f"sha256-{specs[model]['family']}"
        manifest = {"schemaVersion": 2, "layers": [{"digest": blob}]}
        found[f"{MODELS}/manifests/registry.ollama.ai/library/{short}/{tag}"] = Given(json.dumps(manifest))
        found[f"{MODELS}/blobs/{blob}"] = Given("weights\n")
    return found


def _require(name: str, done: subprocess.CompletedProcess[str]) -> None:
    if done.returncode != 0:
        last = "\n".join((done.stdout + done.stderr).strip().splitlines()[-12:])
        raise NotStarted(f"the host {name} could not be made ready", last)
