"""Keys that are nearly the right one: none of them holds all of it."""

from __future__ import annotations

import hashlib
import secrets
import string

SHARED = (4, 8, 12, 16, 20)
"""Characters of the beginning or the end that products show, log or index keys by."""


def nearly(key: str) -> dict[str, str]:
    """What it is -> a key that is not the right one. A gateway that compares only a part, only the length, or
    without regard to case, takes one of them for it."""
    rest = len(key) - 1
    found = {
        "all but its last character": key[:-1],
        "all but its first character": key[1:],
        "another last character": key[:-1] + other(key[-1]),
        "another first character": other(key[0]) + key[1:],
        "another character in its middle": key[: rest // 2] + other(key[rest // 2]) + key[rest // 2 + 1 :],
        "capitals": key.upper(),
        "small letters": key.lower(),
        "capitals for small letters": key.swapcase(),
        "its characters backwards": key[::-1],
        "its length and kind of characters": "".join(other(one) for one in key),
        "what follows its prefix": key.partition("-")[2],
        "its prefix alone": key.partition("-")[0] + "-",
        "its first half twice": (key[: len(key) // 2] * 3)[: len(key)],
        "its SHA-256": hashlib.sha256(key.encode()).hexdigest(),
        "its MD5": hashlib.md5(key.encode(), usedforsecurity=False).hexdigest(),
        "its SHA-1": hashlib.sha1(key.encode(), usedforsecurity=False).hexdigest(),
        "its last four characters, as consoles show it": f"sk-...{key[-4:]}",
        "its first and last four characters, as consoles show it": f"{key[:4]}****{key[-4:]}",
    }
    for count in (shared for shared in SHARED if shared < rest):
        made = "".join(other(one) for one in key)
        found[f"its first {count} characters"] = key[:count]
        found[f"its first {count} characters and others"] = key[:count] + made[count:]
        found[f"its last {count} characters after others"] = made[:-count] + key[-count:]
    return {what: value for what, value in found.items() if value not in ("", "-", key)}


def other(character: str) -> str:
    """Another character of the same kind; itself where it is neither letter nor digit."""
    for kind in (string.digits, string.ascii_lowercase, string.ascii_uppercase):
        if character in kind:
            return secrets.choice(kind.replace(character, ""))
    return character
