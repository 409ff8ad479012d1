"""Pictures of a judgement: documents that hold the numbers, with everything inside and in order."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from gateway_acceptance.balance.expected_shares import ExpectedShares
from gateway_acceptance.balance.pictures import WIDTH, draw_evidence, draw_shares
from gateway_acceptance.balance.sequential import Design, Trial
from gateway_acceptance.picture import harmless

SVG = "{http://www.w3.org/2000/svg}"


def trial(draws: str, tolerance: float = 0.2, most: int = 5000, **shares: float) -> Trial:
    null = ExpectedShares("g <&>", shares or {"a": 1 / 3, "b": 2 / 3}, "")
    made = Trial(null, Design(tuple(null.shares.values()), 0.001, 0.9, tolerance, most))
    for one in draws:
        if made.outcome is None:
            made.observe(one)
    return made


CASES = {
    "nothing drawn": trial(""),
    "one draw": trial("a"),
    "passed": trial("abb" * 30),
    "failed": trial("a" * 40),
    "a stranger": trial("abx"),
    "many draws": trial("ab" * 900, 0.001, b=0.5, a=0.5),
    "a share that is tiny": trial("b" * 60, a=0.001, b=0.999),
    "a share of zero drawn": trial("ba", a=0.0, b=1.0),
}


def parsed(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)  # noqa: S314  (our own)


def words(svg: str) -> list[str]:
    return [element.text or "" for element in parsed(svg).iter(f"{SVG}text")]


@pytest.mark.parametrize("name", list(CASES))
def test_all_is_inside_and_harmless(name: str) -> None:
    for svg in (draw_shares(CASES[name]), draw_evidence(CASES[name])):
        root = parsed(harmless(svg))
        height = float(root.attrib["height"])
        for element in root.iter():
            for attribute, most in (("x", WIDTH), ("y", height)):
                for name_of in (attribute, f"c{attribute}", f"{attribute}1", f"{attribute}2"):
                    assert 0 <= float(element.get(name_of, 0)) <= most, (name, element.attrib)
            assert float(element.get("width", 0)) >= 0
        for line in root.iter(f"{SVG}polyline"):
            for point in line.attrib["points"].split():
                x, y = map(float, point.split(","))
                assert (0 <= x <= WIDTH, 0 <= y <= height) == (True, True), (name, point)


@pytest.mark.parametrize("draw", [draw_shares, draw_evidence])
def test_who_cannot_see_it_is_told(draw: type) -> None:
    root = parsed(draw(CASES["passed"]))
    assert root.attrib["role"] == "img"
    assert "g <&>" in (root.findtext(f"{SVG}title") or "")
    assert re.search(r"observed 20 of 30|after 30 draws", root.findtext(f"{SVG}desc") or "")
    assert "prefers-color-scheme:dark" in (root.findtext(f"{SVG}style") or "")


def test_numbers_stand_there_as_text() -> None:
    failed = draw_shares(CASES["failed"])
    said = words(failed)
    assert said[0] == "g <&>: shares after 12 draws, failed"
    assert {"33.3% → 100.0% (12)", "66.7% → 0.0% (0)"} <= set(said)
    assert "b: declared 66.7%, observed 0.0% (0), between 0.0% and " in failed
    assert failed.count('class="out"') == 2
    passed = draw_shares(CASES["passed"])
    assert "passed" in words(passed)[0]
    assert passed.count('class="within"') == 2


def test_who_serves_more_stands_further_right() -> None:
    circles = [
        float(circle.attrib["cx"]) for circle in parsed(draw_shares(CASES["passed"])).iter(f"{SVG}circle")
    ]
    assert circles == sorted(circles)
    assert len(set(circles)) == 2


def test_the_path_goes_to_the_right_and_ends_above_the_line_where_it_failed() -> None:
    root = parsed(draw_evidence(CASES["failed"]))
    (path,) = root.iter(f"{SVG}polyline")
    points = [tuple(map(float, point.split(","))) for point in path.attrib["points"].split()]
    assert [x for x, _ in points] == sorted(x for x, _ in points)
    assert len(points) == CASES["failed"].draws + 1
    (limit,) = (float(line.attrib["y1"]) for line in root.iter(f"{SVG}line") if line.get("class") == "limit")
    assert points[-1][1] <= limit  # SVG counts downwards
    assert points[0][1] > limit


def test_long_paths_are_thinned_and_keep_their_end() -> None:
    svg = draw_evidence(CASES["many draws"])
    assert f"{CASES['many draws'].draws} draws" in " ".join(words(svg))
    (path,) = parsed(svg).iter(f"{SVG}polyline")
    assert 300 < len(path.attrib["points"].split()) < 450
