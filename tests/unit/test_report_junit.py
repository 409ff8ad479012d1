"""junit.xml, read back by a parser."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as Xml

import pytest

from gateway_acceptance.record_model import Record, record_of
from gateway_acceptance.report.junit import render_junit
from gateway_acceptance.verdict import Verdict
from tests.unit.records import case, check, exchange, forced, record


def parse(*checks: dict[str, Any], **run: Any) -> Xml.Element:
    return Xml.fromstring(render_junit(record_of(record(*checks, **run))))  # noqa: S314  (our own text)


def only_case(verdict: str, **fields: Any) -> Xml.Element:
    found = parse(check("API-CHAT-001", case("n", verdict, "the message", **fields))).find(".//testcase")
    assert found is not None
    return found


def properties(element: Xml.Element) -> dict[str, str]:
    return {found.attrib["name"]: found.attrib["value"] for found in element.findall("properties/property")}


def test_one_suite_per_suite_and_the_counts_are_right() -> None:
    root = parse(
        check("API-A-001", *[case(f"n{verdict}", verdict, "m") for verdict in Verdict]),
        check("HOST-A-001"),
        check("API-B-001"),
    )
    assert [suite.attrib["name"] for suite in root] == ["api", "host"]
    api, host = root
    counts = ("tests", "failures", "errors", "skipped")
    assert [api.attrib[name] for name in counts] == ["10", "1", "3", "2"]
    assert [host.attrib[name] for name in counts] == ["1", "0", "0", "0"]
    assert [root.attrib[name] for name in counts] == ["11", "1", "3", "2"]
    for suite in root:
        assert int(suite.attrib["tests"]) == len(suite.findall("testcase"))
        assert int(suite.attrib["failures"]) == len(suite.findall("testcase/failure"))
        assert int(suite.attrib["errors"]) == len(suite.findall("testcase/error"))
        assert int(suite.attrib["skipped"]) == len(suite.findall("testcase/skipped"))
    assert api.attrib["time"] == "5.000"


@pytest.mark.parametrize(
    ("verdict", "tag"),
    [
        (Verdict.PASSED, None),
        (Verdict.WAIVED, None),
        (Verdict.FAILED, "failure"),
        (Verdict.UNTESTABLE, "error"),
        (Verdict.INCONCLUSIVE, "error"),
        (Verdict.HARNESS_ERROR, "error"),
        (Verdict.NOT_APPLICABLE, "skipped"),
        (Verdict.NOT_PERMITTED, "skipped"),
    ],
)
def test_each_verdict_has_its_element_and_its_own_word(verdict: str, tag: str | None) -> None:
    found = only_case(verdict)
    results = [child for child in found if child.tag != "properties"]
    assert [child.tag for child in results] == ([tag] if tag else [])
    assert [child.attrib["message"] for child in results] == (["the message"] if tag else [])
    assert properties(found)["verdict"] == verdict


def test_names_are_stable_and_say_what_was_tested() -> None:
    parameters = {"environment": "lab", "chat_model": "hx-chat"}
    found = only_case(Verdict.PASSED, parameters=parameters)
    assert found.attrib["classname"] == "api.API-CHAT-001"
    assert found.attrib["name"] == "the title of API-CHAT-001 [hx-chat]"


def test_properties_tell_level_effect_claims_and_waiver() -> None:
    one = check("API-A-001", case("n", Verdict.WAIVED, waiver="W-1"), claims=["FUN-01", "FUN-02"])
    found = parse(one).find(".//testcase")
    assert found is not None
    assert properties(found) == {
        "verdict": "waived",
        "level": "MUST",
        "effect": "spend",
        "claims": "FUN-01 FUN-02",
        "waiver": "W-1",
    }


def test_the_suite_names_environment_and_state() -> None:
    suite = parse(check("API-A-001"), state="READY").find("testsuite")
    assert suite is not None
    assert properties(suite)["environment"] == "lab"
    assert properties(suite)["state"] == "READY"
    assert properties(suite)["product"] == "litellm 1.106.2"


def test_a_failure_carries_message_blame_curl_and_detail() -> None:
    found = only_case(
        Verdict.FAILED, blame="gateway", evidence=[exchange(curl="curl it")], detail="Traceback"
    ).find("failure")
    assert found is not None
    assert found.text == "the message\n\nto blame: gateway\n\ncurl it\n\nTraceback"


def test_text_that_xml_forbids_is_taken_out_and_the_rest_stays() -> None:
    hostile = "\x00\x1b[31m\ud800\ufffe ]]> <tag attr='x'> & \U0001f680 é"
    made: Record = record_of(record(check("API-A-001", case("n", Verdict.FAILED))))
    places = (("checks", 0, "title"), ("run", "environment"))
    case_places = (("checks", 0, "cases", 0, name) for name in ("message", "detail"))
    for place in (*places, *case_places):
        made = forced(made, hostile, *place)
    document = render_junit(made)
    root = Xml.fromstring(document)  # noqa: S314  (our own text)
    failure = root.find(".//failure")
    assert failure is not None
    assert "]]> <tag attr='x'> & \U0001f680 é" in failure.attrib["message"]
    document.encode("utf-8")


def test_a_record_without_cases_is_still_a_document() -> None:
    assert parse().attrib["tests"] == "0"
