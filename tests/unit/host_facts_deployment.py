"""What a look at a healthy deployment brings, by hand: facts of the gateway's and of a backend's machine."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from gateway_acceptance.environment import Environment
from gateway_acceptance.host.facts import MachineFacts
from gateway_acceptance.host.privileges import privileges_of
from tests.unit.declared import environment

TREE = "/opt/hx/gateway"
SCRIPT = "scripts/deploy.sh"
DEPLOYED = Path(__file__).parents[2] / "lab" / "deployment" / "api-gateway"
DEPLOY_TEXT = (DEPLOYED / "scripts" / "deployment" / "deploy-litellm-gateway.sh").read_text(encoding="utf-8")
CONFIGURATION = """\
model_list:
  - {model_name: chat-one, litellm_params: {model: ollama_chat/tiny, api_base: os.environ/HX_LLM_01_URL}}
  - {model_name: emb, litellm_params: {model: ollama/vec, api_base: "http://127.0.0.2:11434/"}}
  - {model_name: both, litellm_params: {model: ollama_chat/tiny, api_base: os.environ/HX_LLM_01_URL}}
  - {model_name: both, litellm_params: {model: "ollama_chat/tiny:2b", api_base: "http://127.0.0.2:11434"}}
litellm_settings: {request_timeout: 60, set_verbose: false, json_logs: true}
general_settings: {master_key: os.environ/LITELLM_MASTER_KEY, health_check_details: false}
"""


def declared(**host: Any) -> Environment:
    """An environment with a gateway's machine and one backend's; keys of [host] replace those given here."""
    table = {
        "uri": "ssh://gateway",
        "tree": TREE,
        "unit": "hx.service",
        "user": "hx",
        "deployment_script": SCRIPT,
        "service_scripts": ["scripts/stop.sh"],
        "configuration": "config.yaml",
        "virtual_environment": "venv",
        "secrets": ["/etc/hx/env"],
        "needed_commands": ["ip", "jq"],
        "repository": {"remote": "https://git.example/hx/hx.git", "commit": "984c4c3"},
        "tree_mb": 1,
        "environment_mb": 100,
        "log_mb_per_day": 10,
        **host,
    }
    backend = {"uri": "ssh://one", "models": "/usr/share/ollama/.ollama/models", "version": "0.12.6"}
    return environment(
        gateway={
            "url": "http://127.0.0.1:4000",
            "key_variable": "MINI_KEY",
            "product": "litellm",
            "version": "1.74.15",
        },
        backends=[
            {"name": "one", "url": "http://127.0.0.1:11434", "host": backend},
            {"name": "two", "url": "http://127.0.0.2:11434"},
        ],
        host=table,
    )


def a_file(text: str, mode: str = "0644") -> dict[str, Any]:
    """A deployed file as the look shows it."""
    entry = {"kind": "f", "mode": mode, "user": "root", "group": "hx", "size": len(text)}
    document: dict[str, Any] = {"exists": True, "entry": entry, "text": text, "size": len(text)}
    document["sha256"] = "sha256:" + "a" * 64
    return {**document, "syntax": ""} if text.startswith("#!") else document


def sections() -> dict[str, Any]:
    """The sections of a healthy gateway's machine, to be spoilt."""
    argv = f"{TREE}/venv/bin/litellm --port 4000 --config {TREE}/config.yaml"
    return copy.deepcopy(
        {
            "clock": {"first": 100_000.0, "last": 100_001.0},
            "machine": {"processors": 2, "addresses": ["127.0.0.1", "192.168.0.2"]},
            "unit": {
                "exists": True,
                "properties": {
                    "ExecStart": f"{{ path=x ; argv[]={argv} ; ignore_errors=no ; }}",
                    "WorkingDirectory": f"{TREE}/gateway",
                    "Environment": "PYTHONUNBUFFERED=1",
                },
            },
            "process": {
                "pid": 42,
                "limits": {"Max open files": ["1024", "65536"]},
                "descriptors": 20,
                "missing": {},
            },
            "files": {
                SCRIPT: a_file(DEPLOY_TEXT, "0755"),
                "scripts/stop.sh": a_file("#!/bin/sh\ntrue\n", "0755"),
                "config.yaml": a_file(CONFIGURATION),
            },
            "commands": {"ip": "/usr/sbin/ip", "jq": "/usr/bin/jq"},
            "settings": {
                "names": ["HX_LLM_01_URL", "LITELLM_LOG", "LITELLM_MASTER_KEY", "LITELLM_MODE"],
                "values": {
                    "HX_LLM_01_URL": "http://127.0.0.1:11434",
                    "LITELLM_LOG": "ERROR",
                    "LITELLM_MODE": "PRODUCTION",
                },
                "default_key": False,
            },
            "python": {
                "exists": True,
                "packages": {"litellm": "1.74.15"},
                "startup": [
                    {
                        "name": "distutils-precedence.pth",
                        "lines": [
                            "import os; var = 'SETUPTOOLS_USE_DISTUTILS'; enabled = "
                            "os.environ.get(var, 'local') == 'local'; "
                            "enabled and __import__('_distutils_hack').add_shim();"
                        ],
                    },
                    {"name": "paths.pth", "lines": []},
                ],
            },
            "repository": {
                "root": "/opt/hx",
                "head": "984c4c341992",
                "branch": "main",
                "remote": "git@git.example:hx/hx",
                "dirty": [],
                "published": True,
                "declared_known": True,
            },
            "tree": {
                "exists": True,
                "entries": [{"path": "config.yaml", "kind": "f", "size": 900}],
                "bytes": 900,
                "environment": {"bytes": 90 << 20},
            },
            "resources": {
                "disks": {"/": {"total_mb": 9000, "free_mb": 5000, "inodes": 9999, "free_inodes": 5000}},
                "memory": {"MemAvailable": 2048},
                "journald": {"SystemMaxUse": "200M"},
            },
            "journal": {"lines": 10, "bytes": 1000, "first": 99_990.0, "secrets": [], "cut": False},
            "reach": {"one": {"version": "0.12.6"}},
        }
    )


def backend_sections() -> dict[str, Any]:
    """The sections of a healthy backend's machine, as far as only backends have them."""
    manifests = ["library/tiny/latest", "hf.example/x/y/q4"]
    return {
        "ollama": {"version": "0.12.6", "manifests": manifests, "missing": {}},
        "unit": {
            "exists": True,
            "properties": {"Environment": 'PATH=/usr/bin "OLLAMA_HOST=127.0.0.1:11434"'},
        },
        "account": {"entry": {"home": "/usr/share/ollama"}},
    }


def machine_facts(env: Environment, found: dict[str, Any], name: str = "gateway") -> MachineFacts:
    """Facts of sections. A section that is a str is missing for want of that privilege."""
    shown = {
        key: {"missing": "sudo refuses it", "needs": value} if isinstance(value, str) else {"value": value}
        for key, value in found.items()
    }
    machine = env.machines[name]
    return MachineFacts(name, machine, shown, privileges_of(machine, ("sk-1234",)), account="probe")
