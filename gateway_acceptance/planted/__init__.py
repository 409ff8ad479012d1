"""Planted defects: checks of the run itself, sent at something that is known to be bad (docs/evidence.md).

``suites/planted.toml`` declares an environment that is bad in every way, and what checks must say of it. A
run that could accept a release draws some of them: each must fail, for the stated reason.
"""

from __future__ import annotations

import random
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway_acceptance.environment import Environment
from gateway_acceptance.usage import UsageProblem

FILE = "planted.toml"
NAME = "planted"
"""Of the environment."""
DRAWN = 16
"""Checks of one process; some of each suite."""


@dataclass(frozen=True, slots=True)
class PlantedDefects:
    """tables: of the environment, ``{url}`` stands for where the stand-in listens; facts: a file with a look
    at the machine; defects: check id -> what its message must hold."""

    tables: Mapping[str, Any]
    facts: Path
    defects: Mapping[str, str]

    def environment(self, url: str) -> Environment:
        """What is judged. url: of the stand-in."""
        tables = _filled(self.tables, url)
        return Environment.model_validate({**tables, "source": self.facts.with_name(FILE)}, strict=False)


def load_planted(suites: Path) -> PlantedDefects | None:
    """The catalogue of a folder of suites; None where it has none. Raises UsageProblem."""
    path = suites / FILE
    if not path.is_file():
        return None
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        defects = {str(name): str(said) for name, said in document["defects"].items()}
        catalogue = PlantedDefects(document["environment"], path.with_name(document["facts"]), defects)
        catalogue.environment("http://127.0.0.1:9")
    except (
        OSError,
        UnicodeDecodeError,
        tomllib.TOMLDecodeError,
        KeyError,
        AttributeError,
        ValueError,
    ) as error:
        raise UsageProblem([f"{path}: cannot be used ({error}); correct the file"]) from None
    empty = [name for name, said in defects.items() if not said.strip()]
    if empty or not defects:
        raise UsageProblem([f"{path}: {', '.join(empty) or 'no check'} says nothing; state what it must say"])
    return catalogue


def drawn(seed: str, suite_of: Mapping[str, str], count: int = DRAWN) -> list[str]:
    """Ids of checks, drawn by the seed: the same share of every suite, as far as it has so many.

    suite_of: the checks that can be drawn -> their suite (``api``, ``host`` …).
    """
    chance = random.Random(seed)  # noqa: S311  (no secret: it stands in the record)
    piles: dict[str, list[str]] = {}
    for name in sorted(suite_of):
        piles.setdefault(suite_of[name], []).append(name)
    for pile in piles.values():
        chance.shuffle(pile)
    found: list[str] = []
    while len(found) < count and any(piles.values()):
        for suite in sorted(piles):
            if piles[suite] and len(found) < count:
                found.append(piles[suite].pop())
    return sorted(found)


def _filled(value: Any, url: str) -> Any:
    if isinstance(value, str):
        return value.replace("{url}", url)
    if isinstance(value, Mapping):
        return {name: _filled(one, url) for name, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, url) for one in value]
    return value
