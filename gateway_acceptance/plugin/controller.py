"""The one process that writes: it prepares environments, collects cases, and derives the views."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

import gateway_acceptance
from gateway_acceptance.check import Check
from gateway_acceptance.claims import Claim
from gateway_acceptance.embedded import Running, provider_of
from gateway_acceptance.environment import Environment, missing_variables
from gateway_acceptance.plugin.options import narrowed, profile_of, runs_root
from gateway_acceptance.plugin.outcome import utc
from gateway_acceptance.plugin.targets import read_preflight
from gateway_acceptance.plugin.worker import Connections, write_connections
from gateway_acceptance.policy import Budget
from gateway_acceptance.record import Run, Selected, build
from gateway_acceptance.redaction import Redactor
from gateway_acceptance.report.views import write_views
from gateway_acceptance.run_directory import RunDirectory, new_run_directory, previous_record
from gateway_acceptance.usage import EXIT_HARNESS_ERROR, UsageProblem
from gateway_acceptance.waivers import Waiver, unknown_checks

TOOLS = ("pytest", "pytest-xdist", "httpx", "openai", "jsonschema", "hypothesis", "allure-pytest")


@dataclass
class Finished:
    """One environment's results, written."""

    environment: str
    record: dict[str, Any]
    directory: RunDirectory
    report: Path | None = None
    no_report: str = ""


@dataclass
class Controller:
    """State of a run in the controlling process."""

    config: pytest.Config
    environments: Sequence[Environment]
    waivers: Sequence[Waiver]
    claims: Sequence[Claim]
    frozen: Mapping[str, Sequence[str]]
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="gateway-acceptance-")))
    started: float = field(default_factory=time.time)
    redactor: Redactor = field(default_factory=Redactor)
    catalogue: dict[str, Check] = field(default_factory=dict)
    selected: dict[str, Selected] = field(default_factory=dict)
    cases: list[dict[str, Any]] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    interrupted: str = ""
    nothing_selected: str = ""
    left_out: int = 0
    prepared: bool = False
    not_started: bool = False
    ready: bool = False
    running: list[Running] = field(default_factory=list)
    finished: list[Finished] = field(default_factory=list)

    @property
    def staging(self) -> Path:
        """Where allure-pytest writes during the run."""
        return self.folder / "allure-results"

    def expect(self, selected: Sequence[Selected], catalogue: Sequence[Check], left_out: int) -> None:
        """What one worker collected; left_out: cases of the profile that were deselected, however."""
        self.left_out = max(self.left_out, left_out)
        self.selected.update({case.nodeid: case for case in selected})
        self.catalogue.update({check.id: check for check in catalogue})

    def prepare(self, say: Callable[[str], None]) -> None:
        """Look up secrets, find or start embedded environments. Raises UsageProblem, NotStarted."""
        if self.prepared:
            return
        self.prepared = True
        sentences = [text for env in self.environments for text in missing_variables(env, os.environ)]
        if sentences:
            raise UsageProblem(sentences)
        options = {"litellm": self.config.getoption("--litellm") or ""}
        facts = {}
        keys = {}  # only those made up for this run are handed on; the others stay in the environment
        for environment in self.environments:
            if environment.embedded is None:
                key = os.environ[environment.gateway.key_variable or ""]
            else:
                running = provider_of(environment).acquire(
                    environment, options=options, root=self.config.rootpath, say=say
                )
                self.running.append(running)
                keys[environment.name] = key = running.key
                facts[environment.name] = dict(running.facts)
            self.redactor.add(f"key of {environment.name}", key)
        self.started = time.time()
        write_connections(self.folder, Connections(keys, self.started, facts))
        self.ready = True

    def release(self) -> None:
        """Give back every embedded environment that this run started."""
        while self.running:
            self.running.pop().release()

    def finish(self) -> None:
        """Write record and views of every environment, and prove that no secret is among them."""
        ended = time.time()
        run = self._run(ended)
        runs = runs_root(self.config)
        for environment in self.environments:
            record = build(
                environment,
                run,
                catalogue=sorted(self.catalogue.values(), key=lambda check: check.id),
                selected=[
                    replace(case, nodeid=self.redactor(case.nodeid))  # as its report names it
                    for case in self.selected.values()
                    if case.environment == environment.name
                ],
                cases=[case for case in self.cases if case["environment"] == environment.name],
                claims=self.claims,
                waivers=self.waivers,
                frozen=self.frozen,
                spent=Budget(
                    self.folder / f"budget-{environment.name}.json", environment.policy, self.started
                ).spent,
                product_version=read_preflight(self.folder, environment.name).version,
                today=datetime.now(UTC).date(),
            )
            self.finished.append(self._write(environment.name, record, runs))

    def exit_code(self) -> int:
        """The worst over all environments, in the order ready, not ready, usage, void, harness error."""
        severity = (0, 1, 4, 2, EXIT_HARNESS_ERROR)
        codes = [finished.record["run"]["exit_code"] for finished in self.finished]
        return max(codes, key=severity.index, default=EXIT_HARNESS_ERROR)

    def close(self) -> None:
        """Remove what only this run needed."""
        self.release()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, ended: float) -> Run:
        config = self.config
        broken = list(self.broken)
        smaller = narrowed(config)
        if not smaller:
            broken += unknown_checks(self.waivers, list(self.catalogue))
        if not smaller and self.left_out:
            smaller = [f"{self.left_out} cases of the profile were deselected"]
        return Run(
            id=datetime.fromtimestamp(self.started, UTC).strftime("%Y%m%dT%H%M%SZ"),
            started=utc(self.started),
            ended=utc(ended),
            profile=profile_of(config),
            marker=config.option.markexpr,
            narrowed=smaller,
            arguments=[self.redactor(argument) for argument in config.invocation_params.args],
            interrupted=self.interrupted,
            broken=broken,
            suite=suite_identity(config.rootpath),
            tools={"python": platform.python_version(), **{name: version(name) for name in TOOLS}},
        )

    def _write(self, name: str, record: dict[str, Any], runs: Path) -> Finished:
        previous = previous_record(runs, name)
        directory = new_run_directory(runs, name, record["run"]["id"], self.redactor)
        record["run"]["id"] = directory.path.name
        directory.write_json("record.json", record)
        with_report = not self.config.getoption("--no-report")
        report, why = write_views(
            directory, record, previous, self.claims, self.staging, with_report=with_report
        )
        leaks = self.redactor.leaks_in(directory.path)
        if leaks:
            self._void_for_leaks(directory, record, previous, leaks)
            report, why = None, "a secret was among the results"
        directory.publish()
        return Finished(name, record, directory, report, why)

    def _void_for_leaks(
        self,
        directory: RunDirectory,
        record: dict[str, Any],
        previous: dict[str, Any] | None,
        leaks: list[str],
    ) -> None:
        """A secret reached a file of ours: all files go, for they tell of a run that is void now. What is
        written anew comes of the redacted record alone; whatever of it still holds a secret goes as well."""
        run = record["run"]
        run["state"], run["exit_code"] = "VOID", EXIT_HARNESS_ERROR
        run["headline"] = "a secret was about to be written; the files that held it were removed"
        run["reasons"] = [*run["reasons"], *(f"secret found in {leak}" for leak in leaks)]
        directory.clear()
        directory.write_json("record.json", record)
        write_views(directory, record, previous, self.claims, self.folder / "nothing", with_report=False)
        for leak in self.redactor.leaks_in(directory.path):
            (directory.path / leak.rsplit(":", 1)[0]).unlink(missing_ok=True)


def suite_identity(root: Path) -> dict[str, object]:
    """Which suite judged: its version, and its commit where it is a git checkout."""
    identity: dict[str, object] = {"version": gateway_acceptance.__version__, "commit": None, "dirty": None}
    git = shutil.which("git")
    if git is None or not (root / ".git").exists():
        return identity

    def ask(*words: str) -> str:
        answer = subprocess.run(
            [git, "-C", str(root), *words], capture_output=True, text=True, check=False, timeout=10
        )
        return answer.stdout.strip()

    commit = ask("rev-parse", "HEAD")
    if commit:
        identity["commit"] = commit
        identity["dirty"] = bool(ask("status", "--porcelain"))
    return identity


def say_to_terminal(config: pytest.Config) -> Callable[[str], None]:
    """Progress of slow preparations, seen even while output is captured."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")

    def say(text: str) -> None:
        if reporter is not None:
            reporter.ensure_newline()
            reporter.write_line(text)
        else:
            sys.stderr.write(text + "\n")

    return say
