"""The frozen lists."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway_acceptance.check import MUST, PROFILES, READ, Check
from gateway_acceptance.cli import profiles as command
from gateway_acceptance.cli.catalogue import Catalogue
from gateway_acceptance.profiles import differences, frozen_text, load_profiles
from gateway_acceptance.usage import UsageProblem
from tests.unit.test_cli import said

ROOT = Path(__file__).parents[2]


def a_check(check_id: str, profiles: tuple[str, ...] = PROFILES) -> Check:
    return Check(check_id, "title", MUST, READ, (), profiles)


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


CHECKS = [a_check("API-A-001"), a_check("API-A-002", profiles=("release",)), a_check("API-A-003")]


def test_frozen_anew_they_are_what_is_there(tmp_path: Path) -> None:
    frozen = lists(tmp_path, frozen_text(reversed(CHECKS)))
    assert frozen["smoke"] == ("API-A-001", "API-A-003")
    assert frozen["release"] == ("API-A-001", "API-A-003", "API-A-002")
    assert differences(frozen, CHECKS) == []


def test_the_file_of_the_project_is_as_it_would_be_frozen(tmp_path: Path) -> None:
    """So that freezing anew shows only what changed on purpose."""
    path = ROOT / "suites" / "profiles.toml"
    own = load_profiles(path)
    checks = [
        a_check(check_id, profiles=tuple(name for name in PROFILES if check_id in own[name]))
        for check_id in own["release"]
    ]
    assert frozen_text(checks) == path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            'smoke = ["API-A-001"]\nnightly = []\nrelease = ["API-A-002"]',
            "API-A-003 is a check of smoke, and in no",
        ),
        (
            'smoke = ["API-A-001", "API-A-003", "API-A-009"]\nnightly = []\nrelease = ["API-A-002"]',
            "API-A-009 is in the list of smoke, and there is no such check",
        ),
        (
            'smoke = ["API-A-001"]\nnightly = ["API-A-003"]\nrelease = ["API-A-002"]',
            "API-A-003 is a check of smoke, and in the list of nightly",
        ),
    ],
)
def test_what_differs_is_said(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    text: str,
    sentence: str,
) -> None:
    (tmp_path / "suites").mkdir()
    path = tmp_path / "suites" / "profiles.toml"
    path.write_text(text, encoding="utf-8")
    monkeypatch.setattr(command, "project_root", lambda: tmp_path)
    monkeypatch.setattr(command, "collect", lambda _: Catalogue(CHECKS))
    assert said(capsys, "profiles")[0] == 0
    code, out, _ = said(capsys, "profiles", "--check")
    assert code == 1
    assert sentence in out
    assert path.read_text(encoding="utf-8") == text
    code, out, _ = said(capsys, "profiles", "--write")
    assert code == 0
    assert sentence in out
    assert path.read_text(encoding="utf-8") == frozen_text(CHECKS)
    assert said(capsys, "profiles", "--check")[0] == 0
    assert said(capsys, "profiles", "--write")[1].endswith("nothing to change\n")
