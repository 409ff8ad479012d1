"""``advisories update``: exports of strangers, bounded, merged and refused in one sentence."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from gateway_acceptance.advisories import concerning, load_base, update
from gateway_acceptance.advisories.base import base_of, users_base
from gateway_acceptance.cli.main import main
from gateway_acceptance.usage import EXIT_NOT_READY, EXIT_USAGE, UsageProblem

TODAY = date(2027, 1, 10)
SHIPPED: dict[str, Any] = {
    "dated": "2026-11-26",
    "credits": "ours",
    "advisories": [
        {
            "id": "GHSA-known",
            "aliases": ["CVE-2026-1"],
            "modified": "2026-11-26T00:00:00Z",
            "summary": "What we say of it",
            "affected": [
                {
                    "package": {"ecosystem": "PyPI", "name": "litellm"},
                    "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.5"}]}],
                }
            ],
            "database_specific": {"severity": "HIGH", "confidence": "low", "preconditions": ["database"]},
        }
    ],
}


def record(name: str = "GHSA-new", fixed: str = "2.0", **more: Any) -> dict[str, Any]:
    return {
        "id": name,
        "modified": "2027-01-02T03:04:05Z",
        "summary": "s",
        "details": "long",
        "affected": [
            {
                "package": {"ecosystem": "PyPI", "name": "litellm"},
                "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": fixed}]}],
                "versions": ["1.0"],
            }
        ],
        "database_specific": {"severity": "CRITICAL", "cwe_ids": []},
        **more,
    }


def folder(tmp_path: Path, *records: Any) -> Path:
    for number, one in enumerate(records):
        (tmp_path / f"{number}.json").write_text(json.dumps(one), encoding="utf-8")
    return tmp_path


def zipped(path: Path, **files: str | bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def test_a_new_advisory_is_judged_and_dates_the_base(tmp_path: Path) -> None:
    base = base_of(update.merged(SHIPPED, folder(tmp_path, record()), TODAY), "x")
    assert base.dated == date(2027, 1, 2)
    found = {one.advisory.id: one for one in concerning(base, "PyPI", "litellm", "1.9")}
    assert found["GHSA-new"].advisory.heavy


def test_a_zip_and_a_single_file_say_the_same_as_a_folder(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    expected = update.merged(SHIPPED, folder(tmp_path / "d", record()), TODAY)
    packed = zipped(tmp_path / "all.zip", **{"GHSA-new.json": json.dumps(record()), "README": "x"})
    assert update.merged(SHIPPED, packed, TODAY) == expected
    assert update.merged(SHIPPED, tmp_path / "d" / "0.json", TODAY) == expected


@pytest.mark.parametrize("name", ["GHSA-known", "PYSEC-9"])
def test_a_later_word_on_a_known_one_keeps_what_we_know_beside_it(tmp_path: Path, name: str) -> None:
    later = record(name, "1.9", aliases=["CVE-2026-1"])
    base = base_of(update.merged(SHIPPED, folder(tmp_path, later), TODAY), "x")
    (one,) = base.advisories
    assert (one.id, one.summary, one.confidence) == ("GHSA-known", "What we say of it", "low")
    assert one.preconditions == ("database",)
    assert concerning(base, "PyPI", "litellm", "1.8")
    assert not concerning(base, "PyPI", "litellm", "1.9")


def test_an_earlier_word_on_a_known_one_changes_nothing(tmp_path: Path) -> None:
    earlier = record("GHSA-known", "9.9", modified="2026-01-01T00:00:00Z")
    assert update.merged(SHIPPED, folder(tmp_path, earlier), TODAY)["advisories"] == SHIPPED["advisories"]


def test_a_withdrawn_one_concerns_nobody(tmp_path: Path) -> None:
    later = record("GHSA-known", withdrawn="2027-01-01T00:00:00Z")
    assert base_of(update.merged(SHIPPED, folder(tmp_path, later), TODAY), "x").advisories == ()


def test_other_ecosystems_are_left_out(tmp_path: Path) -> None:
    foreign = record("A", affected=[{"package": {"ecosystem": "npm", "name": "x"}, "versions": ["1"]}])
    names = [one["id"] for one in update.merged(SHIPPED, folder(tmp_path, foreign), TODAY)["advisories"]]
    assert names == ["GHSA-known"]


def _bomb(path: Path) -> Path:
    return zipped(path / "bomb.zip", **{"a.json": b" " * 4_000_000})


def _huge(path: Path) -> Path:
    (path / "huge.json").write_bytes(b"{" + b" " * update.LARGEST_RECORD)
    return path / "huge.json"


def _broken(path: Path) -> Path:
    packed = zipped(path / "broken.zip", **{"a.json": json.dumps(record())}).read_bytes()
    (path / "broken.zip").write_bytes(packed[:40] + b"\xff" * 20 + packed[60:])
    return path / "broken.zip"


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        (lambda path: zipped(path / "z.zip", **{"../x.json": "{}"}), "leads out of the archive"),
        (lambda path: zipped(path / "z.zip", **{"/x.json": "{}"}), "leads out of the archive"),
        (_bomb, "a.json unpacks from"),
        (_huge, "a record at most"),
        (_broken, "is a broken zip|is no OSV record"),
        (lambda path: zipped(path / "z.zip", README="x"), "holds no OSV record"),
        (lambda path: folder(path), "holds no OSV record"),
        (lambda path: folder(path, [1]), "is no OSV record: an advisory without an id"),
        (lambda path: folder(path, record(affected=3)), "is no OSV record: the advisory GHSA-new"),
        (lambda path: folder(path, record(modified="soon")), "modified 'soon' is no time"),
        (lambda path: folder(path, record(modified="2999-01-01T00:00:00Z")), "which is yet to come"),
    ],
)
def test_what_is_refused(tmp_path: Path, made: Callable[[Path], Path], sentence: str) -> None:
    with pytest.raises(UsageProblem, match=sentence) as caught:
        update.merged(SHIPPED, made(tmp_path), TODAY)
    assert len(caught.value.sentences) == 1


def test_too_many_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(update, "MOST_RECORDS", 1)
    with pytest.raises(UsageProblem, match="more than 1 records"):
        update.merged(SHIPPED, folder(tmp_path, record(), record("B")), TODAY)


def test_the_command_writes_the_users_base_and_nothing_where_it_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    source = tmp_path / "export"
    source.mkdir()
    folder(source, record(modified="2026-11-26T10:00:00Z"))
    with pytest.raises(SystemExit) as ended:
        main(["advisories", "update", str(source)])
    assert ended.value.code == 0
    assert "GHSA-new" in {one.id for one in load_base().advisories}
    before = users_base().read_bytes()
    with pytest.raises(SystemExit) as ended:
        main(["advisories", "update", str(folder(source, {}))])
    assert ended.value.code == EXIT_USAGE
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert users_base().read_bytes() == before
    assert [path.name for path in users_base().parent.iterdir()] == ["advisories.json"]


def test_the_list_of_a_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    for version, code, said in (
        ("1.74.15", EXIT_NOT_READY, "MUST   CVE-2026-49468"),
        ("1.106.2", 0, "0 judged"),
        ("newest", EXIT_USAGE, "is no version of litellm"),
    ):
        with pytest.raises(SystemExit) as ended:
            main(["advisories", "--env", "local", "--version", version])
        assert ended.value.code == code
        printed = capsys.readouterr()
        assert said in printed.out + printed.err


def test_the_list_for_machines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    with pytest.raises(SystemExit):
        main(["advisories", "--env", "local", "--version", "1.74.15", "--json"])
    document = json.loads(capsys.readouterr().out)
    (release,) = document["releases"]
    assert release["findings"][0]["id"] == "GHSA-4xpc-pv4p-pm3w"
    assert document["base"]["dated"] == "2026-11-26"
