"""The guide's example of a product: applied to a copy of the tree, it is known, runnable and declared."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lab.patience import patient

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "contributing" / "add-a-product.md"
FOLDERS = ("gateway_acceptance", "lab", "environments", "suites", "schemas")
DIFF = re.compile(r"^```diff\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MOST_FILES = 5
SEEN = """
from pathlib import Path
from gateway_acceptance.environment import load_environment, product_of
from gateway_acceptance.environment.product_names import PRODUCT_NAMES
from lab.gateways import gateway_of, runnable
environment = load_environment("aigate", Path.cwd(), {})
known = product_of(environment.gateway)
print("aigate" in PRODUCT_NAMES, "aigate" in runnable())
print(known.served_by, known.readiness, known.liveness)
print(gateway_of(environment).name, gateway_of(load_environment("portkey", Path.cwd(), {})).name)
print(gateway_of(load_environment("local", Path.cwd(), {})).name)
"""
STARTED = """
from pathlib import Path
from gateway_acceptance.embedded import NotStarted
from gateway_acceptance.environment import load_environment
from lab.gateways import gateway_of
from lab.specification import Specification
environment = load_environment("aigate", Path.cwd(), {})
folder = Path("out")
folder.mkdir()
told = Specification(environment, folder, "sk-made-up", Path("/opt/aigate"), "installed", None)
gateway_of(environment).process(told)
print((folder / "aigate.json").read_text())
try:
    gateway_of(environment).install(folder, "installed", print)
except NotStarted as failure:
    print(failure)
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree with the example in it."""
    copy = tmp_path_factory.mktemp("tree")
    for name in FOLDERS:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy / "pyproject.toml")
    for patch in patches():
        apply = ["git", "apply", "--recount", "-"]
        subprocess.run(apply, cwd=copy, input=patch, text=True, check=True, timeout=patient(30))
    return copy


def patches() -> list[str]:
    return DIFF.findall(GUIDE.read_text(encoding="utf-8"))


def printed(tree: Path, program: str) -> list[str]:
    command = [sys.executable, "-c", program]
    done = subprocess.run(
        command, cwd=tree, capture_output=True, text=True, check=False, timeout=patient(120)
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_product_takes_five_files_at_most() -> None:
    files = {line.split()[1] for patch in patches() for line in patch.splitlines() if line.startswith("+++ ")}
    assert 0 < len(files) <= MOST_FILES


def test_the_example_is_known_and_a_lab_runs_it(tree: Path) -> None:
    assert printed(tree, SEEN) == [
        "True True",
        "x-aigate-upstream /readyz /livez",
        "Aigate Portkey",
        "LiteLLM",
    ]


def test_its_lab_writes_what_it_starts_with_and_says_what_is_missing(tree: Path) -> None:
    routes, missing = printed(tree, STARTED)
    assert routes == '{"key": "sk-made-up", "routes": {"llama": ["http://127.40.0.29:11434"]}}'
    assert missing == "there is no program aigate; install Aigate and run again"
