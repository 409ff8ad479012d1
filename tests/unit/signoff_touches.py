"""What can be done to a sign-off, and the sentence that tells of it."""

from __future__ import annotations

import io
import json
import lzma
import shutil
import tarfile
import zlib
from collections.abc import Callable
from typing import Any

from gateway_acceptance.signoff.dsse import enveloped, opened
from gateway_acceptance.signoff.files import json_bytes
from gateway_acceptance.signoff.layout import NAMESPACE
from gateway_acceptance.signoff.pdf import pdf_of
from gateway_acceptance.signoff.sshsig import sign_file
from tests.unit.signing import edit
from tests.unit.signoff_touched import Touched


def _record(change: Callable[[dict[str, Any]], None]) -> Callable[[Touched], None]:
    def apply(touched: Touched) -> None:
        record = touched.json("record.json")
        change(record)
        for name in ("record.json", "report/record.json"):
            touched.write(name, record)

    return apply


def _hide_deviation(record: dict[str, Any]) -> None:
    check = next(check for check in record["checks"] if check["id"] == "API-A-002")
    check["verdict"] = check["cases"][0]["verdict"] = "passed"
    check["cases"][0]["waiver"] = None


def _nightly(record: dict[str, Any]) -> None:
    record["run"]["profile"] = "nightly"


def _dirty(record: dict[str, Any]) -> None:
    record["run"]["suite"]["dirty"] = True


def _not_ready(record: dict[str, Any]) -> None:
    record["run"]["state"] = "NOT READY"


def _any_failure(record: dict[str, Any]) -> None:
    record["waivers"][0]["observed"] = "."


def _of_no_year(record: dict[str, Any]) -> None:
    record["run"]["started"] = "0000-01-01T00:00:00Z"


def _of_no_end(record: dict[str, Any]) -> None:
    record["run"]["ended"] = "soonZ"


def _endless_name(touched: Touched) -> None:
    approver = touched.json("signoff.json")["approver"]
    edit(touched.path, approver={**approver, "name": "x " * 101})


def _moved_target(record: dict[str, Any]) -> None:
    record["target"]["fingerprint"]["end"]["gateway.version"] = "9"


def _first_claim_gone(touched: Touched) -> None:
    edit(touched.path, claims=touched.json("signoff.json")["claims"][1:])


def _claim_made_better(touched: Touched) -> None:
    claims = touched.json("signoff.json")["claims"]
    claims[1]["verdict"] = "passed"
    edit(touched.path, claims=claims)


def attested_without_deviation(touched: Touched) -> None:
    path = touched.path / "attestation.dsse.json"
    told = opened(path.read_bytes(), touched.key.public_key())
    told["predicate"] |= {"result": "PASSED", "warnedTests": []}
    path.write_bytes(enveloped(touched.key, json_bytes(told)))


def attested_as_something_else(touched: Touched) -> None:
    path = touched.path / "attestation.dsse.json"
    told = opened(path.read_bytes(), touched.key.public_key())
    told["predicateType"] = "https://slsa.dev/provenance/v1"
    path.write_bytes(enveloped(touched.key, json_bytes(told)))


def _payload_swapped(touched: Touched) -> None:
    envelope, other = touched.json("attestation.dsse.json"), touched.other / "attestation.dsse.json"
    envelope["payload"] = json.loads(other.read_text(encoding="utf-8"))["payload"]
    (touched.path / "attestation.dsse.json").write_text(
        json.dumps(envelope, indent=1) + "\n", encoding="utf-8"
    )


def _payload_type_swapped(touched: Touched) -> None:
    envelope = touched.json("attestation.dsse.json") | {"payloadType": "text/plain"}
    (touched.path / "attestation.dsse.json").write_text(
        json.dumps(envelope, indent=1) + "\n", encoding="utf-8"
    )


def _attested_by_a_stranger(touched: Touched) -> None:
    path = touched.path / "attestation.dsse.json"
    told = opened(path.read_bytes(), touched.key.public_key())
    path.write_bytes(enveloped(touched.stranger, json_bytes(told)))


def _from_other(*names: str) -> Callable[[Touched], None]:
    def apply(touched: Touched) -> None:
        for name in names:
            shutil.copyfile(touched.other / name, touched.path / name)

    return apply


def _signature_for(namespace: str) -> Callable[[Touched], None]:
    def apply(touched: Touched) -> None:
        content = (touched.path / "signoff.json").read_bytes()
        (touched.path / "signoff.json.sig").write_text(
            sign_file(touched.key, content, namespace), encoding="ascii"
        )

    return apply


def _signature_of_a_stranger(touched: Touched) -> None:
    content = (touched.path / "signoff.json").read_bytes()
    text = sign_file(touched.stranger, content, NAMESPACE)
    (touched.path / "signoff.json.sig").write_text(text, encoding="ascii")


def _results_lead_out(touched: Touched) -> None:
    with tarfile.open(touched.path / "report" / "allure-results.tar.xz", "w:xz") as archive:
        member = tarfile.TarInfo("../../out.txt")
        member.size = 2
        archive.addfile(member, io.BytesIO(b"no"))


def _results_are_links(touched: Touched) -> None:
    with tarfile.open(touched.path / "report" / "allure-results.tar.xz", "w:xz") as archive:
        member = tarfile.TarInfo("x-result.json")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/hostname"
        archive.addfile(member)


def _results_of_other(touched: Touched) -> None:
    with tarfile.open(touched.path / "report" / "allure-results.tar.xz", "w:xz"):
        pass


def _packed(
    *members: tuple[tarfile.TarInfo, bytes], form: int = tarfile.GNU_FORMAT
) -> Callable[[Touched], None]:
    def apply(touched: Touched) -> None:
        path = touched.path / "report" / "allure-results.tar.xz"
        with tarfile.open(path, "w:xz", format=form) as archive:
            for member, content in members:
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))

    return apply


def _packed_device(touched: Touched) -> None:
    member = tarfile.TarInfo("x")
    member.type = tarfile.CHRTYPE
    with tarfile.open(touched.path / "report" / "allure-results.tar.xz", "w:xz") as archive:
        archive.addfile(member)


def _with_nul() -> tarfile.TarInfo:
    member = tarfile.TarInfo("x")
    member.pax_headers = {"path": "a\0b"}
    return member


def _long_name(touched: Touched) -> None:
    """A header that announces a name of 600 MiB; the packed file has some kilobytes."""
    packer = lzma.LZMACompressor(preset=0)
    header = tarfile.TarInfo("././@LongLink")
    header.type, header.size = tarfile.GNUTYPE_LONGNAME, 600 << 20
    with (touched.path / "report" / "allure-results.tar.xz").open("wb") as file:
        file.write(packer.compress(header.tobuf(tarfile.GNU_FORMAT)))
        file.write(packer.compress(b"a" * (4 << 20)))
        file.write(packer.flush())


def _bomb(touched: Touched) -> None:
    packer = lzma.LZMACompressor(preset=0)
    header = tarfile.TarInfo("x-result.json")
    header.size = 300 << 20
    with (touched.path / "report" / "allure-results.tar.xz").open("wb") as file:
        file.write(packer.compress(header.tobuf(tarfile.GNU_FORMAT)))
        file.write(packer.flush())


def _more_behind(touched: Touched) -> None:
    path = touched.path / "report" / "allure-results.tar.xz"
    path.write_bytes(path.read_bytes() + b"more")


def _greedy(touched: Touched) -> None:
    """Packed so that unpacking asks for a dictionary of 512 MiB."""
    path = touched.path / "report" / "allure-results.tar.xz"
    content = bytearray(lzma.compress(lzma.decompress(path.read_bytes()), preset=0))
    size = content.index(b"\x21\x01", 12) + 2  # LZMA2's properties: one byte for the dictionary's size
    content[size] = 34
    header_size = (content[12] + 1) * 4
    end = 12 + header_size - 4
    content[end : end + 4] = zlib.crc32(content[12:end]).to_bytes(4, "little")
    path.write_bytes(bytes(content))


def _replaced(name: str, old: str, new: str) -> Callable[[Touched], None]:
    def apply(touched: Touched) -> None:
        text = (touched.path / name).read_text(encoding="utf-8")
        assert old in text
        (touched.path / name).write_text(text.replace(old, new, 1), encoding="utf-8")

    return apply


def _other_paper(touched: Touched) -> None:
    document = touched.json("signoff.json")
    (touched.path / "signoff.pdf").write_bytes(pdf_of({**document, "release": "9.9"}))


def _paper_with_more(touched: Touched) -> None:
    """An update behind the end of the file, which viewers take for the file."""
    path = touched.path / "signoff.pdf"
    path.write_bytes(path.read_bytes() + b"1 0 obj\n<<>>\nendobj\nstartxref\n9\n%%EOF\n")


def _twice(name: str, key: str) -> Callable[[Touched], None]:
    """A key that is there a second time: some readers take the first, some the last."""

    def apply(touched: Touched) -> None:
        text = (touched.path / name).read_text(encoding="utf-8")
        (touched.path / name).write_text(text.replace("{", f'{{"{key}": "another",', 1), encoding="utf-8")

    return apply


def _not_a_number(name: str) -> Callable[[Touched], None]:
    def apply(touched: Touched) -> None:
        text = (touched.path / name).read_text(encoding="utf-8")
        (touched.path / name).write_text(text.replace("{", '{"x": NaN,', 1), encoding="utf-8")

    return apply


def _other_blind_spots(touched: Touched) -> None:
    spots = touched.json("signoff.json")["blind_spots"]

    def told(record: dict[str, Any]) -> None:
        record["basis"]["blind_spots"] = spots

    _record(told)(touched)
    edit(touched.path, blind_spots={**spots, "limits": []})


UNSIGNED = {
    "the record hides a deviation": (_record(_hide_deviation), "it is not of this content"),
    "a waiver is taken out": (lambda one: edit(one.path, accepted=[]), "it is not of this content"),
    "the date": (lambda one: edit(one.path, signed="2026-06-01T03:00:01Z"), "it is not of this content"),
    "the release": (lambda one: edit(one.path, release="3.0"), "it is not of this content"),
    "of another release": (_from_other("signoff.json"), "it is not of this content"),
    "signed for something else": (_signature_for("git"), "it is of the namespace 'git'"),
    "signed by a stranger": (_signature_of_a_stranger, "signed it"),
    "the attestation of another release": (
        _from_other("attestation.dsse.json"),
        "its subjects are not this record.json and this signoff.json",
    ),
    "the payload of another attestation": (_payload_swapped, "its signature is not of this payload"),
    "the payload's type": (_payload_type_swapped, "its payload is 'text/plain'"),
    "attested by a stranger": (_attested_by_a_stranger, "it names the key SHA256:"),
}
"""Hashes redone, no new signature of the approver's (what binds itself is touched last)."""


RESIGNED = {
    "the record hides a deviation": (_record(_hide_deviation), "report/: junit.xml says waived of"),
    "another profile": (_record(_nightly), "only the profile release is signed"),
    "a changed suite": (_record(_dirty), "was judged by a changed suite"),
    "another state": (_record(_not_ready), "only READY or PRODUCTION READY is signed"),
    "a target that changed": (_record(_moved_target), "report/: the record says run.state 'READY'"),
    "a waiver is taken out": (
        lambda one: edit(one.path, accepted=[]),
        "says accepted otherwise than the record: 0 entries, and 1 in the record",
    ),
    "a claim is taken out": (_first_claim_gone, "says claims otherwise than the record: 1 entries, and 2"),
    "a claim made better": (
        _claim_made_better,
        "says claims otherwise than the record: SEC-01: verdict: 'passed', and 'waived' in the record",
    ),
    "another kind": (lambda one: edit(one.path, kind="production"), "says kind otherwise than the record"),
    "production": (lambda one: edit(one.path, production=True), "says production otherwise than the record"),
    "signed before the run": (lambda one: edit(one.path, signed="2026-05-31T00:00:00Z"), "after the signing"),
    "signed much later": (lambda one: edit(one.path, signed="2026-07-01T00:00:00Z"), "a proof counts 168"),
    "signed in the future": (lambda one: edit(one.path, signed="2026-06-01T05:00:00Z"), "is yet to come"),
    "a waiver expired": (lambda one: edit(one.path, signed="2027-01-01T00:00:00Z"), "W-1 has expired"),
    "somebody else's name": (
        lambda one: edit(one.path, approver=one.json("signoff.json")["approver"] | {"name": "Mallory"}),
        "calls Mallory ada@example.org, which is another name",
    ),
    "no such field": (lambda one: edit(one.path, more="more"), "signoff.json is not as its schema says"),
    "a record of another run": (
        _from_other("record.json"),
        "report/record.json is not the same as record.json",
    ),
    "results that lead out": (_results_lead_out, "it holds '../../out.txt', which no run writes"),
    "results that are links": (_results_are_links, "it holds 'x-result.json', which no run writes"),
    "results with a NUL in a name": (
        _packed((_with_nul(), b"x"), form=tarfile.PAX_FORMAT),
        "which no run writes",
    ),
    "results with a name of 600 MiB": (_long_name, "it holds '././@LongLink', which no run writes"),
    "results of 300 MiB": (_bomb, "it holds more than any run writes"),
    "results that want much memory": (_greedy, "it cannot be unpacked (LZMAError)"),
    "results with more behind": (_more_behind, "something follows its end, which no run writes"),
    "results with a device": (_packed_device, "it holds 'x', which no run writes"),
    "results twice": (
        _packed((tarfile.TarInfo("x"), b"1"), (tarfile.TarInfo("x"), b"2")),
        "it holds 'x', which no run writes",
    ),
    "other blind spots": (_other_blind_spots, "signoff.json says blind_spots otherwise than the record"),
    "a waiver that matches anything": (_record(_any_failure), "observed matches any failure whatever"),
    "another page": (
        _replaced("signoff.html", "READY", "ALL WELL"),
        "signoff.html is not what signoff.json makes",
    ),
    "another paper": (_other_paper, "signoff.pdf is not what signoff.json makes"),
    "a paper with an update": (_paper_with_more, "signoff.pdf is not what signoff.json makes"),
    "another badge": (
        _replaced("report/badge.svg", "ready", "production ready"),
        "report/: badge.svg is not what the record makes",
    ),
    "another STATUS.md": (
        _replaced("report/STATUS.md", "READY", "PRODUCTION READY"),
        "report/: STATUS.md is not what the record makes",
    ),
    "another tracker page": (
        _replaced("report/index.html", "READY", "PRODUCTION READY"),
        "report/: index.html is not what the record makes",
    ),
    "proofs that count for ever": (
        lambda one: edit(one.path, fresh_h=1e300),
        "says fresh_h 1e+300; the record's",
    ),
    "a key twice in the record": (
        _twice("record.json", "format"),
        "record.json cannot be read as a record: it is no",
    ),
    "a number that is none": (_not_a_number("record.json"), "NaN is no finite number"),
    "a key twice in the status": (
        _twice("report/status.json", "state"),
        "report/: status.json cannot be read: Unreadable: it is no JSON that the suite writes: the key",
    ),
    "a day that is none": (
        lambda one: edit(one.path, signed="2026-02-30T00:00:00Z"),
        "signoff.json is not as its schema says: $.signed: '2026-02-30T00:00:00Z' is not a 'date-time'",
    ),
    "a year that is none": (_record(_of_no_year), "'0000-01-01T00:00:00Z' is no time"),
    "an end that is none": (_record(_of_no_end), "'soonZ' is no time"),
    "a name without end": (_endless_name, "signoff.json is not as its schema says: $.approver.name: 'x x"),
    "a text without end": (
        lambda one: edit(one.path, headline="x " * 10_001),
        "signoff.json is not as its schema says: a text of 20002 characters",
    ),
    "other places of the views": (
        _replaced("report/status.json", '"STATUS.md"', '"https://example.org/STATUS.md"'),
        "report/: status.json says paths",
    ),
    "results that are none": (_results_of_other, "report/: allure-results says nothing of"),
}
"""All hashes redone and signed again with the approver's own key."""
