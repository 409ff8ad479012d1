"""The seal of a run directory: every byte of every file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway_acceptance.seal import broken, seal


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.txt").write_text("a", encoding="utf-8")
    (folder / "sub" / "b.bin").write_bytes(b"\0\xff")
    seal(folder)
    return folder


def test_what_is_sealed_is_whole(sealed: Path) -> None:
    document = json.loads((sealed / "seal.json").read_text(encoding="utf-8"))
    assert list(document["files"]) == ["a.txt", "sub/b.bin"]
    assert broken(sealed) == []


def test_sealing_again_seals_what_is_there_now(sealed: Path) -> None:
    (sealed / "new").write_text("", encoding="utf-8")
    seal(sealed)
    assert broken(sealed) == []


def _foreign_link(folder: Path) -> None:
    (folder / "sub" / "out").symlink_to(folder.parent)


def _file_to_link(folder: Path) -> None:
    (folder / "a.txt").rename(folder.parent / "a.txt")
    (folder / "a.txt").symlink_to(folder.parent / "a.txt")


def _seal_to_link(folder: Path) -> None:
    (folder / "seal.json").rename(folder.parent / "seal.json")
    (folder / "seal.json").symlink_to(folder.parent / "seal.json")


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "a byte": (lambda at: (at / "a.txt").write_text("b"), "a.txt was changed after it was sealed"),
    "a byte more": (lambda at: (at / "sub/b.bin").write_bytes(b"\0\xff\0"), "sub/b.bin was changed"),
    "emptied": (lambda at: (at / "a.txt").write_text(""), "a.txt was changed"),
    "removed": (lambda at: (at / "a.txt").unlink(), "a.txt is missing: the seal holds it"),
    "renamed": (lambda at: (at / "a.txt").rename(at / "c.txt"), "c.txt is foreign"),
    "added": (lambda at: (at / "sub" / "more").write_text(""), "sub/more is foreign"),
    "hidden": (lambda at: (at / ".more").write_text(""), ".more is foreign"),
    "a link": (_foreign_link, "sub/out is a link or no plain file"),
    "a file made a link": (_file_to_link, "a.txt is a link or no plain file"),
    "the seal a link": (_seal_to_link, "seal.json is a link"),
    "no seal": (lambda at: (at / "seal.json").unlink(), "there is no seal.json"),
    "a seal of nothing": (lambda at: (at / "seal.json").write_text("[]"), "is no seal of format 1"),
    "a torn seal": (lambda at: (at / "seal.json").write_text("{"), "seal.json cannot be read"),
    "another format": (
        lambda at: (at / "seal.json").write_text('{"format": 2, "files": {}}'),
        "is no seal of format 1",
    ),
}


@pytest.mark.parametrize("what", list(DAMAGE))
def test_damage_is_found(sealed: Path, what: str) -> None:
    damage, sentence = DAMAGE[what]
    damage(sealed)
    assert any(sentence in found for found in broken(sealed)), broken(sealed)


def test_a_link_cannot_be_sealed(sealed: Path) -> None:
    _foreign_link(sealed)
    with pytest.raises(ValueError, match="only plain files can be sealed; remove sub/out"):
        seal(sealed)
