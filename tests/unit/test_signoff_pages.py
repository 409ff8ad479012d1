"""What people read: the same on page and paper, harmless, and nothing of it lost."""

from __future__ import annotations

import copy
import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from gateway_acceptance.signoff.page import page
from gateway_acceptance.signoff.pdf import _markup, in_glyphs, pdf_of
from gateway_acceptance.signoff.summary import summary_of
from tests.unit.signing import ground, private_key, signed


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    root = tmp_path_factory.mktemp("pages")
    base = ground(root / "project")
    out = signed(base, base.run(), private_key(base.key()), root / "out")
    loaded: dict[str, Any] = json.loads((out / "signoff.json").read_text(encoding="utf-8"))
    return loaded


def changed(document: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {**copy.deepcopy(document), **fields}


PREVIOUS: dict[str, Any] = {
    "release": "0.9",
    "run": "R",
    "record_sha256": "0" * 64,
    "product_version": "1.2.2",
    **dict.fromkeys(("fixed", "broken", "new", "gone", "newly_not_verified"), ()),
    "moved": [{"id": "API-A-002", "title": "it is strict", "before": "passed", "after": "waived"}],
    "newly_accepted": ["W-1"],
    "no_longer_accepted": [],
}


def facts(document: dict[str, Any]) -> dict[str, str]:
    return dict(summary_of(document).facts)


def test_the_first_page_says_what_was_judged_by_whom_with_what_result(document: dict[str, Any]) -> None:
    told = summary_of(document)
    assert told.title == "Sign-off: release 1.0 of mini"
    assert told.decision == "READY, NOT PRODUCTION"
    assert told.warning.startswith("This is not production: mini is an environment of kind staging")
    assert told.sentence == (
        "Ada Łovelace <ada@example.org> accepts release 1.0 of the environment mini (staging): "
        "all 2 claims are verified."
    )
    first = facts(document)
    assert first["Judged"] == "openai-compatible 1.2.3 at http://127.0.0.1:4000"
    assert first["Signed"].startswith("2026-06-01 02:01:00 UTC, ssh-ed25519 SHA256:")
    assert first["Result"] == (
        "2 of 2 claims are verified, 1 of them with accepted deviations; 2 of 3 checks executed, none red"
    )
    assert first["Accepted deviations"] == (
        "1 waiver, 1 of a MUST; 1 deviation seen. The first expires on 2026-12-31"
    )
    assert first["Risk level"] == "MEDIUM: MUST waived: API-A-002"
    assert first["Not covered"].endswith("not executed here: 1 check")


def test_production_is_told_as_such(document: dict[str, Any]) -> None:
    told = summary_of(changed(document, state="PRODUCTION READY", production=True, kind="production"))
    assert (told.decision, told.warning) == ("PRODUCTION READY", "")


def test_differences_are_told(document: dict[str, Any]) -> None:
    compared = changed(document, previous=PREVIOUS)
    assert facts(compared)["Since the last release"] == "0.9: 1 otherwise changed, 1 newly accepted"
    (section,) = [
        one for one in summary_of(compared).sections if one.title == "Since the last accepted release"
    ]
    assert section.table is not None
    assert ("otherwise changed", "API-A-002", "it is strict", "passed to waived") in section.table.rows
    assert ("newly accepted", "W-1", "", "") in section.table.rows


def test_a_fingerprint_that_moved_is_not_told_as_the_same(document: dict[str, Any]) -> None:
    target = copy.deepcopy(document["target"])
    target["fingerprint"]["end"]["gateway.version"] = "9"
    (section,) = [
        one
        for one in summary_of(changed(document, target=target)).sections
        if one.title.startswith("Fingerprint")
    ]
    assert section.text == "It was not the same at the run's start and end."
    assert section.table is not None
    assert ("gateway.version", "1.2.3; at the end 9") in section.table.rows


class Reader(HTMLParser):
    """Tags, attributes and text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    return reader


def test_the_page_holds_the_whole_account(document: dict[str, Any]) -> None:
    text = " ".join(read(page(document)).text.split())
    told = summary_of(document)
    cells = [cell for one in told.sections if one.table for row in one.table.rows for cell in row]
    for words in (told.title, told.decision, told.warning, *(value for _, value in told.facts), *cells):
        assert words in text


def test_the_page_loads_and_runs_nothing(document: dict[str, Any]) -> None:
    text = page(document)
    reader = read(text)
    assert {tag for tag, _ in reader.tags} & {"script", "img", "link", "iframe", "object", "form"} == set()
    assert not [name for _, attributes in reader.tags for name in attributes if name in ("src", "style")]
    assert not re.search(r"url\(|@import", text)
    links = {attributes["href"] for tag, attributes in reader.tags if tag == "a"}
    assert links == {"https://example.org/issues/1"}
    assert ("html", {"lang": "en"}) in reader.tags


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", '"><img src=x>', "a & b", "{{ 7 * 7 }}"])
def test_a_name_can_do_nothing(document: dict[str, Any], text: str) -> None:
    named = changed(document, approver={**document["approver"], "name": text})
    reader = read(page(named))
    assert text in reader.text
    assert not [tag for tag, _ in reader.tags if tag in ("script", "img")]
    assert pdf_of(named).startswith(b"%PDF")


def test_the_same_signoff_is_the_same_paper(document: dict[str, Any]) -> None:
    assert pdf_of(document) == pdf_of(copy.deepcopy(document))
    assert pdf_of(document) != pdf_of(changed(document, release="1.1"))


def test_characters_that_the_font_lacks_are_named() -> None:
    assert in_glyphs("Ada Łovelace, Жанна, Ωmega – “ế”") == "Ada Łovelace, Жанна, Ωmega – “ế”"
    assert in_glyphs("张 ✅") == "[U+5F20] [U+2705]"


def test_long_words_can_break() -> None:
    assert _markup("short words & more") == "short words &amp; more"
    assert "<wbr/>" in _markup("https://example.org/a/very/long/path/that/never/ends")
    assert max(map(len, _markup("x" * 500).split("<wbr/>"))) == 24


def test_paper_bears_many_reasons(document: dict[str, Any]) -> None:
    """A fact of the first page may be longer than a page."""
    despite = [f"{number}: the newer run is NOT READY {'because of it ' * 20}" for number in range(60)]
    assert pdf_of(changed(document, despite=despite)).startswith(b"%PDF-")


def test_paper_bears_what_does_not_fit(document: dict[str, Any]) -> None:
    """A row higher than a page, a name wider than one, many pages."""
    waiver = document["accepted"][0]
    many = [{**waiver, "id": f"W-{number}", "reason": "x" * 300} for number in range(200)]
    monster = {**waiver, "id": "W", "reason": "never ending " * 2000}
    full = changed(
        document,
        accepted=[monster, *many],
        approver={**document["approver"], "name": "A" * 200},
        release="1" * 64,
    )
    content = pdf_of(full)
    assert len(re.findall(rb"/Type /Page\b", content)) > 10


def test_an_account_of_little(document: dict[str, Any]) -> None:
    """No waiver, nothing left out, no promise without a check."""
    spots = {"promises": {"all": 1, "covered": 1, "not_covered": []}, "limits": []}
    bare = changed(document, accepted=[], not_executed=[], blind_spots=spots)
    assert facts(bare)["Accepted deviations"] == "none"
    assert "Nothing: no deviation was waived." in page(bare)
    assert pdf_of(bare).startswith(b"%PDF")
