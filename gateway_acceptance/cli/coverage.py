"""``gateway-acceptance coverage``: what the contract promises, and which checks prove it."""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import asdict
from typing import Any

from gateway_acceptance.cli.catalogue import collect
from gateway_acceptance.cli.root import project_root
from gateway_acceptance.costs import load_costs
from gateway_acceptance.coverage import coverage_page, load_coverage, summary_line
from gateway_acceptance.environment import load_environment
from gateway_acceptance.places import suites_of
from gateway_acceptance.runs_on import runs_on, table_of


def add_coverage_command(commands: Any) -> None:
    """commands: what ``ArgumentParser.add_subparsers`` returns."""
    command = commands.add_parser(
        "coverage",
        help="list what the contract promises, and the checks that prove it",
        description="List what the contract promises, with the checks that prove it, or why none does.",
    )
    shape = command.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="one object, for machines")
    shape.add_argument("--markdown", action="store_true", help="the page docs/coverage.md")
    command.set_defaults(run=_coverage)


def _coverage(arguments: argparse.Namespace) -> int:
    root = project_root()
    catalogue = collect(root)
    checks = catalogue.checks
    coverage = load_coverage(suites_of(root) / "coverage.toml", [check.id for check in checks])
    if arguments.json:
        document = {**asdict(coverage), "beyond": [check.id for check in coverage.beyond(checks)]}
        print(json.dumps(document, indent=1, ensure_ascii=False))
        return 0
    if arguments.markdown:
        costs = load_costs(suites_of(root) / "costs.json")
        measured = load_environment(str(costs.of["environment"]), root, os.environ)
        on = {
            check.id: runs_on(check.id, catalogue.axes.get(check.id, ()), costs, measured) for check in checks
        }
        print(coverage_page(coverage, checks, table_of(on)), end="")
        return 0
    for statement in coverage.statements:
        print(f"{statement.id}: {statement.text}")
        print(f"    {', '.join(statement.checks) or statement.excluded}")
    print(summary_line(coverage))
    return 0
