"""The count of a run outlives its private folder, whoever still sends while that goes."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import pytest

from gateway_acceptance.check import Effect
from gateway_acceptance.environment.model import Policy
from gateway_acceptance.plugin.outliving import SENT, Guard, count_in
from gateway_acceptance.policy import Budget, budget_file
from gateway_acceptance.verdict import NotPermitted

MANY = 100_000
POLICY = Policy(effects=(Effect.READ,), requests=MANY, tokens=1, seconds=600)


def test_a_worker_that_still_sends_is_counted_or_refused(tmp_path: Path) -> None:
    folder, directory = tmp_path / "private", tmp_path / "run"
    folder.mkdir()
    directory.mkdir()
    for number in range(200):  # so that to remove it takes a while
        (folder / f"answer-{number}").touch()
    count_in(directory, folder, "mini")
    guard = Guard(folder)
    counted = 0
    begun = threading.Event()

    def sends() -> None:
        nonlocal counted
        budget = Budget(budget_file(folder, "mini"), POLICY, time.time())
        try:
            for _ in range(MANY):
                budget.reserve()
                counted += 1
                begun.set()
        except NotPermitted:
            return

    worker = threading.Thread(target=sends)
    worker.start()
    assert begun.wait(60)
    guard.release()
    worker.join()
    assert json.loads((directory / SENT).read_text(encoding="utf-8"))["requests"] == counted
    assert sorted(one.name for one in tmp_path.iterdir()) == ["run"]


def test_where_the_folder_is_gone_nothing_is_sent(tmp_path: Path) -> None:
    budget = Budget(tmp_path / "gone" / "count", POLICY, time.time())
    with pytest.raises(NotPermitted, match="the run is over"):
        budget.reserve()
    assert list(tmp_path.iterdir()) == []
