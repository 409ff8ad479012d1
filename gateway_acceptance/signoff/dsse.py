"""DSSE envelopes: a signature over a payload and its type (secure-systems-lab/dsse, protocol 1.0)."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from gateway_acceptance.signoff.keys import PrivateKey, PublicKey, fingerprint, is_signed, sign

PAYLOAD_TYPE = "application/vnd.in-toto+json"


class BadEnvelope(ValueError):  # noqa: N818
    """What is wrong with an envelope, in a few words."""


def pae(payload_type: str, payload: bytes) -> bytes:
    """What is signed: the pre-authentication encoding of type and payload."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def enveloped(key: PrivateKey, payload: bytes) -> bytes:
    """The envelope's file, signed with the key."""
    signature = sign(key, pae(PAYLOAD_TYPE, payload))
    return _written(payload, fingerprint(key.public_key()), signature)


def opened(content: bytes, key: PublicKey) -> dict[str, Any]:
    """The statement inside an envelope that the key's owner signed. Raises BadEnvelope."""
    try:
        document = json.loads(content)
        kind, signatures = document["payloadType"], document["signatures"]
        payload = base64.b64decode(document["payload"], validate=True)
        (entry,) = signatures
        named, signature = entry["keyid"], base64.b64decode(entry["sig"], validate=True)
    except (ValueError, KeyError, TypeError, RecursionError, binascii.Error):
        raise BadEnvelope("it is no DSSE envelope with one signature") from None
    if kind != PAYLOAD_TYPE:
        raise BadEnvelope(f"its payload is {kind!r}, not {PAYLOAD_TYPE}")
    if named != fingerprint(key):
        raise BadEnvelope(f"it names the key {named}; signoff.json was signed with {fingerprint(key)}")
    if not is_signed(key, signature, pae(kind, payload)):
        raise BadEnvelope("its signature is not of this payload")
    if content != _written(payload, named, signature):
        raise BadEnvelope("its text is not as an envelope is written")
    try:
        statement = json.loads(payload)
    except (ValueError, RecursionError):
        raise BadEnvelope("its payload is no JSON") from None
    if not isinstance(statement, dict):
        raise BadEnvelope("its payload is no statement")
    return statement


def _written(payload: bytes, key_id: str, signature: bytes) -> bytes:
    document = {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [{"keyid": key_id, "sig": base64.b64encode(signature).decode()}],
    }
    return (json.dumps(document, indent=1) + "\n").encode()
