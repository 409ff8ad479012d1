"""What collecting and reporting cost: the table of docs/performance.md. CPU seconds and peak memory, medians.

Run ``.venv/bin/python bench/performance.py [--repeat N]``. Nothing is sent.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import tomli_w

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from gateway_acceptance.check import PROFILES, Check, Effect, Level  # noqa: E402
from gateway_acceptance.environment import load_environment  # noqa: E402
from gateway_acceptance.plugin.results import begin, finish  # noqa: E402
from gateway_acceptance.policy import Spent  # noqa: E402
from gateway_acceptance.record import Run, build  # noqa: E402
from gateway_acceptance.redaction import Redactor  # noqa: E402
from lab.matrix_plugin import SELECTION_VARIABLE  # noqa: E402
from lab.mutation_matrix import CONTROL, KEY_VARIABLE, Declarer, chosen  # noqa: E402
from tests.unit.records import case, exchange  # noqa: E402

PYTEST = (sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider")
MODELS, ENVIRONMENTS = (10, 100, 1000), (1, 10, 50)
RESULTS = 10_000
CASES_PER_CHECK = 20
NET = "127.99"


@dataclass(frozen=True)
class Cost:
    """CPU seconds, of user and system, and the peak of memory in MB (0: not measured)."""

    cpu_s: float
    memory_mb: float

    def __str__(self) -> str:
        return f"{self.cpu_s:>7.2f} s" + (f" {self.memory_mb:>6.0f} MB" if self.memory_mb else "")


def as_users(variables: dict[str, str], compiled: Path) -> dict[str, str]:
    """The variables of a process that keeps what it compiled, as Python does unless it is told not to."""
    ours = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**ours, "PYTHONPYCACHEPREFIX": str(compiled), **variables}


def cost_of(command: Sequence[str], variables: dict[str, str]) -> Cost:
    """What one process and its children cost. Raises SystemExit where it fails."""
    process = os.fork()
    if process == 0:
        silent = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silent, 1)
        os.dup2(silent, 2)
        os.execve(command[0], list(command), variables)  # noqa: S606
    _, status, used = os.wait4(process, 0)
    if status:
        raise SystemExit(f"{' '.join(command[:12])} … ended with {os.waitstatus_to_exitcode(status)}")
    return Cost(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def measured(what: str, repeat: int, measure: Callable[[], Cost]) -> None:
    """Print a line: medians."""
    costs = [measure() for _ in range(repeat)]
    median = Cost(
        statistics.median(one.cpu_s for one in costs), statistics.median(one.memory_mb for one in costs)
    )
    print(f"{what:<52} {median}", flush=True)


def collected(compiled: Path, *arguments: str, **variables: str) -> Callable[[], Cost]:
    """A collection with these arguments. compiled: where Python keeps what it compiled."""
    os.chdir(ROOT)
    return lambda: cost_of([*PYTEST, *arguments], as_users(variables, compiled))


def with_models(folder: Path, count: int) -> str:
    """``local`` with so many chat models."""
    document: dict[str, Any] = tomllib.loads((ROOT / "environments" / "local.toml").read_text("utf-8"))
    first = next(one for one in document["models"] if one["kind"] == "chat")
    others = [one for one in document["models"] if one["kind"] != "chat"]
    document["models"] = [{**first, "alias": f"model-{number}"} for number in range(count)] + others
    document["name"] = f"models-{count}"
    path = folder / f"models-{count}.toml"
    path.write_text(tomli_w.dumps(document), encoding="utf-8")
    return f"--env={path}"


def the_matrix(folder: Path) -> tuple[list[str], dict[str, str]]:
    """Environments of the mutation matrix, and what it tells its plugin."""
    faults, declare = chosen([]), Declarer(ROOT, folder, NET)
    views = [declare.view(CONTROL, 1, None)]
    views += [declare.view(fault.name, number, fault) for number, fault in enumerate(faults, start=2)]
    selection = folder / "selection.json"
    selection.write_text(json.dumps({fault.name: sorted(fault.detected_by) for fault in faults}))
    variables = {SELECTION_VARIABLE: str(selection), KEY_VARIABLE: "sk-made-up-for-a-collection"}
    return [f"--env={view.source}" for view in views], variables


def reported(folder: Path, results: int) -> Cost:
    """Write, hold against each other and seal record and views of so many results; not Allure's page."""
    environment, day = load_environment("local", ROOT, {}), "2026-03-01T10:00"
    declared = [
        Check(
            f"API-X{number // 500}-{number % 500:03d}",
            "a check",
            Level.MUST,
            Effect.SPEND,
            ("FUN-01",),
            PROFILES,
        )
        for number in range(results // CASES_PER_CHECK)
    ]
    cases = [
        {
            **case(
                f"suites/test_it.py::test_it[{number}]",
                parameters={"number": str(number)},
                evidence=[exchange(response=f'{{"number": {number}}}')],
            ),
            "environment": environment.name,
            "check": declared[number // CASES_PER_CHECK].id,
        }
        for number in range(results)
    ]
    written = build(
        environment,
        Run(
            id="bench",
            started=f"{day}:00Z",
            ended=f"{day}:30Z",
            profile=None,
            marker="bench",
            suite={"version": "0", "commit": None, "dirty": None},
        ),
        catalogue=declared,
        selected=(),
        cases=cases,
        claims=(),
        waivers=(),
        frozen={},
        spent=Spent(1_000, 1_000),  # what the policy of ``local`` allows
        product_version="",
        today=date.fromisoformat(day[:10]),
    )
    begun_at = time.process_time()
    begun = begin(folder, written, Redactor(), ())
    done = finish(begun, written, (), folder / "none", with_report=False)
    if done.record.basis.untrusted:
        raise SystemExit(f"the results were not written: {done.record.basis.untrusted}")
    return Cost(time.process_time() - begun_at, 0)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=5, help="runs behind each median")
    repeat = parser.parse_args().repeat
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        kept = folder / "compiled"
        measured("collect everything, nothing compiled before", 1, collected(kept, "--env=local"))
        measured("collect -m smoke", repeat, collected(kept, "--env=local", "-m", "smoke"))
        measured("collect everything", repeat, collected(kept, "--env=local"))
        for count in MODELS:
            measured(
                f"collect everything, {count} chat models", 1, collected(kept, with_models(folder, count))
            )
        views, variables = the_matrix(folder)
        for count in ENVIRONMENTS:
            some = collected(kept, *views[:count], **variables)
            measured(f"collect everything, {count} environments", 1, some)
        matrix = collected(kept, "-p", "lab.matrix_plugin", *views, **variables)
        measured(f"collect the mutation matrix, {len(views)} environments", 1, matrix)
        measured(f"report {RESULTS} results: record and views", 1, lambda: reported(folder, RESULTS))


if __name__ == "__main__":
    main()
