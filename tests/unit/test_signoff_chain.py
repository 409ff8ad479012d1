"""Sign-offs are a chain: the one before comes along, bound by its digest and its own signature."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from gateway_acceptance.run_directory import record_at
from gateway_acceptance.signoff.archive import pack
from gateway_acceptance.signoff.chain import comparison
from gateway_acceptance.signoff.layout import NAMESPACE
from gateway_acceptance.signoff.page import page
from gateway_acceptance.signoff.pdf import pdf_of
from gateway_acceptance.signoff.sshsig import sign_file
from gateway_acceptance.signoff.verify import verify
from tests.unit.signing import CASES, SIGNED, a_case, edit, ground, private_key, rehash, resign, signed
from tests.unit.signoff_touched import Touched

LATER = SIGNED + timedelta(hours=1)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Touched:
    """A release, and one after it."""
    root = tmp_path_factory.mktemp("chained")
    base = ground(root / "project")
    key, stranger = private_key(base.key()), private_key(base.key("stranger"))
    first = base.run([CASES[0], a_case("API-A-002"), a_case("API-A-003")], waived=False)
    before = signed(base, first, key, root / "before", release="0.9")
    second = base.run()
    record = record_at(second)
    told = {"before": before, "previous": comparison(record, before), "signed": LATER}
    return Touched(signed(base, second, key, root / "after", **told), key, before, stranger)


@pytest.fixture
def touched(made: Touched, tmp_path: Path) -> Touched:
    shutil.copytree(made.path, tmp_path / "signoff")
    return Touched(tmp_path / "signoff", made.key, made.other, made.stranger)


def test_the_one_before_comes_along(touched: Touched) -> None:
    seen = verify(touched.path, LATER)
    assert seen.findings == []
    assert seen.previous is not None
    assert seen.previous.document["release"] == "0.9"
    assert touched.json("signoff.json")["previous"]["newly_accepted"] == ["W-1"]


def _told_otherwise(touched: Touched) -> None:
    edit(touched.path, previous={**touched.json("signoff.json")["previous"], "newly_accepted": []})


def _none_told(touched: Touched) -> None:
    edit(touched.path, previous=None)


def _gone(touched: Touched) -> None:
    shutil.rmtree(touched.path / "previous")


def _another(touched: Touched) -> None:
    shutil.copyfile(touched.path / "signoff.json", touched.path / "previous" / "signoff.json")


def _signed_by_a_stranger(touched: Touched) -> None:
    content = (touched.path / "previous" / "signoff.json").read_bytes()
    text = sign_file(touched.stranger, content, "git")
    (touched.path / "previous" / "signoff.json.sig").write_text(text, encoding="ascii")


def _of_another_record(touched: Touched) -> None:
    pack({"record.json": touched.path / "record.json"}, touched.path / "previous" / "record.tar.xz")


def _with_two_records(touched: Touched) -> None:
    packed = touched.path / "previous" / "record.tar.xz"
    pack({"../record.json": touched.path / "record.json"}, packed)


CHAINED: dict[str, tuple[Callable[[Touched], None], str]] = {
    "what changed is told otherwise": (
        _told_otherwise,
        "what changed since 0.9 otherwise than the",
    ),
    "no previous release is told": (
        _none_told,
        "previous/ is there, and signoff.json names no",
    ),
    "the one before is gone": (_gone, "previous/ cannot be read: No such file or directory"),
    "another one": (_another, "previous/signoff.json is not the sign-off that signoff.json names"),
    "signed for something else": (_signed_by_a_stranger, "does not sign previous/signoff.json: it is of the"),
    "of another record": (_of_another_record, "does not hold the record that previous/signoff.json binds"),
    "a record that leads out": (_with_two_records, "it holds '../record.json', which no run writes"),
}


@pytest.mark.parametrize("what", CHAINED)
def test_a_chain_that_was_touched_by_the_approver(touched: Touched, what: str) -> None:
    touch, sentence = CHAINED[what]
    touch(touched)
    document = touched.json("signoff.json")
    (touched.path / "signoff.html").write_text(page(document), encoding="utf-8")
    (touched.path / "signoff.pdf").write_bytes(pdf_of(document))
    rehash(touched.path)
    resign(touched.path, touched.key)
    (finding,) = verify(touched.path, LATER).findings
    assert sentence in finding


def test_whose_the_one_before_is_only_an_anchor_tells(touched: Touched) -> None:
    """Signed again by a stranger it verifies by itself; who knows the signers sees it."""
    content = (touched.path / "previous" / "signoff.json").read_bytes()
    text = sign_file(touched.stranger, content, NAMESPACE)
    (touched.path / "previous" / "signoff.json.sig").write_text(text, encoding="ascii")
    rehash(touched.path)
    resign(touched.path, touched.key)
    seen = verify(touched.path, LATER)
    assert seen.findings == []
    assert seen.previous is not None
    assert seen.previous.signer.public_bytes_raw() == touched.stranger.public_key().public_bytes_raw()  # type: ignore[union-attr]
