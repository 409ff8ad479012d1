"""The approver's key: an SSH key of Ed25519, ECDSA or RSA, as people have them."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from gateway_acceptance.usage import UsageProblem

PrivateKey = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
PublicKey = ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey | rsa.RSAPublicKey

RSA_BITS = 2048
"""The least that is accepted."""
KINDS = "Ed25519, ECDSA, or RSA of 2048 bits or more"
CURVE_HASHES: Mapping[str, hashes.HashAlgorithm] = {
    "secp256r1": hashes.SHA256(),
    "secp384r1": hashes.SHA384(),
    "secp521r1": hashes.SHA512(),
}
"""RFC 5656: the hash that goes with a curve."""
PSS = padding.PSS(padding.MGF1(hashes.SHA256()), hashes.SHA256.digest_size)


ASK = "set the variable that --passphrase-variable names"


class BadKey(ValueError):  # noqa: N818
    """What is wrong with a key, in a few words."""


def load_private(path: Path, passphrase: Callable[[], str | None], option: str = "--key") -> PrivateKey:
    """Read a private key file (OpenSSH's format or PEM).

    option: that named the file; passphrase: asked only where the key is encrypted; None where there is none
    to be had.
    Raises UsageProblem with one sentence.
    """
    place = f"{option} {path}"
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageProblem([f"{place}: cannot be read ({error.strerror}); check the path"]) from None
    if content.startswith((b"ssh-", b"ecdsa-", b"sk-")):
        raise UsageProblem([f"{place}: this is a public key; give the private one (without .pub)"])
    try:
        key = _loaded(content, None)
    except TypeError:  # what the library raises for a key that is encrypted
        given = passphrase()
        if given is None:
            raise UsageProblem(
                [f"{place}: the key is encrypted; {ASK if option == '--key' else 'give one without'}"]
            ) from None
        try:
            key = _loaded(content, given.encode())
        except (ValueError, TypeError):
            raise UsageProblem([f"{place}: the passphrase does not open the key; correct it"]) from None
    except (ValueError, UnsupportedAlgorithm):
        raise UsageProblem([f"{place}: is no private key that can be read; give one of {KINDS}"]) from None
    if not isinstance(key, PrivateKey):
        raise UsageProblem([f"{place}: a key of this kind cannot sign here; give one of {KINDS}"])
    try:
        accepted(key.public_key())
    except BadKey as error:
        raise UsageProblem([f"{place}: {error}; give one of {KINDS}"]) from None
    return key


def _loaded(content: bytes, password: bytes | None) -> object:
    if b"OPENSSH PRIVATE KEY" in content:
        return serialization.load_ssh_private_key(content, password)
    return serialization.load_pem_private_key(content, password)


def accepted(key: object) -> PublicKey:
    """The key, where signatures of it are worth something. Raises BadKey."""
    if isinstance(key, rsa.RSAPublicKey):
        if key.key_size < RSA_BITS:
            raise BadKey(f"an RSA key of {key.key_size} bits is too weak")
    elif isinstance(key, ec.EllipticCurvePublicKey):
        if key.curve.name not in CURVE_HASHES:
            raise BadKey(f"the curve {key.curve.name} is none of SSH's")
    elif not isinstance(key, ed25519.Ed25519PublicKey):
        raise BadKey("it is neither Ed25519 nor ECDSA nor RSA")
    return key


def public_line(key: PublicKey) -> str:
    """``ssh-ed25519 AAAA…``, without a comment."""
    return key.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()


def blob_of(key: PublicKey) -> bytes:
    """The key as SSH sends it (RFC 4253, section 6.6)."""
    return base64.b64decode(public_line(key).split()[1])


def kind_of(key: PublicKey) -> str:
    """``ssh-ed25519``, ``ecdsa-sha2-nistp256``, ``ssh-rsa`` …"""
    return public_line(key).split()[0]


def key_of_line(text: str) -> PublicKey:
    """The key of a line such as of a ``.pub`` file; a comment is passed over. Raises BadKey."""
    words = text.split()
    if len(words) < 2:
        raise BadKey("it is no line of a public SSH key")
    try:
        blob = base64.b64decode(words[1], validate=True)
        key = serialization.load_ssh_public_key(" ".join(words[:2]).encode())
    except (ValueError, UnsupportedAlgorithm, binascii.Error):
        raise BadKey("it is no line of a public SSH key of a known kind") from None
    if base64.b64encode(blob).decode() != words[1]:
        raise BadKey("its key is not written as ssh-keygen writes it")
    return accepted(key)


def key_of_blob(kind: bytes, blob: bytes) -> PublicKey:
    """The key that SSH sends as these bytes. Raises BadKey."""
    return key_of_line(f"{kind.decode('ascii', 'replace')} {base64.b64encode(blob).decode()}")


def fingerprint(key: PublicKey) -> str:
    """``SHA256:…``, as ssh-keygen -l prints it."""
    digest = hashlib.sha256(blob_of(key)).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def sign(key: PrivateKey, data: bytes) -> bytes:
    """A plain signature: Ed25519; ECDSA in DER with the curve's hash; RSASSA-PSS with SHA-256."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(data)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(data, ec.ECDSA(CURVE_HASHES[key.curve.name]))
    return key.sign(data, PSS, hashes.SHA256())


def is_signed(key: PublicKey, signature: bytes, data: bytes) -> bool:
    """Whether ``sign`` of the key's owner made the signature."""
    try:
        if isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, data)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, data, ec.ECDSA(CURVE_HASHES[key.curve.name]))
        else:
            key.verify(signature, data, PSS, hashes.SHA256())
    except InvalidSignature:
        return False
    return True
