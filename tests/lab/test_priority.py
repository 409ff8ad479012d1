"""A lab's weights are found where its processes are, raised and put back; nobody else's are touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.hosts import priority
from lab.hosts.cgroups import PREFIX, Hierarchies
from lab.hosts.priority import FIRST, preferred, weights

LAB = f"{PREFIX}123"
OLD = f"2:cpu,cpuacct:/{LAB}/gateway/init.scope\n1:memory:/{LAB}/gateway\n0::/\n"
NEW = f"0::/{LAB}/gateway/init.scope\n"


def machine(folder: Path, root: str, name: str) -> Path:
    for place in ("", LAB, f"{LAB}/gateway", f"{LAB}/gateway/init.scope", f"{LAB}/llm-01", "other"):
        (folder / root / place).mkdir(parents=True, exist_ok=True)
        (folder / root / place / name).write_text("100\n", encoding="ascii")
    return folder / root


@pytest.mark.parametrize(
    ("groups", "name", "root"), [(OLD, "cpu.shares", "cpu,cpuacct"), (NEW, "cpu.weight", "cgroup")]
)
def test_the_lab_and_the_host_are_raised_and_put_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, groups: str, name: str, root: str
) -> None:
    top = machine(tmp_path, root, name)
    found = weights(groups, [top, tmp_path / "memory"])
    assert found == [top / LAB / name, top / LAB / "gateway" / name]
    monkeypatch.setattr(priority, "hierarchies", lambda _: Hierarchies((top,), "v1"))
    monkeypatch.setattr(priority, "weights", lambda _, roots: weights(groups, roots))
    with preferred(1):
        raised = {file for file in top.rglob(name) if file.read_text(encoding="ascii") == FIRST[name]}
        assert raised == set(found)
    assert {file.read_text(encoding="ascii") for file in top.rglob(name)} == {"100\n"}


@pytest.mark.parametrize("groups", ["1:cpu:/\n0::/\n", "0::/user.slice\n", ""])
def test_nothing_else_is(tmp_path: Path, groups: str) -> None:
    roots = [machine(tmp_path, "cpu", "cpu.shares"), machine(tmp_path, "cgroup", "cpu.weight")]
    assert weights(groups, roots) == []
