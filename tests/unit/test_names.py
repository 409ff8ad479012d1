"""Names and phrases that were replaced by the field's own do not come back."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("gateway_acceptance", "lab", "suites", "docs")
READ = (".py", ".md", ".toml", ".j2")
LEFT = {
    "mutation matrix": r"kill[- _]matrix",
    "mutators": r"faults[./]\w+_hooks",
    "expected X; fix:": r"fix with:|, wants (?=[\"'{]|root\b|of )",
    "layers": r"\b[Rr]ooms, each\b",
    "ExpectedShares": r"\bclass Null\b",
    "StatusModel": r"\bclass View\b",
    "models support the capabilities": r"models can what the gateway",
    "the gateway stays healthy": r"leaves the gateway well",
}
"""What stands there now -> what stood there."""


@pytest.mark.parametrize("now", list(LEFT))
def test_it_is_not_called_so_again(now: str) -> None:
    files = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in READ]
    own = [path for path in files if "examples" not in path.parts and "__pycache__" not in path.parts]
    assert len(own) > 300
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in own
        if (match := re.search(LEFT[now], path.read_text(encoding="utf-8")))
    ]
    assert found == []
