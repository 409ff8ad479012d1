"""``gateway-acceptance verify``: whether a sign-off is what was signed, offline (docs/signoff.md)."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.x509 import Certificate

from gateway_acceptance.cli.held_against import held_against
from gateway_acceptance.cli.other_suite import other_suite
from gateway_acceptance.report.reading import utc
from gateway_acceptance.signoff.allowed import Allowed, moment_of, why_not
from gateway_acceptance.signoff.keys import PublicKey, fingerprint, kind_of
from gateway_acceptance.signoff.layout import NAMESPACE, REPORT
from gateway_acceptance.signoff.refusals import utc_now
from gateway_acceptance.signoff.signers import allowed_in, certificates_in, public_key_in
from gateway_acceptance.signoff.timestamp import unknown_authority
from gateway_acceptance.signoff.verify import Verified, same_key, verify
from gateway_acceptance.signoff.witness import unwitnessed, witness_of
from gateway_acceptance.usage import EXIT_INTEGRITY_ONLY, EXIT_NOT_READY, EXIT_READY, UsageProblem

RUNNER = "--require-runner"


def add_verify_command(commands: Any) -> None:
    """commands: what ``ArgumentParser.add_subparsers`` returns."""
    command = commands.add_parser(
        "verify",
        help="check offline whether a sign-off is what was signed",
        description="Check everything in the directory of a sign-off, offline. One sentence for everything "
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
    command.add_argument(
        "--timestamp-ca",
        type=Path,
        metavar="FILE",
        help="certificates (PEM) of the authorities that must have time-stamped it; a key need only "
        "have been valid then",
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
        "--suite",
        type=Path,
        metavar="CHECKOUT|WHEEL",
        help="the suite that must have judged: a git checkout, or a wheel; it is read, and not run",
    )
    command.add_argument(
        "--max-age", type=float, metavar="DAYS", help="how long ago it may have been signed, at most"
    )
    command.set_defaults(run=_verify)


def _verify(arguments: argparse.Namespace) -> int:
    if not arguments.directory.is_dir():
        raise UsageProblem([f"{arguments.directory}: is no directory; give that of a sign-off"])
    allowed = allowed_in(arguments.allowed_signers) if arguments.allowed_signers else None
    expected = public_key_in(arguments.public_key) if arguments.public_key else None
    runners = allowed_in(arguments.require_runner, RUNNER) if arguments.require_runner else None
    seen = verify(arguments.directory)
    authorities = certificates_in(arguments.timestamp_ca) if arguments.timestamp_ca else None
    unstamped = [] if authorities is None else _of_authority(seen, arguments, authorities)
    if authorities is not None and not unstamped and arguments.verify_time is None:
        arguments.known_time = seen.stamped
    findings = [
        *seen.findings,
        *unstamped,
        *_of_signer(seen, arguments, allowed, expected),
        *_expected(seen, arguments),
    ]
    text = ""
    if arguments.suite is not None and seen.record is not None:
        with other_suite(arguments.suite) as other:
            findings += held_against(seen.record, other)
            text = f"the suite is that of {other.place}: commit {other.commit}, {len(other.files)} files, "
            text += f"{len(other.checks)} checks"
    if runners is not None and seen.record is not None:
        witness = witness_of(arguments.directory / REPORT)
        findings += unwitnessed(witness, runners, seen.record, seen.signer, _verified_at(arguments))
    if findings:
        for finding in findings:
            print(finding)
        count = "1 finding" if len(findings) == 1 else f"{len(findings)} findings"
        print(f"{arguments.directory}: {count}; do not rely on it")
        return EXIT_NOT_READY
    _say(seen, arguments)
    if text:
        print(text)
    anchor = arguments.allowed_signers or arguments.public_key
    if anchor is None:
        return EXIT_INTEGRITY_ONLY
    if _lies_in(anchor, arguments.directory):
        print(f"{anchor} lies in the sign-off itself and says nothing of its signer; give another one")
        return EXIT_INTEGRITY_ONLY
    return EXIT_READY


def _lies_in(anchor: Path, directory: Path) -> bool:
    """By its path, or as another name of a file there."""
    if anchor.resolve().is_relative_to(directory.resolve()):
        return True
    return any(path.is_file() and anchor.samefile(path) for path in directory.rglob("*"))


def _expected(seen: Verified, arguments: argparse.Namespace) -> list[str]:
    """What the sign-off says otherwise than it was expected to."""
    if seen.document is None:
        return []
    document = seen.document
    expected = {
        "--env": (arguments.env, document["environment"]),
        "--version": (arguments.release, document["release"]),
        "--gateway": (arguments.gateway, document["target"]["gateway_url"]),
        "--nonce": (arguments.nonce, document.get("nonce", "no nonce")),
    }
    found = [
        f"{option} {wanted}: the sign-off is of {is_of}"
        for option, (wanted, is_of) in expected.items()
        if wanted is not None and wanted != is_of
    ]
    commit = str(document["run"]["suite"]["commit"])
    if arguments.commit is not None and not commit.startswith(arguments.commit):
        found.append(f"--commit {arguments.commit}: the suite that judged was of {commit}")
    age = (utc_now() - datetime.fromisoformat(document["signed"])).total_seconds() / 86400
    if arguments.max_age is not None and age > arguments.max_age:
        found.append(f"--max-age {arguments.max_age:g}: it was signed {age:.1f} days ago")
    return found


def _of_authority(
    seen: Verified, arguments: argparse.Namespace, authorities: Sequence[Certificate]
) -> list[str]:
    """What speaks against the time-stamp, by certificates from elsewhere."""
    if seen.stamped is None:
        return [f"--timestamp-ca {arguments.timestamp_ca}: the sign-off has no time-stamp that can be read"]
    why = unknown_authority(arguments.directory, authorities)
    return (
        [f"--timestamp-ca {arguments.timestamp_ca}: none of these made its time-stamp: {why}"] if why else []
    )


def _verified_at(arguments: argparse.Namespace) -> datetime:
    """When keys must be valid beside the time of signing, which is only what the approver's clock said."""
    if arguments.verify_time is None:
        known: datetime = getattr(arguments, "known_time", None) or utc_now()
        return known
    try:
        return moment_of(arguments.verify_time)
    except ValueError as error:
        raise UsageProblem([f"--verify-time {error}; correct it"]) from None


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
    if seen.stamped is not None:
        by = (
            f", as {arguments.timestamp_ca} knows"
            if arguments.timestamp_ca
            else ", by whom nothing here tells"
        )
        print(f"time-stamped at {seen.stamped:%Y-%m-%d %H:%M:%S} UTC{by}")
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
