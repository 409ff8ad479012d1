"""What a worker collected, told to the controller through the run's private folder (xdist tells only ids)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from gateway_acceptance.check import Check, Effect, Level
from gateway_acceptance.plugin.parametrise import check_of, environment_of, parameters_of
from gateway_acceptance.record import Selected
from gateway_acceptance.usage import UsageProblem


def write_collected(
    folder: Path,
    worker: str,
    items: Sequence[pytest.Item],
    catalogue: Mapping[str, Check],
    left_out: int,
    mistakes: Sequence[str],
) -> None:
    """worker: xdist's id, or empty for the only process; left_out: cases of the profile that something
    deselected; mistakes: of checks' declarations, one sentence each."""
    selected = [_selected(item) for item in items]
    document = {
        "selected": [asdict(case) for case in selected],
        "catalogue": [asdict(check) for check in catalogue.values()],
        "left_out": left_out,
        "mistakes": list(mistakes),
    }
    _file(folder, worker).write_text(json.dumps(document), encoding="utf-8")


def read_collected(folder: Path, worker: str) -> tuple[list[Selected], list[Check], int]:
    """What ``write_collected`` wrote. Raises UsageProblem for the mistakes that it found."""
    document = json.loads(_file(folder, worker).read_text(encoding="utf-8"))
    if document["mistakes"]:
        raise UsageProblem(document["mistakes"])
    catalogue = [check_from(check) for check in document["catalogue"]]
    return [Selected(**case) for case in document["selected"]], catalogue, document["left_out"]


def check_from(document: Mapping[str, Any]) -> Check:
    """A check's declaration as JSON carries it."""
    return Check(
        **{
            **document,
            "level": Level(document["level"]),
            "effect": Effect(document["effect"]),
            "claims": tuple(document["claims"]),
            "profiles": tuple(document["profiles"]),
        }
    )


def _selected(item: pytest.Item) -> Selected:
    check = check_of(item)
    assert check is not None
    return Selected(item.nodeid, check.id, environment_of(item), parameters_of(item))


def _file(folder: Path, worker: str) -> Path:
    return folder / f"collected-{worker}.json"
