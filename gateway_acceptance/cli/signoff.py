"""``gateway-acceptance signoff`` and ``gateway-acceptance verify`` (docs/signoff.md)."""

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
from gateway_acceptance.documents import Unreadable, content_of, json_of
from gateway_acceptance.environment import load_environment
from gateway_acceptance.places import data_root, is_project, runs_of, suites_of
from gateway_acceptance.plugin.suite_identity import suite_identity
from gateway_acceptance.report.reading import utc
from gateway_acceptance.run_directory import LATEST, RECORD, run_directories
from gateway_acceptance.signoff.allowed import Allowed, moment_of, read_allowed, why_not
from gateway_acceptance.signoff.chain import comparison
from gateway_acceptance.signoff.keys import (
    BadKey,
    PublicKey,
    fingerprint,
    key_of_line,
    kind_of,
    load_private,
)
from gateway_acceptance.signoff.layout import NAMESPACE, REPORT, SIGNOFF, SIGNOFFS
from gateway_acceptance.signoff.previous import last_accepted
from gateway_acceptance.signoff.refusals import newer_red, of_another_suite, refusals, runs_since, utc_now
from gateway_acceptance.signoff.uncovered import blind_spots
from gateway_acceptance.signoff.verify import Verified, same_key, verify
from gateway_acceptance.signoff.witness import unwitnessed, witness_of
from gateway_acceptance.signoff.write import Decision, Spoiled, is_one_line, write_signoff
from gateway_acceptance.usage import (
    EXIT_HARNESS_ERROR,
    EXIT_INTEGRITY_ONLY,
    EXIT_NOT_READY,
    EXIT_READY,
    UsageProblem,
)

RELEASE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}")
NAME_AT_MOST = 200
REASON_AT_MOST = 300
RUNNER = "--require-runner"
ANCHOR_AT_MOST = 1 << 20
"""Bytes of a file of signers or of a key."""
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
    command.add_argument("--url", help="where the sign-off will be published; for the attestation")
    command.set_defaults(run=_signoff)


def add_verify_command(commands: Any) -> None:
    """commands: what ``ArgumentParser.add_subparsers`` returns."""
    command = commands.add_parser(
        "verify",
        help="look whether a sign-off is what was signed, offline",
        description="Look at everything in the directory of a sign-off, offline. One sentence for everything "
        "that is wrong, and exit code 1; or who signed what, and 0 where --allowed-signers or --public-key, "
        "kept elsewhere, says whose key that is; 5 where nothing independent does.",
    )
    command.add_argument("directory", type=Path, metavar="DIR", help="the sign-off's directory")
    who = command.add_mutually_exclusive_group()
    who.add_argument(
        "--allowed-signers", type=Path, metavar="FILE", help="whose key is whose, as ssh-keygen has it"
    )
    who.add_argument("--public-key", type=Path, metavar="FILE", help="the approver's public key")
    command.add_argument(
        RUNNER, type=Path, metavar="FILE", help="whose runners must have sealed the run; as ssh-keygen has it"
    )
    command.add_argument("--nonce", metavar="WORD", help="the word that the run must have been given")
    command.add_argument(
        "--verify-time",
        metavar="YYYYMMDD[HHMM[SS]][Z]",
        help="the time at which its key must have been valid, known from elsewhere (default: now), as "
        "ssh-keygen -O verify-time has it",
    )
    command.add_argument("--env", metavar="NAME", help="the environment that it must accept")
    command.add_argument(
        "--version", dest="release", metavar="VERSION", help="the release that it must accept"
    )
    command.add_argument("--commit", metavar="SHA", help="the commit of the suite that must have judged")
    command.add_argument("--gateway", metavar="URL", help="the gateway that must have been judged")
    command.add_argument(
        "--max-age", type=float, metavar="DAYS", help="how long ago it may have been signed, at most"
    )
    command.set_defaults(run=_verify)


def _signoff(arguments: argparse.Namespace) -> int:
    root = project_root()
    problems = _bad_words(arguments)
    allowed = runners = None
    try:
        allowed = _allowed(arguments.allowed_signers) if arguments.allowed_signers else None
        runners = _allowed(arguments.require_runner, RUNNER) if arguments.require_runner else None
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
    newer = newer_red(runs, environment.name, record)
    reasons = refusals(run, record, environment, now, suites_of(root))
    if runners is not None:
        reasons += unwitnessed(witness_of(run), runners, record, key.public_key(), now)
    reasons += of_another_suite(record, suite_identity(root if is_project(root) else data_root()))
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
        root / SIGNOFFS, environment.name, now, lambda seen: _stranger(seen, key.public_key(), allowed)
    )
    for sentence in passed_over:
        sys.stderr.write(f"gateway-acceptance: {sentence}\n")
    decision = Decision(
        run=run,
        release=arguments.release,
        approver=arguments.approver,
        signed=now,
        environment_file=environment.source,
        fresh_h=environment.tracker.fresh_h,
        previous=comparison(record, before),
        before=before,
        runs=runs_since(runs, environment.name, _since(before)),
        blind_spots=blind_spots(suites_of(root), [check["id"] for check in record["checks"]]),
        url=arguments.url,
        despite=[f"{arguments.despite_newer}: {one}" for one in newer],
    )
    try:
        document = write_signoff(decision, key, out)
    except OSError as error:
        raise UsageProblem(
            [f"{out}: cannot be written ({error.strerror or error}); nothing was signed"]
        ) from None
    except Spoiled as error:
        sys.stderr.write(f"gateway-acceptance: not signed, what was written does not verify: {error}\n")
        return EXIT_HARNESS_ERROR
    print(f"{environment.name} {arguments.release}: {document['state']}, signed by {arguments.approver}")
    if not document["production"]:
        print(f"This is not production: {environment.name} is of kind {document['kind']}")
    print(f"key     {document['approver']['key']['fingerprint']}")
    print(f"written {out}")
    return EXIT_READY


def _since(before: Path | None) -> str:
    document: Any = {"signed": ""} if before is None else json_of(before / SIGNOFF)
    return str(document["signed"])


def _stranger(seen: Verified, own: PublicKey, allowed: list[Allowed] | None) -> str:
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
    if arguments.url is not None and not URL.fullmatch(arguments.url):
        found.append(f"--url {arguments.url!r} is no address; it begins with https:// or http://")
    return found


def _passphrase(arguments: argparse.Namespace) -> str | None:
    if arguments.passphrase_variable:
        return os.environ.get(arguments.passphrase_variable)
    if sys.stdin.isatty():
        return getpass.getpass(f"passphrase of {arguments.key}: ")
    return None


def _run(runs: Path, environment: str, run_id: str | None) -> tuple[Path, dict[str, Any]]:
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
    try:
        record = json_of(path / RECORD)
    except Unreadable as error:
        raise UsageProblem([f"{path / RECORD}: cannot be read ({error}); {how}"]) from None
    if not isinstance(record, dict) or not isinstance(record.get("run"), dict):
        raise UsageProblem([f"{path / RECORD}: is no record; {how}"])
    return path, record


def _verify(arguments: argparse.Namespace) -> int:
    if not arguments.directory.is_dir():
        raise UsageProblem([f"{arguments.directory}: is no directory; give that of a sign-off"])
    allowed = _allowed(arguments.allowed_signers) if arguments.allowed_signers else None
    expected = _public_key(arguments.public_key) if arguments.public_key else None
    runners = _allowed(arguments.require_runner, RUNNER) if arguments.require_runner else None
    seen = verify(arguments.directory)
    findings = [*seen.findings, *_of_signer(seen, arguments, allowed, expected), *_expected(seen, arguments)]
    if runners is not None and seen.document is not None:
        witness = witness_of(arguments.directory / REPORT)
        findings += unwitnessed(witness, runners, seen.document, seen.signer, _verified_at(arguments))
    if findings:
        for finding in findings:
            print(finding)
        count = "1 finding" if len(findings) == 1 else f"{len(findings)} findings"
        print(f"{arguments.directory}: {count}; do not rely on it")
        return EXIT_NOT_READY
    _say(seen, arguments)
    anchor = arguments.allowed_signers or arguments.public_key
    if anchor is None:
        return EXIT_INTEGRITY_ONLY
    if anchor.resolve().is_relative_to(arguments.directory.resolve()):
        print(f"{anchor} lies in the sign-off itself and says nothing of its signer; give another one")
        return EXIT_INTEGRITY_ONLY
    return EXIT_READY


def _expected(seen: Verified, arguments: argparse.Namespace) -> list[str]:
    """What the sign-off says otherwise than it was expected to."""
    if seen.document is None:
        return []
    document = seen.document
    told = {
        "--env": (arguments.env, document["environment"]),
        "--version": (arguments.release, document["release"]),
        "--gateway": (arguments.gateway, document["target"]["gateway_url"]),
        "--nonce": (arguments.nonce, document.get("nonce", "no nonce")),
    }
    found = [
        f"{option} {wanted}: the sign-off is of {is_of}"
        for option, (wanted, is_of) in told.items()
        if wanted is not None and wanted != is_of
    ]
    commit = str(document["run"]["suite"]["commit"])
    if arguments.commit is not None and not commit.startswith(arguments.commit):
        found.append(f"--commit {arguments.commit}: the suite that judged was of {commit}")
    age = (utc_now() - datetime.fromisoformat(document["signed"])).total_seconds() / 86400
    if arguments.max_age is not None and age > arguments.max_age:
        found.append(f"--max-age {arguments.max_age:g}: it was signed {age:.1f} days ago")
    return found


def _verified_at(arguments: argparse.Namespace) -> datetime:
    """When keys must be valid beside the time of signing, which is only what the approver's clock said."""
    if arguments.verify_time is None:
        return utc_now()
    try:
        return moment_of(arguments.verify_time)
    except ValueError as error:
        raise UsageProblem([f"--verify-time {error}; correct it"]) from None


def _allowed(path: Path, option: str = "--allowed-signers") -> list[Allowed]:
    lines, problems = read_allowed(_text(option, path))
    if problems:
        raise UsageProblem([f"{option} {path}: {problem}; correct or remove it" for problem in problems])
    return lines


def _public_key(path: Path) -> PublicKey:
    try:
        return key_of_line(_text("--public-key", path))
    except BadKey as error:
        raise UsageProblem(
            [f"--public-key {path}: {error}; give a file as ssh-keygen writes it (.pub)"]
        ) from None


def _text(option: str, path: Path) -> str:
    try:
        return content_of(path.resolve(), ANCHOR_AT_MOST).decode("utf-8")
    except (Unreadable, UnicodeDecodeError) as error:
        reason = error if isinstance(error, Unreadable) else "it is not UTF-8 text"
        raise UsageProblem([f"{option} {path}: cannot be read ({reason}); check the path"]) from None


def _of_signer(
    seen: Verified, arguments: argparse.Namespace, allowed: list[Allowed] | None, expected: PublicKey | None
) -> list[str]:
    """What an independent word on the signer says against the signature."""
    if seen.signer is None or seen.document is None:
        return []
    if expected is not None and not same_key(expected, seen.signer):
        return [f"the key that signed, {fingerprint(seen.signer)}, is not that of {arguments.public_key}"]
    if allowed is not None:
        signed = datetime.fromisoformat(seen.document["signed"])
        principal = seen.document["approver"]["principal"]
        moments = {"at the time of signing": signed, "at the time of verifying": _verified_at(arguments)}
        why = why_not(allowed, principal, NAMESPACE, seen.signer, moments)
        if why:
            return [f"{arguments.allowed_signers} does not allow {principal}'s signature: {why}"]
        if seen.previous is not None:
            before = seen.previous.document
            who, at = before["approver"]["principal"], datetime.fromisoformat(before["signed"])
            moments = {"at the time of its signing": at}
            why = why_not(allowed, who, NAMESPACE, seen.previous.signer, moments)
            if why:
                anchor = arguments.allowed_signers
                return [f"{anchor} does not allow the signature of the previous release: {why}"]
    return []


def _say(seen: Verified, arguments: argparse.Namespace) -> None:
    assert seen.document is not None
    assert seen.signer is not None
    document = seen.document
    who = document["approver"]
    print(f"{document['environment']} {document['release']}: {document['state']}, {document['headline']}")
    if not document["production"]:
        print(f"This is not production: {document['environment']} is of kind {document['kind']}")
    print(f"signed by {who['name']} at {utc(document['signed'])}")
    print(f"with the key {kind_of(seen.signer)} {fingerprint(seen.signer)}")
    accepted = document["accepted"]
    must = sum(1 for waiver in accepted if waiver["level"] == "MUST")
    risk = document["risk"]["level"]
    print(f"accepted deviations: {len(accepted)} waivers, {must} of a MUST; risk {risk}")
    if arguments.allowed_signers:
        print(f"the key is {who['principal']}'s: {arguments.allowed_signers} says so")
    elif arguments.public_key:
        print(f"the key is that of {arguments.public_key}")
    else:
        print(
            "Nothing was changed since it was signed. Who signed it is only what the directory itself says: "
            "compare the key with what you know of the approver, or give --allowed-signers FILE"
        )
