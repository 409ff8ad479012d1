"""The one process that writes: it prepares environments, collects cases, and derives the views."""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gateway_acceptance import __version__
from gateway_acceptance.advisories import load_base
from gateway_acceptance.check import RELEASE, Check
from gateway_acceptance.claims import Claim
from gateway_acceptance.claims_here import Here, unknown_evidence
from gateway_acceptance.deviations import Known
from gateway_acceptance.embedded import Running, provider_of
from gateway_acceptance.environment import Environment, missing_variables
from gateway_acceptance.environment.secrets import file_notes, key_of, secrets_of
from gateway_acceptance.planted import load_planted
from gateway_acceptance.plugin.binding import Account, accounts_of, read_problems, whole_of
from gateway_acceptance.plugin.breaches import DECLARED, added
from gateway_acceptance.plugin.collected import check_from
from gateway_acceptance.plugin.deciding import Stamps
from gateway_acceptance.plugin.options import (
    ALLOW_DISRUPT,
    CHECKS_ROOT,
    LIVE,
    narrowed,
    nonce_of,
    profile_of,
    runs_root,
    user_folder,
)
from gateway_acceptance.plugin.outcome import utc
from gateway_acceptance.plugin.outliving import Guard, count_apart, count_in
from gateway_acceptance.plugin.permission import refusals, unprobed
from gateway_acceptance.plugin.planted import read_planted
from gateway_acceptance.plugin.suite_identity import Identity, suite_identity
from gateway_acceptance.plugin.targets import Target, read_preflight
from gateway_acceptance.plugin.twin import known_here, start_twins, twin_problems
from gateway_acceptance.plugin.worker import Connections, write_connections
from gateway_acceptance.policy import Budget, Spent, budget_file
from gateway_acceptance.record import Run, Selected, build, unheard
from gateway_acceptance.record_model import Record
from gateway_acceptance.redaction import Redactor
from gateway_acceptance.run_directory import record_at, run_directories, run_id_of, withdraw
from gateway_acceptance.signoff.uncovered import COVERAGE, LIMITS, blind_spots
from gateway_acceptance.usage import EXIT_HARNESS_ERROR, UsageProblem
from gateway_acceptance.waivers import Waiver, unknown_checks
from gateway_acceptance.wire.exchange import Notebook

if TYPE_CHECKING:  # all views: imported where a run begins, a collection writes nothing
    from gateway_acceptance.plugin.results import Begun, Finished

UNTOLD = {"version": __version__, "commit": None, "dirty": None}
"""The suite of a run that has only begun: git is asked when it ends, and may be slow."""
TOOLS = ("pytest", "pytest-xdist", "httpx", "openai", "jsonschema", "hypothesis", "allure-pytest")


@dataclass
class Controller:
    """State of a run in the controlling process."""

    config: pytest.Config
    environments: Sequence[Environment]
    waivers: Mapping[str, Sequence[Waiver]]
    claims: Mapping[str, Here]
    frozen: Mapping[str, Sequence[str]]
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="gateway-acceptance-")))
    started: float = field(default_factory=time.time)
    steady: float = field(default_factory=lambda: steady_clock())
    redactor: Redactor = field(default_factory=Redactor)
    catalogue: dict[str, Check] = field(default_factory=dict)
    selected: dict[str, Selected] = field(default_factory=dict)
    cases: list[dict[str, Any]] = field(default_factory=list)
    breaches: list[dict[str, Any]] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    interrupted: str = ""
    nothing_selected: str = ""
    left_out: int = 0
    prepared: bool = False
    not_started: bool = False
    ready: bool = False
    no_results: str = ""
    running: list[Running] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    identities: list[dict[str, dict[str, str]]] = field(default_factory=list)
    accounts: list[dict[str, Account]] = field(default_factory=list)
    wholes: dict[str, dict[str, Account]] = field(default_factory=dict)
    stamps: Stamps = field(default_factory=dict)
    seal_key: Any = None
    known_signers: Any = None
    guard: Guard | None = None
    begun: dict[str, Begun] = field(default_factory=dict)
    finished: list[Finished] = field(default_factory=list)

    @property
    def staging(self) -> Path:
        """Where allure-pytest writes during the run."""
        return self.folder / "allure-results"

    def expect(self, selected: Sequence[Selected], catalogue: Sequence[Check], left_out: int) -> None:
        """What one worker collected; left_out: cases of the profile that were deselected, however."""
        self.left_out = max(self.left_out, left_out)
        counted = Counter(case.nodeid for case in selected)
        twice = [f"{name} was selected {count} times" for name, count in counted.items() if count > 1]
        self.broken += [sentence for sentence in twice if sentence not in self.broken]
        self.selected.update({case.nodeid: case for case in selected})
        self.catalogue.update({check.id: check for check in catalogue})

    def prepare(self, say: Callable[[str], None]) -> None:
        """Look up secrets, find or start embedded environments, begin the results, take
        the targets' fingerprints. Raises UsageProblem, NotStarted, OSError."""
        if self.prepared:
            return
        self.prepared = True
        sentences = [text for env in self.environments for text in missing_variables(env, os.environ)]
        allowed = self.config.getoption(ALLOW_DISRUPT)
        sentences += refusals(self.environments, self.selected.values(), self.catalogue, allowed)
        if not narrowed(self.config):
            sentences += [
                f"{env.source.parent / str(env.claims)}: {text}"
                for env in self.environments
                for text in unknown_evidence(self.claims[env.name], list(self.catalogue))
            ]
        if self.config.getoption("--twin"):
            sentences += twin_problems(self.environments)
        if sentences:
            raise UsageProblem(sentences)
        options = {"litellm": self.config.getoption("--litellm") or ""}
        for environment in self.environments:
            for note in [*environment.notes, *file_notes(environment)]:
                say(note)
        for note in unprobed(self.environments, self.selected.values(), self.catalogue):
            say(note)
        facts = {}
        keys = {}  # those that no variable holds are handed on
        made = {}  # and so are limited keys that embedded gateways made
        for environment in self.environments:
            if environment.embedded is None:
                key = key_of(environment, os.environ)
                if environment.gateway.key_variable is None:
                    keys[environment.name] = key
            else:
                running = provider_of(environment).acquire(
                    environment, options=options, root=user_folder(self.config), say=say
                )
                self.running.append(running)
                keys[environment.name] = key = running.key
                facts[environment.name] = dict(running.facts)
                limited = environment.gateway.limited_key
                if limited is not None and running.limited_key:
                    made[limited.key_variable] = running.limited_key
                    os.environ.update(made)
            self.redactor.add(f"key of {environment.name}", key)
            for name, secret in secrets_of(environment, os.environ).items():
                self.redactor.add(name, secret)
        if self.config.getoption("--twin"):
            profile = profile_of(self.config) or "nightly"
            start_twins(self.environments, keys, profile, self.folder, user_folder(self.config), say)
        self.started, self.steady = time.time(), steady_clock()
        self.guard = Guard(self.folder)
        connections = Connections(keys, self.started, facts, made)
        write_connections(self.folder, connections)
        self.targets = [
            Target(
                environment,
                connections.key_of(environment),
                self.folder,
                self.started,
                Notebook(),
                connections.facts.get(environment.name),
            )
            for environment in self.environments
        ]
        self.ready = True
        self.begin()
        self.bind()
        self.identify()

    @cached_property
    def suite(self) -> Identity:
        """Which suite judges, as it was before anything was sent, whoever pulls meanwhile."""
        return suite_identity(self.config.rootpath)

    def release(self) -> None:
        """Give back every embedded environment that this run started."""
        while self.running:
            self.running.pop().release()

    def begin(self) -> None:
        """Let every environment's newest run be this one, void until it is finished. Raises OSError."""
        from gateway_acceptance.plugin.results import begin

        run, runs = self._run(time.time(), unfinished=True), runs_root(self.config)
        for environment in self.environments:
            if environment.name not in self.begun:
                record = self._record(environment, run, unfinished=True)
                try:
                    self.begun[environment.name] = begin(
                        runs,
                        record,
                        self.redactor,
                        self._claims(environment),
                        with_views=self._with_views,
                        known=self.known_signers,
                    )
                    directory = self.begun[environment.name].directory.path
                    count_in(directory, self.folder, environment.name)
                except OSError:
                    with contextlib.suppress(OSError):
                        withdraw(runs, environment.name)
                    raise

    def bind(self) -> None:
        """Take the account of what judges: before anything is sent, and at the end."""
        self.suite  # noqa: B018  (asked now, and kept: whoever pulls meanwhile changes nothing of it)
        named = {one.name: one for one in self.environments}
        taken = accounts_of(self.config, named, self.stamps)
        seen = read_problems(self.folder)
        if not self.accounts and self._could_accept:
            self.wholes = {one.name: {"whole": whole_of(self.config, one)} for one in self.environments}
        self.accounts.append(
            {
                name: {**one, "problems": list(dict.fromkeys([*one["problems"], *seen]))}
                for name, one in taken.items()
            }
        )

    def identify(self) -> None:
        """Take the targets' fingerprints: at the start, and at the end where the run came to it."""
        if not self.ready or self.interrupted:
            return
        from gateway_acceptance.plugin.identity import identities

        machines = {case.environment for case in self.selected.values() if self._of_machines(case)}
        targets = [(target, target.environment.name in machines) for target in self.targets]
        if self.identities:
            self.identities.append(identities(targets, self.identities[0]))
        else:
            self.identities.append(identities(targets))

    def add_breaches(self) -> None:
        """What exchanges broke of checks' rules becomes cases of these checks, once."""
        for breach in self.breaches:
            check = check_from(breach.pop(DECLARED))
            self.catalogue.setdefault(check.id, check)
        cases, selected = added(self.cases, self.breaches)
        self.cases += cases
        self.selected.update({case.nodeid: case for case in selected})
        self.breaches = []

    def stop(self) -> None:
        """Let no worker send anything more: what is counted then is all that was sent."""
        for environment in self.environments if self.ready else ():
            with contextlib.suppress(OSError):
                self._budget(environment).end()

    def spending(self) -> list[tuple[Environment, Spent]]:
        """What each environment's run has used so far."""
        return [(one, self._budget(one).spent) for one in self.environments]

    def _budget(self, environment: Environment) -> Budget:
        return Budget(budget_file(self.folder, environment.name), environment.policy, self.started)

    def finish(self, *, hurried: Callable[[], bool] = lambda: False) -> None:
        """Write record and views of every environment, and prove that no secret is among them. hurried:
        whether somebody waits for the end: no report is drawn then."""
        from gateway_acceptance.plugin.results import finish

        if self.accounts:
            self.bind()
        run = self._run(time.time())
        heard = [replace(case, nodeid=self.redactor(case.nodeid)) for case in self.selected.values()]
        run = replace(run, broken=[*run.broken, *unheard(heard, self.cases)])
        try:
            self.begin()
        except OSError as error:
            self.no_results = f"{runs_root(self.config)}: cannot be written: {error.strerror or error}"
            return
        for environment in self.environments:
            with_report = not self.config.getoption("--no-report") and not hurried()
            record = self._record(environment, run)
            begun = self.begun[environment.name]
            count_apart(self.folder, environment.name)
            self.finished.append(
                finish(
                    begun,
                    record,
                    self._claims(environment),
                    self.staging,
                    with_report=with_report and self._with_views,
                    with_views=self._with_views,
                )
            )
            self._bear_witness(begun.directory.path)

    def _bear_witness(self, directory: Path) -> None:
        """Where the run has a runner's key, it signs the seal."""
        if self.seal_key is None:
            return
        from gateway_acceptance.signoff.witness import bear_witness

        try:
            bear_witness(directory, self.seal_key)
        except OSError as error:
            self.no_results = f"{directory}: the seal could not be signed: {error.strerror or error}"

    @property
    def _with_views(self) -> bool:
        return not self.config.getoption("--record-only")

    def _record(self, environment: Environment, run: Run, *, unfinished: bool = False) -> Record:
        name = environment.name
        taken = [one.get(name) for one in self.identities]
        start, end = [*taken, None, None][:2]
        selected = () if unfinished else self.selected.values()
        spots = None if unfinished or not self._could_accept else self._blind_spots()
        return build(
            environment,
            replace(
                run,
                fingerprint={"start": start, "end": end},
                binding=self._binding(name),
                planted=None if unfinished else self._planted(),
                blind_spots=spots,
            ),
            catalogue=[] if unfinished else self._catalogue(name),
            selected=[
                replace(case, nodeid=self.redactor(case.nodeid))  # as its report names it
                for case in selected
                if case.environment == name
            ],
            cases=[case for case in self.cases if case["environment"] == name],
            claims=self.claims[name].claims,
            absent=self.claims[name].absent,
            waivers=self.waivers[name],
            known=self._known(environment),
            frozen=self.frozen,
            spent=self._budget(environment).spent,
            product_version=read_preflight(self.folder, name).version,
            today=datetime.now(UTC).date(),
            advisories=_advisories(environment),
            needless=_needless(runs_root(self.config), name, self.begun),
        )

    def _catalogue(self, environment: str) -> list[Check]:
        """All checks; where only the record is wanted, those alone that judged the environment: it may be one
        of hundreds, with a check or two each."""
        ids: Collection[str] = self.catalogue
        if not self._with_views:
            ids = {case.check for case in self.selected.values() if case.environment == environment}
        return sorted((self.catalogue[one] for one in ids), key=lambda check: check.id)

    def _binding(self, environment: str) -> dict[str, Account | None] | None:
        if not self.accounts:
            return None
        end = self.accounts[-1][environment] if len(self.accounts) > 1 else None
        return {"start": self.accounts[0][environment], "end": end, **self.wholes.get(environment, {})}

    @property
    def _could_accept(self) -> bool:
        """Whether a release could be accepted by this run."""
        return profile_of(self.config) == RELEASE and not narrowed(self.config)

    def _blind_spots(self) -> dict[str, Any] | None:
        """What the suite does not speak of; None where it does not tell."""
        suites = self.config.rootpath / CHECKS_ROOT
        told = all((suites / name).is_file() for name in (COVERAGE, LIMITS))
        return blind_spots(suites, sorted(self.catalogue)) if told else None

    def _planted(self) -> dict[str, Any] | None:
        """The defects that were planted; None where the suite has none, or the run could not accept a
        release."""
        known = load_planted(self.config.rootpath / CHECKS_ROOT)
        if known is None or not self._could_accept or not self.cases:
            return None
        return read_planted(self.folder, len(known.defects))

    def _claims(self, environment: Environment) -> Sequence[Claim]:
        return self.claims[environment.name].claims

    def _known(self, environment: Environment) -> Known:
        gateway = environment.gateway
        told = read_preflight(self.folder, environment.name).version
        return known_here(self.folder, gateway.product, told or gateway.version or "", gateway.variant)

    def _of_machines(self, case: Selected) -> bool:
        return self.catalogue[case.check].suite == "host"

    def exit_code(self) -> int:
        """The worst over all environments, in the order ready, not ready, usage, void, harness error."""
        severity = (0, 1, 4, 2, EXIT_HARNESS_ERROR)
        codes: list[int] = [finished.record.run.exit_code for finished in self.finished]
        codes += [EXIT_HARNESS_ERROR] if self.no_results else []
        return max(codes, key=severity.index, default=EXIT_HARNESS_ERROR)

    def close(self) -> None:
        """Remove what only this run needed."""
        for target in self.targets:
            target.close()
        self.release()
        shutil.rmtree(self.folder, ignore_errors=True)
        if self.guard is not None:
            self.guard.release()

    def _run(self, ended: float, *, unfinished: bool = False) -> Run:
        config = self.config
        broken = list(self.broken)
        smaller = narrowed(config)
        if not smaller:
            held = [waiver for waivers in self.waivers.values() for waiver in waivers]
            broken += dict.fromkeys(unknown_checks(held, list(self.catalogue)))
        if not smaller and self.left_out:
            smaller = [f"{self.left_out} cases of the profile were deselected"]
        return Run(
            id=run_id_of(self.started),
            started=utc(self.started),
            ended=utc(ended),
            profile=profile_of(config),
            marker=config.option.markexpr,
            narrowed=smaller,
            arguments=[self.redactor(argument) for argument in config.invocation_params.args],
            interrupted=self.interrupted,
            broken=[] if unfinished else broken,
            unfinished=unfinished,
            elapsed_s=round(steady_clock() - self.steady, 3),
            suite=UNTOLD if unfinished else self.suite,
            nonce=nonce_of(config),
            tools={"python": platform.python_version(), **{name: version(name) for name in TOOLS}},
        )


def steady_clock() -> float:
    """Seconds by a clock that nobody sets; it counts a machine's sleep where the system has such a clock."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def _needless(runs: Path, environment: str, begun: Mapping[str, Begun]) -> dict[str, str]:
    """Which waivers the newest earlier run that ended calls needless, and since when."""
    own = begun[environment].directory.path if environment in begun else None
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


def say_to_terminal(config: pytest.Config) -> Callable[[str], None]:
    """Progress of slow preparations, seen even while output is captured."""

    def say(text: str) -> None:
        live = config.pluginmanager.get_plugin(LIVE)
        if live is not None:
            live.stop()
        capture = config.pluginmanager.get_plugin("capturemanager")
        with capture.global_and_fixture_disabled() if capture else contextlib.nullcontext():
            tell(text)

    def tell(text: str) -> None:
        reporter = config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.ensure_newline()
            reporter.write_line(text)
            reporter.flush()
        else:
            sys.stderr.write(text + "\n")

    return say
