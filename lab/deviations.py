"""``gateway-acceptance deviations``: what releases do by themselves, learned by running them clean."""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gateway_acceptance.check import PROFILES
from gateway_acceptance.cli.root import project_root
from gateway_acceptance.deviations import (
    PRODUCTS,
    Deviation,
    Release,
    file_name,
    merged,
    read_release,
    releases,
    write_release,
)
from gateway_acceptance.embedded import NotStarted
from gateway_acceptance.fingerprint import UNKNOWN
from gateway_acceptance.places import suites_of
from gateway_acceptance.usage import UsageProblem
from lab.litellm.install import VARIANTS, resolve_version
from lab.loopback_pool import own_net
from lab.mutation_matrix import Declarer
from lab.patience import patient

PRODUCT = "litellm"
UPSTREAMS = ("openai",)
PROFILE = "nightly"
ENVIRONMENT = "local"
LEARN_BUDGET_S = 900
"""Seconds for one release, on two idle cores: the API suite takes one minute of one."""
WENT_AWAY = ("connection refused", "no answer within")
"""What no release answers by itself: its process was gone, or the machine too busy for it."""
PACE = frozenset({"API-OPS-007", "API-OPS-008", "API-OPS-009"})
"""Checks of times and numbers at once (``bounds``): no knowledge of a release."""
Say = Callable[[str], None]


def add_deviations_command(commands: Any) -> None:
    """``gateway-acceptance deviations list|learn``."""
    command = commands.add_parser(
        "deviations",
        help="what releases of products do by themselves: list them, learn them",
        description="What releases of products do by themselves (docs/deviations.md).",
    )
    actions = command.add_subparsers(title="actions", metavar="ACTION", required=True)
    listed = actions.add_parser("list", help="the releases that are known, or what one of them does")
    listed.add_argument("--product", default=PRODUCT, choices=(PRODUCT,))
    listed.add_argument(
        "--version", metavar="VERSION", help="only this one, each deviation with its problems"
    )
    listed.add_argument("--variant", default="", choices=("", *VARIANTS))
    _add_upstream(listed, "as learned before backends that speak this, not Ollama's own")
    listed.add_argument("--json", action="store_true", help="one object, for machines")
    listed.set_defaults(run=_list)
    learn = actions.add_parser(
        "learn",
        help="run a release clean in the lab and write down what it does",
        description="Start a release clean in the lab, before our backends, run the API's checks, and write "
        "down what fails.",
    )
    learn.add_argument("--product", default=PRODUCT, choices=(PRODUCT,))
    which = learn.add_mutually_exclusive_group(required=True)
    which.add_argument("--version", metavar="VERSION", help="one release")
    which.add_argument("--all", action="store_true", help="every release of products/litellm/releases.toml")
    learn.add_argument("--variant", default="", choices=("", *VARIANTS), help="how it is installed")
    _add_upstream(learn, "before backends that speak this, not Ollama's own")
    learn.add_argument(
        "--check",
        action="store_true",
        help="write nothing: say where a file differs from what its release shows now, and exit with 1",
    )
    learn.add_argument("--beside", action="store_true", help=argparse.SUPPRESS)
    learn.add_argument("--profile", choices=PROFILES, default=PROFILE, help=argparse.SUPPRESS)
    learn.add_argument("--out", type=Path, default=PRODUCTS, metavar="DIR", help=argparse.SUPPRESS)
    learn.set_defaults(run=_learn)


def _add_upstream(command: argparse.ArgumentParser, words: str) -> None:
    command.add_argument("--upstream", default="", choices=("", *UPSTREAMS), help=words)


def _list(arguments: argparse.Namespace) -> int:
    upstream = arguments.upstream
    pairs = releases(arguments.product, upstream=upstream)
    if arguments.version:
        pairs = [pair for pair in pairs if pair == (arguments.version, arguments.variant)]
        if not pairs:
            name = file_name(arguments.version, arguments.variant)
            before = f" before {upstream} upstreams" if upstream else ""
            raise UsageProblem([f"no deviations of {arguments.product} {name}{before} are known; learn them"])
    found = [read_release(arguments.product, *pair, upstream=upstream) for pair in pairs]
    if arguments.json:
        print(json.dumps([_document(release) for release in found], indent=1, ensure_ascii=False))
        return 0
    for release in found:
        must = sum(one.level == "MUST" for one in release.deviations)
        print(
            f"{release.product} {release.name:<18} {len(release.deviations):>3} deviations, {must} of a MUST "
            f"in {release.checks} checks; learned {release.learned}"
        )
        for one in release.deviations if arguments.version else ():
            print(f"  {one.check:<16} {one.level:<6} {one.title}" + (f" ({one.link})" if one.link else ""))
            for problem in sorted(one.problems):
                print(f"  {'':<16} {problem}")
    return 0


def _document(release: Release) -> dict[str, Any]:
    return {
        **{name: getattr(release, name) for name in ("product", "version", "variant", "learned", "checks")},
        "deviations": [
            {"check": one.check, "level": one.level, "link": one.link, "problems": sorted(one.problems)}
            for one in release.deviations
        ],
    }


def _learn(arguments: argparse.Namespace) -> int:
    root = project_root()
    wanted = [(arguments.version, arguments.variant)]
    if arguments.all:
        wanted = listed_releases(PRODUCTS / arguments.product / "releases.toml", arguments.upstream)
    different = False
    for version, variant in wanted:
        pair, upstream = (resolve_version(version), variant), arguments.upstream
        kept = read_release(arguments.product, *pair, upstream=upstream) if arguments.check else None
        release = learn(
            root,
            resolve_version(version),
            variant,
            print,
            beside=arguments.beside,
            profile=arguments.profile,
            upstream=upstream,
        )
        if kept is not None:
            changed = differences(kept, release)
            different = different or bool(changed)
            words = "as its file says" if not changed else f"differs from its file in {len(changed)} problems"
            print("\n".join((f"{release.product} {release.name}: {words}", *changed)))
            continue
        path = write_release(release, arguments.out, upstream)
        print(f"{path}: {len(release.deviations)} deviations in {release.checks} checks")
    return 1 if different else 0


def differences(kept: Release, seen: Release) -> list[str]:
    """A line for each problem that only the file tells, or only the release shows."""
    known = {(one.check, problem) for one in kept.deviations for problem in one.problems}
    shown = {(one.check, problem) for one in seen.deviations for problem in one.problems}
    return [
        f"  {check}: {'not shown any more' if (check, problem) in known else 'not in the file'}: {problem}"
        for check, problem in sorted(known ^ shown)
    ]


def listed_releases(path: Path, upstream: str = "") -> list[tuple[str, str]]:
    """(version, variant) of every release that files are kept of. upstream: of those learned before it.
    Raises UsageProblem."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        if upstream:
            return [(version, "") for version in document["upstreams"][upstream]]
        return [(version, variant) for version in document["versions"] for variant in document["variants"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageProblem([f"{path}: cannot be read: {error}; fix the file"]) from None


def learn(
    root: Path,
    version: str,
    variant: str,
    say: Say,
    *,
    beside: bool = False,
    profile: str = PROFILE,
    upstream: str = "",
) -> Release:
    """Run a release clean, once, and say what it does. beside: at addresses of its own, since another lab may
    be up; profile: whose checks are run; upstream: what its backends speak, Ollama's own where it is empty.
    Raises NotStarted where the run was not whole."""
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="gateway-acceptance-"))
        environment, named = ENVIRONMENT, ENVIRONMENT
        if beside or upstream:
            own = Declarer(root, Path(folder), stack.enter_context(own_net())).base(upstream)
            environment, named = own.name, str(own.source)
        seen, runs = Path(folder) / "seen.jsonl", Path(folder) / "runs"
        say(f"learning {PRODUCT} {file_name(version, variant)} ...")
        command = [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", profile),
            *(
                str(suites_of(root) / "api"),
                f"--env={named}",
                "--litellm",
                file_name(version, variant),
                "--no-report",
            ),
            *(f"--runs={runs}", f"--learn-deviations={seen}"),
        ]
        try:
            done = subprocess.run(
                command,
                cwd=root,
                capture_output=True,
                text=True,
                check=False,
                timeout=patient(LEARN_BUDGET_S),
                stdin=subprocess.DEVNULL,
            )
        except subprocess.TimeoutExpired:
            raise NotStarted(f"{version} was not learned within {LEARN_BUDGET_S} s") from None
        output = "\n".join(done.stdout.splitlines()[-12:])
        try:
            record = json.loads((runs / environment / "latest" / "record.json").read_text(encoding="utf-8"))
            entries = [json.loads(line) for line in seen.read_text(encoding="utf-8").splitlines()]
        except (OSError, ValueError):
            raise NotStarted(f"the run that learns {version} left no record", output) from None
    if record["run"]["state"] == "VOID" or record["totals"].get("harness error"):
        raise NotStarted(f"the run that learns {version} is not whole: {record['run']['headline']}", output)
    gone = record["target"]["fingerprint"]["end"] or {}
    if any(value.startswith(UNKNOWN) for name, value in gone.items() if name.startswith("gateway.")):
        raise NotStarted(f"the run that learns {version} is not whole: the gateway went away", output)
    silent = [words for words in WENT_AWAY for entry in entries if words in " ".join(entry["problems"])]
    if silent:
        raise NotStarted(f"the run that learns {version} is not whole: {silent[0]}", output)
    late = sorted({entry["check"] for entry in entries if entry["problems"] and entry["check"] in PACE})
    if late:
        raise NotStarted(
            f"the run that learns {version} is not whole: {', '.join(late)} failed, and how fast "
            "it is lies with the machine; learn it again while nothing else runs"
        )
    versions = {entry["version"] for entry in entries} - {""}
    if versions != {version}:
        raise NotStarted(
            f"{version} was to be learned, and {', '.join(sorted(versions)) or 'nothing'} answered"
        )
    return Release(
        PRODUCT,
        version,
        variant,
        datetime.now(UTC).date().isoformat(),
        len({entry["check"] for entry in entries}),
        tuple(seen_deviations(entries, _links()).values()),
    )


def seen_deviations(entries: Iterable[Mapping[str, Any]], links: Mapping[str, str]) -> dict[str, Deviation]:
    """What was written down, by check; what passed is none. links: check id -> what is known of it."""
    return merged(
        Deviation(
            entry["check"],
            entry["level"],
            entry["title"],
            frozenset(entry["problems"]),
            links.get(entry["check"], ""),
        )
        for entry in entries
        if entry["problems"]
    )


def _links() -> dict[str, str]:
    path = PRODUCTS / PRODUCT / "upstream.toml"
    return dict(tomllib.loads(path.read_text(encoding="utf-8"))["links"]) if path.exists() else {}
