"""``gateway-acceptance waivers``: list, check, new."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway_acceptance.cli import waivers as command
from gateway_acceptance.cli.catalogue import Catalogue
from gateway_acceptance.record_model import document_of
from gateway_acceptance.waivers import (
    LIFETIME_DAYS,
    Scope,
    Waiver,
    WaiverState,
    complaints,
    entry_text,
    load_waivers,
    state_of,
)
from tests.unit.declared import document
from tests.unit.test_cli import said
from tests.unit.test_record import a_case, a_check, a_waiver, built

KNOWN = ["API-A-001", "API-A-002"]
TODAY = date(2026, 6, 1)
HEAD = "# Accepted, and why.\n\n"
ENTRY = """[[waiver]]  # of last year
id = "OLD"
check = "API-A-001"
scope = { environments = ["mini"] }
observed = 'got 4\\d\\d'
reason = "known"
link = "https://example.com/1"
owner = "us"
opened = 2026-01-01
expires = 2026-06-10
"""
GIVEN = {
    "--id": "NEW",
    "--check": "API-A-002",
    "--env": "mini",
    "--observed": r"expected 'a\b', got \"b\"",
    "--reason": "über es wird gesprochen",
    "--link": "https://example.com/2",
    "--owner": "us",
    "--expires": "2026-09-01",
}


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with one waiver, two checks, and a day that stands still."""
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments" / "waivers.toml").write_text(HEAD + ENTRY, encoding="utf-8")
    monkeypatch.setattr(command, "project_root", lambda: tmp_path)
    monkeypatch.setattr(command, "collect", lambda _: Catalogue([a_check(name) for name in KNOWN]))
    monkeypatch.setattr(command, "_today", lambda: TODAY)
    return tmp_path


def options(**changed: str | None) -> list[str]:
    given = {**GIVEN, **{f"--{name}": value for name, value in changed.items()}}
    return [word for name, value in given.items() if value is not None for word in (name, value)]


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    for words in ([], ["list"]):
        code, out, _ = said(capsys, "waivers", *words)
        assert code == 0
        assert "API-A-001            expires soon  until 2026-06-10 (9 days)  OLD" in out
        assert "known (us; https://example.com/1)" in out
    (entry,) = json.loads(said(capsys, "waivers", "--json")[1])
    assert (entry["id"], entry["state"], entry["renewals"]) == ("OLD", "expires soon", 0)


def declare(project: Path, name: str, first: str = "", gateway_more: str = "") -> None:
    """An environment file in the project's folder."""
    tables: dict[str, Any] = document(name=name)
    lines = "".join(
        f"[[{table}]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in entry.items())
        for table in ("backends", "models")
        for entry in tables[table]
    )
    policy = "".join(f"{key} = {json.dumps(value)}\n" for key, value in tables["policy"].items())
    gateway = "".join(f'{key} = "{value}"\n' for key, value in tables["gateway"].items())
    head = f'{first}name = "{name}"\nkind = "staging"\n[gateway]\n{gateway}{gateway_more}'
    text = f"{head}{lines}[policy]\n{policy}"
    (project / "environments" / f"{name}.toml").write_text(text, encoding="utf-8")


@pytest.mark.parametrize(("name", "count"), [("mini", 1), ("other", 0)])
@pytest.mark.parametrize("before", [True, False])
def test_list_of_an_environment(
    capsys: pytest.CaptureFixture[str], project: Path, name: str, count: int, before: bool
) -> None:
    declare(project, name)
    option = ["--env", name, "--json"]
    words = ["waivers", *option, "list"] if before else ["waivers", "list", *option]
    code, out, err = said(capsys, *words)
    assert (code, len(json.loads(out))) == (0, count), err


def test_check(capsys: pytest.CaptureFixture[str], project: Path) -> None:
    assert said(capsys, "waivers", "check")[:2] == (0, "1 waiver in order\n")
    file = project / "environments" / "waivers.toml"
    file.write_text(file.read_text().replace("API-A-001", "API-A-009").replace("2026-06-10", "2026-05-31"))
    code, out, _ = said(capsys, "waivers", "check")
    assert code == 1
    assert "'OLD' names the check API-A-009, which does not exist" in out
    assert "'OLD' expired on 2026-05-31" in out


def of(**fields: Any) -> Waiver:
    return a_waiver(**{"opened": TODAY - timedelta(days=30), "expires": TODAY + timedelta(days=60), **fields})


AGE = {"opened": TODAY, "expires": TODAY + timedelta(days=LIFETIME_DAYS)}
LONGER = {"opened": TODAY, "expires": TODAY + timedelta(days=LIFETIME_DAYS + 1)}


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, None),
        (AGE, None),
        (LONGER, "with 0 renewals 2026-12-01 is the latest (183 days at a time)"),
        ({**LONGER, "renewals": 1}, None),
        ({"renewals": 3}, None),
        ({"renewals": 4}, "was renewed 4 times; after 3 decide for good"),
        ({"opened": TODAY + timedelta(days=1)}, "which is yet to come"),
        ({"expires": TODAY}, None),
        ({"expires": TODAY - timedelta(days=1)}, "expired on 2026-05-31"),
        ({"check": "API-A-009"}, "which does not exist"),
    ],
)
def test_complaints(fields: dict[str, Any], sentence: str | None) -> None:
    found = complaints([of(**fields)], KNOWN, TODAY)
    assert len(found) == (sentence is not None)
    assert sentence is None or sentence in found[0]


def test_two_that_say_the_same() -> None:
    found = complaints([of(id="A"), of(id="B"), of(id="C", parameters={"a": "b"})], KNOWN, TODAY)
    assert found == ["the waiver 'B' says the same as 'A'; remove one of them"]


@pytest.mark.parametrize(
    ("days", "state"),
    [
        (15, WaiverState.IN_FORCE),
        (14, WaiverState.EXPIRES_SOON),
        (0, WaiverState.EXPIRES_SOON),
        (-1, WaiverState.EXPIRED),
    ],
)
def test_states(days: int, state: WaiverState) -> None:
    waiver = of(expires=TODAY + timedelta(days=days))
    assert state_of(waiver, KNOWN, TODAY) is state
    assert state_of(waiver, [], TODAY) is WaiverState.UNKNOWN_CHECK
    assert waiver.expires_soon(TODAY) is (state is WaiverState.EXPIRES_SOON)


def test_new_is_appended_and_the_file_stays_as_it_was(
    capsys: pytest.CaptureFixture[str], project: Path
) -> None:
    file = project / "environments" / "waivers.toml"
    code, out, err = said(capsys, "waivers", "new", *options(), "--parameter", "chat_model=a b")
    assert (code, err) == (0, "")
    assert "NEW waives API-A-002 until 2026-09-01" in out
    assert file.read_text(encoding="utf-8").startswith(HEAD + ENTRY + "\n[[waiver]]\n")
    old, new = load_waivers(file)
    assert (old.id, new.id, new.opened, new.renewals) == ("OLD", "NEW", TODAY, 0)
    assert (new.observed, new.reason) == (GIVEN["--observed"], GIVEN["--reason"])
    assert new.parameters == {"chat_model": "a b"}
    assert sorted(path.name for path in file.parent.iterdir()) == ["waivers.toml"]


def test_new_may_only_be_printed(capsys: pytest.CaptureFixture[str], project: Path) -> None:
    code, out, _ = said(capsys, "waivers", "new", *options(), "--print")
    assert code == 0
    assert out.startswith('[[waiver]]\nid = "NEW"\n')
    assert (project / "environments" / "waivers.toml").read_text(encoding="utf-8") == HEAD + ENTRY


REFUSED: dict[str, tuple[dict[str, str | None], str]] = {
    **{name: ({name: None}, f"--{name} is missing; give it") for name in command.NEEDED},
    "scope": ({"env": None}, "--env or --product is missing"),
    "parameter": ({"parameter": "chat_model"}, "--parameter 'chat_model' is not of the form NAME=VALUE"),
    "unknown check": ({"check": "API-A-003"}, "--check API-A-003: there is no such check, did you mean"),
    "pattern": ({"observed": ".*"}, "--observed: Value error, matches any failure whatever"),
    "date": ({"expires": "soon"}, "--expires: "),
    "past": ({"expires": "2026-05-01"}, "expired on 2026-05-01"),
    "too long": ({"expires": "2036-05-01"}, "is the latest (183 days at a time)"),
    "link": ({"link": "ask me"}, "--link: "),
    "repeated id": ({"id": "OLD"}, "the waiver 'OLD' is written more than once"),
    "versions without product": ({"versions": ">=1"}, "versions need the product"),
}


@pytest.mark.parametrize("what", list(REFUSED))
def test_new_is_refused_and_nothing_is_changed(
    capsys: pytest.CaptureFixture[str], project: Path, what: str
) -> None:
    changed, sentence = REFUSED[what]
    code, out, err = said(capsys, "waivers", "new", *options(**changed))
    assert (code, out) == (4, "")
    assert sentence in err
    assert sorted(path.name for path in (project / "environments").iterdir()) == ["waivers.toml"]
    assert (project / "environments" / "waivers.toml").read_text(encoding="utf-8") == HEAD + ENTRY


@pytest.mark.parametrize("text", ["plain", "it's", 'a "quote"', "a\\b", "'\\\"", "tab\tand\x7f", "é ✅ 😀"])
def test_an_entry_is_read_as_it_was_written(tmp_path: Path, text: str) -> None:
    waiver = of(reason=text, owner=text, parameters={text: text})
    path = tmp_path / "waivers.toml"
    path.write_text(entry_text(waiver), encoding="utf-8")
    assert load_waivers(path) == (waiver,)


def test_the_projects_own_waivers_are_in_order() -> None:
    """Every date but today's: whether one has expired is for the runs to say."""
    file = Path(__file__).parents[2] / "environments" / "waivers.toml"
    waivers = load_waivers(file)
    first = max(waiver.opened for waiver in waivers)
    assert complaints(waivers, [waiver.check for waiver in waivers], first) == []


def test_the_list_of_an_environment_is_of_its_own_file_and_tells_what_does_not_fit(
    capsys: pytest.CaptureFixture[str], project: Path
) -> None:
    declare(project, "mini", 'waivers = "ours.toml"\n', 'product = "litellm"\nversion = "1.110.2"\n')
    own = of(id="OWN", scope=Scope(product="litellm", versions="<1.106"))
    (project / "environments" / "ours.toml").write_text(entry_text(own), encoding="utf-8")
    code, out, err = said(capsys, "waivers", "--env", "mini")
    assert (code, err) == (0, "")
    assert "does not fit version 1.110.2" in out
    assert "OLD" not in out
    code, _, err = said(capsys, "waivers", "new", *options())
    assert (code, err) == (0, "")
    assert [one.id for one in load_waivers(project / "environments" / "ours.toml", TODAY)] == ["OWN", "NEW"]
    (project / "environments" / "ours.toml").unlink()
    code, _, err = said(capsys, "waivers", "--env", "mini")
    assert (code, "ours.toml, which is not there" in err) == (4, True)


def test_candidates_of_the_last_run(capsys: pytest.CaptureFixture[str], project: Path) -> None:
    declare(project, "mini")
    code, out, err = said(capsys, "waivers", "propose", "--env", "mini")
    assert (code, out) == (4, "")
    assert "mini has no run in" in err
    latest = project / "reports" / "runs" / "mini" / "latest"
    latest.mkdir(parents=True)
    record = built([a_case("API-A-001", "failed", message="got 404 after 3 s")])
    (latest / "record.json").write_text(json.dumps(document_of(record)), encoding="utf-8")
    code, out, err = said(capsys, "waivers", "propose", "--env", "mini")
    assert (code, err) == (0, "")
    assert r"observed = '(?m)^got 404 after -?\d+(?:\.\d+)? s$'" in out
    assert (project / "environments" / "waivers.toml").read_text(encoding="utf-8") == HEAD + ENTRY
