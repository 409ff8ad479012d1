"""Files of signers and keys, as options name them."""

from __future__ import annotations

from pathlib import Path

from cryptography.x509 import Certificate, load_pem_x509_certificates

from gateway_acceptance.documents import Unreadable, content_of
from gateway_acceptance.signoff.allowed import Allowed, read_allowed
from gateway_acceptance.signoff.keys import BadKey, PublicKey, key_of_line
from gateway_acceptance.usage import UsageProblem

ANCHOR_AT_MOST = 1 << 20
"""Bytes of a file of signers or of a key."""


def allowed_in(path: Path, option: str = "--allowed-signers") -> list[Allowed]:
    """The lines of a file of allowed signers. Raises UsageProblem for what ssh-keygen would not take."""
    lines, problems = read_allowed(_text(option, path))
    if problems:
        raise UsageProblem([f"{option} {path}: {problem}; correct or remove it" for problem in problems])
    return lines


def public_key_in(path: Path) -> PublicKey:
    """The key of ``--public-key``. Raises UsageProblem."""
    try:
        return key_of_line(_text("--public-key", path))
    except BadKey as error:
        raise UsageProblem(
            [f"--public-key {path}: {error}; give a file as ssh-keygen writes it (.pub)"]
        ) from None


def certificates_in(path: Path) -> list[Certificate]:
    """Those of ``--timestamp-ca``. Raises UsageProblem."""
    try:
        return load_pem_x509_certificates(_text("--timestamp-ca", path).encode())
    except ValueError as error:
        raise UsageProblem(
            [f"--timestamp-ca {path}: holds no certificates in PEM ({error}); give those of the authority"]
        ) from None


def _text(option: str, path: Path) -> str:
    try:
        return content_of(path.resolve(), ANCHOR_AT_MOST).decode("utf-8")
    except (Unreadable, UnicodeDecodeError) as error:
        reason = error if isinstance(error, Unreadable) else "it is not UTF-8 text"
        raise UsageProblem([f"{option} {path}: cannot be read ({reason}); check the path"]) from None
