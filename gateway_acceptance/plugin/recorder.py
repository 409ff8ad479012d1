"""A run's record: put together from what was given, heard and taken. Writes nothing."""

from __future__ import annotations

import platform
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway_acceptance import __version__
from gateway_acceptance.advisories import load_base
from gateway_acceptance.check import Check
from gateway_acceptance.deviations import Known
from gateway_acceptance.environment import Environment
from gateway_acceptance.planted import load_planted
from gateway_acceptance.plugin.case_log import CaseLog
from gateway_acceptance.plugin.options import CHECKS_ROOT, nonce_of
from gateway_acceptance.plugin.outcome import utc
from gateway_acceptance.plugin.private_folder import PrivateFolder
from gateway_acceptance.plugin.readiness import read_preflight
from gateway_acceptance.plugin.run_clock import RunClock
from gateway_acceptance.plugin.run_inputs import RunInputs
from gateway_acceptance.plugin.snapshots import JudgeSnapshots, TargetSnapshots
from gateway_acceptance.record import Run, build, unheard
from gateway_acceptance.redaction import Redactor
from gateway_acceptance.run_directory import record_at, run_directories, run_id_of
from gateway_acceptance.usage import UsageProblem
from gateway_acceptance.waivers import unknown_checks

if TYPE_CHECKING:
    from gateway_acceptance.record_model import Record

UNTOLD = {"version": __version__, "commit": None, "dirty": None}
"""The suite of a run that has only begun: git is asked when it ends, and may be slow."""
TOOLS = ("pytest", "pytest-xdist", "httpx", "openai", "jsonschema", "hypothesis", "allure-pytest")


@dataclass(frozen=True)
class Recorder:
    """Reads the parts of a run that the controller holds."""

    inputs: RunInputs
    log: CaseLog
    clock: RunClock
    folder: PrivateFolder
    redactor: Redactor
    judges: JudgeSnapshots
    targets: TargetSnapshots

    def begun(self, ended: float) -> Run:
        """The run as it stands at its beginning: unfinished, and void by that. ended: seconds since the
        epoch."""
        return replace(self._run(ended), unfinished=True, suite=UNTOLD)

    def ended(self, ended: float) -> Run:
        """The run as it ended. ended: as of ``begun``."""
        log = self.log
        broken = list(log.broken)
        if not self.inputs.narrowed:
            held = [waiver for waivers in self.inputs.waivers.values() for waiver in waivers]
            broken += dict.fromkeys(unknown_checks(held, list(log.catalogue)))
        broken += unheard(log.heard(self.redactor), log.cases)
        return replace(self._run(ended), broken=broken, suite=self.judges.suite)

    def record(self, environment: Environment, run: Run, own: Path | None = None) -> Record:
        """One environment's record. own: its directory, where it has one already."""
        inputs, log, name = self.inputs, self.log, environment.name
        return build(
            environment,
            replace(
                run,
                fingerprint=self.targets.of(name),
                binding=self.judges.of(name),
                planted=None if run.unfinished else self._planted(),
                blind_spots=None if run.unfinished or not inputs.could_accept else self._uncovered(),
            ),
            catalogue=[] if run.unfinished else self._catalogue(name),
            selected=[] if run.unfinished else log.selected_in(name, self.redactor),
            cases=log.cases_in(name),
            claims=inputs.claims[name].claims,
            absent=inputs.claims[name].absent,
            waivers=inputs.waivers[name],
            known=self._known(environment),
            frozen=inputs.frozen,
            spent=self.folder.spent(environment, self.clock.started),
            product_version=read_preflight(self.folder.path, name).version,
            today=datetime.now(UTC).date(),
            advisories=_advisories(environment),
            needless=needless_since(inputs.runs, name, own),
        )

    def _run(self, ended: float) -> Run:
        config, log = self.inputs.config, self.log
        smaller = self.inputs.narrowed
        if not smaller and log.left_out:
            smaller = [f"{log.left_out} cases of the profile were deselected"]
        return Run(
            id=run_id_of(self.clock.started),
            started=utc(self.clock.started),
            ended=utc(ended),
            profile=self.inputs.profile,
            marker=config.option.markexpr,
            narrowed=smaller,
            arguments=[self.redactor(argument) for argument in config.invocation_params.args],
            interrupted=log.interrupted,
            broken=[],
            unfinished=False,
            elapsed_s=self.clock.elapsed_s,
            suite=UNTOLD,
            nonce=nonce_of(config),
            tools={"python": platform.python_version(), **{name: version(name) for name in TOOLS}},
        )

    def _catalogue(self, environment: str) -> list[Check]:
        """All checks; where only the record is wanted, those alone that judged the environment: it may be one
        of hundreds, with a check or two each."""
        return self.log.checks() if self.inputs.with_views else self.log.checks_in(environment)

    def _uncovered(self) -> dict[str, Any] | None:
        """What the suite does not speak of; None where it does not tell."""
        from gateway_acceptance.signoff.uncovered import COVERAGE, LIMITS, uncovered  # of a release alone

        suites = self.inputs.config.rootpath / CHECKS_ROOT
        known = all((suites / name).is_file() for name in (COVERAGE, LIMITS))
        return uncovered(suites, sorted(self.log.catalogue)) if known else None

    def _planted(self) -> dict[str, Any] | None:
        """The defects that were planted; None where the suite has none, or the run could not accept a
        release."""
        known = load_planted(self.inputs.config.rootpath / CHECKS_ROOT)
        if known is None or not self.inputs.could_accept or not self.log.cases:
            return None
        from gateway_acceptance.plugin.planted import read_planted  # few runs need it

        return read_planted(self.folder.path, len(known.defects))

    def _known(self, environment: Environment) -> Known:
        gateway, folder = environment.gateway, self.folder.path
        seen = read_preflight(folder, environment.name).version
        version = seen or gateway.version or ""
        from gateway_acceptance.plugin.twin import known_here  # of runs, not of collections

        return known_here(folder, gateway.product, version, gateway.variant, environment.spoken)


def needless_since(runs: Path, environment: str, own: Path | None) -> dict[str, str]:
    """Which waivers the newest earlier run that ended calls needless, and since when. own: the directory of
    the run that asks."""
    for path in reversed(run_directories(runs, environment)):
        if path == own:
            continue
        try:
            record = record_at(path)
        except (OSError, ValueError):
            continue
        if not record.basis.unfinished:
            return {one.id: one.needless_since for one in record.waivers if one.needless_since}
    return {}


def _advisories(environment: Environment) -> dict[str, object] | None:
    """What published holes were judged by; None where its file is gone since it was read."""
    try:
        return load_base(environment.advisory_base).summary
    except UsageProblem:
        return None
