"""The picture of a program: a mark for each request, a shade for each outage, legible without colours."""

from xml.etree import ElementTree

from gateway_acceptance.disruptor import OutageKind
from gateway_acceptance.outage.program import RequestKind
from gateway_acceptance.outage.timeline import NOBODY, timeline
from gateway_acceptance.picture import harmless
from tests.unit.outage_seen import answered, asked, away, exchange, program, refused, stream

SVG = "{http://www.w3.org/2000/svg}"


def drawn(*names: str) -> ElementTree.Element:
    played = program(
        answered(by="two"),
        answered(by="two", ended=3.0),
        refused(),
        stream("one "),
        stream("one ", "two"),
        asked(exchange(200, {}), way=RequestKind.LIVENESS, alias="/alive"),
        spans=[*away("one"), *away("two", kind=OutageKind.SLOW, till=1.5)],
    )
    return ElementTree.fromstring(harmless(timeline(played, names or ("one", "two"))))  # noqa: S314


def test_it_says_what_it_shows() -> None:
    root = drawn()
    assert root.findtext(f"{SVG}title") == "Who served what: 4 of 5 requests were served"
    assert root.findtext(f"{SVG}desc") == "kill one; send"


def test_each_request_has_a_mark_of_its_outcome_and_each_outage_a_shade() -> None:
    root = drawn()
    marks = [
        one.findtext(f"{SVG}title")
        for one in root.iter(f"{SVG}circle")
        if one.find(f"{SVG}title") is not None
    ]
    crosses = [one.findtext(f"{SVG}title") for one in root.iter(f"{SVG}g")]
    shades = [
        one.findtext(f"{SVG}title") for one in root.iter(f"{SVG}rect") if one.find(f"{SVG}title") is not None
    ]
    assert [one.get("class") for one in root.iter(f"{SVG}circle")].count("half") == 2  # one of the legend
    streams = ["stream to both: 200, 0.10 s"] * 2
    assert marks == ["chat to both: 200, 0.10 s", *streams, "chat to both: 200, 1.00 s"]
    assert crosses == ["chat to both: 503, 0.10 s"]
    assert shades == ["kill", "slow"]


def test_an_outage_ends_where_the_picture_does() -> None:
    for shade in drawn().iter(f"{SVG}rect"):
        assert float(shade.attrib["x"]) + float(shade.attrib["width"]) <= 960


def test_every_backend_has_a_lane_and_those_without_one_have_nobody() -> None:
    texts = [one.text for one in drawn("one").iter(f"{SVG}text")]
    assert "one" in texts
    assert NOBODY in texts
    assert "two" not in texts


def test_names_of_others_are_no_markup() -> None:
    played = program(answered(by="<b>", alias="<script>"), spans=[])
    played.steps = ["kill <b>"]
    assert "<b>" not in timeline(played, ["<b>"])


def test_a_program_without_requests_can_be_drawn() -> None:
    harmless(timeline(program(spans=[]), ["one"]))
