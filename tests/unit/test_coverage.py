"""The statements of the contract: their file, what a mistake in it says, and the page made of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway_acceptance.check import MUST, READ, Check
from gateway_acceptance.coverage import Coverage, CoverageError, coverage_page, load_coverage, summary_line

HEAD = """
endpoints = ["GET /a"]

[reasons]
gap = "Nobody did it."
"""
PROVEN = """
[[statement]]
id = "a.one"
endpoint = "GET /a"
text = "It has one | or two"
source = "openai:A.one"
checks = ["API-A-001"]
"""
OPEN = """
[[statement]]
id = "a.two"
endpoint = "GET /a"
text = "It has two"
source = "openai:A.two"
excluded = "gap: too few hands"
"""
GOOD = HEAD + PROVEN + OPEN
KNOWN = ["API-A-001", "API-A-002"]
CHECKS = [Check(check_id, f"{check_id} holds", MUST, READ, (), ("nightly",), "RFC 1") for check_id in KNOWN]

Load = Callable[[str], Coverage]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def read(text: str) -> Coverage:
        path = tmp_path / "coverage.toml"
        path.write_text(text)
        return load_coverage(path, KNOWN)

    return read


def sentences(load: Load, text: str) -> list[str]:
    """What a file earns, without its path."""
    with pytest.raises(CoverageError) as caught:
        load(text)
    paths = {sentence.split(": ", 1)[0] for sentence in caught.value.sentences}
    assert [Path(path).name for path in paths] == ["coverage.toml"]
    return [sentence.split(": ", 1)[1] for sentence in caught.value.sentences]


def test_a_statement_has_checks_or_a_reason(load: Load) -> None:
    one, two = load(GOOD).statements
    assert (one.checks, one.reason, one.detail) == (("API-A-001",), "", "")
    assert (two.checks, two.reason, two.detail) == ((), "gap", "too few hands")


def test_what_is_beyond(load: Load) -> None:
    assert [check.id for check in load(GOOD).beyond(CHECKS)] == ["API-A-002"]


def test_the_page_shows_every_statement_and_every_check(load: Load) -> None:
    page = coverage_page(load(GOOD), CHECKS)
    assert "**2 statements, 1 covered by checks, 1 not.** 1 checks are beyond the specification." in page
    assert "| GET /a | 2 | 1 | 1 |" in page
    assert "| *gap* | 1 | Nobody did it. |" in page
    assert "| `a.one` | It has one \\| or two | `openai:A.one` | `API-A-001` |" in page
    assert "| `a.two` | It has two | `openai:A.two` | *gap*: too few hands |" in page
    assert page.endswith("| `API-A-002` | API-A-002 holds | `RFC 1` |\n")


def test_the_summary_counts(load: Load) -> None:
    assert summary_line(load(GOOD)) == "2 statements, 1 covered by checks, 1 not"


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('source = "openai:A.one"', "", "entry 1 (a.one): source is missing; add it"),
        (
            'source = "openai:A.one"',
            'source = " "',
            "entry 1 (a.one): source must be a text that is not empty (found ' '); correct it",
        ),
        (
            'source = "openai:A.one"',
            'source = "x"\nsuorce = "y"',
            "entry 1 (a.one): unknown key 'suorce', did you mean 'source'?; "
            "known are: id, endpoint, text, source, checks, excluded",
        ),
        (
            '"a.one"',
            '"One"',
            "entry 1 (One): id 'One' is not of the form chat-request.max_tokens; rename it",
        ),
        (
            '"a.two"',
            '"a.one"',
            "entry 2 (a.one): entry 1 has the same id; give each statement its own",
        ),
        (
            'endpoint = "GET /a"\ntext = "It has two"',
            'endpoint = "GET /aa"\ntext = "It has two"',
            "entry 2 (a.two): unknown endpoint 'GET /aa', did you mean 'GET /a'?; known are: GET /a",
        ),
        (
            '"gap: too few hands"',
            '"gasp: too few hands"',
            "entry 2 (a.two): unknown reason 'gasp', did you mean 'gap'?; known are: gap",
        ),
        (
            'checks = ["API-A-001"]',
            "checks = []",
            "entry 1 (a.one): checks must be a list of check ids that is not empty (found []); correct it",
        ),
        (
            'checks = ["API-A-001"]',
            'checks = ["API-A-001", "API-A-001"]',
            "entry 1 (a.one): API-A-001 is named twice; name it once",
        ),
        (
            'checks = ["API-A-001"]',
            'checks = ["API-A-0001"]',
            "entry 1 (a.one): there is no check 'API-A-0001', did you mean 'API-A-001'?; correct it",
        ),
        (
            'checks = ["API-A-001"]',
            "",
            "entry 1 (a.one): there must be either checks or excluded; "
            "name the checks that prove it, or say why none",
        ),
        (
            'checks = ["API-A-001"]',
            'checks = ["API-A-001"]\nexcluded = "gap"',
            "entry 1 (a.one): there must be either checks or excluded; "
            "name the checks that prove it, or say why none",
        ),
        ('["GET /a"]', "[]", "endpoints must be a list of texts that are not empty; add it"),
        ('["GET /a"]', '["GET /a", "GET /b"]', "'GET /b' is used by no statement; take it out"),
        ('"Nobody did it."', '"Nobody did it."\nlazy = "."', "'lazy' is used by no statement; take it out"),
        ('"Nobody did it."', "3", "reasons must be a table of texts that are not empty; add it"),
    ],
)
def test_a_mistake_is_a_sentence(load: Load, before: str, after: str, said: str) -> None:
    assert GOOD.count(before) == 1
    assert said in sentences(load, GOOD.replace(before, after))


def test_all_mistakes_are_told_at_once(load: Load) -> None:
    invalid = GOOD.replace('"a.one"', '"One"').replace('"gap: too few hands"', '"gasp"')
    assert len(sentences(load, invalid)) == 2


@pytest.mark.parametrize("text", ["", "statement = 3\n", "statement = []\n"])
def test_a_file_without_statements_is_refused(load: Load, text: str) -> None:
    assert sentences(load, text + HEAD) == ["there is no statement; add [[statement]] entries"]


def test_an_entry_that_is_no_table_is_named(load: Load) -> None:
    assert "entry 1 is no table; write it as [[statement]]" in sentences(load, "statement = [3]\n" + HEAD)


def test_another_table_is_an_unknown_key(load: Load) -> None:
    assert sentences(load, GOOD + "[[statements]]\n") == [
        "unknown key 'statements', did you mean 'statement'?; known are: endpoints, reasons, statement"
    ]


def test_what_is_no_toml_is_told_with_its_line(load: Load) -> None:
    [sentence] = sentences(load, "[[statement]\n")
    assert sentence.startswith("is not valid TOML")
    assert "line 1" in sentence


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(CoverageError, match=r"coverage\.toml: cannot be read \(No such file"):
        load_coverage(tmp_path / "coverage.toml", KNOWN)
