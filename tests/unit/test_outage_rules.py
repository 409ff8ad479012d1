"""What must hold of a program of outages: each rule breaks on what it is for, and on nothing else."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from gateway_acceptance.disruptor import Load, OutageKind
from gateway_acceptance.outage.program import Program, RequestKind
from suites.backends.outage.rules import RULES
from tests.unit.outage_seen import (
    ENVIRONMENT,
    KEY,
    answered,
    asked,
    away,
    exchange,
    program,
    refused,
    stream,
)

HELD: dict[str, Any] = {"before": {"one": Load(0, 1)}}
EMBEDDED: dict[str, Any] = {"way": RequestKind.EMBEDDING, "alias": "emb", "mark": "", "expects": ""}
ALIVE: dict[str, Any] = {"way": RequestKind.LIVENESS, "alias": "/alive", "mark": "", "expects": ""}
TRIED = {"mark-1": {"two": {"a": 1}, "one": {"b": 2}}}
GONE = away("one", "two")

RIGHT: dict[str, Program] = {
    "a survivor serves": program(answered(by="two")),
    "an error in an envelope": program(refused()),
    "one that was slow and in time": program(
        answered(by="one", ended=4.0), spans=away("one", kind=OutageKind.SLOW)
    ),
    "served while the outage began": program(answered(by="one", begun=0.5, ended=1.5)),
    "counted as claimed": program(answered(by="two"), counted={"mark-1": {"two": {"tiny:2b": 1}}}),
    "reset connections are tried anew": program(
        answered(by="two"), counted=TRIED, spans=away("one", kind=OutageKind.REFUSE)
    ),
    "a stream that is whole": program(stream("one ", "two", witness="two")),
    "a stream that says that it broke off": program(
        stream("one ", finish=None, frame='{"error": {"message": "broken off"}}', witness="two")
    ),
    "a model that speaks of an address": program(
        stream("127.0.0.2:11434", witness="two", expects="127.0.0.2:11434")
    ),
    "a stream that breaks off without a word": program(
        stream("one ", finish=None, done=False, witness="two")
    ),
    "a stream of which nothing came": program(
        asked(None, way=RequestKind.STREAM, error="the connection broke")
    ),
    "the gateway lives": program(asked(exchange(200, {}), **ALIVE), asked(exchange(200, {}), **EMBEDDED)),
    "all are dead, and the error is quick": program(refused(), spans=GONE),
    "an alias of a dead backend fails": program(refused(**EMBEDDED), spans=away("two")),
    "and a little after it": program(refused(**EMBEDDED), spans=away("two", till=1.5)),
    "a model that says what it likes, and did before": program(
        answered("Good morning!", by="two", begun=0.1, ended=0.2),
        answered("As you like it", by="two"),
        stream("I see ", "a whale", witness="two"),
    ),
    "and one whose stream is short": program(
        stream("I see", witness="two", begun=0.1, ended=0.2), stream("A whale", witness="two")
    ),
    "what was held is given back": program(**HELD, after={"one": Load(0, 5)}),
    "given up in time": program(refused(ended=8.9), spans=away("one", kind=OutageKind.BLACK_HOLE)),
}

WRONG: list[tuple[str, str, Program]] = [
    ("outlived", "took 10.6 s", program(refused(ended=12.6))),
    ("outlived", "no answer within", program(asked(None, error="no answer within 7 s"))),
    ("wrongly served", r"served by one, which was away \(kill\)", program(answered(by="one"))),
    ("wrongly served", "served by three; declared for it: one, two", program(answered(by="three"))),
    ("wrongly served", "all of its backends were away", program(answered(by=""), spans=GONE)),
    ("wrongly served", "something else: 'mark-0'", program(answered("mark-0", by="two"))),
    ("wrongly served", 'something else: \'{"error"', program(refused(status=200, witness="two"))),
    (
        "wrongly served",
        "something else: 'Good evening'",
        program(answered(by="two", begun=0.1, ended=0.2), answered("Good evening", by="two")),
    ),
    (
        "wrongly served",
        "another's answer: 'You said mark-2'",  # of a model that says what it likes
        program(
            answered("Good morning!", by="two", begun=0.1, ended=0.2, expects="mark-2"),
            answered("You said mark-2", by="two"),
        ),
    ),
    (
        "wrongly served",
        "1 answers claim to be of two, which counted 0",
        program(answered(by="two"), counted={"mark-1": {"two": {}}}),
    ),
    (
        "over-asked",
        "asked 3 times for 1 requests; 1 attempts each",
        program(answered(by="two"), counted=TRIED, spans=away("one", kind=OutageKind.BUSY)),
    ),
    ("gateway suffered", "/alive answered 503", program(refused(**ALIVE))),
    ("gateway suffered", "/alive answered refused", program(asked(None, error="refused", **ALIVE))),
    (
        "gateway suffered",
        "/alive took 2.5 s",
        program(asked(replace(exchange(200, {}), elapsed_s=2.5), **ALIVE)),
    ),
    ("gateway suffered", "whose backends were well, got 503", program(refused(**EMBEDDED))),
    (
        "gateway suffered",
        "whose backends were well, got 503",
        program(refused(begun=20.0, ended=20.1, **{**EMBEDDED}), spans=away("two", till=1.5)),
    ),
    ("not revived", "emb is not served", program(unsettled="emb is not served again after 3 s: 503")),
    ("leaked", "one has 1 requests under way", program(**HELD, after={"one": Load(1, 0)})),
    ("leaked", "6 connections to one are open, 1 were before", program(**HELD, after={"one": Load(0, 6)})),
    ("malformed error", "content", program(refused("<h1>no</h1>", kind="text/html"))),
    ("malformed error", "error", program(refused({"detail": "no"}))),
    ("malformed error", "got 204 instead of an error", program(refused(status=204))),
    ("malformed error", "the connection broke", program(asked(None, error="the connection broke"))),
    (
        "information leak",
        "address of a backend in an error .503.: 127.0.0.2",
        program(refused({"error": {"message": "cannot reach 127.0.0.2:11434"}})),
    ),
    (
        "information leak",
        "internal address in an error .503.: 10.11.12.13:5432",
        program(refused({"error": {"message": "cannot reach 10.11.12.13:5432"}})),
    ),
    ("information leak", "key in an error", program(refused({"error": {"message": KEY}}))),
    (
        "information leak",
        "address of a backend in an error in mid-stream: 127.0.0.2",
        program(stream("one ", finish=None, frame='{"error": {"message": "127.0.0.2:11434 broke off"}}')),
    ),
    (
        "information leak",
        "stack trace in an error in mid-stream",
        program(stream("one ", finish=None, frame="Traceback (most recent call last)", witness="two")),
    ),
    ("truncated stream marked complete", r"with 'stop' and \[DONE\], after 4 of 7", program(stream("one "))),
    ("truncated stream marked complete", "with 'stop', after 4 of 7", program(stream("one ", done=False))),
    ("truncated stream marked complete", r"with None and \[DONE\]", program(stream("one ", finish=None))),
    (
        "truncated stream marked complete",
        "goes on with other words: 'one three'",
        program(stream("one ", "three")),
    ),
    ("late when dead", "waited 31.0 s", program(refused(ended=33.0), spans=GONE)),
    ("late when dead", "got 200 though", program(answered(by="two"), spans=GONE)),
    ("late when dead", "content", program(refused("no", kind="text/plain"), spans=GONE)),
]


def broken(name: str, played: Program) -> list[str]:
    return [found.words for found in RULES[name](played, ENVIRONMENT, KEY)]


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("played", RIGHT.values(), ids=list(RIGHT))
def test_what_is_right_breaks_no_rule(name: str, played: Program) -> None:
    assert broken(name, played) == []


@pytest.mark.parametrize(("name", "words", "played"), WRONG, ids=[f"{n}-{w}" for n, w, _ in WRONG])
def test_what_is_wrong_breaks_its_rule(name: str, words: str, played: Program) -> None:
    found = broken(name, played)
    assert len(found) >= 1
    assert any(re.search(words, one) for one in found), found


def test_every_rule_is_broken_by_something() -> None:
    assert {name for name, _, _ in WRONG} == set(RULES)
