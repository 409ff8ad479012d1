"""The gateways of others that the lab runs from their packages, by the provider that an environment names."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

from lab.gateway_process import Child
from lab.lab_gateway import LabGateway
from lab.packaged import processes
from lab.packaged.install import HERE, Say, from_npm, from_pypi, pinned
from lab.specification import Specification

Process = Callable[[Specification], Child]


def _pypi(provider: str, package: str, name: str, process: Process) -> LabGateway:
    lock = HERE / f"{provider}.lock"

    def version(_wanted: str = "") -> str:
        return pinned(lock, package)

    def install(root: Path, found: str, say: Say) -> Path:
        return from_pypi(root, provider, found, lock, say, package=package)

    return LabGateway(name, version, install, process, f"{provider}.log")


def _npm(provider: str, package: str, name: str, process: Process) -> LabGateway:
    source = HERE / provider

    def version(_wanted: str = "") -> str:
        document = json.loads((source / "package.json").read_text(encoding="utf-8"))
        return str(document["dependencies"][package])

    return LabGateway(name, version, partial(_from_npm, provider, source), process, f"{provider}.log")


def _from_npm(provider: str, source: Path, root: Path, version: str, say: Say) -> Path:
    return from_npm(root, provider, version, source, say)


PACKAGED = {
    "lm-proxy": _pypi("lm-proxy", "lm-proxy", "lm-proxy", processes.lm_proxy),
    "llm-katan": _pypi("llm-katan", "llm-katan", "llm-katan", processes.llm_katan),
    "llama-cpp": _pypi("llama-cpp", "xllamacpp", "llama.cpp", processes.llama_cpp),
    "aimock": _npm("aimock", "@copilotkit/aimock", "aimock", processes.aimock),
    "mock-llm": _npm("mock-llm", "@dwmkerr/mock-llm", "mock-llm", processes.mock_llm),
}
