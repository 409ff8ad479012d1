"""Where results land."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway_acceptance.redaction import Redactor
from gateway_acceptance.run_directory import RunDirectory, new_run_directory, previous_record
from tests.unit.records import record

ID = "20260101T000000Z"


def made(root: Path) -> RunDirectory:
    return new_run_directory(root, "mini", ID, Redactor({"k": "sk-123456"}))


def test_two_runs_of_one_second_do_not_share_a_directory(tmp_path: Path) -> None:
    assert [made(tmp_path).path.name for _ in range(3)] == [ID, f"{ID}-2", f"{ID}-3"]


def test_everything_is_written_redacted(tmp_path: Path) -> None:
    directory = made(tmp_path)
    directory.write("a.txt", "x sk-123456")
    directory.write_json("b.json", {"sk-123456": ["sk-123456"]})
    assert [path.name for path in sorted(directory.path.iterdir())] == ["a.txt", "b.json"]
    assert "sk-123456" not in "".join(path.read_text(encoding="utf-8") for path in directory.path.iterdir())


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    directory = made(tmp_path)
    directory.write("a.txt", "old")
    with pytest.raises(TypeError):
        directory.write_json("a.txt", {"x": object()})
    assert (directory.path / "a.txt").read_text(encoding="utf-8") == "old"


def test_latest_moves_in_one_step_and_is_relative(tmp_path: Path) -> None:
    first, second = made(tmp_path), made(tmp_path)
    first.publish()
    second.publish()
    link = tmp_path / "mini" / "latest"
    assert str(link.readlink()) == second.path.name
    assert sorted(path.name for path in link.parent.iterdir()) == [ID, f"{ID}-2", "latest"]


def test_cleared(tmp_path: Path) -> None:
    directory = made(tmp_path)
    outside = tmp_path / "outside"
    outside.mkdir()
    (directory.path / "sub").mkdir()
    (directory.path / "sub" / "a").write_text("x", encoding="utf-8")
    (directory.path / "link").symlink_to(outside)
    directory.clear()
    assert list(directory.path.iterdir()) == []
    assert outside.is_dir()


@pytest.mark.parametrize("text", [None, "", "{", "[]", "3"])
def test_a_previous_record_that_cannot_be_read_is_none(tmp_path: Path, text: str | None) -> None:
    directory = made(tmp_path)
    if text is not None:
        (directory.path / "record.json").write_text(text, encoding="utf-8")
    directory.publish()
    assert previous_record(tmp_path, "mini") is None


def test_the_previous_record_is_the_published_one(tmp_path: Path) -> None:
    published, unfinished = made(tmp_path), made(tmp_path)
    published.write_json("record.json", record(id="1"))
    published.publish()
    unfinished.write_json("record.json", record(id="2"))
    previous = previous_record(tmp_path, "mini")
    assert previous is not None
    assert previous.run.id == "1"
