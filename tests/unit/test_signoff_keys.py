"""Keys and signatures: what ssh-keygen writes is read, and what is off by anything is refused.

``sshsig_vectors.json``: public keys and signatures that ssh-keygen (OpenSSH 9.2) made of ``CONTENT``; the
private keys are gone.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa

from gateway_acceptance.signoff.allowed import line_of, principal_of, read_allowed, why_not
from gateway_acceptance.signoff.dsse import BadEnvelope, enveloped, opened, pae
from gateway_acceptance.signoff.keys import (
    BadKey,
    PrivateKey,
    blob_of,
    fingerprint,
    key_of_line,
    load_private,
    public_line,
)
from gateway_acceptance.signoff.layout import NAMESPACE
from gateway_acceptance.signoff.sshsig import BadSignature, sign_file, signer_of
from gateway_acceptance.usage import UsageProblem

VECTORS: dict[str, dict[str, str]] = json.loads(
    (Path(__file__).parent / "sshsig_vectors.json").read_text(encoding="utf-8")
)
OPENSSH: list[tuple[str, bool]] = json.loads(
    (Path(__file__).parent / "allowed_signers.json").read_text(encoding="utf-8")
)["rows"]
"""Lines, and whether ssh-keygen let the signature pass by them."""
CONTENT = b"what was signed\n"
STRONG = [name for name in VECTORS if name != "rsa-1024"]
KINDS: dict[str, Callable[[], PrivateKey]] = {
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "ecdsa-256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ecdsa-384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "ecdsa-521": lambda: ec.generate_private_key(ec.SECP521R1()),
    "rsa": lambda: rsa.generate_private_key(65537, 2048),
}
NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.mark.parametrize("name", STRONG)
def test_what_ssh_keygen_signed(name: str) -> None:
    vector = VECTORS[name]
    key = signer_of(vector["signature"], CONTENT, NAMESPACE)
    assert public_line(key) == " ".join(vector["public"].split()[:2])
    assert fingerprint(key) == vector["fingerprint"]
    with pytest.raises(BadSignature, match="it is not of this content"):
        signer_of(vector["signature"], CONTENT + b" ", NAMESPACE)


def test_a_weak_key_is_refused() -> None:
    with pytest.raises(BadSignature, match="an RSA key of 1024 bits is too weak"):
        signer_of(VECTORS["rsa-1024"]["signature"], CONTENT, NAMESPACE)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_signed_here(kind: str) -> None:
    key = KINDS[kind]()
    text = sign_file(key, CONTENT, NAMESPACE)
    assert blob_of(signer_of(text, CONTENT, NAMESPACE)) == blob_of(key.public_key())
    assert opened(enveloped(key, b'{"a": 1}'), key.public_key()) == {"a": 1}


@pytest.mark.parametrize("name", STRONG)
def test_no_bit_of_a_signature_can_change(name: str) -> None:
    """Each byte of the signature's binary form, one after another."""
    lines = VECTORS[name]["signature"].splitlines()
    whole = base64.b64decode("".join(lines[1:-1]))
    step = max(1, len(whole) // 60)
    for position in range(0, len(whole), step):
        changed = bytearray(whole)
        changed[position] ^= 4
        text = base64.b64encode(bytes(changed)).decode()
        body = [text[start : start + 70] for start in range(0, len(text), 70)]
        with pytest.raises(BadSignature):
            signer_of("\n".join([lines[0], *body, lines[-1]]) + "\n", CONTENT, NAMESPACE)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda _: "", "it is no SSH signature"),
        (lambda text: text.replace("SSH SIGNATURE", "PGP SIGNATURE"), "it is no SSH signature"),
        (lambda text: text[:100], "it is no SSH signature"),
        (lambda text: text.replace("\n", "\n\n", 1), "its text is not as a signature is written"),
        (lambda text: text.replace("U1NIU0lH", "AAAAAAAA"), "it is no SSH signature of version 1"),
    ],
)
def test_what_is_no_signature(change: Callable[[str], str], words: str) -> None:
    with pytest.raises(BadSignature, match=words):
        signer_of(change(VECTORS["ed25519"]["signature"]), CONTENT, NAMESPACE)


def test_a_signature_for_something_else() -> None:
    text = sign_file(ed25519.Ed25519PrivateKey.generate(), CONTENT, "git")
    with pytest.raises(BadSignature, match="it is of the namespace 'git'"):
        signer_of(text, CONTENT, NAMESPACE)


def test_the_encoding_that_is_signed() -> None:
    """The example of the DSSE protocol."""
    assert pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_an_envelope_with_two_signatures() -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    document = json.loads(enveloped(key, b"{}"))
    document["signatures"] *= 2
    with pytest.raises(BadEnvelope, match="it is no DSSE envelope with one signature"):
        opened(json.dumps(document).encode(), key.public_key())


def written(path: Path, key: Any, form: serialization.PrivateFormat, password: bytes | None = None) -> Path:
    hidden = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, hidden))
    return path


@pytest.mark.parametrize("form", [serialization.PrivateFormat.OpenSSH, serialization.PrivateFormat.PKCS8])
@pytest.mark.parametrize("password", [None, b"open sesame"])
@pytest.mark.parametrize("kind", KINDS)
def test_keys_of_all_kinds_and_forms(
    tmp_path: Path, kind: str, password: bytes | None, form: serialization.PrivateFormat
) -> None:
    key = KINDS[kind]()
    path = written(tmp_path / "key", key, form, password)
    asked = []

    def passphrase() -> str:
        asked.append(1)
        return "open sesame"

    assert blob_of(load_private(path, passphrase).public_key()) == blob_of(key.public_key())
    assert len(asked) == (1 if password else 0)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is no private key that can be read; give one of Ed25519, ECDSA, or RSA of 2048 bits or more"),
        (b"ssh-ed25519 AAAA ada", r"this is a public key; give the private one \(without .pub\)"),
        (
            b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n",
            "is no private key",
        ),
    ],
)
def test_what_is_no_key(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "key").write_bytes(content)
    with pytest.raises(UsageProblem, match=words):
        load_private(tmp_path / "key", lambda: None)


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (rsa.generate_private_key(65537, 1024), "an RSA key of 1024 bits is too weak"),  # noqa: S505
        (ec.generate_private_key(ec.SECP256K1()), "the curve secp256k1 is none of SSH's"),
        (dsa.generate_private_key(2048), "a key of this kind cannot sign here"),
    ],
)
def test_keys_that_are_not_accepted(tmp_path: Path, key: Any, words: str) -> None:
    path = written(tmp_path / "key", key, serialization.PrivateFormat.PKCS8)
    with pytest.raises(UsageProblem, match=words):
        load_private(path, lambda: None)


@pytest.mark.parametrize("text", ["", "ssh-ed25519", "ssh-ed25519 !!!", "ssh-ed25519 AAAA", "hello world"])
def test_what_is_no_public_key(text: str) -> None:
    with pytest.raises(BadKey):
        key_of_line(text)


@pytest.mark.parametrize(
    ("name", "principal"),
    [
        ("Ada Łovelace <ada@example.org>", "ada@example.org"),
        ("Ada Łovelace", "Ada-Łovelace"),
        ('a, "b" *?! #c', "a-b-c"),
        ("!!!", "approver"),
    ],
)
def test_how_an_approver_is_named_to_ssh(name: str, principal: str) -> None:
    assert principal_of(name) == principal


KEY = key_of_line(VECTORS["ed25519"]["public"])
OTHER = public_line(key_of_line(VECTORS["ecdsa-256"]["public"]))
LINE = public_line(KEY)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (line_of("ada@example.org", NAMESPACE, KEY), None),
        (f"ada@example.org {LINE}", None),
        (f"# a comment\n\n*@example.org,bob {LINE} with a comment", None),
        (f'"ada@example.org" namespaces="git,gateway-*" {LINE}', None),
        (f'ada@example.org valid-after="20260101Z",valid-before="20270101Z" {LINE}', None),
        (f"ada@example.org {OTHER}", "it does not hold the key that signed"),
        ("", "it does not hold the key that signed"),
        (f"bob@example.org {LINE}", "the key that signed is not ada@example.org's there"),
        (f'ada@example.org namespaces="git" {LINE}', f"may not be used for {NAMESPACE} there"),
        (f'ada@example.org valid-before="20260101Z" {LINE}', "was not valid there at the time of signing"),
        (f'ada@example.org valid-after="20260601000001Z" {LINE}', "was not valid there"),
    ],
)
def test_allowed_signers(text: str, why: str | None) -> None:
    lines, problems = read_allowed(text)
    assert problems == []
    said = why_not(lines, "ada@example.org", NAMESPACE, KEY, {"at the time of signing": NOW})
    assert said is None if why is None else why in str(said)


@pytest.mark.parametrize(
    "text",
    [
        f"ada cert-authority {LINE}",
        "ada ssh-ed25519 AAAA",
        "ada",
        f'ada valid-after="soon" {LINE}',
        f'ada namespaces="open {LINE}',
    ],
)
def test_lines_that_cannot_be_used_are_told(text: str) -> None:
    lines, problems = read_allowed(f"bob {LINE}\n{text}")
    assert len(lines) == 1
    assert len(problems) == 1
    assert problems[0].startswith("line 2 cannot be used: ")


@pytest.mark.parametrize(("line", "allowed"), OPENSSH, ids=[str(number) for number in range(len(OPENSSH))])
def test_lines_are_read_as_ssh_keygen_reads_them(line: str, allowed: bool) -> None:
    lines, _ = read_allowed(line.replace("KEY", LINE).replace("OTHER", OTHER) + "\n")
    moments = {"at the time of signing": NOW}
    assert (why_not(lines, "ada@example.org", NAMESPACE, KEY, moments) is None) is allowed


def test_a_retired_key_that_signs_with_an_old_date() -> None:
    """The time of signing is what the signer says; the key must be valid when somebody looks, too."""
    lines, _ = read_allowed(f'ada@example.org valid-before="20260101Z" {LINE}')
    backdated = {"at the time of signing": datetime(2025, 12, 1, tzinfo=UTC)}
    assert why_not(lines, "ada@example.org", NAMESPACE, KEY, backdated) is None
    why = why_not(lines, "ada@example.org", NAMESPACE, KEY, {**backdated, "at the time of verifying": NOW})
    assert why == "the key that signed was not valid there at the time of verifying (2026-06-01 00:00:00 UTC)"


def test_two_lines_do_not_make_up_one() -> None:
    text = f'ada@example.org valid-before="20260101Z" {LINE}\nada@example.org valid-after="20260201Z" {LINE}'
    moments = {"at the time of signing": datetime(2025, 12, 1, tzinfo=UTC), "at that of verifying": NOW}
    why = why_not(read_allowed(text)[0], "ada@example.org", NAMESPACE, KEY, moments)
    assert why == "no single line allows it at the time of signing and at that of verifying"
