"""Which defects are planted: known checks of every suite, drawn by a seed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from gateway_acceptance.judgement import LEAST_PLANTED, missed_defects
from gateway_acceptance.planted import DRAWN, drawn, load_planted
from gateway_acceptance.profiles import load_profiles
from gateway_acceptance.record_model import RecordedPlanted
from gateway_acceptance.usage import UsageProblem

SUITES = Path(__file__).parents[2] / "suites"


def known() -> dict[str, str]:
    catalogue = load_planted(SUITES)
    assert catalogue is not None
    return {name: name.split("-")[0].lower() for name in catalogue.defects}


def test_they_are_checks_of_the_release() -> None:
    assert set(known()) <= set(load_profiles(SUITES / "profiles.toml")["release"])


def test_a_seed_draws_enough_of_every_suite_and_always_the_same() -> None:
    one, again, other = (drawn(seed, known()) for seed in ("a", "a", "b"))
    assert one == again
    assert one != other
    assert len(one) == DRAWN >= LEAST_PLANTED
    for found in (one, other):
        assert {known()[name] for name in found} == {"api", "backend", "host"}


def test_what_was_never_drawn_is_drawn_some_day() -> None:
    seen = {name for number in range(400) for name in drawn(str(number), known())}
    assert seen == set(known())


def test_their_words_are_the_same_on_every_machine() -> None:
    """Neither the interpreter's release nor what only its own parsers say."""
    catalogue = load_planted(SUITES)
    assert catalogue is not None
    foreign = re.compile(r"Python/|\b3\.\d\d\.\d|Expecting |Errno")
    assert [name for name, words in catalogue.defects.items() if foreign.search(words)] == []


def a_result(**fields: Any) -> dict[str, Any]:
    told = {"verdict": "failed", "said": "expected 8, got 7", "took_s": 0.1}
    return {"check": "A-1", "expected": "got 7", **told, **fields}


def planted_of(known: int, results: list[dict[str, Any]]) -> RecordedPlanted:
    document = {"known": known, "seeds": [], "took_s": 1.0, "results": results}
    return RecordedPlanted.model_validate(document)


@pytest.mark.parametrize(
    ("results", "count", "words"),
    [
        ([a_result()], 1, None),
        ([a_result(verdict="passed", said="")], 1, "A-1 was to fail (got 7), and is passed"),
        ([a_result(said="got 9")], 1, "and is failed: got 9"),
        ([a_result(verdict="harness error", said="got 7")], 1, "and is harness error: got 7"),
        ([a_result(expected="")], 1, "was to fail ()"),
        ([], 0, None),
        ([], 1, "only 0 planted defects were tried"),
        ([a_result()] * 11, 100, "only 11 planted defects were tried; 12 are to be"),
        ([a_result()] * 12, 100, None),
    ],
)
def test_what_is_missed(results: list[dict[str, Any]], count: int, words: str | None) -> None:
    found = missed_defects(planted_of(count, results))
    assert len(found) == (words is not None)
    assert words is None or words in found[0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "cannot be used"),
        ("[defects", "cannot be used"),
        ('facts = "x"\n[environment]\n[defects]\nA = "b"\n', "cannot be used"),
    ],
)
def test_a_catalogue_that_cannot_be_used(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "planted.toml").write_text(text, encoding="utf-8")
    with pytest.raises(UsageProblem) as raised:
        load_planted(tmp_path)
    assert words in raised.value.sentences[0]
    assert load_planted(tmp_path / "elsewhere") is None
