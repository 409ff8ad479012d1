"""The frozen lists of checks that each profile must have executed: a run that shrank cannot be green."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from gateway_acceptance.check import PROFILES, Check
from gateway_acceptance.usage import UsageProblem


def load_profiles(path: Path) -> dict[str, tuple[str, ...]]:
    """``profiles.toml``: check ids by profile; a wider profile includes the narrower ones' ids.

    Raises UsageProblem with one sentence per mistake.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"))
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


HEAD = """\
# The checks that each profile must have executed. A wider profile includes the narrower ones.
# A run that shrank is red until this list is changed on purpose.
"""


def frozen_text(checks: Iterable[Check]) -> str:
    """``profiles.toml`` for the checks that are there, each in its narrowest profile."""
    lists: dict[str, list[str]] = {name: [] for name in PROFILES}
    for check in checks:
        lists[check.profiles[0]].append(check.id)
    text = HEAD
    for name, ids in lists.items():
        lines = "".join(f'    "{check_id}",\n' for check_id in sorted(ids))
        text += f"{name} = [\n{lines}]\n" if ids else f"{name} = []\n"
    return text


def differences(lists: Mapping[str, Sequence[str]], checks: Sequence[Check]) -> list[str]:
    """Where the frozen lists and the checks that are there differ, a sentence each. lists: as of
    ``load_profiles``."""
    found = []
    listed = {check_id: name for name in reversed(PROFILES) for check_id in lists[name]}
    there = {check.id: check.profiles[0] for check in checks}
    for check_id in sorted({*listed, *there}):
        if check_id not in there:
            found.append(f"{check_id} is in the list of {listed[check_id]}, and there is no such check")
        elif check_id not in listed:
            found.append(f"{check_id} is a check of {there[check_id]}, and in no list")
        elif listed[check_id] != there[check_id]:
            found.append(f"{check_id} is a check of {there[check_id]}, and in the list of {listed[check_id]}")
    return found
