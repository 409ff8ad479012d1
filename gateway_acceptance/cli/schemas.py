"""``gateway-acceptance schemas``: the published schema of the record, generated from its model."""

from __future__ import annotations

import argparse
from typing import Any

from gateway_acceptance.places import data_root, is_packaged
from gateway_acceptance.record_model.schema import FILE, record_schema_text
from gateway_acceptance.usage import EXIT_NOT_READY, UsageProblem
from gateway_acceptance.wire.schema_files import schema_directory


def add_schemas_command(commands: Any) -> None:
    """``gateway-acceptance schemas``."""
    command = commands.add_parser(
        "schemas",
        help="compare the published schema of record.json with the record's model, or write it again",
        description=f"Whether schemas/{FILE} is what the record's model makes; exit code 1 where it is not.",
    )
    command.add_argument("--write", action="store_true", help=f"rewrite schemas/{FILE} from the model")
    command.set_defaults(run=_schemas)


def _schemas(arguments: argparse.Namespace) -> int:
    path = schema_directory() / FILE
    made = record_schema_text()
    same = path.is_file() and path.read_text(encoding="utf-8") == made
    if same:
        print(f"{path}: as the model makes it")
        return 0
    if not arguments.write:
        print(f"{path}: not what the model makes; fix: gateway-acceptance schemas --write")
        return EXIT_NOT_READY
    if is_packaged() and path.is_relative_to(data_root()):
        raise UsageProblem([f"{path}: came with the package; --write is for a checkout of the suite"])
    path.write_text(made, encoding="utf-8")
    print(f"{path}: written")
    return 0
