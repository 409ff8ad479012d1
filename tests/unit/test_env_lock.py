"""Who may use an environment: many, or one alone; nobody starves, and nobody waits for ever."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from gateway_acceptance.plugin.env_lock import EnvironmentLock, LockTimeout

SOON_S = 0.1


def turns(folder: Path, wait_s: float = 10.0) -> EnvironmentLock:
    return EnvironmentLock(folder, "mini", wait_s)


def test_many_share(tmp_path: Path) -> None:
    with turns(tmp_path, SOON_S).shared(), turns(tmp_path, SOON_S).shared():
        pass


@pytest.mark.parametrize(("holds", "wants"), [("shared", "alone"), ("alone", "shared"), ("alone", "alone")])
def test_one_alone_excludes_others_and_the_wait_is_bounded(tmp_path: Path, holds: str, wants: str) -> None:
    refusal = pytest.raises(LockTimeout, match=r"held the environment mini for 0.1 s.*-m disrupt")
    with getattr(turns(tmp_path), holds)(), refusal, getattr(turns(tmp_path, SOON_S), wants)():
        pytest.fail("two had it at once")
    with getattr(turns(tmp_path, SOON_S), wants)():
        pass  # and it is free again


def test_environments_do_not_wait_for_each_other(tmp_path: Path) -> None:
    with turns(tmp_path).alone(), EnvironmentLock(tmp_path, "other", SOON_S).alone():
        pass


def test_whoever_comes_later_waits_behind_the_one_who_wants_it_alone(tmp_path: Path) -> None:
    """Else a stream of ordinary cases would never leave the environment to it."""
    order: list[str] = []

    def alone() -> None:
        with turns(tmp_path).alone():
            order.append("alone")

    with turns(tmp_path).shared():
        waiting = threading.Thread(target=alone)
        waiting.start()
        late = turns(tmp_path, SOON_S)
        while True:  # until the other one has closed the turnstile
            try:
                with late.shared():
                    pass
            except LockTimeout:
                break
        assert order == []
    waiting.join(10)
    assert order == ["alone"]
