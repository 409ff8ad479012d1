"""docs/safety.md names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "safety.md").read_text(encoding="utf-8")
NAMED = re.compile(r"`(?:tests/[a-z]+/)?(test_\w+\.py)(?:::(test_\w+))?`|`(test_\w+)`")


def test_every_test_that_it_names_is_there() -> None:
    files = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py")}
    named, file = 0, ""
    for given, test, alone in NAMED.findall(PAGE):
        file = given or file
        assert file in files, file
        if wanted := test or alone:
            named += 1
            places = [files[file]] if given else files.values()
            assert any(f"def {wanted}(" in text for text in places), f"{file}::{wanted}"
    assert named > 20
