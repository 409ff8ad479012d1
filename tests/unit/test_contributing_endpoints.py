"""The guide's example of an endpoint: applied to a copy of the tree, one folder makes it known, promised,
covered and judged."""

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
GUIDE = ROOT / "docs" / "contributing" / "add-an-endpoint.md"
FOLDERS = ("gateway_acceptance", "lab", "environments", "suites", "schemas")
DIFF = re.compile(r"^```diff\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = "import sys; from gateway_acceptance.cli.main import main; main(sys.argv[1:])"
DECLARED = """
import re, sys
from pathlib import Path
from gateway_acceptance.environment import load_environment
from lab.faults import DECLARES
text = Path("environments/local.toml").read_text().replace('name = "local"', 'name = "wide"')
promises = f"endpoints = {sys.argv[1]}"
Path("environments/wide.toml").write_text(re.sub("endpoints = .*", promises, text, count=1))
print(load_environment("wide", Path.cwd(), {}).gateway.endpoints)
print(DECLARES["messages-of-chat"])
"""
JUDGED = """
import json, re
from types import SimpleNamespace
from gateway_acceptance.verdict import CheckFailed
from gateway_acceptance.wire.exchange import Exchange
from lab.faults import FAULTS
from lab.message import Request, json_reply
from suites.api.messages import test_messages
checks = {"API-MESSAGES-001": test_messages.test_schema, "API-MESSAGES-002": test_messages.test_cut}
asked = Request("POST", "/v1/messages", (), b"")
body = {"type": "message", "role": "assistant", "content": [{"type": "text", "text": "1, 2"}]}
good = json_reply(200, {**body, "stop_reason": "max_tokens"})
for name in ("messages-of-chat", "messages-cut-in-silence"):
    fault = FAULTS[name]
    ((check, pattern),) = fault.detected_by.items()
    for reply in (good, fault.after(asked, good)):
        chunks = [(0.0, one) for one in reply.chunks]
        answer = Exchange("POST", "http://x/v1/messages", (), b"", status=200, chunks=chunks)
        test_messages.ask = lambda *_: answer
        try:
            checks[check](None)
            print("green")
        except CheckFailed as failed:
            print("red" if re.search(pattern, str(failed)) else failed)
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree with the example in it."""
    copy = tmp_path_factory.mktemp("tree")
    for name in FOLDERS:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("conftest.py", "pyproject.toml"):
        shutil.copy(ROOT / name, copy / name)
    for patch in patches():
        apply = ["git", "apply", "--recount", "-"]
        subprocess.run(apply, cwd=copy, input=patch, text=True, check=True, timeout=patient(30))
    return copy


def patches() -> list[str]:
    return DIFF.findall(GUIDE.read_text(encoding="utf-8"))


def printed(tree: Path, program: str, *arguments: str) -> str:
    command = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(
        command, cwd=tree, capture_output=True, text=True, check=False, timeout=patient(120)
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_an_endpoint_takes_one_folder() -> None:
    lines = [line for patch in patches() for line in patch.splitlines()]
    files = [Path(line.split()[1].removeprefix("b/")) for line in lines if line.startswith("+++ ")]
    assert len(files) == 5
    assert {str(path.parent) for path in files} == {"suites/api/messages"}
    assert {line for line in lines if line.startswith("--- ")} == {"--- /dev/null"}


def test_an_environment_may_promise_it(tree: Path) -> None:
    known = printed(tree, DECLARED, '["messages", "responses"]').splitlines()
    assert known == ["('messages', 'responses')", "{'gateway': {'endpoints': ['messages']}}"]
    unknown = subprocess.run(
        [sys.executable, "-c", DECLARED, '["message"]'],
        cwd=tree,
        capture_output=True,
        text=True,
        check=False,
        timeout=patient(120),
    )
    assert "is the unknown endpoint 'message', did you mean 'messages'?" in unknown.stderr


def test_it_is_frozen_covered_and_has_its_faults(tree: Path) -> None:
    printed(tree, COMMAND, "profiles", "--write")
    covered = printed(tree, COMMAND, "coverage", "--markdown")
    assert "## POST /v1/messages" in covered
    assert "| `messages.object` | The answer is a message of the assistant |" in covered
    faults = json.loads(printed(tree, COMMAND, "faults", "--json"))
    assert [one["detected_by"] for one in faults if one["name"] == "messages-of-chat"] == [
        ["API-MESSAGES-001"]
    ]


def test_each_fault_is_detected_for_its_reason(tree: Path) -> None:
    assert printed(tree, JUDGED).split() == ["green", "red", "green", "red"]
