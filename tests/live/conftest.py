"""Real labs for these tests: real gateways, on loopback networks that no other lab uses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from gateway_acceptance.environment import Environment, load_environment
from lab.control_api import ask
from lab.local import start
from lab.loopback_pool import own_net
from lab.patience import patient
from lab.state import LabState, lab_folder, stop

ROOT = Path(__file__).parents[2]
KEY_VARIABLE = "LIVE_TEST_KEY"
RUN_BUDGET_S = 120
NO_VARIABLES: Mapping[str, str] = {}


def environment_at(
    net: str, folder: Path, *, embedded: bool, of: str = "local", strategy: str = "", logs: str = ""
) -> Environment:
    """An environment at the addresses of a network, embedded or (for a lab that runs) plain. strategy: of
    all its groups, where it is another; logs: of the gateway, likewise."""
    document = tomllib.loads((ROOT / "environments" / f"{of}.toml").read_text(encoding="utf-8"))
    document["name"] = f"live-{net}"
    document["waivers"] = str(ROOT / "environments" / "waivers.toml")
    document["gateway"]["url"] = f"http://{net}.0.39:4000"
    for place, backend in enumerate(document.get("backends", ())):
        backend["url"] = f"http://{net}.0.{101 + place}:11434"
        if "gateway_url" in backend:
            backend["gateway_url"] = f"http://{net}.1.{101 + place}:11434"
    for group in document["groups"] if strategy else ():
        group["strategy"] = strategy
    if embedded and logs:
        document["embedded"].setdefault("options", {})["logs"] = logs
    if not embedded:
        document["kind"] = "staging"
        document["gateway"]["key_variable"] = KEY_VARIABLE
        del document["embedded"]
        document["policy"]["effects"] = ["read", "probe", "spend"]
    path = folder / f"{document['name']}{'' if embedded else '-plain'}.toml"
    path.write_text(tomli_w.dumps(document), encoding="utf-8")
    return load_environment(str(path), ROOT, {})


@dataclass(frozen=True)
class Run:
    """What a user sees of a run: exit code, terminal, record (None where none was written)."""

    code: int
    output: str
    record: Mapping[str, Any] | None

    def cases(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """(check id, case) of every case."""
        assert self.record is not None, self.output
        for check in self.record["checks"]:
            for case in check["cases"]:
                yield check["id"], case

    def verdicts(self, verdict: str) -> list[str]:
        """Ids of the checks that have a case with this verdict."""
        return sorted({check for check, case in self.cases() if case["verdict"] == verdict})


def judge(
    environment: Environment,
    runs: Path,
    *options: str,
    key: str = "",
    profile: str = "smoke",
    variables: Mapping[str, str] = NO_VARIABLES,
    budget_s: float = RUN_BUDGET_S,
) -> Run:
    """``pytest -m PROFILE`` as a user runs it, from the project's folder. variables: beside the key's;
    budget_s: what hangs longer, on two idle cores, is ended."""
    done = subprocess.run(
        command(environment, runs, *options, profile=profile),
        cwd=ROOT,
        env={**os.environ, KEY_VARIABLE: key, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=patient(budget_s),
        stdin=subprocess.DEVNULL,
    )
    path = runs / environment.name / "latest" / "record.json"
    record = json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
    return Run(done.returncode, done.stdout + done.stderr, record)


def command(environment: Environment, runs: Path, *options: str, profile: str = "smoke") -> list[str]:
    """The command line of a run without the HTML report."""
    pytest_command = [sys.executable, "-m", "pytest", "-m", profile, "-p", "no:cacheprovider", "--no-report"]
    return [*pytest_command, f"--env={environment.source}", f"--runs={runs}", *options]


@dataclass(frozen=True)
class Lab:
    """A lab that runs, judged through a plain environment file."""

    environment: Environment
    state: LabState

    def do(self, action: str, **arguments: str) -> dict[str, Any]:
        """Take a part away, or give it back."""
        return ask(lab_folder(ROOT, self.environment) / "admin.sock", action, **arguments)


@pytest.fixture(scope="module", params=["1.74.15", "latest"])
def any_lab(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A lab of each LiteLLM version that the project promises to judge rightly."""
    yield from _lab(tmp_path_factory, request.param)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A lab of the default LiteLLM version."""
    yield from _lab(tmp_path_factory, "")


@pytest.fixture(scope="module")
def other_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A lab of the gateway that is not LiteLLM."""
    yield from _lab(tmp_path_factory, "", of="portkey")


def _lab(factory: pytest.TempPathFactory, version: str, of: str = "local") -> Iterator[Lab]:
    with running(factory.mktemp("lab"), version, of) as lab:
        yield lab


@contextmanager
def running(folder: Path, version: str = "", of: str = "local") -> Iterator[Lab]:
    """A lab of an environment, at addresses of its own."""
    with own_net() as net:
        embedded = environment_at(net, folder, embedded=True, of=of)
        state = start(embedded, version, ROOT, print, owner=os.getpid())
        try:
            yield Lab(environment_at(net, folder, embedded=False, of=of), state)
        finally:
            assert stop(state)
