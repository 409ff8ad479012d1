"""A sign-off that was touched, however: each kind, with the sentence that tells of it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway_acceptance.cli.main import main
from gateway_acceptance.seal import entries
from gateway_acceptance.signoff.allowed import line_of
from gateway_acceptance.signoff.keys import fingerprint, public_line
from gateway_acceptance.signoff.layout import NAMESPACE, UNLISTED
from gateway_acceptance.signoff.page import page
from gateway_acceptance.signoff.pdf import pdf_of
from gateway_acceptance.signoff.verify import verify
from tests.unit.signing import (
    SIGNED,
    edit,
    ground,
    private_key,
    rehash,
    resign,
    signed,
)
from tests.unit.signoff_touched import Touched
from tests.unit.signoff_touches import (
    RESIGNED,
    UNSIGNED,
    attested_as_something_else,
    attested_without_deviation,
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Touched:
    """Signed once; each test touches a copy."""
    root = tmp_path_factory.mktemp("signed")
    base = ground(root / "project")
    key, stranger = private_key(base.key()), private_key(base.key("stranger"))
    whole = signed(base, base.run(), key, root / "whole")
    second = base.run(started="2026-06-01T00:00:01.000Z", elapsed_s=59.0)
    other = signed(base, second, key, root / "other", release="2.0")
    return Touched(whole, key, other, stranger)


@pytest.fixture
def touched(made: Touched, tmp_path: Path) -> Touched:
    shutil.copytree(made.path, tmp_path / "signoff")
    return Touched(tmp_path / "signoff", made.key, made.other, made.stranger)


def test_what_nobody_touched_verifies(touched: Touched) -> None:
    assert touched.findings() == ""


BOUND = (
    *("record.json", "allowed_signers", "approver.pub", "signoff.html", "signoff.pdf", "report/STATUS.md"),
    *("report/record.json", "report/junit.xml", "report/status.json", "report/seal.json"),
    *("report/allure-results.tar.xz", "report/index.html", "report/badge.svg"),
)
UNBOUND = {
    "signoff.json": "signoff.json.sig does not sign signoff.json: it is not of this content",
    "signoff.json.sig": "signoff.json.sig does not sign signoff.json: ",
    "manifest.json": "manifest.json is not the one that signoff.json binds",
    "attestation.dsse.json": "attestation.dsse.json: it",
}


def test_every_file_is_named_here(made: Touched) -> None:
    assert set(entries(made.path)) == {*BOUND, *UNBOUND}


@pytest.mark.parametrize("name", BOUND)
def test_a_changed_bit_of_a_bound_file(touched: Touched, name: str) -> None:
    touched.flip(name)
    assert f"{name} was changed: it is not the file that manifest.json holds" in touched.findings()


@pytest.mark.parametrize("name", UNBOUND)
def test_a_changed_bit_of_what_binds(touched: Touched, name: str) -> None:
    touched.flip(name)
    assert UNBOUND[name] in touched.findings()


@pytest.mark.parametrize("name", UNBOUND)
def test_no_byte_of_what_binds_can_change(touched: Touched, name: str) -> None:
    """Not even one between the words: white space, the end of a line."""
    content = (touched.path / name).read_bytes()
    for changed in (content + b"\n", content.replace(b"\n", b"\r\n"), content.replace(b"\n", b" \n", 1)):
        (touched.path / name).write_bytes(changed)
        assert touched.findings() != ""


@pytest.mark.parametrize("name", [*BOUND, *UNBOUND])
@pytest.mark.parametrize("kept", [0.0, 0.5])
def test_a_cut_file(touched: Touched, name: str, kept: float) -> None:
    content = (touched.path / name).read_bytes()
    (touched.path / name).write_bytes(content[: int(len(content) * kept)])
    assert name in touched.findings()


@pytest.mark.parametrize("name", [*BOUND, *UNBOUND])
def test_a_missing_file(touched: Touched, name: str) -> None:
    (touched.path / name).unlink()
    assert f"{name} is missing: " in touched.findings()


@pytest.mark.parametrize("name", [*BOUND, *UNBOUND])
def test_a_link_in_place_of_a_file(touched: Touched, tmp_path: Path, name: str) -> None:
    shutil.move(touched.path / name, tmp_path / "elsewhere")
    (touched.path / name).symlink_to(tmp_path / "elsewhere")
    assert f"{name} is a link" in touched.findings()


@pytest.mark.parametrize("name", ["note.txt", "report/note.txt", "report/manifest.json", "allure-results/x"])
def test_a_foreign_file(touched: Touched, name: str) -> None:
    (touched.path / name).parent.mkdir(exist_ok=True)
    (touched.path / name).write_text("hello", encoding="utf-8")
    assert f"{name} is foreign: manifest.json does not hold it" in touched.findings()


def test_a_foreign_link_to_a_folder(touched: Touched, tmp_path: Path) -> None:
    (touched.path / "more").symlink_to(tmp_path)
    assert "more is a link or no plain file" in touched.findings()


def test_a_renamed_file(touched: Touched) -> None:
    (touched.path / "signoff.pdf").rename(touched.path / "paper.pdf")
    assert "signoff.pdf is missing: manifest.json holds it" in touched.findings()
    assert "paper.pdf is foreign" in touched.findings()


def test_files_that_changed_places(touched: Touched) -> None:
    page, pdf = touched.path / "signoff.html", touched.path / "signoff.pdf"
    one, two = page.read_bytes(), pdf.read_bytes()
    page.write_bytes(two)
    pdf.write_bytes(one)
    assert touched.findings().count("was changed") == 2


@pytest.mark.parametrize("what", UNSIGNED)
def test_touched_by_somebody_without_the_key(touched: Touched, what: str) -> None:
    touch, sentence = UNSIGNED[what]
    touch(touched)
    if what in ("the record hides a deviation", "a waiver is taken out"):
        rehash(touched.path)
    assert sentence in touched.findings()


@pytest.mark.parametrize("what", RESIGNED)
def test_touched_by_the_approver(touched: Touched, what: str) -> None:
    touch, sentence = RESIGNED[what]
    touch(touched)
    rehash(touched.path)
    resign(touched.path, touched.key)
    assert sentence in touched.findings()


@pytest.mark.parametrize(
    ("touch", "sentence"),
    [
        (attested_without_deviation, "says warnedTests otherwise than the record and signoff.json"),
        (attested_as_something_else, "attestation.dsse.json is not as its schema says"),
    ],
)
def test_an_attestation_of_something_else(
    touched: Touched, touch: Callable[[Touched], None], sentence: str
) -> None:
    touch(touched)
    assert sentence in touched.findings()


def test_all_redone_with_another_key_is_found_by_who_knows_the_approver(
    touched: Touched, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing inside can prove it; the approver's key, known from elsewhere, does."""
    known, key_file = tmp_path / "known", tmp_path / "known.pub"
    known.write_text(line_of("ada@example.org", NAMESPACE, touched.key.public_key()), encoding="utf-8")
    key_file.write_text(public_line(touched.key.public_key()) + "\n", encoding="utf-8")
    stranger = touched.stranger.public_key()
    approver = touched.json("signoff.json")["approver"]
    approver["key"]["fingerprint"] = fingerprint(stranger)
    edit(touched.path, approver=approver)
    (touched.path / "approver.pub").write_text(f"{public_line(stranger)} ada@example.org\n", encoding="utf-8")
    line = line_of("ada@example.org", NAMESPACE, stranger)
    (touched.path / "allowed_signers").write_text(line, encoding="utf-8")
    document = touched.json("signoff.json")
    (touched.path / "signoff.html").write_text(page(document), encoding="utf-8")
    (touched.path / "signoff.pdf").write_bytes(pdf_of(document))
    rehash(touched.path)
    resign(touched.path, touched.stranger)

    def ends(*options: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            main(["verify", str(touched.path), *options])
        assert isinstance(ended.value.code, int)
        return ended.value.code, capsys.readouterr().out

    code, out = ends()
    assert (code, "Who signed it is only what the directory itself says" in out) == (5, True)
    code, out = ends("--allowed-signers", str(known))
    assert (code, "does not allow ada@example.org's signature: it does not hold the key" in out) == (1, True)
    code, out = ends("--public-key", str(key_file))
    assert (code, "is not that of" in out) == (1, True)


@pytest.mark.parametrize("name", ["signoff.json", "manifest.json", "attestation.dsse.json"])
@pytest.mark.parametrize(
    "content", ["[" * 100_000, "[]", "null", "{}", "\ud800".encode("utf-8", "surrogatepass")]
)
def test_what_was_never_such_a_document(touched: Touched, name: str, content: str | bytes) -> None:
    (touched.path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    assert f"{name}" in touched.findings()


def test_a_folder_that_is_no_signoff(tmp_path: Path) -> None:
    found = verify(tmp_path, SIGNED).findings
    assert found == [f"{name} is missing: every sign-off has one" for name in UNLISTED]
