"""Replies that lie, flood or steer, through every client: it ends, in words, and is no error of ours."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from gateway_acceptance.plugin.outcome import outcome_of
from gateway_acceptance.verdict import CheckFailed, NoAnswer, Verdict
from gateway_acceptance.wire.deadline import Deadline
from gateway_acceptance.wire.exchange import Exchange, Notebook
from gateway_acceptance.wire.ledger import LARGEST_BODY
from gateway_acceptance.wire.sender import Sender
from gateway_acceptance.wire.structure import MOST, Structure
from tests.ill_replies import MORE_ILLS
from tests.ill_targets import ill
from tests.unit.test_ill_targets import LONG, asked_by_sdk

SHORT = Deadline(10, 1)
DRIPPED = ("dripped_trailers", "dripped_comments", "length_huge", "length_too_short", "http2_settings")
"""What only a deadline ends."""
READ = {
    "length_and_chunks": 200,
    "gzip_in_gzip": 200,  # asked as it is, nothing is undone
    "brotli_bomb": 200,
    "deflate_bomb": 200,
    "steering_encoding": 200,
    "redirect_loop": 307,
    "no_content_with_body": 204,
    "status_without_meaning": 799,
    "invalid_utf8_in_headers": 200,
    "folded_headers": 200,
    "length_too_short": 200,
    "large_text": 200,
    "doubled_names": 200,
    "lone_surrogates": 200,
    "not_a_number": 200,
    "huge_integers": 200,
    "steering_bodies": 200,
    "steering_refusals": 500,
    "steering_headers": 302,
}
"""What is HTTP, and of a size: an answer, whatever it says."""
SAID = {
    "million_deep": "more than 100000 lists",
    "million_values": "more than 100000 objects",
    "million_names": "more than 100000 lists",
    "million_events": "more than 100000 objects",
    "gzip_in_gzip": "was not asked for",
    "brotli_bomb": "was not asked for",
    "steering_encoding": "was not asked for",
    "deflate_bomb": "larger than",
    "gzip_dripped": "larger than",
    "gzip_endless_name": "larger than",
    "http_0_9": "not HTTP",
    "stream_of_one_line": "larger than",
    "dripped_comments": "within 1 s",
    "dripped_trailers": "within 1 s",
    "length_huge": "not HTTP|within 1 s",
}


def limit_of(name: str) -> Deadline:
    return SHORT if name in DRIPPED else LONG


@pytest.mark.parametrize("name", MORE_ILLS)
def test_a_raw_exchange(name: str) -> None:
    notebook = Notebook()
    error: Exception | None = None
    answer: Exchange | None = None
    with ill(MORE_ILLS[name]) as target:
        sender = Sender(notebook, None, SHORT if name == "gzip_dripped" else limit_of(name))  # as it is sent
        try:
            answer = sender.send("GET", target.url)
        except NoAnswer as none:
            error = none
        sender.close()
        assert len(target.seen) == 1, "it is asked once, and followed nowhere"
    assert len(notebook.exchanges[0].body) <= LARGEST_BODY
    if name in READ:
        assert answer is not None, error
        assert answer.status == READ[name]
        document = None
        try:
            document = answer.json()
        except CheckFailed as refused:
            error = refused
        assert document is not None or error is not None
    else:
        assert isinstance(error, NoAnswer), answer
    if error is not None:
        assert outcome_of(error, "call").verdict in (Verdict.FAILED, Verdict.UNTESTABLE)


@pytest.mark.parametrize("name", MORE_ILLS)
def test_the_sdk(name: str, tmp_path: Path) -> None:
    exchange, error = asked_by_sdk(name_of(name), limit_of(name), tmp_path, lambda sdk: sdk.models.list())
    assert error is None or outcome_of(error, "call").verdict is Verdict.FAILED, repr(error)
    if name in SAID:
        assert any(words in exchange.error for words in SAID[name].split("|")), exchange.error


def name_of(name: str) -> str:
    """As ``ill`` takes it, given a name of these."""
    from tests import ill_targets

    ill_targets.ILLS.setdefault(name, MORE_ILLS[name])
    return name


def test_structure_is_counted_over_all_pieces() -> None:
    for mark, (most, what) in MOST.items():
        counted = Structure()
        piece = mark * (most // 2)
        assert (counted.add(piece), counted.add(piece)) == ("", "")
        assert counted.add(mark) == f"the answer holds more than {most} {what}"


def test_an_honest_large_answer_is_read() -> None:
    """64 vectors of 3072 numbers, and a long stream."""
    vector = b"[" + b",".join(b"-0.012345" for _ in range(3072)) + b"]"
    begun = time.process_time()
    counted = Structure()
    for _ in range(64):
        assert counted.add(b'{"object":"embedding","embedding":' + vector + b"},") == ""
    chunk = b'data: {"id":"c","choices":[{"index":0,"delta":{"content":", {["},"logprobs":null}]}\n\n'
    assert Structure().add(chunk * 16_000) == ""
    assert time.process_time() - begun < 60
