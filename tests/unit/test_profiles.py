"""The frozen lists."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway_acceptance.profiles import load_profiles
from gateway_acceptance.usage import UsageProblem

ROOT = Path(__file__).parents[2]


def lists(folder: Path, text: str) -> dict[str, tuple[str, ...]]:
    path = folder / "profiles.toml"
    path.write_text(text, encoding="utf-8")
    return load_profiles(path)


def test_a_wider_profile_holds_the_narrower_ones(tmp_path: Path) -> None:
    assert lists(tmp_path, 'smoke = ["A"]\nnightly = ["B"]\nrelease = []') == {
        "smoke": ("A",),
        "nightly": ("A", "B"),
        "release": ("A", "B"),
    }


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("smoke = []\nnightly = []", "release must be a list of check ids"),
        ("smoke = [1]\nnightly = []\nrelease = []", "smoke must be a list of check ids"),
        ("smoke = []\nnightly = []\nrelease = []\nhourly = []", "unknown profile 'hourly'"),
        ('smoke = ["A"]\nnightly = ["A"]\nrelease = []', "A is listed twice; keep it in its narrowest"),
        ("smoke = [", "cannot be read"),
    ],
)
def test_what_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(UsageProblem, match=sentence):
        lists(tmp_path, text)


def test_a_list_that_is_gone_is_not_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(UsageProblem, match="cannot be read"):
        load_profiles(tmp_path / "profiles.toml")


def test_the_lists_of_the_project_are_well_formed() -> None:
    assert load_profiles(ROOT / "suites" / "profiles.toml")["smoke"]
