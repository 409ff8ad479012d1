"""``gateway-acceptance advisories``: what is known of an environment's releases, and how it is updated."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gateway_acceptance.advisories import AdvisoryFinding, Base, NotComparable, concerning, load_base, words
from gateway_acceptance.advisories.base import SHIPPED, users_base
from gateway_acceptance.advisories.update import merged
from gateway_acceptance.cli.root import project_root
from gateway_acceptance.environment import Environment, load_environment, product_of
from gateway_acceptance.environment.products import BACKEND_PACKAGES, PRODUCTS
from gateway_acceptance.places import runs_of
from gateway_acceptance.record_model import Record
from gateway_acceptance.run_directory import previous_record
from gateway_acceptance.usage import EXIT_NOT_READY, UsageProblem

Release = tuple[str, tuple[str, str], str]
"""Where it runs, (ecosystem, package), version."""


def add_advisories_command(commands: Any) -> None:
    """``gateway-acceptance advisories [--env NAME | --version X]`` and ``advisories update FILE``."""
    command = commands.add_parser(
        "advisories",
        help="list the published holes of an environment's releases, update what is known",
        description="List the published holes that concern an environment: the releases that it declares, "
        "else those that its newest run found. Nothing is sent. Exit code 1 where one is judged.",
    )
    command.add_argument("--env", default="production", metavar="NAME|FILE", help="default: production")
    command.add_argument("--version", metavar="X", help="of this release of the environment's product, alone")
    command.add_argument("--runs", type=Path, metavar="DIR", help="where runs are (default: reports/runs)")
    command.add_argument("--json", action="store_true", help="one object, for machines")
    command.set_defaults(run=_list)
    parts = command.add_subparsers(metavar="update")
    update = parts.add_parser(
        "update",
        help="take an OSV export into the advisory base of this user",
        description="Take an OSV export into this user's base, over the shipped one. Nothing is sent: "
        "fetch PyPI/all.zip and Go/all.zip of osv-vulnerabilities.storage.googleapis.com yourself.",
    )
    update.add_argument("export", type=Path, metavar="FILE|DIR|ZIP", help="OSV records, or a zip of them")
    update.set_defaults(run=_update)


def _list(arguments: argparse.Namespace) -> int:
    root = project_root()
    environment = load_environment(arguments.env, root, os.environ)
    base = load_base(environment.advisory_base)
    if arguments.version:
        releases = [("--version", _package(environment), arguments.version)]
    else:
        record = previous_record(arguments.runs or runs_of(root), environment.name)
        releases = releases_of(environment, record)
    findings = [(where, one) for where, package, version in releases for one in _found(
        base, package, version, environment
    )]  # fmt: skip
    judged = any(one.judged for _, one in findings)
    if arguments.json:
        print(json.dumps(_document(base, environment, releases, findings), indent=1, ensure_ascii=False))
    else:
        _print(base, environment, releases, findings)
    return EXIT_NOT_READY if judged else 0


def releases_of(environment: Environment, record: Record | None) -> list[Release]:
    """What an environment declares to run, else what its newest run saw; each machine once."""
    seen: Mapping[str, str] = {}
    product_version = ""
    if record is not None:
        seen = record.target.fingerprint.start or {}
        product_version = record.target.product_version
    found: list[Release] = []
    package = product_of(environment.gateway).package
    version = environment.gateway.version or product_version
    if package is not None and version:
        found.append(("gateway", package, version))
    for backend in environment.backends:
        declared = backend.host.version if backend.host is not None else None
        version = declared or str(seen.get(f"backend.{backend.name}.version", ""))
        if version and backend.product in BACKEND_PACKAGES:
            found.append((backend.name, BACKEND_PACKAGES[backend.product], version))
    return found


def _package(environment: Environment) -> tuple[str, str]:
    package = product_of(environment.gateway).package
    if package is None:
        known = ", ".join(name for name, product in PRODUCTS.items() if product.package)
        raise UsageProblem(
            [
                f"--version: no advisories of {environment.gateway.product} are published, but of {known}; "
                "name an environment of such a product with --env"
            ]
        )
    return package


def _found(
    base: Base, package: tuple[str, str], version: str, environment: Environment
) -> list[AdvisoryFinding]:
    try:
        return concerning(base, *package, version, environment.advisories.without)
    except NotComparable:
        raise UsageProblem(
            [f"{version[:60]!r} is no version of {package[1]} that can be compared; give one such as 1.108.7"]
        ) from None


def _print(
    base: Base, environment: Environment, releases: list[Release], findings: list[tuple[str, AdvisoryFinding]]
) -> None:
    for where, package, version in releases:
        own = [one for place, one in findings if place == where]
        count = sum(one.judged for one in own)
        print(f"{where}: {package[1]} {version}: {count} judged, {len(own) - count} told only")
        for one in own:
            mark = ("MUST" if one.advisory.heavy else "SHOULD") if one.judged else "told"
            print(f"  {mark:<6} {words.sentence(one)}")
        first = next((one for one in own if one.judged), None)
        if first is not None:
            print(f"  fix    {words.fix_for(base, first)}")
    if not releases:
        print(f"{environment.name} declares no version and has no run that found one; give --version X")
    age = (datetime.now(UTC).date() - base.dated).days
    print(f"advisory base: {base.dated} ({age} days old), {len(base.advisories)} advisories, {base.origin}")


def _document(
    base: Base, environment: Environment, releases: list[Release], findings: list[tuple[str, AdvisoryFinding]]
) -> dict[str, object]:
    return {
        "environment": environment.name,
        "base": base.summary,
        "releases": [
            {
                "where": where,
                "ecosystem": package[0],
                "package": package[1],
                "version": version,
                "findings": [
                    {
                        "id": one.advisory.id,
                        "aliases": list(one.advisory.aliases),
                        "rating": one.advisory.rating,
                        "score": one.advisory.score,
                        "exploited": one.advisory.exploited or None,
                        "judged": one.judged,
                        "level": "MUST" if one.advisory.heavy else "SHOULD",
                        "informs": one.informs or None,
                        "absent": list(one.absent),
                        "summary": one.advisory.summary,
                        "fix": words.fix_for(base, one),
                    }
                    for place, one in findings
                    if place == where
                ],
            }
            for where, package, version in releases
        ],
    }


def _update(arguments: argparse.Namespace) -> int:
    if not arguments.export.exists():
        raise UsageProblem([f"{arguments.export}: there is no such file or folder; correct the path"])
    shipped = json.loads(SHIPPED.read_text(encoding="utf-8"))
    document = merged(shipped, arguments.export, datetime.now(UTC).date())
    target = users_base()
    temporary = target.with_name(f".{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps(document, ensure_ascii=False) + "\n", encoding="utf-8")
        temporary.replace(target)
    except OSError as error:
        raise UsageProblem(
            [f"{target}: cannot be written ({error.strerror}); set XDG_DATA_HOME to a folder that can"]
        ) from None
    finally:
        temporary.unlink(missing_ok=True)
    print(f"{target}: {len(document['advisories'])} advisories, up to {document['dated']}")
    return 0
