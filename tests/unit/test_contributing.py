"""The example of docs/contributing is what the guide says it is: applied to a copy of the tree."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lab.patience import patient

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "contributing" / "write-a-check.md"
FOLDERS = ("gateway_acceptance", "suites", "lab", "schemas", "environments")
DIFF = re.compile(r"^```diff\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MOST_FILES = 3
COMMAND = "import sys; from gateway_acceptance.cli.main import main; main(sys.argv[1:])"
DETECTED = """
import json
import re
from lab.faults import FAULTS
from lab.message import Request, json_reply
from gateway_acceptance.verdict import CheckFailed
from suites.api.models.test_ids import test_ids_are_trimmed as check
from types import SimpleNamespace
fault = FAULTS["models-id-padded"]
listed = json_reply(200, {"object": "list", "data": [{"id": "a"}, {"id": "b"}]})
faulty = fault.after(Request("GET", "/v1/models", (), b""), listed)
for reply in (listed, faulty):
    answer = SimpleNamespace(json=lambda: json.loads(b"".join(reply.chunks)))
    target = SimpleNamespace(once=lambda *_: answer)
    try:
        check(target, SimpleNamespace(models=None))
        print("green")
    except CheckFailed as failed:
        print("red" if re.search(fault.detected_by["API-MODELS-090"], str(failed)) else failed)
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree with the example in it."""
    copy = tmp_path_factory.mktemp("tree")
    for name in FOLDERS:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("conftest.py", "pyproject.toml"):
        shutil.copy(ROOT / name, copy / name)
    for patch in patches():
        subprocess.run(
            ["git", "apply", "--recount", "-"],
            cwd=copy,
            input=patch,
            text=True,
            check=True,
            timeout=patient(30),
        )
    return copy


def patches() -> list[str]:
    return DIFF.findall(GUIDE.read_text(encoding="utf-8"))


def run(tree: Path, *arguments: str, program: str = COMMAND) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=tree,
        capture_output=True,
        text=True,
        check=False,
        timeout=patient(120),
        stdin=subprocess.DEVNULL,
    )


def test_a_check_takes_three_files_by_hand() -> None:
    files = {line.split()[1] for patch in patches() for line in patch.splitlines() if line.startswith("+++ ")}
    assert 0 < len(files) <= MOST_FILES


def test_the_example_is_found_frozen_and_covered(tree: Path) -> None:
    before = run(tree, "profiles", "--check")
    assert before.returncode == 1
    assert "API-MODELS-090" in before.stdout
    assert run(tree, "profiles", "--write").returncode == 0
    covered = run(tree, "coverage")
    assert covered.returncode == 0, covered.stderr
    assert "API-MODELS-009, API-MODELS-090" in covered.stdout


def test_its_fault_is_detected_for_the_stated_reason(tree: Path) -> None:
    faults = json.loads(run(tree, "faults", "--json").stdout)
    assert [one["detected_by"] for one in faults if one["name"] == "models-id-padded"] == [["API-MODELS-090"]]
    done = run(tree, program=DETECTED)
    assert done.stdout.split() == ["green", "red"], done.stderr
