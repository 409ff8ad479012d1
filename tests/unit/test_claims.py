"""The file of claims: what it holds, and that a mistake in it is one clear sentence."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway_acceptance.claims import SECTIONS, ClaimsError, load_claims

CLAIMS = Path(__file__).parents[2] / "suites" / "claims.toml"

Sentences = Callable[[str], list[str]]

GOOD = """
[[claim]]
id = "FUN-01"
section = "Validated Functionality"
text = "It works"
"""


@pytest.fixture
def sentences(tmp_path: Path) -> Sentences:
    """The sentences that a file of claims earns, without its path."""

    def read(text: str) -> list[str]:
        path = tmp_path / "claims.toml"
        path.write_text(text)
        with pytest.raises(ClaimsError) as caught:
            load_claims(path)
        assert all(sentence.startswith(f"{path}: ") for sentence in caught.value.sentences)
        return [sentence.removeprefix(f"{path}: ") for sentence in caught.value.sentences]

    return read


def test_the_projects_own_claims_are_valid_and_fill_every_section() -> None:
    claims = load_claims(CLAIMS)
    assert {claim.section for claim in claims} == set(SECTIONS)


def test_the_trackers_statements_have_the_ids_that_checks_name() -> None:
    texts = {claim.id: claim.text for claim in load_claims(CLAIMS)}
    assert "OpenAI compatible" in texts["FUN-01"]
    assert "balanced" in texts["FUN-05"]
    assert "temperature 0" in texts["FUN-06"]
    assert "dedicated user" in texts["STA-04"]
    assert "reverted" in texts["SEC-01"]
    assert "known default" in texts["SEC-07"]


def test_every_open_security_requirement_says_how_to_fix_it() -> None:
    security = [claim for claim in load_claims(CLAIMS) if claim.section == "Security Requirements"]
    assert security
    assert [claim.id for claim in security if not claim.fix] == []


def test_no_fix_takes_the_search_bit_off_the_configurations_directories() -> None:
    assert not [claim.id for claim in load_claims(CLAIMS) if "chmod -R 644" in claim.fix]


def test_no_claim_states_its_own_verdict() -> None:
    words = ("✅", "🔄", "completed", "pending", "production ready")
    assert not [claim.id for claim in load_claims(CLAIMS) for word in words if word in claim.text.lower()]


def test_a_fix_may_have_several_lines(tmp_path: Path) -> None:
    path = tmp_path / "claims.toml"
    path.write_text(GOOD + 'fix = """\none\ntwo"""\n')
    assert load_claims(path)[0].fix == "one\ntwo"


def test_a_file_of_before_the_key_was_renamed_is_read(tmp_path: Path, sentences: Sentences) -> None:
    path = tmp_path / "claims.toml"
    path.write_text(GOOD + 'mend = "sudo true"\n')
    assert load_claims(path)[0].fix == "sudo true"
    (said,) = sentences(GOOD + 'mend = "sudo true"\nfix = "sudo false"\n')
    assert said.startswith("entry 1 (FUN-01): unknown key 'mend'")


@pytest.mark.parametrize(
    ("seen", "helps"),
    [
        ("expected 401 from http://gw/v1/models, got 200: it was served", True),
        ("expected 401 from http://gw/v1/models, got 202: {}", True),
        ("a key that is known to the world stands in the files with secrets; fix: sudo sh", True),
        ("expected 401 from http://gw/v1/models, got 400: No connected db.", False),
        ('expected 401 from http://gw/v1/models, got 403: {"detail":{"error":1}}', False),
        ("schema.error-envelope./properties/error/properties/code/type: got 401 at /error/code", False),
    ],
)
def test_a_key_of_ones_own_helps_against_a_known_one_that_is_in_use(seen: str, helps: bool) -> None:
    (claim,) = [one for one in load_claims(CLAIMS) if one.id == "SEC-07"]
    assert bool(re.search(claim.fix_when, seen)) is helps


def test_when_a_fix_helps_is_a_regular_expression(sentences: Sentences) -> None:
    (said,) = sentences(GOOD + 'fix_when = "got ("\n')
    assert said == "entry 1 (FUN-01): fix_when 'got (' is no regular expression; correct it"


def test_an_unknown_key_names_the_nearest_known_one(sentences: Sentences) -> None:
    assert sentences(GOOD + 'fixx = "x"\n') == [
        "entry 1 (FUN-01): unknown key 'fixx', did you mean 'fix'?; "
        "known are: id, section, text, fix, fix_when, about, per, needs, closed_checks"
    ]


def test_an_unknown_section_names_the_nearest_known_one(sentences: Sentences) -> None:
    [sentence] = sentences(GOOD.replace("Validated Functionality", "Validated functions"))
    assert sentence.startswith("entry 1 (FUN-01): unknown section 'Validated functions', did you mean")
    assert "'Validated Functionality'" in sentence


def test_a_repeated_id_names_both_entries(sentences: Sentences) -> None:
    assert sentences(GOOD + GOOD) == ["entry 2 (FUN-01): entry 1 has the same id; give each claim its own"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("text = 3", "text must be a text that is not empty (found 3); correct it"),
        ('text = " "', "text must be a text that is not empty (found ' '); correct it"),
    ],
)
def test_a_wrong_type_or_an_empty_text_is_named(sentences: Sentences, line: str, said: str) -> None:
    assert sentences(GOOD.replace('text = "It works"', line)) == [f"entry 1 (FUN-01): {said}"]


def test_a_missing_key_is_named(sentences: Sentences) -> None:
    assert sentences(GOOD.replace('text = "It works"', "")) == ["entry 1 (FUN-01): text is missing; add it"]


def test_an_id_of_another_form_is_refused(sentences: Sentences) -> None:
    assert sentences(GOOD.replace("FUN-01", "fun1")) == [
        "entry 1 (fun1): id 'fun1' is not of the form FUN-01; rename it"
    ]


def test_all_mistakes_are_told_at_once(sentences: Sentences) -> None:
    assert len(sentences(GOOD.replace("FUN-01", "x") + GOOD.replace('text = "It works"', "colour = 1"))) == 3


@pytest.mark.parametrize("text", ["", "claim = 3", "claim = []"])
def test_a_file_without_claims_is_refused(sentences: Sentences, text: str) -> None:
    assert sentences(text) == ["there is no claim; add [[claim]] entries"]


def test_another_table_is_an_unknown_key(sentences: Sentences) -> None:
    assert sentences("[[claims]]\nid = 'x'\n" + GOOD) == [
        "unknown key 'claims'; the file is a list of [[claim]] entries"
    ]


def test_what_is_no_toml_is_told_with_its_line(sentences: Sentences) -> None:
    [sentence] = sentences("[[claim]\n")
    assert sentence.startswith("is not valid TOML")
    assert "line 1" in sentence


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ClaimsError, match=r"claims\.toml: cannot be read \(No such file"):
        load_claims(tmp_path / "claims.toml")
