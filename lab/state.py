"""What is known of a running lab: a file that only this user can read, true only while its process lives."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from gateway_acceptance.environment import Environment

STOP_BUDGET_S = 15


@dataclass(frozen=True, slots=True)
class LabState:
    """pid and created (seconds since the epoch) together name a process for certain; product and version: of
    the gateway; limited_key: the one that the gateway made, or empty."""

    environment: str
    pid: int
    created: float
    key: str
    version: str
    gateway: str
    declared: str
    owner: int | None
    log: str
    product: str = "LiteLLM"
    limited_key: str = ""

    @property
    def runs(self) -> str:
        """The gateway by product and version."""
        return f"{self.product} {self.version}"

    @property
    def alive(self) -> bool:
        """Whether that very process still runs."""
        try:
            process = psutil.Process(self.pid)
            return process.create_time() == self.created and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False


def lab_folder(root: Path, environment: Environment) -> Path:
    """Where a lab keeps its state, its configuration and its logs."""
    return root / ".lab" / environment.name


def digest_of(environment: Environment) -> str:
    """What the environment declares of addresses and models, as one value: a lab serves just the declaration
    that it was started with."""
    served: Any = {"gateway": {"url"}, "models": True, "groups": True, "backends": True}
    document = environment.model_dump(mode="json", include=served)
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def write_state(folder: Path, state: LabState) -> None:
    """Replace the state file in one step."""
    temporary = folder / ".state.part"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(state), file)
    temporary.replace(folder / "state.json")


def read_state(folder: Path) -> LabState | None:
    """The state of a lab that runs, or None; what a killed lab left behind counts as nothing."""
    try:
        state = LabState(**json.loads((folder / "state.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return state if state.alive else None


def running_labs(root: Path) -> list[LabState]:
    """Every lab of this checkout that runs."""
    states = [read_state(path.parent) for path in sorted((root / ".lab").glob("*/state.json"))]
    return [state for state in states if state is not None]


def stop(state: LabState) -> bool:
    """End a lab by its pid; True when it is gone, and the gateway with it."""
    try:
        process = psutil.Process(state.pid)
        if process.create_time() != state.created:
            return True
        children = process.children(recursive=True)
        process.terminate()
        _, alive = psutil.wait_procs([process, *children], timeout=STOP_BUDGET_S)
        for left in alive:
            left.kill()
        _, alive = psutil.wait_procs(alive, timeout=STOP_BUDGET_S)
    except psutil.NoSuchProcess:
        return True
    return not alive
