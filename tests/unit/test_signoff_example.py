"""The published example verifies, is small, and tells nothing of the machine that it was made on."""

from __future__ import annotations

import json
import lzma
import re
import zlib
from pathlib import Path

import pytest

from gateway_acceptance.cli.main import main
from gateway_acceptance.signoff.verify import verify

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "signoff"
PACKED_AT_MOST = 3 << 20
"""Bytes that it adds to the repository: git keeps each content once, compressed."""
PLACES = re.compile(rb"/(?:tmp|root|home|work|builds?|Users)/[\w.-]+|192\.168\.\d+\.\d+")


def test_the_example_verifies() -> None:
    assert verify(EXAMPLE).findings == []


def test_the_example_says_that_it_is_no_production(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    anchor = tmp_path / "approver.pub"
    anchor.write_bytes((EXAMPLE / "approver.pub").read_bytes())
    with pytest.raises(SystemExit) as ended:
        main(["verify", str(EXAMPLE), "--public-key", str(anchor)])
    assert ended.value.code == 0
    assert "This is not production: lab is of kind embedded" in capsys.readouterr().out
    document = json.loads((EXAMPLE / "signoff.json").read_text(encoding="utf-8"))
    assert (document["state"], document["kind"], document["production"]) == ("READY", "embedded", False)


def test_the_example_is_small() -> None:
    contents = {path.read_bytes() for path in EXAMPLE.rglob("*") if path.is_file()}
    assert sum(len(zlib.compress(content, 6)) for content in contents) < PACKED_AT_MOST


def test_the_example_names_no_place_of_its_making() -> None:
    for path in EXAMPLE.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            text = lzma.decompress(content) if path.suffix == ".xz" else content
            assert PLACES.findall(text) == [], path.name
