"""A miniature project in a folder: the plugin, an environment file, a few checks; run by a real pytest."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from lab.patience import patient
from tests.plugin.gateway import KEY

KEY_VARIABLE = "MINI_KEY"
OPENED = (datetime.now(UTC) - timedelta(days=30)).date().isoformat()
EXPIRES = (datetime.now(UTC) + timedelta(days=120)).date().isoformat()
RUN_BUDGET_S = 180
CLAIM = """
[[claim]]
id = "FUN-01"
section = "Validated Functionality"
text = "it works"
"""
OTHER_CLAIM = """
[[claim]]
id = "FUN-02"
section = "Validated Functionality"
text = "nobody proves this"
"""
HEADER = """
import os
import warnings

import pytest

from gateway_acceptance.check import DISRUPT, EXPOSE, MUST, MUTATE, PROBE, READ, SHOULD, SPEND, check
from gateway_acceptance.problem import Problem
from gateway_acceptance.subjects import judged
from gateway_acceptance.verdict import CheckFailed, Inconclusive, NotApplicable, NotPermitted, Untestable

"""
ALIVE = """
@check("API-OPS-001", "it is alive", level=MUST, effect=READ, claims="FUN-01", profile="smoke")
def test_alive(any_gateway):
    assert any_gateway.get("/alive", key=None).status == 200
"""


def a_check(
    number: int,
    body: str,
    asks: str = "environment",
    *,
    profile: str = "smoke",
    effect: str = "READ",
    subject: str = "judged(things=1)",
) -> str:
    """The source of the check API-T-NNN. body: one or more statements, one per line; subject: the statement
    that says what it judged, before them."""
    lines = "\n".join(f"    {line}" for line in [*([subject] if subject else []), *body.splitlines()])
    return (
        f'\n@check("API-T-{number:03}", "check {number}", level=MUST, effect={effect}, '
        f'profile="{profile}")\ndef test_{number}({asks}):\n{lines}\n'
    )


@dataclass(frozen=True)
class Run:
    """What a user sees of a run. directories: of the runs, by environment, ``latest`` resolved."""

    code: int
    output: str
    directories: Mapping[str, Path]

    def record(self, environment: str = "mini") -> dict[str, Any]:
        """The record of an environment."""
        assert environment in self.directories, self.output
        document: dict[str, Any] = json.loads(
            (self.directories[environment] / "record.json").read_text(encoding="utf-8")
        )
        return document

    @property
    def took_s(self) -> float:
        """Seconds from the environments' being ready to the record."""
        run = self.record()["run"]
        begun, ended = (datetime.fromisoformat(run[name]) for name in ("started", "ended"))
        return (ended - begun).total_seconds()

    @property
    def state(self) -> str:
        """The state of the only environment."""
        return str(self.record()["run"]["state"])

    @property
    def reasons(self) -> str:
        """Everything against green, as one text."""
        return "\n".join(self.record()["run"]["reasons"])

    def cases(self, check: str, environment: str = "mini") -> list[dict[str, Any]]:
        """All cases of a check."""
        return [
            case for one in self.record(environment)["checks"] if one["id"] == check for case in one["cases"]
        ]

    def verdict(self, check: str, environment: str = "mini") -> str | None:
        """The verdict of a check; None where it did not run."""
        checks = self.record(environment)["checks"]
        found: str | None = next(one["verdict"] for one in checks if one["id"] == check)
        return found


@dataclass
class Project:
    """Files of a miniature project, and runs of it."""

    root: Path

    @property
    def temporary(self) -> Path:
        """The runs' temporary folder: what a killed run leaves is there, and goes with the project."""
        return self.root / "tmp"

    def write(self, name: str, text: str) -> Path:
        """A file of the project."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def checks(
        self, *sources: str, name: str = "test_checks.py", listed: Sequence[str] | None = None
    ) -> None:
        """A file of checks; the frozen list of smoke holds them all, unless it is given."""
        text = HEADER + "\n".join(sources)
        self.write(f"suites/{name}", text)
        ids = [line.split('"')[1] for line in text.splitlines() if line.startswith('@check("')]
        self.profiles(smoke=ids if listed is None else listed)

    def profiles(
        self, smoke: Sequence[str] = (), nightly: Sequence[str] = (), release: Sequence[str] = ()
    ) -> None:
        """The frozen lists."""
        lists = {"smoke": smoke, "nightly": nightly, "release": release}
        self.write(
            "suites/profiles.toml",
            "\n".join(f"{name} = {json.dumps([*ids])}" for name, ids in lists.items()),
        )

    def environment(
        self,
        url: str,
        name: str = "mini",
        *,
        kind: str = "staging",
        gateway: str = "",
        more: str = "",
        effects: Sequence[str] = ("read", "spend"),
        requests: int = 100,
        tokens: int = 100000,
        seconds: float = 60,
        deadline_s: float = 20,
        connect_s: float = 2,
    ) -> Path:
        """An environment file. gateway: further lines of its table; more: further tables."""
        return self.write(
            f"environments/{name}.toml",
            f"""
name = "{name}"
kind = "{kind}"

[gateway]
url = "{url}"
key_variable = "{KEY_VARIABLE}"
liveness_path = "/alive"
connect_deadline_s = {connect_s}
request_deadline_s = {deadline_s}
{gateway}

[[backends]]
name = "one"
url = "{url}"

[[models]]
alias = "chat-one"
kind = "chat"
backend = "one"
upstream = "tiny"

[policy]
effects = {json.dumps([*effects])}
requests = {requests}
tokens = {tokens}
seconds = {seconds}

{more}
""",
        )

    def command(self, *options: str) -> list[str]:
        """The command line of a run without the HTML report (and without Hypothesis, slow to import)."""
        left_out = ["-p", "no:cacheprovider", "-p", "no:hypothesispytest", "--no-report"]
        return [sys.executable, "-m", "pytest", *left_out, *options]

    def variables(self, key: str | None = KEY) -> dict[str, str]:
        """The environment variables of a run: nothing of the outer pytest's own."""
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "GATEWAY_"))
        }
        kept.pop(KEY_VARIABLE, None)
        self.temporary.mkdir(exist_ok=True)
        return {**kept, "TMPDIR": str(self.temporary), **({} if key is None else {KEY_VARIABLE: key})}

    def run(self, *options: str, key: str | None = KEY, more: Mapping[str, str] | None = None) -> Run:
        """A run to its end; ``--env mini`` where no environment is given, ``-m smoke`` unless options say
        ``-m``. more: further environment variables."""
        given = list(options)
        if not any(option.startswith("--env") for option in given):
            given.append("--env=mini")
        if "-m" not in given:
            given += ["-m", "smoke"]
        done = subprocess.run(
            self.command(*given),
            cwd=self.root,
            env={**self.variables(key), **(more or {})},
            capture_output=True,
            text=True,
            check=False,
            timeout=patient(RUN_BUDGET_S),
            stdin=subprocess.DEVNULL,
        )
        return Run(done.returncode, done.stdout + done.stderr, self.directories())

    def directories(self) -> dict[str, Path]:
        """Where ``latest`` points, by environment."""
        runs = self.root / "reports" / "runs"
        return {path.parent.name: path.resolve() for path in sorted(runs.glob("*/latest"))}


def new_project(root: Path) -> Project:
    """The plugin, one claim, no check yet."""
    project = Project(root)
    project.write("conftest.py", 'pytest_plugins = ["gateway_acceptance.plugin.hooks"]\n')
    project.write(
        "pytest.ini",
        "[pytest]\ntestpaths = suites\naddopts = --import-mode=importlib --strict-markers -ra\n",
    )
    project.write("suites/claims.toml", CLAIM)
    project.profiles()
    return project
