"""What a worker collected, told to the controller through the run's private folder (xdist tells only ids)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import pytest

from gateway_acceptance.check import Check, Effect, Level
from gateway_acceptance.plugin.parametrise import check_of, environment_of, parameters_of
from gateway_acceptance.record import Selected


def write_collected(
    folder: Path, worker: str, items: Sequence[pytest.Item], catalogue: Mapping[str, Check]
) -> None:
    """worker: xdist's id, or empty for the only process."""
    selected = [_selected(item) for item in items]
    document = {
        "selected": [asdict(case) for case in selected],
        "catalogue": [asdict(check) for check in catalogue.values()],
    }
    _file(folder, worker).write_text(json.dumps(document), encoding="utf-8")


def read_collected(folder: Path, worker: str) -> tuple[list[Selected], list[Check]]:
    """What ``write_collected`` wrote."""
    document = json.loads(_file(folder, worker).read_text(encoding="utf-8"))
    return [Selected(**case) for case in document["selected"]], [
        Check(
            **{
                **check,
                "level": Level(check["level"]),
                "effect": Effect(check["effect"]),
                "claims": tuple(check["claims"]),
                "profiles": tuple(check["profiles"]),
            }
        )
        for check in document["catalogue"]
    ]


def _selected(item: pytest.Item) -> Selected:
    check = check_of(item)
    assert check is not None
    return Selected(item.nodeid, check.id, environment_of(item), parameters_of(item))


def _file(folder: Path, worker: str) -> Path:
    return folder / f"collected-{worker}.json"
