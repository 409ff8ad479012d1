"""Fixes are proved: what a finding of a machine prints is run, as root, on the fault that produced it.

Each fault is applied and looked at; one pytest run judges the looks, and what it prints is collected. Then
each fault is applied again, its commands are run as they stand, and the machine is looked at and traced anew:
the findings must be gone, and so must every trace that the fault had left (``lab.hosts.trace``, which shares
nothing with the collector). Where nothing can be pasted, the finding's sentence says what to decide: those
are listed, not run.
"""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from gateway_acceptance.audit import CUT
from gateway_acceptance.environment import Environment, load_environment
from gateway_acceptance.usage import UsageProblem
from gateway_acceptance.verdict import Verdict
from lab.faults import Fault
from lab.faults.fixes import DECIDED, REMAINS
from lab.host_matrix import ENVIRONMENT, SCRIPT_BUDGET_S, HostStage, chosen_host_faults
from lab.hosts.machine import Leader, leader_of, wait_until_serving
from lab.hosts.provider import PROVIDER
from lab.hosts.trace import changed, trace
from lab.mutation_matrix import CONTROL, run_checks
from lab.patience import patient
from lab.state import lab_folder

FIX = re.compile(r"fix: (.+)$", re.MULTILINE)
COMMAND = "sudo "
"""What begins so is meant to be pasted; everything else is a sentence."""
COMMENT = "  # "
FIX_BUDGET_S = 180
SETTLE_S = 2.0
"""Longer than the lab's ``stable_s``: after a fix that restarts the service it is stable again."""
FUTURE, FUTURE_S = "touch -d '10 seconds'", 11.0
"""What some faults set a file's time to, and the seconds until a restart is later than that."""
ALWAYS = (
    *("HOST-UNIT-001", "HOST-UNIT-002", "HOST-UNIT-003", "HOST-NET-001", "HOST-PROC-001", "HOST-CONF-001"),
    *("HOST-OWN-001", "HOST-OWN-002", "HOST-OWN-004", "HOST-SECRET-001", "HOST-SECRET-002", "HOST-TREE-001"),
)
"""What must hold after every fix, whatever it fixed: the service runs, is enabled, and can start again."""
GATEWAY = "gateway"
"""The machine that tells what it reaches of the others: looked at after each fix."""
NEW_KEY = "sk-$(openssl rand -hex 24)"
RED = (Verdict.FAILED.value, Verdict.UNTESTABLE.value, Verdict.HARNESS_ERROR.value)


@dataclass(frozen=True, slots=True)
class FixProof:
    """One fault. commands: what was pasted, in order; sentences: what is to be decided; failed: commands that
    did not end with 0; findings: of its own checks, still red; others: red beside them; left: traces that
    remain."""

    fault: str
    commands: Sequence[str]
    sentences: Sequence[str]
    failed: Sequence[str] = ()
    findings: Sequence[str] = ()
    others: Sequence[str] = ()
    left: Sequence[str] = ()

    @property
    def proved(self) -> bool:
        """Whether pasting was enough; with nothing to paste, whether a sentence says what to decide."""
        if not self.commands:
            return bool(self.sentences)
        return not (self.failed or self.findings or self.others or self.left)


@dataclass
class FixProofs:
    """The result. alarms: red on the healthy control."""

    faults: list[FixProof] = field(default_factory=list)
    alarms: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Every fix fixes, and every finding has one."""
        return bool(self.faults) and all(one.proved for one in self.faults) and not self.alarms


def fixes_of(record: Mapping[str, Any], checks: Sequence[str]) -> tuple[list[str], list[str]]:
    """What the findings of these checks print: commands to paste, and sentences, each once and in order. What
    a record cuts off is none, and a comment makes no other command."""
    printed: dict[str, None] = {}
    for check in record["checks"]:
        for case in check["cases"]:
            if check["id"] in checks and case["verdict"] in RED:
                found = FIX.findall(case["message"])
                printed |= dict.fromkeys(found or [case["message"].splitlines()[0]])
    uncut = [one for one in printed if not one.endswith(CUT)]
    commands = dict.fromkeys(one.partition(COMMENT)[0] for one in uncut if one.startswith(COMMAND))
    return list(commands), [one for one in uncut if not one.startswith(COMMAND)]


def red_of(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Check and message of every red case."""
    return [
        (check["id"], case["message"])
        for check in record["checks"]
        for case in check["cases"]
        if case["verdict"] in RED
    ]


def run_fixes(root: Path, only: Sequence[str], litellm: str, say: Callable[[str], None]) -> FixProofs:
    """Run the fixes of the faults of machines, all where ``only`` is empty. Raises UsageProblem, NotStarted,
    and RuntimeError where a fault could not be applied."""
    faults = [fault for fault in chosen_host_faults(only) if fault.change and fault.change.apply]
    if not faults:
        raise UsageProblem(["--fixes: these faults change no machine, there is nothing to fix; name others"])
    stand = Stand(root, load_environment(ENVIRONMENT, root, {}), litellm, say)
    try:
        with tempfile.TemporaryDirectory(prefix="fix-matrix-") as temporary:
            printed = stand.printed(Path(temporary) / "found", faults)
            return stand.proved(Path(temporary) / "fixed", faults, printed)
    finally:
        stand.end()


Printed = Mapping[str, tuple[list[str], list[str]]]


class Stand:
    """The lab's hosts, booted again whenever a fix left a machine that the fault's own way back does not
    restore."""

    def __init__(
        self, root: Path, environment: Environment, litellm: str, say: Callable[[str], None]
    ) -> None:
        self._root, self._environment, self._litellm, self._say = root, environment, litellm, say
        self._running = PROVIDER.acquire(environment, options={"litellm": litellm}, root=root, say=say)

    def end(self) -> None:
        """Give the lab back."""
        self._running.release()

    def printed(self, folder: Path, faults: Sequence[Fault]) -> Printed:
        """What the checks that each fault names print of it."""
        stage, healthy = self._stage(folder)
        views = [stage.view(CONTROL, None)]
        stage.write(CONTROL, healthy)
        for number, fault in enumerate(faults, start=1):
            self._say(f"found, {number} of {len(faults)}: {fault.name}")
            views.append(stage.view_of(fault, healthy))
        records = run_checks(self._root, folder, views, faults, {}, suite="suites/host")
        return {fault.name: fixes_of(records[fault.name], list(fault.detected_by)) for fault in faults}

    def proved(self, folder: Path, faults: Sequence[Fault], printed: Printed) -> FixProofs:
        """Every fault with something to paste, fixed and judged by its own checks and ``ALWAYS``."""
        stage, healthy = self._stage(folder)
        views = [stage.view(CONTROL, None)]
        stage.write(CONTROL, healthy)
        done: dict[str, tuple[list[str], list[str]]] = {}
        pasted = [fault for fault in faults if printed[fault.name][0]]
        for number, fault in enumerate(pasted, start=1):
            self._say(f"fixed, {number} of {len(pasted)}: {fault.name}")
            view = stage.view(fault.name, fault)
            seen, failed, left = self._fixed(stage, view, fault, printed[fault.name][0])
            stage.write(fault.name, {**healthy, **seen})
            views.append(view)
            done[fault.name] = (failed, left)
        judged = [
            replace(one, detected_by={**one.detected_by, **dict.fromkeys(ALWAYS, "")}) for one in pasted
        ]
        named = sorted({check for fault in judged for check in fault.detected_by})
        records = run_checks(self._root, folder, views, judged, {}, suite="suites/host", control=named)
        alarms = [f"{check}: {message}" for check, message in red_of(records[CONTROL])]
        return FixProofs(
            [self._outcome(fault, printed[fault.name], done, records) for fault in faults], alarms
        )

    def _outcome(
        self,
        fault: Fault,
        printed: tuple[list[str], list[str]],
        done: Mapping[str, tuple[list[str], list[str]]],
        records: Mapping[str, Any],
    ) -> FixProof:
        commands, sentences = printed
        if not commands:
            return FixProof(fault.name, (), sentences)
        failed, left = done[fault.name]
        red = red_of(records[fault.name]) if fault.name in records else [("no record", "it was not judged")]
        still = [f"{check}: {message}" for check, message in red if (fault.name, check) not in DECIDED]
        own = [one for one in still if one.split(": ")[0] in fault.detected_by]
        return FixProof(
            fault.name, commands, sentences, failed, own, [o for o in still if o not in own], left
        )

    def _fixed(
        self, stage: HostStage, view: Environment, fault: Fault, commands: Sequence[str]
    ) -> tuple[dict[str, Any], list[str], list[str]]:
        """The look after the fixes, the commands that failed, the traces that are left."""
        change = fault.change
        assert change is not None
        leader, unit = self._leader(change.machine), self._environment.machines[change.machine].unit
        before = trace(leader, unit)
        noise = set(changed(before, trace(leader, unit)))
        self._require(
            leader.run(change.apply, timeout=patient(SCRIPT_BUDGET_S)), f"{fault.name} could not be applied"
        )
        if change.restarts and change.serves:
            wait_until_serving(self._environment)
        defect = {place for place in changed(before, trace(leader, unit)) if place not in noise}
        if FUTURE in change.apply:
            time.sleep(FUTURE_S)
        failed = []
        for command in commands:
            key = self._running.key
            done = leader.run(command.replace(NEW_KEY, key), timeout=patient(FIX_BUDGET_S))
            if done.returncode != 0:
                failed.append(f"{command} (ended with {done.returncode}: {done.stderr.strip()[-200:]})")
        if any("start" in command for command in commands):
            with suppress(TimeoutError):  # the checks tell it
                wait_until_serving(self._environment)
        time.sleep(SETTLE_S)
        seen = stage.snapshots(list(dict.fromkeys((change.machine, GATEWAY))), view)
        after = trace(leader, unit)
        left = [
            f"{place}: was {was}, is {now}"
            for place, (was, now) in changed(before, after).items()
            if place in defect and not _remains(fault.name, place)
        ]
        if not defect:
            left = ["the fault leaves no trace, so nothing proves that it is gone"]
        leader.run(change.revert.replace("\n", " || true\n"), timeout=patient(SCRIPT_BUDGET_S))
        strange = [place for place in changed(before, trace(leader, unit)) if place not in noise]
        if strange:
            self._again(strange)
        return seen, failed, left

    def _again(self, strange: Sequence[str]) -> None:
        shown = "; ".join(strange[:4])
        self._say(f"booting anew: the fix left another machine than the fault had found ({shown})")
        self._running.release()
        self._running = PROVIDER.acquire(
            self._environment, options={"litellm": self._litellm}, root=self._root, say=lambda _: None
        )

    def _stage(self, folder: Path) -> tuple[HostStage, dict[str, Any]]:
        folder.mkdir()
        stage = HostStage(self._root, folder, self._environment)
        (folder / "key").write_text(self._running.key, encoding="utf-8")
        return stage, stage.snapshots(list(self._environment.machines))

    def _leader(self, machine: str) -> Leader:
        return leader_of(lab_folder(self._root, self._environment), machine)

    def _require(self, done: Any, what: str) -> None:
        if done.returncode != 0:
            raise RuntimeError(f"{what}: {done.stderr.strip()[-500:]}")


def _remains(fault: str, place: str) -> bool:
    """Whether a trace may remain: declared, with why."""
    return any(re.search(pattern, place) for (name, pattern) in REMAINS if name in (fault, "*"))


def text(found: FixProofs) -> str:
    """The result for people."""
    lines = []
    for one in found.faults:
        state = "decide" if not one.commands else "fixed" if one.proved else "NOT FIXED"
        lines.append(f"{one.fault:<40} {state}")
        if one.proved and one.commands:
            continue
        lines += [f"    pasted: {word}" for word in one.commands]
        lines += [f"    command failed: {word}" for word in one.failed]
        lines += [f"    still found: {word.splitlines()[0]}" for word in one.findings]
        lines += [f"    red beside it: {word.splitlines()[0]}" for word in one.others]
        lines += [f"    left of the defect: {word}" for word in one.left]
        lines += [f"    to decide: {word}" for word in one.sentences]
    lines += [f"FALSE ALARM on the healthy control: {alarm}" for alarm in found.alarms]
    pasted = [one for one in found.faults if one.commands]
    proved = sum(one.proved for one in pasted)
    decided = len(found.faults) - len(pasted)
    lines.append(f"{proved} of {len(pasted)} faults are fixed by what is printed; {decided} need a decision")
    return "\n".join(lines)
