"""Deviations: what is general in a problem, which release is meant, and what is never one."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from gateway_acceptance.deviations import (
    PRODUCTS,
    Deviation,
    Known,
    Release,
    forbidden,
    general,
    general_lines,
    known_of,
    load_harm,
    names_of,
    read_release,
    releases,
    write_release,
)
from gateway_acceptance.environment import load_environment
from gateway_acceptance.usage import UsageProblem
from lab.deviations import UPSTREAMS, WENT_AWAY, differences, listed_releases
from tests.unit.declared import environment

ROOT = Path(__file__).parents[2]
HARMS = load_harm(ROOT / "suites" / "harm.toml")
NAMES = names_of(environment())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("POST http://127.0.0.1:4000/v1: no answer", "POST https://gw.example/v1: no answer"),
        ("expected 768 components, got 767", "expected 1024 components, got 17"),
        ("model chat-one: expected a refusal, got 500", "model emb: expected a refusal, got 500"),
        ("two chunks: chatcmpl-0a1b2c3d and chatcmpl-ffff", "two chunks: chatcmpl-zz99xx and chatcmpl-1234"),
        ('index 0 is of call "1de756ac2"', 'index 0 is of call "functions.get_weather:0"'),
        ('got {"message": "Hello there"}', 'got {"message": "Something else was said"}'),
        ("answered after 0.31 s", "answered after 12 s"),
        ("got 'one of many' at /choices/0", "got 'quite another thing' at /choices/17"),
        ("File /usr/lib/python3/litellm/main.py failed", "File /opt/x/y/litellm/proxy.py failed"),
        ("the window is long… (cut)", "the window is long"),
        ("got ['chat-one']", "got ['emb', 'tiny']"),
        ("since 2026-11-26T14:50:01.710867Z", "since 2027-01-01T00:00:00Z"),
        ('got 500: {"error":{"message":"/a/b/c.py","ty', 'got 500: {"error":{"mess'),
    ],
)
def test_what_changes_from_run_to_run_is_taken_out(one: str, other: str) -> None:
    assert general(one, NAMES) == general(other, NAMES)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("expected a refusal, got 500", "expected a refusal, got 200"),
        ("refusal.status: a", "refusal.message: a"),
        ("type no_db_connection", "type auth_error"),
        ("messages a string: got 500", "messages null: got 500"),
        ("expected 'stop', got 'length'", "expected 'length', got 'stop'"),
    ],
)
def test_what_says_what_is_wrong_stays(one: str, other: str) -> None:
    assert general(one, NAMES) != general(other, NAMES)


@pytest.mark.parametrize("text", ["got 500: x", "model chat-one", '"a b c" and 3', "sk-abcdef012345"])
def test_what_is_general_stays_as_it_is(text: str) -> None:
    assert general(general(text, NAMES), NAMES) == general(text, NAMES)


def test_a_name_is_a_whole_word_and_the_longest_comes_first() -> None:
    names = {"emb-large": "<model>", "emb": "<upstream>"}
    assert general("emb-large, emb, embed", names) == "<name>, embed"


def test_lines_that_say_nothing_are_left_out() -> None:
    assert general_lines("a\n\n  b 3 \n", {}) == ["a", "b <n>"]


def release(version: str, variant: str = "", **problems: str) -> Release:
    found = tuple(
        Deviation(f"API-T-{name[1:]}", "MUST", "title", frozenset({problem}))
        for name, problem in problems.items()
    )
    return Release("litellm", version, variant, "2026-01-01", 3, found)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for one in (
        release("1.74.15", n001="a <n>"),
        release("1.100.5", n001="b", n002="c"),
        release("1.106.2", n002="d"),
        release("1.106.2", "prisma", n003="e"),
    ):
        write_release(one, tmp_path)
    return tmp_path


def test_what_it_does_before_other_upstreams_counts_where_they_are_declared(root: Path) -> None:
    """By the nearest versions that were learned so, and beside what it does anywhere."""
    for one in (release("1.74.15", n009="f"), release("1.106.2", n004="g")):
        write_release(one, root, "openai")
    assert ("1.106.2", "") in releases("litellm", root, "openai")
    plain = known_of("litellm", "1.106.2", None, root)
    assert not covers(plain, "API-T-004", "g")
    known = known_of("litellm", "1.106.2", None, root, ["openai"])
    assert covers(known, "API-T-004", "g")
    assert covers(known, "API-T-002", "d")
    assert not covers(known, "API-T-009", "f")
    assert "1.106.2 before openai" in known.judged_by
    assert known.note == plain.note
    between = known_of("litellm", "1.100.5", None, root, ["openai"])
    assert covers(between, "API-T-009", "f")
    assert covers(between, "API-T-004", "g")
    assert "before openai upstreams: judged by 1.74.15 and 1.106.2" in between.note


def test_a_file_is_read_as_it_was_written(root: Path) -> None:
    assert read_release("litellm", "1.106.2", "prisma", root) == release("1.106.2", "prisma", n003="e")
    assert releases("litellm", root) == [
        ("1.74.15", ""),
        ("1.100.5", ""),
        ("1.106.2", ""),
        ("1.106.2", "prisma"),
    ]


def test_a_broken_file_is_one_sentence(root: Path) -> None:
    (root / "litellm" / "deviations" / "1.74.15.json").write_text("{}")
    with pytest.raises(UsageProblem, match=r"1\.74\.15\.json: is no file of deviations"):
        read_release("litellm", "1.74.15", "", root)


def covers(known: Known, check: str, problem: str) -> bool:
    return known.covers(check, problem, NAMES)


def test_each_line_must_be_one_that_the_release_showed_of_that_check(root: Path) -> None:
    known = known_of("litellm", "1.74.15", "", root)
    assert (known.judged_by, known.note) == (("1.74.15",), "")
    assert covers(known, "API-T-001", "a 17")
    assert not covers(known, "API-T-001", "a 17\nsomething else")
    assert not covers(known, "API-T-001", "b")
    assert not covers(known, "API-T-002", "a 17")


def test_a_model_that_has_a_common_word_for_its_name_hides_no_deviation(root: Path) -> None:
    write_release(release("1.74.15", n001="an array as body at chat: got 500"), root)
    known = known_of("litellm", "1.74.15", "", root)
    assert known.covers("API-T-001", "an array as body at chat: got 500", {"chat": "<model>"})


def test_the_variant_that_is_declared_counts_and_else_all_of_them(root: Path) -> None:
    assert not covers(known_of("litellm", "1.106.2", "", root), "API-T-003", "e")
    assert covers(known_of("litellm", "1.106.2", "prisma", root), "API-T-003", "e")
    either = known_of("litellm", "1.106.2", None, root)
    assert covers(either, "API-T-003", "e")
    assert covers(either, "API-T-002", "d")
    assert "gateway.variant" in either.note


@pytest.mark.parametrize(
    ("version", "judged_by"),
    [
        ("1.90.0", ("1.74.15", "1.100.5")),
        ("1.70.0", ("1.74.15",)),
        ("1.110.2", ("1.106.2", "1.106.2-prisma")),
    ],
)
def test_a_version_without_a_file_is_judged_by_its_neighbours(
    root: Path, version: str, judged_by: tuple[str, ...]
) -> None:
    known = known_of("litellm", version, None, root)
    assert known.judged_by == judged_by
    assert f"no file of litellm {version}: judged by" in known.note


@pytest.mark.parametrize("version", ["", "main-latest"])
def test_an_unknown_version_has_no_deviations_and_says_so(root: Path, version: str) -> None:
    known = known_of("litellm", version, None, root)
    assert known.deviations == {}
    assert "no deviation" in known.note


def test_a_product_of_which_nothing_is_known_has_none(root: Path) -> None:
    assert known_of("portkey", "1.15.2", None, root) == Known("portkey", "1.15.2", "")


@pytest.mark.parametrize(
    ("check", "problem", "harm"),
    [
        ("API-ACCESS-001", "anything at all", "opens a door"),
        ("API-AUTH-003", "a wrong key: got 200: it was served", "opens a door"),
        ("API-AUTH-003", "a wrong key: got 400: no_db_connection", ""),
        ("API-EXPO-001", "/debug/tasks answers 200", "opens a door"),
        ("API-STREAM-001", "leak.key: the key stands in it", "leaks"),
        ("API-ERR-040", "an address stands in it", "leaks"),
        ("BACKEND-OUT-012", "a broken stream ends as if it were whole", "loses data"),
        ("API-STREAM-001", "stream.id.same: three ids", ""),
    ],
)
def test_what_opens_a_door_leaks_or_loses_data_is_no_deviation(check: str, problem: str, harm: str) -> None:
    assert forbidden(HARMS, check, problem) == harm


def test_the_packages_files_hold_nothing_that_is_never_a_deviation() -> None:
    for version, variant in releases("litellm"):
        known = read_release("litellm", version, variant)
        assert known.deviations
        wrong = [
            (one.check, problem)
            for one in known.deviations
            for problem in one.problems
            if forbidden(HARMS, one.check, problem)
        ]
        assert wrong == [], (version, variant)


@pytest.mark.parametrize("upstream", ["", *UPSTREAMS])
def test_every_listed_release_has_its_files(upstream: str) -> None:
    listed = listed_releases(PRODUCTS / "litellm" / "releases.toml", upstream)
    assert listed
    assert releases("litellm", upstream=upstream) == listed


def test_what_litellm_does_before_openai_upstreams_is_known() -> None:
    """A vector of another size than asked for, which before Ollama's own protocol has the right one."""
    said = "expected 256 dimensions as asked for, or a refusal, got 768, as if nothing had been asked for"
    assert not known_of("litellm", "1.108.7", "").covers("API-EMB-021", said, {})
    assert known_of("litellm", "1.108.7", "", upstreams=["openai"]).covers("API-EMB-021", said, {})


def test_where_a_file_differs_from_its_release() -> None:
    one = Deviation("API-A-001", "MUST", "t", frozenset({"a", "b"}))
    kept = Release(
        "p", "1", "", "2026-11-01", 3, (one, Deviation("API-B-001", "MUST", "t", frozenset({"c"})))
    )
    seen = replace(kept, learned="2026-11-27", deviations=(replace(one, problems=frozenset({"b", "d"})),))
    assert differences(kept, kept) == []
    assert differences(kept, seen) == [
        "  API-A-001: not shown any more: a",
        "  API-A-001: not in the file: d",
        "  API-B-001: not shown any more: c",
    ]


def test_the_packages_files_name_no_deployment() -> None:
    """What is learned in the lab must fit other environments: no alias, address or backend of ours."""
    names = names_of(load_environment("local", ROOT, {}))
    own = re.compile("|".join(rf"(?<![\w.-]){re.escape(name)}(?![\w-])" for name in names))
    for version, variant in releases("litellm"):
        text = json.dumps(
            [sorted(one.problems) for one in read_release("litellm", version, variant).deviations]
        )
        assert not own.search(text), (version, variant)
        assert "127." not in text
        assert not any(words in text for words in WENT_AWAY), "the lab was ill, not the release"


def test_how_often_a_rule_is_broken_hangs_on_the_length_of_an_answer() -> None:
    problems = frozenset({"stream.id.same: id is <n>, not <n>"})
    known = Known("p", "1", "", deviations={"API-A-001": Deviation("API-A-001", "MUST", "t", problems)})
    seen = "stream.id.same: id is 2, not 1\nstream.id.same: and 15 more like these at tools stream, frame 20"
    assert known.covers("API-A-001", seen, {})
    assert not known.covers("API-A-001", "stream.done.missing: and 15 more like these at frame 20", {})
    assert not known.covers("API-A-001", "stream.id.same: id is absent", {})
