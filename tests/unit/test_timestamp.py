"""A time-stamp says by when a signature was there; whose it is, only certificates from elsewhere tell."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway_acceptance.signoff.verify import verify
from tests.unit.desk import Desk, at_a_desk, set_clock
from tests.unit.signing import CASES, a_case, edit, rehash, resign
from tests.unit.signing import private_key as key_of
from tests.unit.tsa import Authority, served

STAMP = "signoff.json.tsr"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Desk:
    """With a run of today: an authority's clock is nobody's to set."""
    made = at_a_desk(tmp_path, monkeypatch, capsys)
    now = datetime.now(UTC).replace(microsecond=0)
    begun, ended = now - timedelta(minutes=62), now - timedelta(minutes=61)
    at = (begun + timedelta(seconds=30)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    times: dict[str, Any] = {
        "id": begun.strftime("%Y%m%dT%H%M%SZ"),
        "started": begun.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "ended": ended.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
    }
    cases = [CASES[0], a_case("API-A-002"), CASES[2]]
    made.ground.run([{**one, "started": at} for one in cases], waived=False, today=ended.date(), **times)
    set_clock(monkeypatch, now)
    return made


def anchor(desk: Desk, line: str = "") -> str:
    kept = desk.ground.root / "signers"
    kept.write_text(line or (desk.out / "allowed_signers").read_text(encoding="utf-8"), encoding="utf-8")
    return str(kept)


def test_a_signature_is_time_stamped(desk: Desk, tmp_path: Path) -> None:
    authority, stranger = Authority(tmp_path / "one"), Authority(tmp_path / "two")
    with served(authority) as url:
        code, _, err = desk.signoff("--timestamp-url", url)
    assert (code, err) == (0, "")
    assert verify(desk.out).findings == []
    known = ["verify", str(desk.out), "--allowed-signers", anchor(desk)]
    code, out, _ = desk.run(*known)
    assert (code, "by whom nothing here tells" in out) == (0, True), out
    code, out, _ = desk.run(*known, "--timestamp-ca", str(authority.file))
    assert (code, f"UTC, as {authority.file} knows" in out) == (0, True), out
    code, out, _ = desk.run(*known, "--timestamp-ca", str(stranger.file))
    assert (code, "none of these made its time-stamp" in out) == (1, True), out
    code, _, err = desk.run(*known, "--timestamp-ca", str(desk.key))
    assert (code, "holds no certificates in PEM" in err) == (4, True), err


def test_a_key_that_was_retired_since(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a time that somebody else tells, it must be valid now: who has it may backdate."""
    authority = Authority(tmp_path / "one")
    with served(authority) as url:
        assert desk.signoff("--timestamp-url", url)[0] == 0
    now = datetime.now(UTC)
    line = (desk.out / "allowed_signers").read_text(encoding="utf-8")
    until = (now + timedelta(days=2)).strftime("%Y%m%d%H%MZ")
    kept = anchor(desk, line.replace('namespaces="', f'valid-before="{until}",namespaces="', 1))
    set_clock(monkeypatch, now + timedelta(days=30))
    known = ["verify", str(desk.out), "--allowed-signers", kept]
    assert desk.run(*known)[0] == 1
    code, out, _ = desk.run(*known, "--timestamp-ca", str(authority.file))
    assert (code, "time-stamped at" in out) == (0, True), out


def test_what_no_authority_gave_is_not_signed(desk: Desk, tmp_path: Path) -> None:
    authority = Authority(tmp_path / "one")
    other = authority.reply(_query(b"another"))
    answers = ((b"", 200, "it is no time-stamp"), (b"x", 500, "it answered with status 500"))
    for spoil, status, words in (*answers, (other, 200, "it is not of this signoff.json.sig")):
        with served(authority, spoil, status) as url:
            code, _, err = desk.signoff("--timestamp-url", url)
        assert (code, words in err, "nothing was signed" in err) == (4, True, True), err
        assert [path for path in desk.written if path.is_file()] == []
    code, _, err = desk.signoff("--timestamp-url", "http://127.0.0.1:9/")
    assert (code, "no time-stamp came" in err) == (4, True), err
    code, _, err = desk.signoff("--timestamp-url", "tsa")
    assert (code, "--timestamp-url 'tsa' is no address" in err) == (4, True), err


def test_a_time_stamp_that_was_touched(desk: Desk, tmp_path: Path) -> None:
    authority = Authority(tmp_path / "one")
    with served(authority) as url:
        assert desk.signoff("--timestamp-url", url)[0] == 0
    stamp = desk.out / STAMP

    def found() -> str:
        return "\n".join(verify(desk.out, datetime.now(UTC)).findings)

    content = stamp.read_bytes()
    stamp.write_bytes(authority.reply(_query(b"another")))
    assert f"{STAMP}: it is not of this signoff.json.sig" in found()
    stamp.write_bytes(b"no stamp")
    assert f"{STAMP}: it is no time-stamp" in found()
    stamp.unlink()
    assert f"{STAMP} cannot be read: No such file or directory" in found()
    stamp.symlink_to(tmp_path / "one" / "reply")
    assert f"{STAMP} cannot be read: it is no plain file" in found()
    stamp.unlink()
    stamp.write_bytes(content)
    assert found() == ""
    late = (datetime.now(UTC) - timedelta(days=20)).strftime("%Y-%m-%dT%H:%M:%SZ")
    edit(desk.out, signed=late)
    rehash(desk.out)
    resign(desk.out, key_of(desk.key))
    stamp.write_bytes(authority.reply(_query((desk.out / "signoff.json.sig").read_bytes())))
    assert f"{STAMP} is of " in found()
    assert ", and signoff.json was signed at " in found()


def test_a_time_stamp_that_nobody_asked_for(desk: Desk, tmp_path: Path) -> None:
    assert desk.signoff()[0] == 0
    shutil.copyfile(Authority(tmp_path / "one").file, desk.out / STAMP)
    found = verify(desk.out, datetime.now(UTC)).findings
    assert found == [f"{STAMP} is foreign: signoff.json tells of none"]


def _query(content: bytes) -> bytes:
    from rfc3161_client import TimestampRequestBuilder

    query: bytes = TimestampRequestBuilder().data(content).cert_request(cert_request=True).build().as_bytes()
    return query
