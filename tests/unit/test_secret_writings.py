"""A key that somebody writes otherwise than programs do is taken out, and nothing else is."""

from __future__ import annotations

import base64
import json
import random
from pathlib import Path

import pytest

from gateway_acceptance.redaction import Redactor
from gateway_acceptance.secret_writings import views_of, writings_of, written
from tests.ill_twists import key_writings

KEY = "sk-3f9c0d7a/51e84b26+Qw9ZxT"
FORMS = key_writings(KEY)
OTHERS = key_writings("sk-80b1e9d24c6f7a35MkLpVt")
KEYS = (KEY, "3f9c0d7a51e84b26", "sk-" + "Ab1" * 16)


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("form", list(FORMS))
def test_it_is_taken_out(form: str, key: str) -> None:
    said = key_writings(key)[form]
    for text in (f"before {said} after", json.dumps({"error": {"message": f"before {said} after"}})):
        shown = Redactor({"the key": key})(text)
        assert "[redacted:the key]" in shown
        assert said not in shown
        assert (
            json.loads(shown)
            if text.startswith("{")
            else shown.startswith("before ") and shown.endswith(" after")
        )


@pytest.mark.parametrize("form", list(FORMS))
def test_it_is_found_in_a_file(form: str, tmp_path: Path) -> None:
    (tmp_path / "a").write_text(json.dumps({"body": json.dumps({"said": FORMS[form]})}), encoding="utf-8")
    (tmp_path / "b").write_text(json.dumps({"body": json.dumps({"said": OTHERS[form]})}), encoding="utf-8")
    assert Redactor({"k": KEY}).leaks_in(tmp_path) == ["a: k"]


@pytest.mark.parametrize("size", [1, 3, 7])
@pytest.mark.parametrize("nested", [False, True])
def test_the_pieces_of_a_stream_are_read_together_and_each_is_taken_out(size: int, nested: bool) -> None:
    pieces = ["I say: ", *(KEY[at : at + size] for at in range(0, len(KEY), size)), ", and no more"]
    deltas = [{"choices": [{"index": 0, "delta": {"content": piece}}]} for piece in pieces]
    body = "".join(f"data: {json.dumps(delta)}\n\n" for delta in deltas)
    shown = Redactor({"k": KEY})(json.dumps({"body": body}) if nested else body)
    read = json.loads(shown)["body"] if nested else shown
    events = [json.loads(line[6:]) for line in read.splitlines() if line]
    assert len(events) == len(deltas)
    said = "".join(event["choices"][0]["delta"]["content"] for event in events)
    assert said.startswith("I say: [redacted:k]")
    assert said.endswith("[redacted:k], and no more")
    assert not [at for at in range(len(KEY) - 8) if KEY[at : at + 8] in said]


@pytest.mark.parametrize("form", ["base32", "base85", "reversed", "upper case", "spaced", "bytes"])
def test_half_of_it_is_known(form: str) -> None:
    said = FORMS[form]
    for left in (said[: len(said) * 2 // 3], said[-len(said) * 2 // 3 :]):
        assert "[redacted:k]" in Redactor({"k": KEY})(f"<{left}>")


def test_nothing_else_is_taken_for_it() -> None:
    draw = random.Random(5)
    vector = base64.b64encode(draw.randbytes(12_000)).decode()
    digests = " ".join(draw.randbytes(32).hex() for _ in range(200))
    prose = (Path(__file__).parents[2] / "docs" / "safety.md").read_text(encoding="utf-8")
    numbers = json.dumps([draw.random() for _ in range(2_000)])
    redact = Redactor({"k": KEY, "word": "my-production-key", "digits": "1234567890123"})
    for text in (vector, digests, prose, numbers, "My production key of 1, 2, 3", *OTHERS.values()):
        assert "[redacted:k]" not in redact(text)
        assert "[redacted:digits]" not in redact(text)
    assert redact(vector + digests) == vector + digests


def test_words_alone_are_written_in_no_other_way_that_is_searched() -> None:
    assert not written(views_of("Hello, World; hello world"), writings_of("helloworld"))


@pytest.mark.parametrize(
    "packed", [b"\x1f\x8b\x08" + b"\xff" * 40, b"x\x9c" + b"\x00" * 40, bytes(range(64))]
)
def test_what_only_looks_packed_is_text(packed: bytes) -> None:
    text = f"a {base64.b64encode(packed).decode()} b"
    assert Redactor({"k": KEY})(text) == text


def test_a_bomb_is_unpacked_for_a_little_only() -> None:
    import gzip

    text = base64.b64encode(gzip.compress(b"\0" * (32 << 20))).decode()
    assert len(views_of(text)) < len(text) + 2 * 65536
