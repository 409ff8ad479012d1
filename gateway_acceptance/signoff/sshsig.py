"""SSH signatures of files, as ``ssh-keygen -Y sign`` makes them (OpenSSH, PROTOCOL.sshsig).

Written and read here, so that verifying needs no program. What is read must be what would be written: one
byte changed in the armour is as wrong as one in the signature.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import struct

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from gateway_acceptance.signoff.keys import (
    CURVE_HASHES,
    BadKey,
    PrivateKey,
    PublicKey,
    blob_of,
    key_of_blob,
    kind_of,
)

MAGIC = b"SSHSIG"
VERSION = 1
HASH = b"sha512"
BEGIN, END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
WIDTH = 70
"""Of a line of the armour, as ssh-keygen writes it."""
RSA_NAME = b"rsa-sha2-512"


class BadSignature(ValueError):  # noqa: N818
    """What is wrong with a signature, in a few words."""


def sign_file(key: PrivateKey, content: bytes, namespace: str) -> str:
    """The armoured signature of a file's content."""
    public = key.public_key()
    data = _to_be_signed(content, namespace)
    if isinstance(key, ed25519.Ed25519PrivateKey):
        name, signature = kind_of(public).encode(), key.sign(data)
    elif isinstance(key, ec.EllipticCurvePrivateKey):
        der = key.sign(data, ec.ECDSA(CURVE_HASHES[key.curve.name]))
        name, signature = kind_of(public).encode(), b"".join(map(_number, decode_dss_signature(der)))
    else:
        name, signature = RSA_NAME, key.sign(data, padding.PKCS1v15(), hashes.SHA512())
    return _armoured(blob_of(public), namespace.encode(), _string(name) + _string(signature))


def signer_of(armoured: str, content: bytes, namespace: str) -> PublicKey:
    """The key that signed a file's content in a namespace. Raises BadSignature."""
    blob, claimed, reserved, hashed, signature = _parts(armoured)
    if claimed != namespace.encode():
        raise BadSignature(f"it is of the namespace {claimed.decode('utf-8', 'replace')!r}")
    if hashed != HASH or reserved:
        raise BadSignature("it is not over SHA-512 alone")
    if armoured != _armoured(blob, claimed, signature):
        raise BadSignature("its text is not as a signature is written")
    try:
        key = key_of_blob(_strings(blob, 1, rest=True)[0], blob)
    except BadKey as error:
        raise BadSignature(f"its key cannot be used: {error}") from None
    name, value = _strings(signature, 2)
    if not _holds(key, name, value, _to_be_signed(content, namespace)):
        raise BadSignature("it is not of this content")
    return key


def _holds(key: PublicKey, name: bytes, value: bytes, data: bytes) -> bool:
    try:
        if isinstance(key, ed25519.Ed25519PublicKey):
            expected = kind_of(key).encode()
            key.verify(value, data)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            expected = kind_of(key).encode()
            r, s = (int.from_bytes(part, "big") for part in _strings(value, 2))
            key.verify(encode_dss_signature(r, s), data, ec.ECDSA(CURVE_HASHES[key.curve.name]))
        else:
            expected = RSA_NAME
            key.verify(value, data, padding.PKCS1v15(), hashes.SHA512())
    except InvalidSignature:
        return False
    return name == expected


def _to_be_signed(content: bytes, namespace: str) -> bytes:
    digest = hashlib.sha512(content).digest()
    return MAGIC + _string(namespace.encode()) + _string(b"") + _string(HASH) + _string(digest)


def _armoured(blob: bytes, namespace: bytes, signature: bytes) -> str:
    packed = MAGIC + struct.pack(">I", VERSION)
    packed += b"".join(map(_string, (blob, namespace, b"", HASH, signature)))
    text = base64.b64encode(packed).decode()
    lines = [text[start : start + WIDTH] for start in range(0, len(text), WIDTH)]
    return "\n".join([BEGIN, *lines, END]) + "\n"


def _parts(armoured: str) -> list[bytes]:
    lines = armoured.split()
    text = armoured.strip()
    if not (text.startswith(BEGIN) and text.endswith(END)):
        raise BadSignature("it is no SSH signature")
    try:
        decoded = base64.b64decode("".join(lines[3:-3]), validate=True)
    except (ValueError, binascii.Error):
        raise BadSignature("it is no SSH signature") from None
    if decoded[: len(MAGIC)] != MAGIC or decoded[len(MAGIC) : len(MAGIC) + 4] != struct.pack(">I", VERSION):
        raise BadSignature("it is no SSH signature of version 1")
    return _strings(decoded[len(MAGIC) + 4 :], 5)


def _strings(data: bytes, count: int, *, rest: bool = False) -> list[bytes]:
    """So many strings of SSH (RFC 4251, section 5); rest: more may follow. Raises BadSignature."""
    found = []
    for _ in range(count):
        if len(data) < 4:
            raise BadSignature("it is cut off")
        (length,) = struct.unpack(">I", data[:4])
        if len(data) < 4 + length:
            raise BadSignature("it is cut off")
        found.append(data[4 : 4 + length])
        data = data[4 + length :]
    if data and not rest:
        raise BadSignature("it goes on where it should end")
    return found


def _string(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def _number(value: int) -> bytes:
    """An mpint: as few bytes as hold it and its sign."""
    return _string(value.to_bytes(value.bit_length() // 8 + 1, "big"))
