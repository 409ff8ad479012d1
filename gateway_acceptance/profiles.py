"""The frozen lists of checks that each profile must have executed: a run that shrank cannot be green."""

from __future__ import annotations

import tomllib
from pathlib import Path

from gateway_acceptance.check import PROFILES
from gateway_acceptance.usage import UsageProblem


def load_profiles(path: Path) -> dict[str, tuple[str, ...]]:
    """``profiles.toml``: check ids by profile; a wider profile includes the narrower ones' ids.

    Raises UsageProblem with one sentence per mistake.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageProblem([f"{path}: cannot be read: {error}; restore it"]) from None
    known = ", ".join(PROFILES)
    sentences = [
        f"{path}: unknown profile {name!r}; known are: {known}" for name in document if name not in PROFILES
    ]
    lists: dict[str, tuple[str, ...]] = {}
    wider: list[str] = []
    for name in PROFILES:
        own = document.get(name)
        if not isinstance(own, list) or not all(isinstance(item, str) for item in own):
            sentences.append(f"{path}: {name} must be a list of check ids; add it (it may be empty)")
            continue
        wider = [*wider, *own]
        repeated = sorted({item for item in wider if wider.count(item) > 1})
        sentences += [
            f"{path}: {item} is listed twice; keep it in its narrowest profile" for item in repeated
        ]
        lists[name] = tuple(wider)
    if sentences:
        raise UsageProblem(sentences)
    return lists
