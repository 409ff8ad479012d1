"""Hostile text in Markdown shows as written and does nothing."""

from __future__ import annotations

import html
import re

import pytest

from gateway_acceptance.report.markdown import code, fenced, link, md

HOSTILE = [
    "a | b",
    "`code` and ``more``",
    "<script>alert(1)</script>",
    "![image](http://evil.example/x.png)",
    "[link](javascript:alert(1))",
    "**bold** *it* _it_ ~~no~~ $x$",
    "# heading",
    "- item",
    "1. item",
    "=====",
    "---",
    "> quote",
    "see http://evil.example and www.evil.example",
    "back\\slash \\| pipe",
    "&lt; &#124;",
]


def shown(markdown: str) -> str:
    """What GitHub shows of inline text without markup: escapes and entities resolved."""
    return html.unescape(re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", markdown))


@pytest.mark.parametrize("text", HOSTILE)
def test_it_shows_as_written(text: str) -> None:
    assert shown(md(text)) == text


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_of_it_is_markup(text: str) -> None:
    bare = re.sub(r"\\.", "x", md(text))
    assert not re.search(r"[|`<>*\[\]~$]|://|www\.", bare)
    assert not re.match(r"#|[-+=]|\d+[.)]\s|\s", bare)


def test_lines_become_breaks_and_so_stay_in_their_table_cell() -> None:
    assert md("one\r\ntwo\nthree") == "one<br>two<br>three"


def test_terminal_escapes_controls_and_direction_overrides_are_taken_out() -> None:
    assert md("\x1b[31mred\x00\x07\u202etxt.exe\ud800") == "�\\[31mred���txt.exe�"


@pytest.mark.parametrize("text", ["finish_reason", "API-CHAT-001", "1.106.2", "0.12 s", "hx-chat's 3 + 4"])
def test_ordinary_words_stay_readable(text: str) -> None:
    assert md(text) == text


def test_code_keeps_plain_text_and_escapes_the_rest() -> None:
    assert code("API-CHAT-001") == "`API-CHAT-001`"
    assert code("a`b|c") == "a\\`b\\|c"
    assert code("two\nlines") == "two<br>lines"
    assert code("") == ""


def test_a_code_block_cannot_be_closed_from_inside() -> None:
    block = fenced("curl x\n````\n# out\n```", "bash")
    assert block.startswith("`````bash\ncurl x\n")
    assert block.endswith("\n`````")


def test_only_a_web_address_becomes_a_link() -> None:
    assert link("https://example.org/a?b=1") == "<https://example.org/a?b=1>"
    assert link("javascript:alert(1)") == "javascript:alert(1)"
    assert link("https://x/|><b>") == "https:\\//x/\\|&gt;&lt;b&gt;"
