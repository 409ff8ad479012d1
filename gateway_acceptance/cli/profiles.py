"""``gateway-acceptance profiles``: the frozen lists, compared with what is there, or frozen anew."""

from __future__ import annotations

import argparse
from typing import Any

from gateway_acceptance.check import PROFILES
from gateway_acceptance.cli.catalogue import collect
from gateway_acceptance.cli.root import project_root
from gateway_acceptance.places import data_root, is_packaged, suites_of
from gateway_acceptance.profiles import differences, frozen_text, load_profiles
from gateway_acceptance.usage import EXIT_NOT_READY, UsageProblem


def add_profiles_command(commands: Any) -> None:
    """``gateway-acceptance profiles``."""
    command = commands.add_parser(
        "profiles",
        help="compare the frozen lists of checks with the checks, or freeze them again",
        description="How many checks each profile must have executed, by suites/profiles.toml. A profile "
        "that shrank is red until its list is changed on purpose: with --write.",
    )
    what = command.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true", help="say what differs; exit code 1 if anything")
    what.add_argument("--write", action="store_true", help="rewrite suites/profiles.toml from the checks")
    command.set_defaults(run=_profiles)


def _profiles(arguments: argparse.Namespace) -> int:
    root = project_root()
    path = suites_of(root) / "profiles.toml"
    lists = load_profiles(path)
    checks = collect(root).checks
    found = differences(lists, checks)
    for sentence in found:
        print(sentence)
    if arguments.write and is_packaged() and path.is_relative_to(data_root()):
        raise UsageProblem([f"{path}: came with the package; --write is for a checkout of the suite"])
    if arguments.write:
        if found:
            path.write_text(frozen_text(checks), encoding="utf-8")
        print(f"{path}: {'written' if found else 'nothing to change'}")
        return 0
    for name in PROFILES:
        print(f"{name:<8} {len(lists[name])} checks")
    if found and not arguments.check:
        print("change the list on purpose: gateway-acceptance profiles --write")
    return EXIT_NOT_READY if found and arguments.check else 0
