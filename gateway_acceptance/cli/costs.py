"""``gateway-acceptance costs``: the table behind ``--plan``, measured by a run of the lab."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gateway_acceptance.check import RELEASE, SMOKE
from gateway_acceptance.cli.root import project_root
from gateway_acceptance.costs import load_costs, table
from gateway_acceptance.environment import load_environment
from gateway_acceptance.places import data_root, is_packaged, suites_of
from gateway_acceptance.plan import of_fingerprints
from gateway_acceptance.record_model import Record
from gateway_acceptance.run_directory import LATEST, RECORD, record_at
from gateway_acceptance.usage import EXIT_HARNESS_ERROR, UsageProblem

PROFILES = (SMOKE, RELEASE)
"""Smoke asks some things otherwise, and for more at once: it has a table of its own."""
MEASURED = "local"
"""The environment that is measured: it has every kind of model, and its run is the same each time."""


def add_costs_command(commands: Any) -> None:
    """``gateway-acceptance costs``."""
    command = commands.add_parser(
        "costs",
        help="how many checks the cost table of --plan covers; --write measures it again",
        description="suites/costs.json says what each kind of case sends. --write runs smoke and "
        f"release in the embedded environment {MEASURED}, in one process, and writes the table anew.",
    )
    command.add_argument("--write", action="store_true", help="measure, and write suites/costs.json")
    command.set_defaults(run=_costs)


def _costs(arguments: argparse.Namespace) -> int:
    root = project_root()
    path = suites_of(root) / "costs.json"
    if not arguments.write:
        costs = load_costs(path)
        print(f"{len(costs.checks)} checks and {len(costs.shared)} shared observations, {dict(costs.of)}")
        return 0
    if is_packaged() and path.is_relative_to(data_root()):
        raise UsageProblem([f"{path}: came with the package; --write is for a checkout of the suite"])
    with tempfile.TemporaryDirectory(prefix="gateway-acceptance-") as folder:
        return _measured(root, path, Path(folder))


def _measured(root: Path, path: Path, folder: Path) -> int:
    lines: list[dict[str, Any]] = []
    smoke: list[dict[str, Any]] = []
    around, product = 0, ""
    for profile in PROFILES:
        record, seen = _run(root, folder, profile)
        if record is None:
            sys.stderr.write("gateway-acceptance: a run did not come to its end, and nothing was written\n")
            return EXIT_HARNESS_ERROR
        product = f"{record.target.product} {record.target.product_version}"
        if profile == SMOKE:
            around, smoke = record.totals.requests - _sent(seen), seen
        else:
            lines = seen
    environment = load_environment(MEASURED, root, os.environ)
    direct = sum(backend.direct for backend in environment.backends)
    of = {
        "environment": MEASURED,
        "product": product,
        "date": datetime.now(UTC).date().isoformat(),
    }
    fingerprint = around - of_fingerprints(direct, in_smoke=True)
    path.write_text(table(lines, environment, of, fingerprint, smoke), encoding="utf-8")
    print(f"{path}: written; {around} requests at start and end")
    return 0


def _run(root: Path, folder: Path, profile: str) -> tuple[Record | None, list[dict[str, Any]]]:
    """The record of a run of a profile, None where it did not come to its end; and what its cases sent."""
    seen = folder / f"measured-{profile}"
    command = [sys.executable, "-P", "-m", "pytest", "-m", profile, f"--env={MEASURED}", "-q"]
    command += [f"--runs={folder}", "--no-report", f"--measure-costs={seen}", "-n", "0"]
    subprocess.run(command, cwd=root, check=False)
    latest = folder / MEASURED / LATEST
    if not (latest / RECORD).is_file() or not seen.is_file():
        return None, []
    record = record_at(latest)
    if record.basis.unfinished or record.basis.interrupted or record.run.profile != profile:
        return None, []
    return record, [json.loads(line) for line in seen.read_text(encoding="utf-8").splitlines()]


def _sent(lines: Iterable[dict[str, Any]]) -> int:
    """Requests of all cases, those of shared observations once."""
    total = 0
    once: dict[str, int] = {}
    for line in lines:
        total += line["own"]["requests"] + line["own"]["probes"]
        once |= {name: cost["requests"] + cost["probes"] for name, cost in line["shared"].items()}
    return total + sum(once.values())
