"""index.html: the same numbers as STATUS.md, escaped, without script, readable by all, in light and dark."""

from __future__ import annotations

import hashlib
import itertools
import re
from base64 import b64decode, b64encode
from html.parser import HTMLParser
from typing import Any

import pytest

from gateway_acceptance.claims import SECTIONS, Claim
from gateway_acceptance.record_model import record_of
from gateway_acceptance.report.accepted import Accepted
from gateway_acceptance.report.history import History
from gateway_acceptance.report.page import link, style, tag
from gateway_acceptance.report.past import Past
from gateway_acceptance.report.states import tone
from gateway_acceptance.report.status_model import status_model
from gateway_acceptance.report.tracker import render_page, render_status
from gateway_acceptance.verdict import Verdict
from tests.unit.records import case, check, exchange, forced, record, waiver
from tests.unit.test_report_proofs import earlier

HOSTILE = (
    "</style></title>\"'><script>alert(1)</script><img src=x onerror=alert(1)> {{ 7*7 }} &amp; \u202e\x1b[31m"
)
DRAWING = '<svg xmlns="http://www.w3.org/2000/svg"><text>shares</text></svg>'
VOID_TAGS = ("meta", "img", "br", "hr", "link", "input")
WAIVER = waiver(reason="known", owner="platform", expires="2026-03-15")


class Page(HTMLParser):
    """Tags with their attributes, the text, and whether every element is closed in order."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.text = ""
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID_TAGS:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for found, attributes in self.tags if found == name]


def red_record() -> dict[str, Any]:
    """Something of everything."""
    failed = case(
        "b",
        Verdict.FAILED,
        "saw nothing",
        parameters={"chat_model": "hx-chat"},
        evidence=[exchange()],
        blame="gateway",
    )
    document = record(
        check(
            "API-A-001",
            case("a", facts={"mb": "3"}, pictures={"shares": DRAWING}),
            claims=["FUN-01", "RES-01"],
        ),
        check("API-B-001", failed, claims=["FUN-02"]),
        check("API-C-001", case("c", Verdict.NOT_PERMITTED, "the policy forbids disrupt"), claims=["FUN-03"]),
        check("API-D-001", case("d", Verdict.UNTESTABLE, "no tree"), claims=["SEC-01"]),
        claims=("MOD-01", "SEC-02"),
        reasons=[f"reason {number}" for number in range(12)],
    )
    document["waivers"] = [
        WAIVER,
        {**WAIVER, "id": "LONG", "expires": "2026-03-16"},
        {**WAIVER, "id": "OVER", "expires": "2026-02-27", "expired": True},
    ]
    next(one for one in document["claims"] if one["id"] == "SEC-01")["verdict"] = "untestable"  # as judged
    return document


CLAIMS = [
    Claim("FUN-01", SECTIONS[2], "works"),
    Claim("FUN-02", SECTIONS[2], "works as well"),
    Claim("FUN-03", SECTIONS[2], "outlives"),
    Claim("MOD-01", SECTIONS[3], "is there"),
    Claim("RES-01", SECTIONS[5], "is small"),
    Claim("SEC-01", SECTIONS[6], "owned", fix="sudo chown -R root /opt"),
    Claim("SEC-02", SECTIONS[6], "secret", fix="sudo chmod 600 /opt/key"),
]


def past() -> Past:
    before = record(check("API-A-001"), check("API-B-001"), id="before")
    runs = (earlier(verdicts={"MOD-01": "passed"}, proven={"MOD-01": "2026-02-27T10:00:00Z"}),)
    return Past(
        record_of(before),
        History(runs, ("run x is left out: no JSON",), 3),
        Accepted("1.0", "2026-02-01T00:00:00Z", record_of(before)),
        ("the sign-off 1.1 is passed over: torn",),
    )


@pytest.fixture(scope="module")
def pages() -> tuple[Page, str, str]:
    view = status_model(record_of(red_record()), past(), CLAIMS, report=True)
    source = render_page(view)
    return Page(source), source, render_status(view)


def test_the_page_is_whole(pages: tuple[Page, str, str]) -> None:
    page, source, _ = pages
    assert (page.wrong, page.open) == ([], [])
    assert source.startswith('<!DOCTYPE html>\n<html lang="en">')
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_nothing_is_loaded_and_nothing_runs(pages: tuple[Page, str, str]) -> None:
    page, source, _ = pages
    assert not page.all("script")
    assert not page.all("link")
    assert [
        one["src"] for one in page.all("img") if not str(one["src"]).startswith("data:image/svg+xml;base64,")
    ] == []
    assert not [
        name for _, attributes in page.tags for name in attributes if name.startswith("on") or name == "style"
    ]
    (policy,) = (
        one["content"] for one in page.all("meta") if one.get("http-equiv") == "Content-Security-Policy"
    )
    css = re.findall(r"<style>(.*?)</style>", source, re.DOTALL)[0]
    digest = b64encode(hashlib.sha256(css.encode()).digest()).decode()
    allowed = f"style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    assert policy == f"default-src 'none'; {allowed}"
    assert "url(" not in style()
    assert "@import" not in style()


def test_links_lead_into_the_page_or_to_files_beside(pages: tuple[Page, str, str]) -> None:
    page, _, _ = pages
    ids = {f"#{attributes['id']}" for _, attributes in page.tags if "id" in attributes}
    outside = {str(one["href"]) for one in page.all("a")} - ids
    assert outside == {"report.html", "record.json", "STATUS.md", "https://example.org/1"}


def test_it_can_be_read_by_ear_and_by_key(pages: tuple[Page, str, str]) -> None:
    page, _, _ = pages
    assert [len(page.all(name)) for name in ("header", "main", "footer", "nav", "h1")] == [1] * 5
    levels = [int(name[1]) for name, _ in page.tags if re.fullmatch(r"h[1-6]", name)]
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert all(one.get("scope") in ("row", "col") for one in page.all("th"))
    assert all(one.get("alt") for one in page.all("img"))
    assert all(one.get("aria-label") and one.get("tabindex") == "0" for one in page.all("pre"))
    assert page.tags[[name for name, _ in page.tags].index("body") + 1] == (
        "a",
        {"class": "skip", "href": "#status"},
    )
    ids = {attributes.get("id") for _, attributes in page.tags}
    assert {one["aria-labelledby"] for one in page.all("section")} <= ids


def test_both_pages_say_the_same(pages: tuple[Page, str, str]) -> None:
    page, _, status = pages
    told = " ".join(page.text.split())
    plain = status.replace("`", "").replace("**", "").replace("\\", "")
    for sentence in (
        "NIGHTLY FAILED",
        "the headline",
        "reason 11",
        "2 of 7 claims proven, 2 red, 3 not verified (1 proven earlier)",
        "in run before",
        "2 days ago",
        "the policy forbids disrupt",
        "sudo chown -R root /opt",
        "sudo chmod 600 /opt/key",
        "14 days left",
        "15 days left",
        "ended 2 days ago",
        "run x is left out: no JSON",
        "the sign-off 1.1 is passed over: torn",
        "signed 2026-02-01 00:00:00 UTC",
        "curl -sS http://127.0.0.1:4000/v1/chat/completions",
        "NIGHTLY PASSED",
        "no tree",
        "proof counts for 7 days",
    ):
        assert sentence.lower() in told.lower(), sentence
        assert sentence.lower() in plain.lower(), sentence
    assert "3 older ones" in told
    assert "And 3 older ones." in plain


def test_waivers_that_end_soon_stand_out(pages: tuple[Page, str, str]) -> None:
    _, source, status = pages
    assert re.findall(r'<span class="(soon|quiet)">\((?:⚠ )?([^)]*)\)</span></td><td>', source) == [
        ("soon", "ended 2 days ago"),
        ("soon", "14 days left"),
        ("quiet", "15 days left"),
    ]
    assert "(**14 days left**)" in status
    assert "2026-03-16 (15 days left)" in status


def test_pictures_are_images_within_the_page(pages: tuple[Page, str, str]) -> None:
    page, _, _ = pages
    (image,) = page.all("img")
    assert b64decode(str(image["src"]).split(",")[1]).decode() == DRAWING


def test_the_strip_tells_by_words(pages: tuple[Page, str, str]) -> None:
    _, source, _ = pages
    assert 'aria-label="The last 2 runs, newest at the right: 1 good, 1 not"' in source
    assert "<title>2026-03-01 10:00:00 UTC: NIGHTLY PASSED</title>" in source


@pytest.mark.parametrize(
    "where",
    [
        "title",
        "message",
        "parameter",
        "claim",
        "fact",
        "run",
        "model",
        "waiver",
        "past",
        "picture",
        "verdict",
    ],
)
def test_strangers_text_stays_text(where: str) -> None:
    document, before = red_record(), past()
    never: list[tuple[int | str, ...]] = []
    match where:
        case "title":
            document["checks"][1]["title"] = HOSTILE
        case "message":
            document["checks"][1]["cases"][0].update(message=HOSTILE, blame=HOSTILE)
            document["checks"][1]["cases"][0]["evidence"][0]["curl"] = HOSTILE
        case "parameter":
            document["checks"][1]["cases"][0]["parameters"] = {HOSTILE: HOSTILE}
        case "claim":
            document["claims"][0] |= {"text": HOSTILE, "section": HOSTILE}
            never = [("claims", 0, "id")]
        case "fact":
            document["target"]["facts"] = {HOSTILE: HOSTILE}
            document["checks"][0]["cases"][0]["facts"] = {HOSTILE: HOSTILE}
        case "run":
            document["run"] |= {"headline": HOSTILE, "reasons": [HOSTILE], "id": HOSTILE}
            never = [("run", "state")]
            document["run"]["suite"] = {"version": HOSTILE, "commit": HOSTILE, "dirty": True}
            document["target"] |= {"product": HOSTILE, "product_version": HOSTILE, "gateway_url": HOSTILE}
        case "model":
            document["environment"]["models"][0] |= {
                "alias": HOSTILE,
                "kind": HOSTILE,
                "backend": HOSTILE,
                "upstream": HOSTILE,
            }
            document["environment"]["backends"][0] |= {"name": HOSTILE, "url": HOSTILE}
        case "waiver":
            document["waivers"][0] |= dict.fromkeys(("id", "reason", "link", "owner"), HOSTILE)
            never = [("waivers", 0, "check")]
        case "past":
            runs = (earlier(id=HOSTILE, state=HOSTILE, product=HOSTILE, profile=HOSTILE),)
            before = Past(
                record_of(record(check("API-A-001"), id=HOSTILE)), History(runs, (HOSTILE,)), None, (HOSTILE,)
            )
        case "picture":
            document["checks"][0]["cases"][0]["pictures"] = {HOSTILE: f"<svg>{HOSTILE}</svg>"}
        case _:
            never = [("claims", 0, "verdict")]
    made = record_of(document)
    for place in never:
        made = forced(made, HOSTILE, *place)
    source = render_page(status_model(made, before, CLAIMS))
    page = Page(source)
    assert (page.wrong, page.open) == ([], [])
    assert not page.all("script")
    assert len(page.all("img")) == 1
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    assert "alert(1)" in source or where == "picture"
    assert "49" not in re.findall(r"onerror=alert\(1\)&gt; (\S+)", source)
    assert "\u202e" not in source
    assert "\x1b" not in source


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "data:text/html,x", "http://a b", "//evil", "https://x<y"]
)
def test_only_web_addresses_are_links(address: str) -> None:
    assert Page(str(link(address))).tags == []


def test_a_web_address_cannot_leave_its_attribute() -> None:
    ((name, attributes),) = Page(str(link("https://x/?a=\"y'&b"))).tags
    assert (name, attributes) == ("a", {"href": "https://x/?a=\"y'&b", "rel": "noreferrer"})


@pytest.mark.parametrize(
    ("word", "name"), [("harness error", "harness-error"), ('"><x', "x"), ("", "unknown"), ("é", "unknown")]
)
def test_a_verdict_names_a_style_class_and_nothing_else(word: str, name: str) -> None:
    assert tag(word) == name


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        *[("READY", "good"), ("PRODUCTION READY", "good"), ("SMOKE PASSED", "good"), ("NOT READY", "bad")],
        *[("NIGHTLY FAILED", "bad"), ("PARTIAL RUN", "partly"), ("VOID", "void"), ("ALREADY", "bad")],
    ],
)
def test_what_is_unknown_is_never_good(state: str, kind: str) -> None:
    assert tone(state) == kind


def test_a_first_run_says_so() -> None:
    page = render_page(status_model(record_of(record(check("API-A-001"))), Past(), ()))
    for told in (
        "This is the first run of this environment.",
        "No release of this environment has been accepted.",
        "No earlier run.",
    ):
        assert told in page
    assert "report.html" not in page


def test_hundreds_of_failures_fold() -> None:
    checks = [check(f"API-X-{n:03d}", case(f"{n}", Verdict.FAILED, "x" * (5000 + n))) for n in range(200)]
    page = render_page(status_model(record_of(record(*checks)), Past(), ()))
    assert "And 160 more" in page
    assert page.count('class="failure" open') == 5


def test_only_changes_that_tell_something_stand_open() -> None:
    red = check("API-A-001", case("a", Verdict.FAILED, "no"))
    page = render_page(
        status_model(
            record_of(record(red, check("API-B-001"))), Past(record_of(record(check("API-A-001")))), ()
        )
    )
    assert re.findall(r"<details( open)?><summary><strong>([^<]*)</strong>", page) == [
        (" open", "Broken"),
        ("", "New checks"),
    ]


def test_waivers_that_need_somebody_stand_before_the_others() -> None:
    document = red_record()
    calm = [{**WAIVER, "id": f"CALM-{number}", "expires": "2026-09-01"} for number in range(20)]
    document["waivers"] = [
        *calm,
        {**WAIVER, "id": "LATE"},
        {**WAIVER, "id": "NEEDLESS", "expires": "2026-09-01", "stale": True},
    ]
    source = render_page(status_model(record_of(document), Past(), ())).split('<h2 id="waivers">')[1]
    urgent, folded = source.split(
        '<details class="printed"><summary>20 accepted deviations in scope, the first until 2026-09-01'
    )
    assert [name for name in ("LATE", "NEEDLESS", "CALM-0") if name in urgent] == ["LATE", "NEEDLESS"]
    assert "CALM-19" in folded
