"""Secrets are known in every form that they travel in."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import shlex
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from gateway_acceptance import redaction
from gateway_acceptance.redaction import Redactor

SECRET = 'sk-"3f9c0d7a/51e8+4b26&9cd1'
FORMS = {
    "as it is": SECRET,
    "percent-encoded": quote(SECRET, safe=""),
    "form-encoded": quote_plus(SECRET),
    "in JSON": json.dumps(SECRET)[1:-1],
    "in HTML": html.escape(SECRET),
    "base64": base64.b64encode(SECRET.encode()).decode(),
    "base64 for URLs": base64.urlsafe_b64encode(SECRET.encode()).decode().rstrip("="),
    "base64 of a header": base64.b64encode(b"Bearer " + SECRET.encode()).decode(),
    "base64 of a pair": base64.b64encode(b"user:" + SECRET.encode()).decode(),
    "base64 amid other things": base64.b64encode(b"12" + SECRET.encode() + b"345").decode(),
    "hex": SECRET.encode().hex(),
    "upper-case hex": SECRET.encode().hex().upper(),
    "every character percent-encoded": "".join(f"%{byte:02x}" for byte in SECRET.encode()),
    "every character a unicode escape": "".join(f"\\u{ord(one):04X}" for one in SECRET),
    "every character an entity": "".join(f"&#{ord(one)};" for one in SECRET),
    "every character a hex entity": "".join(f"&#x{ord(one):x};" for one in SECRET),
    "in a shell's quotes": shlex.quote(SECRET)[1:-1],
    "hash": hashlib.sha256(SECRET.encode()).hexdigest(),
    "upper-case hash": hashlib.sha256(SECRET.encode()).hexdigest().upper(),
}


@pytest.mark.parametrize("form", list(FORMS))
def test_every_form_is_taken_out(form: str) -> None:
    redacted = Redactor({"the key": SECRET})(f"before {FORMS[form]} after")
    assert redacted.rstrip("=") in ("before [redacted:the key] after", "before [redacted:the key]= after")


@pytest.mark.parametrize("length", [12, 15, 20, 26])
@pytest.mark.parametrize("form", ["as it is", "hash", "base64"])
def test_a_form_that_was_cut_is_known_by_its_head(form: str, length: int) -> None:
    redacted = Redactor({"the key": SECRET})(f"got 401: {FORMS[form][:length]}… (cut)")
    assert redacted == "got 401: [redacted:the key]… (cut)" or FORMS[form][:12] not in redacted
    assert FORMS[form][:length] not in redacted


@pytest.mark.parametrize("length", [8, 9, 13, 20])
def test_what_is_left_of_it_is_known_at_both_ends(length: int) -> None:
    redact = Redactor({"the key": SECRET})
    percent = "".join(f"%{byte:02X}" for byte in SECRET[-length:].encode())
    for left in (SECRET[:length], SECRET[-length:], percent, html.escape(SECRET[:length])):
        assert redact(f"<{left}>") == "<[redacted:the key]>"


def test_nothing_steers_a_terminal() -> None:
    shown = Redactor()("a\x1b[2Jb\x07\x9b1m\rc\u202ed\r\n\te")
    assert shown == "a\\x1b[2Jb\\x07\\x9b1m\\rc\\u202ed\r\n\te"


@pytest.mark.parametrize(
    "line",
    [
        "::error file=a::no",
        "  ::set-output name=a::b",
        "##vso[a]b",
        "##VSO[a]b",
        "##[error]z",
        "x ##teamcity[buildStatus]",
    ],
)
def test_no_line_is_a_command_of_a_ci_server(line: str) -> None:
    shown = Redactor()(f"first\n{line}")
    assert line not in shown
    assert shown.replace(" ", "") == f"first\n{line}".replace(" ", "")


def test_a_short_secret_is_no_head_of_words() -> None:
    assert Redactor({"k": "production1"})("production is on") == "production is on"


def test_words_are_left_alone_where_a_key_is_hardly_one() -> None:
    assert Redactor({"k": "key"})("the key of the door") == "the key of the door"


def test_the_longer_of_two_secrets_wins() -> None:
    redact = Redactor({"short": "sk-123456", "long": "sk-123456789"})
    assert redact("sk-123456789 sk-123456") == "[redacted:long] [redacted:short]"


def test_headers() -> None:
    headers = [("Authorization", "Bearer x"), ("Set-Cookie", "a=b"), ("x-echo", SECRET), ("date", "today")]
    assert Redactor({"k": SECRET}).headers(headers) == {
        "Authorization": "[redacted]",
        "Set-Cookie": "[redacted]",
        "x-echo": "[redacted:k]",
        "date": "today",
    }


def test_a_tree_keys_included() -> None:
    tree = {SECRET: [SECRET, 1, None, {"a": (SECRET,)}]}
    assert Redactor({"k": SECRET}).tree(tree) == {
        "[redacted:k]": ["[redacted:k]", 1, None, {"a": ["[redacted:k]"]}]
    }


def test_what_is_remembered_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "MOST_REMEMBERED", 1000)
    redact = Redactor({"k": SECRET})
    for number in range(200):
        assert redact(f"{number} {SECRET} {'x' * 50}") == f"{number} [redacted:k] {'x' * 50}"
    assert 0 < sum(map(len, redact._known)) <= 1000
    other = "sk-another-one-71c0"
    assert other in redact(f"with {other}")
    redact.add("other", other)
    assert redact(f"with {other}") == "with [redacted:other]"


def test_half_a_character_can_be_written() -> None:
    text = Redactor()("half \ud800, whole 😀 ü")
    assert text.encode("utf-8").decode("utf-8") == "half \\ud800, whole 😀 ü"


def test_leaks_are_found_in_any_file_and_symlinks_are_not_followed(tmp_path: Path) -> None:
    redactor = Redactor({"k": SECRET})
    folder = tmp_path / "run"
    (folder / "sub").mkdir(parents=True)
    (folder / "clean.txt").write_text("nothing", encoding="utf-8")
    (folder / "sub" / "raw.bin").write_bytes(b"\x00\xff" + FORMS["hash"].encode())
    outside = tmp_path / "outside"
    outside.write_text(SECRET, encoding="utf-8")
    (folder / "link").symlink_to(outside)
    assert redactor.leaks_in(folder) == ["sub/raw.bin: k"]
