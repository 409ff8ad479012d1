"""``gateway-acceptance signoff``: accept a release (docs/signoff.md)."""

from __future__ import annotations

import argparse
import getpass
import os
import re
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from gateway_acceptance.cli.root import project_root
from gateway_acceptance.cli.suite_at_hand import suite_at_hand
from gateway_acceptance.documents import Unreadable, json_of
from gateway_acceptance.environment import Environment, load_environment
from gateway_acceptance.places import data_root, is_project, runs_of, suites_of
from gateway_acceptance.plugin.suite_identity import suite_identity
from gateway_acceptance.record_model import NoRecord, Record, record_of
from gateway_acceptance.run_directory import LATEST, RECORD, run_directories
from gateway_acceptance.signoff.allowed import Allowed, why_not
from gateway_acceptance.signoff.chain import comparison
from gateway_acceptance.signoff.commit import of_another_suite
from gateway_acceptance.signoff.keys import PublicKey, fingerprint, load_private
from gateway_acceptance.signoff.layout import NAMESPACE, SIGNOFF, SIGNOFFS
from gateway_acceptance.signoff.previous import last_accepted
from gateway_acceptance.signoff.refusals import refusals, utc_now
from gateway_acceptance.signoff.runs import newer_red, runs_since
from gateway_acceptance.signoff.signers import allowed_in
from gateway_acceptance.signoff.timestamp import NoTimestamp
from gateway_acceptance.signoff.uncovered import uncovered
from gateway_acceptance.signoff.verify import Verified, same_key
from gateway_acceptance.signoff.witness import unwitnessed, witness_of
from gateway_acceptance.signoff.write import Approval, UnverifiableSignoff, is_one_line, write_signoff
from gateway_acceptance.usage import EXIT_HARNESS_ERROR, EXIT_NOT_READY, EXIT_READY, UsageProblem

RELEASE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}")
NAME_AT_MOST = 200
REASON_AT_MOST = 300
RUNNER = "--require-runner"
URL = re.compile(r"https?://\S+")


def add_signoff_command(commands: Any) -> None:
    """commands: what ``ArgumentParser.add_subparsers`` returns."""
    command = commands.add_parser(
        "signoff",
        help="accept a release: sign a READY run, and write it down for people and machines",
        description="Accept a release of an environment: sign its latest run of the profile release. "
        "Refuses, with every reason, what is not READY, fresh and whole.",
    )
    command.add_argument("--env", required=True, metavar="NAME|FILE", help="the environment that was judged")
    command.add_argument("--version", required=True, dest="release", help="the release that is accepted")
    command.add_argument("--approver", required=True, metavar="NAME", help="who accepts it")
    command.add_argument("--key", required=True, type=Path, help="the approver's private SSH key")
    command.add_argument(
        "--passphrase-variable",
        metavar="NAME",
        help="the variable that holds the passphrase of an encrypted key (default: it is asked for)",
    )
    command.add_argument("--run", dest="run_id", metavar="ID", help="which run (default: the latest)")
    command.add_argument("--runs", type=Path, metavar="DIR", help="where runs are (default: reports/runs)")
    command.add_argument(
        "--out", type=Path, metavar="DIR", help=f"what is written (default: {SIGNOFFS}/ENVIRONMENT/VERSION)"
    )
    command.add_argument(
        "--despite-newer",
        metavar="REASON",
        help="sign although a newer run of this environment is red; the reason stands on the first page",
    )
    command.add_argument(
        "--allowed-signers",
        type=Path,
        metavar="FILE",
        help="who may have signed earlier releases, beside the owner of --key; as ssh-keygen has it",
    )
    command.add_argument(
        RUNNER, type=Path, metavar="FILE", help="whose runners must have sealed the run; as ssh-keygen has it"
    )
    command.add_argument(
        "--timestamp-url",
        metavar="URL",
        help="a time-stamp authority (RFC 3161) that says by when the signature was there",
    )
    command.add_argument("--url", help="where the sign-off will be published; for the attestation")
    command.set_defaults(run=_signoff)


def _signoff(arguments: argparse.Namespace) -> int:
    root = project_root()
    problems = _bad_words(arguments)
    allowed = runners = None
    try:
        allowed = allowed_in(arguments.allowed_signers) if arguments.allowed_signers else None
        runners = allowed_in(arguments.require_runner, RUNNER) if arguments.require_runner else None
    except UsageProblem as problem:
        problems += problem.sentences
    try:
        key = load_private(arguments.key, lambda: _passphrase(arguments))
    except UsageProblem as problem:
        problems += problem.sentences
    try:
        environment = load_environment(arguments.env, root, os.environ)
    except UsageProblem as problem:
        raise UsageProblem([*problems, *problem.sentences]) from None
    runs = arguments.runs or runs_of(root)
    try:
        run, record = _run(runs, environment.name, arguments.run_id)
    except UsageProblem as problem:
        raise UsageProblem([*problems, *problem.sentences]) from None
    if problems:
        raise UsageProblem(problems)
    now = utc_now()
    out = arguments.out or root / SIGNOFFS / environment.name / arguments.release
    places = [runs, runs_of(root)]
    newer = newer_red(places, environment.name, record)
    other = of_another_suite(record, suite_identity(root if is_project(root) else data_root()))
    suite = None if other else suite_at_hand(root, arguments.env, environment)
    reasons = [*refusals(run, record, environment, now, suite), *other, *_namesake(environment, root)]
    if runners is not None:
        reasons += unwitnessed(witness_of(run), runners, record, key.public_key(), now)
    if newer and not arguments.despite_newer:
        reasons += [f"{one}; sign that release only with --despite-newer REASON" for one in newer]
    if out.exists() or out.is_symlink():
        reasons.append(
            f"{out} exists already; a sign-off is never written over: give another version or --out"
        )
    if reasons:
        for reason in reasons:
            sys.stderr.write(f"gateway-acceptance: {reason}\n")
        sys.stderr.write("gateway-acceptance: not signed, nothing was written\n")
        return EXIT_NOT_READY
    before, passed_over = last_accepted(
        root / SIGNOFFS, environment.name, now, lambda seen: _other_signer(seen, key.public_key(), allowed)
    )
    for sentence in passed_over:
        sys.stderr.write(f"gateway-acceptance: {sentence}\n")
    decision = Approval(
        run=run,
        release=arguments.release,
        approver=arguments.approver,
        signed=now,
        environment_file=environment.source,
        fresh_h=environment.tracker.fresh_h,
        previous=comparison(record, before),
        before=before,
        runs=runs_since(places, environment.name, _since(before)),
        blind_spots=uncovered(suites_of(root), [check.id for check in record.checks]),
        url=arguments.url,
        timestamp_url=arguments.timestamp_url,
        despite=[f"{arguments.despite_newer}: {one}" for one in newer],
    )
    try:
        document = write_signoff(decision, key, out)
    except NoTimestamp as error:
        raise UsageProblem(
            [f"--timestamp-url {arguments.timestamp_url}: no time-stamp came ({error}); nothing was signed"]
        ) from None
    except OSError as error:
        raise UsageProblem(
            [f"{out}: cannot be written ({error.strerror or error}); nothing was signed"]
        ) from None
    except UnverifiableSignoff as error:
        sys.stderr.write(f"gateway-acceptance: not signed, what was written does not verify: {error}\n")
        return EXIT_HARNESS_ERROR
    print(f"{environment.name} {arguments.release}: {document['state']}, signed by {arguments.approver}")
    if not document["production"]:
        print(f"This is not production: {environment.name} is of kind {document['kind']}")
    print(f"key     {document['approver']['key']['fingerprint']}")
    print(f"written {out}")
    return EXIT_READY


def _namesake(environment: Environment, root: Path) -> list[str]:
    """Whether the project declares another environment of that name: readers would take it for that one."""
    own = root / "environments" / f"{environment.name}.toml"
    if not own.is_file() or own.resolve() == environment.source.resolve():
        return []
    return [
        f"{environment.source} calls itself {environment.name}, and the project declares that in {own}: "
        "judge by that file, or give this one a name of its own"
    ]


def _since(before: Path | None) -> str:
    document: Any = {"signed": ""} if before is None else json_of(before / SIGNOFF)
    return str(document["signed"])


def _other_signer(seen: Verified, own: PublicKey, allowed: list[Allowed] | None) -> str:
    """Why an earlier sign-off is nobody's that is known; empty where it is."""
    if seen.signer is None or seen.document is None:
        return "it has no signature"
    if same_key(seen.signer, own):
        return ""
    who = seen.document["approver"]["principal"]
    signed = {"at the time of its signing": datetime.fromisoformat(seen.document["signed"])}
    why = why_not(allowed, who, NAMESPACE, seen.signer, signed) if allowed is not None else "it is not given"
    if why is None:
        return ""
    return f"{fingerprint(seen.signer)} signed it, which neither --key is nor --allowed-signers knows ({why})"


def _bad_words(arguments: argparse.Namespace) -> list[str]:
    found = []
    if not RELEASE.fullmatch(arguments.release):
        found.append(
            f"--version {arguments.release!r} is no version; use letters, digits and . _ + - (64 at most)"
        )
    if not is_one_line(arguments.approver) or len(arguments.approver) > NAME_AT_MOST:
        found.append(
            f"--approver {arguments.approver!r} is no name; give it in one line of {NAME_AT_MOST} at most"
        )
    despite = arguments.despite_newer
    if despite is not None and (not is_one_line(despite) or len(despite) > REASON_AT_MOST):
        found.append(
            f"--despite-newer {despite!r} is no reason; give it in one line of {REASON_AT_MOST} at most"
        )
    stamping = arguments.timestamp_url
    if stamping is not None and not URL.fullmatch(stamping):
        found.append(f"--timestamp-url {stamping!r} is no address; it begins with https:// or http://")
    if arguments.url is not None and not URL.fullmatch(arguments.url):
        found.append(f"--url {arguments.url!r} is no address; it begins with https:// or http://")
    return found


def _passphrase(arguments: argparse.Namespace) -> str | None:
    if arguments.passphrase_variable:
        return os.environ.get(arguments.passphrase_variable)
    if sys.stdin.isatty():
        return getpass.getpass(f"passphrase of {arguments.key}: ")
    return None


def _run(runs: Path, environment: str, run_id: str | None) -> tuple[Path, Record]:
    """The run's directory, ``latest`` resolved, and its record. Raises UsageProblem."""
    how = f"run pytest -m release --env {environment}"
    if run_id is not None and run_id not in [path.name for path in run_directories(runs, environment)]:
        raise UsageProblem(
            [f"--run {run_id}: there is no such run in {runs / environment}; correct it, or {how}"]
        )
    path = runs / environment / (run_id or LATEST)
    if not path.is_dir():
        raise UsageProblem([f"{runs / environment}: there is no latest run; {how}"])
    path = path.resolve()
    if path.parent != (runs / environment).resolve():
        raise UsageProblem([f"{runs / environment}: its latest run lies elsewhere ({path}); {how}"])
    try:
        return path, record_of(json_of(path / RECORD))
    except Unreadable as error:
        raise UsageProblem([f"{path / RECORD}: cannot be read ({error}); {how}"]) from None
    except NoRecord as problem:
        raise UsageProblem([f"{path / RECORD}: {problem}; {how}"]) from None
