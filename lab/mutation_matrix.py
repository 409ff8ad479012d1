"""Every fault against its checks, and the healthy control against all: the proof that checks can fail.

One real gateway, one address with one defect per fault, one pytest run over all of them as environments.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomli_w

from gateway_acceptance.check import Effect
from gateway_acceptance.embedded import NotStarted
from gateway_acceptance.environment import Environment, load_environment
from gateway_acceptance.places import environments_of, waivers_file
from gateway_acceptance.usage import UsageProblem
from gateway_acceptance.verdict import Verdict
from lab.description import have_it_described
from lab.faults import DECLARES, FAULTS, Fault, Layer
from lab.faults.found_as import FOUND_AS
from lab.faults.limited import made_up_keys
from lab.local import start
from lab.loopback_pool import own_net
from lab.matrix_plugin import SELECTION_VARIABLE
from lab.matrix_progress import PROGRESS_VARIABLE, stopped
from lab.patience import patient
from lab.specification import LabView
from lab.state import stop

CONTROL = "control"
KEY_VARIABLE = "MUTATION_MATRIX_KEY"
LARGEST_MATRIX = 1000
VIEWS_PER_BLOCK = 250
BLOCK = 40
"""Addresses of view v: net.(v mod 250).(40 (v div 250) + host); host 10 is the gateway, then the backends."""
RUN_BUDGET_S = 1200
"""Of an idle machine, and more than four times what it takes there: a timeout is for what hangs."""
ALL_CHECKS = {"requests": 50_000, "tokens": 20_000_000, "seconds": 36_000}
"""The budget of a view: its time begins with the first view's, and it waits its turn."""
OTHER_MATRICES = {Layer.HOST: "--hosts", Layer.OUTAGE: "--outages", Layer.ABSENCE: "--absence"}
"""Faults that are not run here, and the option that runs them."""
FOUND = Verdict.FAILED.value
"""What a detection is; another verdict is one only where ``FOUND_AS`` declares it of the fault."""
GREEN = (Verdict.PASSED.value, Verdict.DEVIATION.value, Verdict.WAIVED.value, Verdict.NOT_APPLICABLE.value)


@dataclass(frozen=True, slots=True)
class Cell:
    """One fault against one check. reason: what the check said."""

    fault: str
    check: str
    detected: bool
    verdict: str
    reason: str


@dataclass
class Matrix:
    """The result. control: check id -> verdict; uncovered: checks that no fault names."""

    cells: list[Cell] = field(default_factory=list)
    control: dict[str, str] = field(default_factory=dict)
    uncovered: list[str] = field(default_factory=list)

    @property
    def undetected(self) -> list[Cell]:
        """Faults that a named check did not find, or found for another reason."""
        return [cell for cell in self.cells if not cell.detected]

    @property
    def alarms(self) -> list[str]:
        """Checks that are not green on the healthy control."""
        return [f"{check}: {verdict}" for check, verdict in self.control.items() if verdict not in GREEN]

    @property
    def complete(self) -> bool:
        """Nothing survived, nothing is uncovered, the control is green (and was really run)."""
        return bool(self.control) and not (self.undetected or self.alarms or self.uncovered)


def chosen(only: Sequence[str]) -> list[Fault]:
    """The faults to run. Raises UsageProblem for a name that is unknown, or of another matrix."""
    unknown = [name for name in only if name not in FAULTS]
    if unknown:
        known = ", ".join(FAULTS)
        raise UsageProblem([f"--only {name}: there is no such fault; known are: {known}" for name in unknown])
    elsewhere = [name for name in only if FAULTS[name].layer in OTHER_MATRICES]
    if elsewhere:
        raise UsageProblem(
            [f"--only {name}: add {OTHER_MATRICES[FAULTS[name].layer]}, its matrix" for name in elsewhere]
        )
    faults = [FAULTS[name] for name in only] if only else list(FAULTS.values())
    return [fault for fault in faults if fault.layer not in OTHER_MATRICES]


def run_matrix(root: Path, only: Sequence[str], litellm: str, say: Callable[[str], None]) -> Matrix:
    """Run the faults (all where ``only`` is empty). Raises UsageProblem, NotStarted."""
    faults = chosen(only)
    with standing(root, faults, litellm, say) as lab:
        say(f"running {len(faults)} faults and the healthy control ...")
        named = {check_id for fault in faults for check_id in fault.detected_by}
        control = (
            named if only else ()
        )  # of some faults, the checks that they name tell enough of the control
        runs = run_checks(root, lab.folder, lab.environments, faults, lab.variables, control=control)
    return judge(faults, runs, complete=not only)


@dataclass(frozen=True, slots=True)
class Standing:
    """A lab with the control and a view per fault. variables: what holds its key."""

    folder: Path
    environments: Sequence[Environment]
    variables: Mapping[str, str]


@contextmanager
def standing(
    root: Path,
    faults: Sequence[Fault],
    litellm: str,
    say: Callable[[str], None],
    rewritten: Callable[[Environment], Environment] = lambda environment: environment,
) -> Iterator[Standing]:
    """One real gateway with the control and the faults in front of it. rewritten: changes each environment's
    file. Raises UsageProblem, NotStarted."""
    if len(faults) >= LARGEST_MATRIX:
        raise UsageProblem([f"the matrix holds at most {LARGEST_MATRIX - 1} faults; use --only"])
    with own_net() as net, tempfile.TemporaryDirectory(prefix="mutation-matrix-") as temporary:
        folder = Path(temporary)
        declare = Declarer(root, folder, net)
        base = rewritten(declare.base())
        views = [LabView(rewritten(declare.view(CONTROL, 1, None)), None)]
        for number, fault in enumerate(faults, start=2):
            views.append(LabView(rewritten(declare.view(fault.name, number, fault)), fault.name))
        state = start(base, litellm, root, say, owner=os.getpid(), views=views)
        try:
            have_it_described(base.gateway.url)
            variables = {KEY_VARIABLE: state.key, **made_up_keys()}
            yield Standing(folder, [view.environment for view in views], variables)
        finally:
            stop(state)


def judge(faults: Sequence[Fault], runs: Mapping[str, Mapping[str, Any]], *, complete: bool) -> Matrix:
    """From records by environment to the matrix. complete: all faults ran, so coverage can be judged."""
    control = {check["id"]: check["verdict"] for check in runs[CONTROL]["checks"] if _judged(check)}
    cells = [
        _cell(fault, check_id, pattern, runs.get(fault.name, {"checks": []}))
        for fault in faults
        for check_id, pattern in fault.detected_by.items()
    ]
    named = {check_id for fault in FAULTS.values() for check_id in fault.detected_by}
    uncovered = sorted(check_id for check_id in control if complete and check_id not in named)
    return Matrix(cells, control, uncovered)


def _judged(check: Mapping[str, Any]) -> bool:
    """Whether it belongs to this matrix: what takes backends away is permitted in that of outages alone."""
    verdict = check["verdict"]
    disrupts = check.get("effect") == Effect.DISRUPT
    return bool(verdict) and not (disrupts and verdict == Verdict.NOT_PERMITTED)


def _cell(fault: Fault, check_id: str, pattern: str, record: Mapping[str, Any]) -> Cell:
    check = next((check for check in record["checks"] if check["id"] == check_id), None)
    if check is None or check["verdict"] is None:
        return Cell(fault.name, check_id, False, "not run", "the check did not run against the fault")
    wanted = (FOUND, FOUND_AS.get((fault.name, check_id)))
    found = [case for case in check["cases"] if case["verdict"] in wanted]
    right = [case for case in found if re.search(pattern, case["message"])]
    if right:
        return Cell(fault.name, check_id, True, right[0]["verdict"], right[0]["message"])
    if found:
        reason = f"it tripped for another reason than /{pattern}/: {found[0]['message']}"
        return Cell(fault.name, check_id, False, found[0]["verdict"], reason)
    return Cell(
        fault.name, check_id, False, check["verdict"], "; ".join(c["message"] for c in check["cases"])
    )


@dataclass(frozen=True, slots=True)
class Declarer:
    """Writes environment files: ``local`` at addresses of their own; view 0 is the real gateway's."""

    root: Path
    folder: Path
    net: str

    def base(self, upstream: str = "") -> Environment:
        """The embedded environment with the real gateway. upstream: what its backends speak (a backend's
        ``product``), Ollama's own protocol where it is empty."""
        document = self._local()
        if upstream:
            for backend in document["backends"]:
                backend["product"] = upstream
            for model in document["models"]:
                model.pop("digest", None)  # only Ollama's own protocol tells one
            document["gateway"]["endpoints"] = []  # the compatible surface has chat and embeddings
        return self._written(document, f"mutation-matrix-{self.net}", 0, 0)

    def view(self, name: str, number: int, fault: Fault | None) -> Environment:
        """A view of it. Its backends are the real ones, unless the fault is theirs: then they have addresses
        of their own, where it shows."""
        document = self._local()
        document["kind"] = "staging"
        document["gateway"]["key_variable"] = KEY_VARIABLE
        del document["embedded"]
        document["policy"]["effects"].append(Effect.EXPOSE)  # the key is made up, and ends with the lab
        document["policy"]["effects"].remove(Effect.DISRUPT)  # views share backends: see lab.outage_matrix
        document["policy"] |= ALL_CHECKS
        otherwise = DECLARES.get(name, {})
        for table in ("gateway", "advisories", "balance"):
            document[table] = document.get(table, {}) | otherwise.get(table, {})
        for backend in document["backends"]:
            backend |= otherwise.get("backends", {})
        for group in document.get("groups", ()):
            members = otherwise.get("deployments", {}).get(group["alias"])
            if members is not None:
                group["deployments"] = [
                    group["deployments"][place] | given for place, given in enumerate(members)
                ]
        theirs = fault is not None and fault.layer is Layer.BACKEND
        return self._written(document, name, number, number if theirs else 0)

    def _local(self) -> dict[str, Any]:
        places = [folder / "local.toml" for folder in environments_of(self.root)]
        path = next(path for path in places if path.is_file())
        return tomllib.loads(path.read_text(encoding="utf-8"))

    def _address(self, number: int, host: int) -> str:
        return f"{self.net}.{number % VIEWS_PER_BLOCK}.{number // VIEWS_PER_BLOCK * BLOCK + host}"

    def _written(self, document: dict[str, Any], name: str, number: int, of_backends: int) -> Environment:
        document["name"] = name
        if waivers_file(self.root).is_file():
            document["waivers"] = str(waivers_file(self.root))
        document["gateway"]["url"] = f"http://{self._address(number, 10)}:4000"
        for place, backend in enumerate(document["backends"]):
            backend["url"] = f"http://{self._address(of_backends, 11 + place)}:11434"
        path = self.folder / f"{name}.toml"
        path.write_text(tomli_w.dumps(document), encoding="utf-8")
        return load_environment(str(path), self.root, {})


def run_checks(
    root: Path,
    folder: Path,
    environments: Sequence[Environment],
    faults: Sequence[Fault],
    variables: Mapping[str, str],
    suite: str = "suites",
    control: Collection[str] = (),
    workers: int = 2,
    budget_s: float = RUN_BUDGET_S,
) -> dict[str, dict[str, Any]]:
    """One pytest run over environments: each named after a fault by the checks that it names, every other one
    by all of the suite, the control by these checks alone where any are given. Returns records by
    environment; raises RuntimeError where the control has none, NotStarted
    where it took too long, with the cells that were reached."""
    selection = folder / "selection.json"
    wanted = {fault.name: sorted(fault.detected_by) for fault in faults}
    if control:
        wanted[CONTROL] = sorted(control)
    selection.write_text(json.dumps(wanted), encoding="utf-8")
    runs = folder / "runs"
    command = [
        sys.executable,
        "-m",
        "pytest",
        *suite.split(),
        "-q",
        "-p",
        "lab.matrix_plugin",
        "-p",
        "no:cacheprovider",
    ]
    command += ["--record-only", f"--runs={runs}", "-n", str(workers)]
    command += [f"--env={environment.source}" for environment in environments]
    progress = folder / "progress.tsv"
    progress.unlink(missing_ok=True)
    known = {SELECTION_VARIABLE: str(selection), PROGRESS_VARIABLE: str(progress)}
    try:
        done = subprocess.run(
            command,
            cwd=root,
            env={**os.environ, **variables, **known},
            capture_output=True,
            text=True,
            check=False,
            timeout=patient(budget_s),
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired as error:
        raise NotStarted(stopped(progress, wanted, f"after {error.timeout:.0f} s")) from None
    except KeyboardInterrupt:
        sys.stderr.write(f"{stopped(progress, wanted, 'from outside')}\n")
        raise
    records = {}
    for environment in environments:
        path = runs / environment.name / "latest" / "record.json"
        if path.exists():
            records[environment.name] = json.loads(path.read_text(encoding="utf-8"))
    if CONTROL not in records:
        raise RuntimeError(f"the checks did not run:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    return records
