"""How a key shows in a text."""

from __future__ import annotations

import hashlib


def printed_forms(key: str) -> dict[str, str]:
    """How a key shows in a text: what it is called -> the text to look for."""
    return {"the key": key, "the key's SHA-256": hashlib.sha256(key.encode()).hexdigest()}
