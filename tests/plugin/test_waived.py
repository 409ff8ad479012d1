"""Waivers in a real run: they carry just what they describe, and die."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.plugin.gateway import Gateway, serving
from tests.plugin.project import ALIVE, EXPIRES, OPENED, Project, Run, a_check, new_project

TWO_PROBLEMS = "raise CheckFailed([Problem('a', 'got 400'), Problem('b', 'got 418')])"
ELSEWHERE = '{ environments = ["other"] }'
TOLD = "raise CheckFailed('got 400' if waivable else 'got 418: not told')"
NOT_TOLD = "raise CheckFailed('got 418: told' if waivable else 'got 400')"
ASKS = {9: "waivable", 10: "waivable", 11: "waivable"}
"""What a check asks for instead of ``environment``."""
SUBJECT = {16: {"subject": "pass"}}
LONG_PAST = {"opened": "2020-12-01", "expires": "2021-01-01"}
CASES: dict[str, tuple[int, dict[str, str], str, str, str]] = {
    "all that was seen": (1, {"observed": "'got (400|418)'"}, TWO_PROBLEMS, "waived", ""),
    "one of two problems": (2, {}, TWO_PROBLEMS, "failed", "API-T-002 check 2: 1 failed"),
    "another environment": (
        3,
        {"scope": ELSEWHERE},
        "assert 1 == 2, 'got 400 elsewhere'",
        "failed",
        "API-T-003 check 3",
    ),
    "expired": (
        4,
        LONG_PAST,
        "assert 1 == 2, 'got 400 for long'",
        "failed",
        "the waiver W4 expired on 2021-01-01",
    ),
    "no longer needed": (5, {}, "pass", "passed", ""),
    "of no check": (
        6,
        {"check": '"API-T-404"'},
        "pass",
        "passed",
        "the check API-T-404, which does not exist",
    ),
    "a harness error": (7, {"observed": "'KeyError'"}, "{}['KeyError']", "harness error", "1 harness error"),
    "a check that is told of it": (9, {}, TOLD, "waived", ""),
    "none to be told of, elsewhere": (10, {"scope": ELSEWHERE}, NOT_TOLD, "failed", "API-T-010 check 10"),
    "none to be told of, any more": (11, LONG_PAST, NOT_TOLD, "failed", "W11 expired"),
    "a missing premise": (8, {}, "raise Untestable('got 400', 'b')", "untestable", "1 untestable"),
    "what cannot be tested": (
        12,
        {"verdict": '"untestable"', "observed": "'no GPU'"},
        "raise Untestable('no GPU', 'b')",
        "waived",
        "",
    ),
    "untestable for another reason": (
        13,
        {"verdict": '"untestable"', "observed": "'no GPU'"},
        "raise Untestable('no disk', 'b')",
        "untestable",
        "API-T-013 check 13: 1 untestable",
    ),
    "what could not be decided": (
        14,
        {"verdict": '"inconclusive"', "observed": "'3 of 9'"},
        "raise Inconclusive('3 of 9')",
        "waived",
        "",
    ),
    "a failure, where only untestable is accepted": (
        15,
        {"verdict": '"untestable"'},
        "assert 1 == 2, 'got 400 all the same'",
        "failed",
        "API-T-015 check 15: 1 failed",
    ),
    "nothing was judged": (
        16,
        {"verdict": '"untestable"', "observed": "'nothing'"},
        "judged(things=0)",
        "untestable",
        "API-T-016 check 16: 1 untestable",
    ),
}


def waiver(number: int, fields: dict[str, str]) -> str:
    """The waiver Wn of the check API-T-00n; fields replace or add lines of TOML."""
    entry = {
        "id": f'"W{number}"',
        "check": f'"API-T-{number:03}"',
        "scope": '{ environments = ["mini"] }',
        "observed": "'got 400'",
        "reason": '"accepted by the operators"',
        "link": '"https://example.com/issues/1"',
        "owner": '"operators"',
        "opened": OPENED,
        "expires": EXPIRES,
        **fields,
    }
    return "[[waiver]]\n" + "\n".join(f"{name} = {value}" for name, value in entry.items())


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One run with a check and a waiver for each case."""
    with serving() as gateway:
        project = new_project(tmp_path_factory.mktemp("waivers"))
        project.environment(gateway.url)
        rows = CASES.values()
        project.write("environments/waivers.toml", "\n".join(waiver(row[0], row[1]) for row in rows))
        project.checks(
            ALIVE,
            *(
                a_check(row[0], row[2], ASKS.get(row[0], "environment"), **SUBJECT.get(row[0], {}))
                for row in rows
            ),
        )
        return project.run()


def test_what_nobody_accepted_is_told_first(run: Run) -> None:
    assert run.cases("API-T-002")[0]["message"] == "b: got 418\na: got 400"


@pytest.mark.parametrize("what", list(CASES))
def test_a_waiver(run: Run, what: str) -> None:
    number, _, _, verdict, reason = CASES[what]
    (case,) = run.cases(f"API-T-{number:03}")
    assert case["verdict"] == verdict
    assert case["waiver"] == (f"W{number}" if verdict == "waived" else None)
    assert reason in run.reasons
    assert "told" not in case["message"]


def test_what_is_waived_is_no_reason_against_the_run_and_is_shown(run: Run) -> None:
    assert "API-T-001" not in run.reasons
    assert "waived: API-T-001 accepted by the operators (https://example.com/issues/1)" in run.output


def test_a_needless_one_is_a_warning_at_first(run: Run) -> None:
    told = "soon: the waiver W5 is no longer needed: API-T-005 passes; remove it; red 14 days after"
    assert told in run.output
    (waiver,) = (one for one in run.record()["waivers"] if one["id"] == "W5")
    assert waiver["needless_since"] == run.record()["basis"]["today"]


@pytest.fixture
def own(tmp_path: Path, gateway: Gateway) -> Project:
    """A project whose environment names a file of waivers of its own, beside one that all share."""
    project = new_project(tmp_path)
    project.environment(gateway.url)
    file = project.root / "environments" / "mini.toml"
    file.write_text('waivers = "ours.toml"\n' + file.read_text(encoding="utf-8"), encoding="utf-8")
    project.write("environments/waivers.toml", waiver(1, {"verdict": '"untestable"'}))
    project.checks(
        ALIVE, a_check(1, "raise Untestable('got 400', 'b')"), a_check(2, "assert 1 == 2, 'got 400'")
    )
    return project


def test_an_environments_own_waivers_are_all_that_count(own: Project) -> None:
    own.write("environments/ours.toml", waiver(2, {}))
    run = own.run()
    assert [waiver["id"] for waiver in run.record()["waivers"]] == ["W2"]
    assert (run.verdict("API-T-001"), run.verdict("API-T-002")) == ("untestable", "waived")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (None, "ours.toml, which is not there; write it, or take the key out"),
        ("[[waiver]", "ours.toml: cannot be read"),
        (waiver(1, {"observed": "'(?s).+'"}), "'W1': observed matches any failure whatever"),
        (waiver(1, {"check": '"API-AUTH-003"', "verdict": '"untestable"'}), "a check of what opens a door"),
    ],
)
def test_what_is_wrong_with_them_ends_a_run_before_it_begins(
    own: Project, text: str | None, sentence: str
) -> None:
    own.write("suites/harm.toml", '[[never]]\nchecks = ["API-AUTH-*"]\nharm = "opens a door"\n')
    if text is not None:
        own.write("environments/ours.toml", text)
    run = own.run()
    assert (run.code, sentence in run.output) == (4, True), run.output
