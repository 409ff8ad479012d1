"""Evidence: raw inside, redacted outside."""

from __future__ import annotations

import base64
import re
import shlex

import pytest

from gateway_acceptance.redaction import Redactor
from gateway_acceptance.verdict import CheckFailed
from gateway_acceptance.wire.curl import MOST_REDACTED, kept
from gateway_acceptance.wire.exchange import SHOWN_BODY, Exchange

KEY = "sk-3f9c0d7a51e84b269cd1f0b7e3a82c4"


def exchange(body: bytes = b"{}", request: bytes = b"") -> Exchange:
    return Exchange(
        "POST",
        "http://127.0.0.1/v1/x",
        (("authorization", f"Bearer {KEY}"), ("content-type", "application/json"), ("x-api-key", KEY)),
        request,
        200,
        (("Content-Type", "text/html"), ("content-type", "second")),
        ((0.1, body[:1]), (0.2, body[1:])),
    )


def test_the_body_is_all_chunks_and_headers_know_no_case() -> None:
    seen = exchange(b"ab\xff")
    assert (seen.body, seen.text) == (b"ab\xff", "ab\ufffd")
    assert seen.header("CONTENT-TYPE") == "text/html"
    assert seen.header("x-none") is None


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff", b"[" * 200_000])
def test_what_is_no_json_is_a_failure_of_the_target(body: bytes) -> None:
    with pytest.raises(CheckFailed, match=r"expected a JSON body from POST \S+, got status 200"):
        exchange(body).json()


def test_the_curl_command_can_be_pasted_and_holds_no_key() -> None:
    words = shlex.split(exchange(request=b'{"a": "it\'s $HOME"}').curl())
    assert words[:5] == ["curl", "-sS", "-X", "POST", "http://127.0.0.1/v1/x"]
    assert "authorization: Bearer $GATEWAY_KEY" in words
    assert "x-api-key: $GATEWAY_KEY" in words
    assert words[-2:] == ["--data-raw", '{"a": "it\'s $HOME"}']
    assert KEY not in exchange().curl()


def test_evidence_is_cut_and_what_is_cut_in_a_key_is_redacted() -> None:
    body = b"x" * (SHOWN_BODY - 20) + KEY.encode() + b"y" * 100
    shown = exchange(body, request=body).evidence(Redactor({"k": KEY}))
    assert KEY[:14] not in str(shown)
    assert len(str(shown["response"])) < SHOWN_BODY + 50
    assert str(shown["response"]).endswith("characters in all)")


@pytest.mark.parametrize("filler", ["x", " ", "%41", "\\u0041"])
def test_of_a_large_body_no_more_is_redacted_than_may_be_shown(filler: str) -> None:
    """Eight megabytes took seconds, for each case that failed of them."""
    read: list[int] = []
    redactor = Redactor({"k": KEY})

    def redact(text: str) -> str:
        read.append(len(text))
        return redactor(text)

    size = 8 << 20
    text = (filler * MOST_REDACTED)[: MOST_REDACTED - 10] + KEY
    shown = kept(text + filler * ((size - len(text)) // len(filler)), redact)
    assert max(read) <= MOST_REDACTED
    assert KEY[:8] not in shown
    assert re.fullmatch(rf".{{{SHOWN_BODY}}}… \(8388\d\d\d characters in all\)", shown)


def test_what_stands_at_the_border_of_what_is_redacted_is_not_shown() -> None:
    """A long run of base64 that holds the key is one word, so the border may be reached; half of the key
    stands there."""
    run = base64.b64encode(b"x" * 30_000 + KEY.encode() + b"y" * 15_000).decode()
    text = run[: MOST_REDACTED - 20] + " " * 12 + KEY + " " * MOST_REDACTED
    shown = kept(text, Redactor({"k": KEY}))
    assert "[redacted:k]" in shown
    assert KEY[:4] not in shown
    assert shown.endswith(f"… ({len(text)} characters in all)")
