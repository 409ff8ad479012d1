"""Waivers: what a file may say, and what one covers."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from gateway_acceptance.deviations import load_harm
from gateway_acceptance.usage import UsageProblem
from gateway_acceptance.waivers import Waiver, load_waivers, unfit, unknown_checks, untouchable, waivers_for
from tests.unit.declared import environment

ROOT = Path(__file__).parents[2]
ENTRY: dict[str, Any] = {
    "id": "A",
    "check": "API-AUTH-003",
    "scope": {"product": "litellm", "versions": ">=1.74.15,<=1.106.2"},
    "observed": "got 400: .*no_db",
    "reason": "known",
    "link": "https://example.com/1",
    "owner": "operators",
    "opened": date(2026, 1, 1),
    "expires": date(2026, 6, 30),
}


def loaded(folder: Path, *entries: dict[str, Any], **more: Any) -> tuple[Waiver, ...]:
    path = folder / "waivers.toml"
    path.write_text(tomli_w.dumps({"waiver": list(entries), **more}), encoding="utf-8")
    return load_waivers(path)


@pytest.mark.parametrize("key", list(ENTRY))
def test_every_key_is_needed(tmp_path: Path, key: str) -> None:
    with pytest.raises(UsageProblem, match=rf"waiver\[1\]\.{key} is missing; add it"):
        loaded(tmp_path, {name: value for name, value in ENTRY.items() if name != key})


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"owner": " "}, "owner"),
        ({"check": "auth-3"}, "check"),
        ({"link": "ticket 12"}, "link"),
        ({"observed": "("}, "observed is no regular expression"),
        ({"observed": ".*"}, "observed matches any failure whatever"),
        ({"observed": "(got 400)?"}, "observed matches any failure whatever"),
        ({"scope": {}}, "scope must name environments, or a product"),
        ({"scope": {"environments": ["x"], "versions": ">=1"}}, "versions need the product"),
        ({"scope": {"product": "litellm", "versions": "new"}}, "is no version range"),
        ({"expiry": date(2026, 1, 1)}, r"unknown key waiver\[1\].expiry, did you mean 'expires'"),
        ({"expires": date(2025, 1, 1)}, "expires before it is opened"),
        ({"expires": date(9999, 12, 31)}, r"2026-07-03 is the latest \(183 days at a time\)"),
        ({"opened": date(2999, 1, 1), "expires": date(2999, 2, 1)}, "which is yet to come"),
        ({"reason": "TODO: why"}, "the waiver 'A' is not complete: write reason in place of TODO"),
        ({"owner": "TODO"}, "is not complete"),
        ({"verdict": "passed"}, "verdict"),
    ],
)
def test_what_is_refused(tmp_path: Path, change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageProblem, match=sentence):
        loaded(tmp_path, {**ENTRY, **change})


def test_an_id_is_given_once_and_there_is_nothing_beside_waivers(tmp_path: Path) -> None:
    with pytest.raises(UsageProblem) as problem:
        loaded(tmp_path, ENTRY, ENTRY, waivers=[])
    assert "unknown key waivers" in str(problem.value)
    assert "the waiver 'A' is written more than once" in str(problem.value)


def test_no_file_holds_no_waiver(tmp_path: Path) -> None:
    assert load_waivers(tmp_path / "waivers.toml") == ()


@pytest.mark.parametrize(
    ("product", "version", "expected"),
    [
        ("litellm", "1.74.15", True),
        ("litellm", "1.106.2", True),
        ("litellm", "1.106.3", False),
        ("litellm", "1.80.0rc1", True),
        ("litellm", None, False),
        ("litellm", "main-latest", False),
        ("other", "1.80.0", False),
    ],
)
def test_the_scope_of_versions(tmp_path: Path, product: str, version: str | None, *, expected: bool) -> None:
    (waiver,) = loaded(tmp_path, ENTRY)
    assert waiver.in_scope("any", product, version) is expected


def test_all_of_a_scope_must_fit(tmp_path: Path) -> None:
    scope = {"environments": ["prod"], "product": "litellm"}
    (waiver,) = loaded(tmp_path, {**ENTRY, "scope": scope})
    assert waiver.in_scope("prod", "litellm", None)
    assert not waiver.in_scope("prod", "other", None)
    assert not waiver.in_scope("stage", "litellm", None)


def test_it_concerns_one_check_and_its_parameters(tmp_path: Path) -> None:
    (waiver,) = loaded(tmp_path, {**ENTRY, "parameters": {"chat_model": "a"}})
    assert waiver.concerns("API-AUTH-003", {"chat_model": "a", "n": "1"})
    assert not waiver.concerns("API-AUTH-003", {"chat_model": "b"})
    assert not waiver.concerns("API-AUTH-003", {})
    assert not waiver.concerns("API-AUTH-004", {"chat_model": "a"})


def test_it_ends_with_its_last_day(tmp_path: Path) -> None:
    (waiver,) = loaded(tmp_path, ENTRY)
    assert not waiver.expired(date(2026, 6, 30))
    assert waiver.expired(date(2026, 7, 1))


def test_a_check_that_does_not_exist_is_told(tmp_path: Path) -> None:
    waivers = loaded(tmp_path, ENTRY)
    assert unknown_checks(waivers, ["API-AUTH-003"]) == []
    assert unknown_checks(waivers, []) == [
        "the waiver 'A' names the check API-AUTH-003, which does not exist; remove or correct it"
    ]


def test_the_waivers_of_the_project_are_well_formed() -> None:
    assert load_waivers(ROOT / "environments" / "waivers.toml")


HOLE = {**ENTRY, "check": "API-ADV-001", "observed": "CVE-2026-1", "expires": date(2026, 1, 31)}
NEEDLESS = "the gateway is x: CVE-2026-1; its precondition is declared absent: database"


def test_a_published_hole_is_accepted_for_a_month_at_most(tmp_path: Path) -> None:
    loaded(tmp_path, HOLE)
    with pytest.raises(
        UsageProblem, match="accepts a published hole until 2026-02-01; 2026-01-31 is the latest"
    ):
        loaded(tmp_path, {**HOLE, "expires": date(2026, 2, 1)})
    with pytest.raises(UsageProblem, match="2026-01-31 is the latest"):
        loaded(tmp_path, {**HOLE, "expires": date(2026, 2, 1), "renewals": 3})


def test_a_published_hole_is_accepted_only_where_what_it_needs_is_absent(tmp_path: Path) -> None:
    (waiver,) = loaded(tmp_path, HOLE)
    assert waiver.covers(NEEDLESS)
    assert not waiver.covers("the gateway is x: CVE-2026-1; needs: a database")
    assert not waiver.covers(NEEDLESS.replace("CVE-2026-1", "CVE-2026-2"))


def test_an_old_base_is_no_hole(tmp_path: Path) -> None:
    (waiver,) = loaded(tmp_path, {**HOLE, "check": "API-ADV-004", "observed": "days old"})
    assert waiver.covers("the advisory base (x) is of 2020-01-01, 2000 days old")


@pytest.mark.parametrize(
    "wide", [".", ".+", "(?s).+", "(?s)^.+$", "\\S", "\\w", "[a-z]", "\\d|\\D", "e|o|a", "^.", ".$", "[^x]"]
)
def test_what_describes_anything_describes_nothing(tmp_path: Path, wide: str) -> None:
    with pytest.raises(UsageProblem, match="'A': observed matches any failure whatever"):
        loaded(tmp_path, {**ENTRY, "observed": wide})


@pytest.mark.parametrize("narrow", ["got 4\\d\\d", "^leak\\.", "usage", "is missing|is null", "port \\d+"])
def test_what_describes_something_is_read(tmp_path: Path, narrow: str) -> None:
    assert loaded(tmp_path, {**ENTRY, "observed": narrow})


def test_an_environments_own_file_is_the_only_one(tmp_path: Path) -> None:
    (tmp_path / "environments").mkdir()
    loaded(tmp_path / "environments", ENTRY)
    source = tmp_path / "elsewhere" / "mini.toml"
    source.parent.mkdir()
    declared = environment().model_copy(update={"source": source})
    assert waivers_for(declared, tmp_path) == (), "from elsewhere: what others accept is not its"
    here = declared.model_copy(update={"source": tmp_path / "environments" / "mini.toml"})
    assert [one.id for one in waivers_for(here, tmp_path)] == ["A"]
    own = declared.model_copy(update={"waivers": "waivers.toml", "source": source})
    with pytest.raises(UsageProblem, match="which is not there; write it, or take the key out"):
        waivers_for(own, tmp_path)
    loaded(source.parent, {**ENTRY, "id": "OWN"})
    assert [one.id for one in waivers_for(own, tmp_path)] == ["OWN"]


@pytest.mark.parametrize(
    ("check", "verdict", "harm"),
    [
        ("API-AUTH-003", "untestable", "opens a door"),
        ("API-AUTH-003", "inconclusive", "opens a door"),
        ("API-AUTH-003", "failed", None),
        ("BACKEND-OUT-010", "untestable", "leaks"),
        ("API-CHAT-037", "untestable", "loses data"),
        ("API-CHAT-001", "untestable", None),
    ],
)
def test_what_must_be_looked_at(tmp_path: Path, check: str, verdict: str, harm: str | None) -> None:
    waivers = loaded(tmp_path, {**ENTRY, "check": check, "verdict": verdict})
    found = untouchable(waivers, load_harm(ROOT / "suites" / "harm.toml"))
    assert len(found) == (harm is not None)
    assert harm is None or f"is {verdict}, a check of what {harm}" in found[0]


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("1.80.0", ""),
        ("1.110.2", "does not fit version 1.110.2"),
        ("", "fits >=1.74.15,<=1.106.2; the version is not known yet"),
    ],
)
def test_whether_it_fits_the_version(tmp_path: Path, version: str, said: str) -> None:
    (waiver,) = loaded(tmp_path, ENTRY)
    assert unfit(waiver, version) == said
