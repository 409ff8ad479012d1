"""The embedded environment ``lab``: four systemd hosts, found running or started for a run."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from gateway_acceptance.embedded import NotStarted, Running
from gateway_acceptance.environment import Environment
from lab.gateway_process import last_lines
from lab.hosts.base import WHEELHOUSE, ensure_base, ensure_environment, ensure_stand_in, ensure_wheelhouse
from lab.hosts.tools import ensure_tools, refuse_unable_machine
from lab.litellm.install import resolve_version
from lab.local import declared_version, end, launch, nothing, require_same
from lab.outages import Lease
from lab.state import LabState, lab_folder, read_state

START_BUDGET_S = 300


class HostsProvider:
    """Finds the hosts up (``lab up --hosts``), or boots them for as long as the calling process lives."""

    def acquire(
        self,
        environment: Environment,
        *,
        options: Mapping[str, str],
        root: Path,
        say: Callable[[str], None],
    ) -> Running:
        """See ``gateway_acceptance.embedded.Provider``. options: ``litellm``, a version or ``latest``."""
        wanted = options.get("litellm") or declared_version(environment)
        found = read_state(lab_folder(root, environment))
        if found is not None and found.owner is None:
            require_same(found, environment, wanted)
            say(f"using the lab that is up: {found.gateway}, {found.runs}")
            return Running(found.key, nothing)
        state = self.start(environment, wanted, root, say, owner=os.getpid())
        return Running(state.key, lambda: end(state))

    def disruptor(self, environment: Environment, root: Path) -> Lease:
        """See ``gateway_acceptance.embedded.disruptor_of``."""
        return Lease(lab_folder(root, environment))

    def start(
        self,
        environment: Environment,
        wanted: str,
        root: Path,
        say: Callable[[str], None],
        *,
        owner: int | None,
    ) -> LabState:
        """Boot and deploy, and wait until the gateway serves. Raises NotStarted."""
        refuse_unable_machine()
        missing = [
            name
            for name in ("gateway", *(b.name for b in environment.backends))
            if name not in environment.machines
        ]
        if missing:
            raise NotStarted(f"{environment.source} declares no machine for {', '.join(missing)}")
        version = resolve_version(wanted)
        tools = ensure_tools(root, say)
        base = ensure_base(root, tools, say)
        wheels = ensure_wheelhouse(root, version, say)
        layer = ensure_environment(root, base, wheels, say)
        stand_in = ensure_stand_in(root, say)
        folder = lab_folder(root, environment)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        others = len(environment.backends)
        say(f"booting {environment.name}: LiteLLM {version} on a host of its own, {others} backends ...")
        hosts: list[dict[str, Any]] = []
        for name, machine in environment.machines.items():
            gateway = name == "gateway"
            hosts.append(
                {
                    "name": name,
                    "hostname": machine.name or name,
                    "layers": [str(layer), str(base)] if gateway else [str(stand_in), str(base)],
                    "binds": [[str(wheels), f"/{WHEELHOUSE}"]] if gateway else [],
                }
            )
        given = {
            "environment": str(environment.source),
            "folder": str(folder),
            "key": f"sk-{secrets.token_hex(24)}",
            "version": version,
            "owner": owner,
            "nspawn": str(tools.nspawn),
            "libraries": tools.environment["LD_LIBRARY_PATH"],
            "hosts": hosts,
        }
        path = folder / "specification.json"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(given, file)
        launch("lab.hosts.supervisor", path, folder / "lab.log", START_BUDGET_S)
        state = read_state(folder)
        if state is None:
            raise NotStarted("the lab ended right after it had started", last_lines(folder / "lab.log"))
        return state


PROVIDER = HostsProvider()
