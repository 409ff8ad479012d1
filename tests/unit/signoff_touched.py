"""A sign-off that tests touch (``signoff_touches.py``)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway_acceptance.signoff.files import json_bytes
from gateway_acceptance.signoff.verify import verify
from tests.unit.signing import SIGNED


@dataclass(frozen=True)
class Touched:
    """A sign-off to be touched. key: the approver's; other: another of the same approver; stranger: a key."""

    path: Path
    key: Ed25519PrivateKey
    other: Path
    stranger: Ed25519PrivateKey

    def findings(self) -> str:
        return "\n".join(verify(self.path, SIGNED).findings)

    def flip(self, name: str) -> None:
        """Another bit in the middle of a file."""
        content = bytearray((self.path / name).read_bytes())
        content[len(content) // 2] ^= 1
        (self.path / name).write_bytes(bytes(content))

    def json(self, name: str) -> Any:
        return json.loads((self.path / name).read_text(encoding="utf-8"))

    def write(self, name: str, document: object) -> None:
        (self.path / name).write_bytes(json_bytes(document))
