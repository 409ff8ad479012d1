"""Every fault of machines against its checks: applied to the lab's real hosts, looked at, reverted exactly.

The lab of systemd hosts stays up; each fault is applied and reverted by scripts as root on its host, and
looked at in between by the suite's own program over SSH. One pytest run then judges all looks, each an
environment.
"""

from __future__ import annotations

import json
import tempfile
import time
import tomllib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import tomli_w

from gateway_acceptance.environment import Environment, load_environment
from gateway_acceptance.host.facts import NoFacts
from gateway_acceptance.host.snapshot import take_snapshot
from gateway_acceptance.places import waivers_file
from gateway_acceptance.usage import UsageProblem
from lab.all_checks import AllChecks, add, chosen_of
from lab.faults import FAULTS, Fault, HostChange, Layer
from lab.host_state import differences
from lab.hosts.machine import leader_of, wait_until_serving
from lab.hosts.priority import preferred
from lab.hosts.provider import PROVIDER
from lab.mutation_matrix import CONTROL, Matrix, judge, run_checks
from lab.patience import patient
from lab.state import lab_folder

SCRIPT_BUDGET_S = 60
IDLE_S = 2.0
SETTLING, SETTLED = 15, 0.2
"""Looks until a service that was restarted is at rest, and the processors that it uses then."""
REVERTS_AT_ONCE = 6
"""After so many faults the machines are looked at again: a difference that is left voids the matrix."""
ENVIRONMENT = "lab"


def chosen_host_faults(only: Sequence[str]) -> list[Fault]:
    """The faults of machines to run, all where ``only`` is empty. Raises UsageProblem for an unknown name."""
    known = {name: fault for name, fault in FAULTS.items() if fault.layer is Layer.HOST}
    unknown = [name for name in only if name not in known]
    if unknown:
        raise UsageProblem(
            [
                f"--only {name}: there is no such fault of machines; known are: {', '.join(known)}"
                for name in unknown
            ]
        )
    return [known[name] for name in only] if only else list(known.values())


def run_host_matrix(root: Path, only: Sequence[str], litellm: str, say: Callable[[str], None]) -> Matrix:
    """Run the faults of machines. Raises UsageProblem, NotStarted, and RuntimeError where a fault could not
    be applied, or was not reverted exactly."""
    faults = chosen_host_faults(only)
    return judge(faults, recorded(root, faults, litellm, say, faults), complete=not only)


def run_hosts_by_all(root: Path, only: Sequence[str], litellm: str, say: Callable[[str], None]) -> AllChecks:
    """Run the sample's faults of machines against all checks of machines. Raises what ``run_host_matrix``
    does."""
    faults = chosen_of(only, (Layer.HOST,))
    result = AllChecks()
    add(result, faults, recorded(root, faults, litellm, say, []))
    return result


def recorded(
    root: Path, faults: Sequence[Fault], litellm: str, say: Callable[[str], None], named: Sequence[Fault]
) -> dict[str, dict[str, Any]]:
    """The records of the control and of each fault. named: faults that are judged by the checks that they
    name alone."""
    environment = load_environment(ENVIRONMENT, root, {})
    running = PROVIDER.acquire(environment, options={"litellm": litellm}, root=root, say=say)
    try:
        with tempfile.TemporaryDirectory(prefix="host-matrix-") as temporary:
            stage = HostStage(root, Path(temporary), environment)
            (stage.folder / "key").write_text(running.key, encoding="utf-8")
            healthy = stage.snapshots(list(environment.machines))
            views = [stage.view(CONTROL, None)]
            stage.write(CONTROL, healthy)
            for number, fault in enumerate(faults, start=1):
                say(f"{number} of {len(faults)}: {fault.name}")
                views.append(stage.view_of(fault, healthy))
                if number % REVERTS_AT_ONCE == 0 or number == len(faults):
                    last = [fault.name for fault in faults[max(0, number - REVERTS_AT_ONCE) : number]]
                    stage.require_reverted(healthy, last)
            return run_checks(root, stage.folder, views, named, {}, suite="suites/host")
    finally:
        running.release()


@dataclass(frozen=True, slots=True)
class HostStage:
    """The lab's hosts and a folder for looks."""

    root: Path
    folder: Path
    environment: Environment

    def snapshots(self, machines: Sequence[str], environment: Environment | None = None) -> dict[str, Any]:
        """A look at each machine, as the suite takes it, or why there is none."""

        def one(name: str) -> dict[str, Any]:
            try:
                return asdict(take_snapshot(environment or self.environment, name))
            except NoFacts as failure:
                return {"why": failure.why, "fix": failure.fix}

        with ThreadPoolExecutor(len(machines)) as pool:
            return dict(zip(machines, pool.map(one, machines), strict=True))

    def view_of(self, fault: Fault, healthy: Mapping[str, Any]) -> Environment:
        """The environment of a fault, judged on a look that was taken while it was there. Raises RuntimeError
        where its scripts fail."""
        change = fault.change
        assert change is not None
        view = self.view(fault.name, fault)
        declared = view if change.declares else None
        try:
            if change.apply:
                self._script(fault.name, change, change.apply, wait=change.restarts and change.serves)
            seen = self.snapshots([change.machine], declared)
            if change.load:
                seen[change.machine]["turns"] = self._loaded(fault.name, change)
        finally:
            if change.apply:
                self._script(fault.name, change, change.revert, wait=change.restarts)
        self.write(fault.name, {**healthy, **seen})
        return view

    def require_reverted(self, healthy: Mapping[str, Any], faults: Sequence[str]) -> None:
        """Raises RuntimeError where a machine is not what it was before these faults."""
        for machine, found in self.snapshots(list(healthy)).items():
            left = [found["why"]] if "why" in found else differences(healthy[machine], found)
            if left:
                shown = "; ".join(left[:5])
                raise RuntimeError(f"one of {', '.join(faults)} was not reverted exactly: {machine}: {shown}")

    def _loaded(self, name: str, change: HostChange) -> list[Any]:
        """The process as a check of load looks at it: before it and after an idle while, after half of it,
        after all of it and after an idle while."""

        def seen() -> Any:
            return take_snapshot(self.environment, change.machine, ("process",)).sections

        for _ in range(SETTLING):  # just restarted, it is busy with itself
            turns = [seen()]
            time.sleep(IDLE_S)
            turns.append(seen())
            first, second = (turn["process"]["value"]["usage"] for turn in turns)
            if second["cpu_s"] - first["cpu_s"] < SETTLED * (second["at_s"] - first["at_s"]):
                break
        with preferred(leader_of(lab_folder(self.root, self.environment), change.machine).pid):
            for _ in range(2):
                self._script(name, change, change.load, wait=False)
                turns.append(seen())
            time.sleep(IDLE_S)
            return [*turns, seen()]

    def write(self, name: str, snapshots: Mapping[str, Any]) -> None:
        """Keep the looks of a view where its environment file says that they are."""
        for machine, found in snapshots.items():
            (self.folder / name / f"{machine}.json").write_text(json.dumps(found), encoding="utf-8")

    def view(self, name: str, fault: Fault | None) -> Environment:
        """An environment file of its own, to be judged on looks in a folder beside it."""
        folder = self.folder / name
        folder.mkdir()
        document = tomllib.loads(self.environment.source.read_text(encoding="utf-8"))
        document["name"] = name
        if waivers_file(self.root).is_file():
            document["waivers"] = str(waivers_file(self.root))
        document["embedded"] = {
            "provider": "recorded",
            "options": {"looks": str(folder), "key": str(self.folder / "key")},
        }
        config = str(lab_folder(self.root, self.environment) / "ssh_config")
        for table in (document["host"], *(backend["host"] for backend in document["backends"])):
            table["ssh_config"] = config
        if fault is not None and fault.change is not None and fault.change.declares:
            _table_of(document, fault.change.machine).update(fault.change.declares)
        if fault is not None and fault.change is not None:
            document["gateway"].update(fault.change.of_gateway)
        path = self.folder / f"{name}.toml"
        path.write_text(tomli_w.dumps(document), encoding="utf-8")
        return load_environment(str(path), self.root, {})

    def _script(self, name: str, change: HostChange, script: str, *, wait: bool) -> None:
        leader = leader_of(lab_folder(self.root, self.environment), change.machine)
        done = leader.run(script, timeout=patient(SCRIPT_BUDGET_S))
        if done.returncode != 0:
            raise RuntimeError(f"a script of {name} failed on {change.machine}: {done.stderr.strip()[-500:]}")
        if wait:
            wait_until_serving(self.environment)


def _table_of(document: dict[str, Any], machine: str) -> dict[str, Any]:
    """The table of a machine in an environment file."""
    if machine == "gateway":
        return cast("dict[str, Any]", document["host"])
    entry = next(entry for entry in document["backends"] if entry["name"] == machine)
    return cast("dict[str, Any]", entry["host"])
