"""Which checks ask as a scanner does: these and no others, and every shipped environment permits them."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from gateway_acceptance.cli.main import main

ROOT = Path(__file__).parents[2]
PROBING = {
    *("API-EXPO-001", "API-EXPO-003", "API-EXPO-004", "API-ADV-003"),
    *(f"API-ACCESS-{number:03}" for number in (*range(3, 9), 10, 11, 12, 13)),
}


def test_what_probes_is_called_so(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["checks", "--json"])
    checks = json.loads(capsys.readouterr().out)
    assert {one["id"] for one in checks if one["effect"] == "probe"} == PROBING
    smoke = {one["id"]: one["effect"] for one in checks if "smoke" in one["profiles"]}
    assert smoke["API-ACCESS-001"] == smoke["API-ACCESS-002"] == "read", "tried in every environment"
    assert not PROBING & set(smoke)


@pytest.mark.parametrize("path", sorted((ROOT / "environments").glob("*.toml")), ids=lambda path: path.stem)
def test_every_shipped_environment_permits_it(path: Path) -> None:
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    assert "probe" in document.get("policy", {"effects": ["probe"]})["effects"]
