"""What a check does becomes the verdict of docs/architecture.md, "How an outcome becomes a verdict"."""

from __future__ import annotations

import pytest

from tests.plugin.gateway import serving
from tests.plugin.project import ALIVE, Run, a_check, new_project

BELOW = """
def broken(request):
    raise {raised}
sdk._client._transport.handle_request = broken
sdk.models.list()
""".strip()
NUMBERED = {
    "returns": (1, "pass", "environment", "passed"),
    "false assertion": (2, "assert 1 == 2, 'one is not two'", "environment", "failed"),
    "CheckFailed": (
        3,
        "raise CheckFailed([Problem('a.b', 'broken'), Problem('c.d', 'too')])",
        "environment",
        "failed",
    ),
    "NoAnswer": (4, "gateway._sender.send('GET', 'http://127.0.0.1:9/')", "gateway", "failed"),
    "SDK error": (5, "sdk.models.retrieve('/../../junk')", "sdk", "failed"),
    "Untestable": (6, "raise Untestable('no tree', 'plant one')", "environment", "untestable"),
    "Inconclusive": (7, "raise Inconclusive('too few')", "environment", "inconclusive"),
    "NotApplicable": (
        8,
        "raise NotApplicable('no such feature', declared='models')",
        "environment",
        "not applicable",
    ),
    "NotPermitted": (9, "raise NotPermitted('not here')", "environment", "not permitted"),
    "bug in the check": (10, "{}['choices']", "environment", "harness error"),
    "assertion of the suite's machinery": (
        11,
        "from gateway_acceptance.embedded import provider_of\nprovider_of(environment)",
        "environment",
        "harness error",
    ),
    "assertion of a tool": (
        12,
        "import unittest\nunittest.TestCase().assertEqual(1, 2)",
        "environment",
        "harness error",
    ),
    "failing teardown": (13, "pass", "broken_after", "harness error"),
    "failing setup of ours": (14, "pass", "environment, broken_before", "harness error"),
    "skip": (15, "pytest.skip('not today')", "environment", "harness error"),
    "xfail": (16, "pytest.xfail('known')", "environment", "harness error"),
    "sys.exit(0)": (17, "raise SystemExit(0)", "environment", "harness error"),
    "failing subtest": (18, "with subtests.test('a'):\n    assert 1 == 2", "environment, subtests", "failed"),
    "illegal header of ours": (
        19,
        "gateway.get('/alive', headers=[('x-a', 'line\\nend')])",
        "gateway",
        "harness error",
    ),
    "bug below the SDK": (20, BELOW.format(raised="KeyError('a bug')"), "sdk", "harness error"),
    "budget below the SDK": (21, BELOW.format(raised="NotPermitted('used up')"), "sdk", "not permitted"),
    "failed in the body and in the teardown": (22, "assert 1 == 2", "broken_after", "harness error"),
}
MARKED = """
@check("API-T-030", "marked to be skipped", level=MUST, effect=READ, profile="smoke")
@pytest.mark.skip
def test_skipped(environment):
    pass


@check("API-T-031", "marked to fail", level=MUST, effect=READ, profile="smoke")
@pytest.mark.xfail
def test_expected_to_fail(environment):
    assert 1 == 2


@check("API-T-032", "marked to fail, and passes", level=MUST, effect=READ, profile="smoke")
@pytest.mark.xfail(strict=True)
def test_passes_unexpectedly(environment):
    pass


@check("API-T-033", "parametrised over nothing", level=MUST, effect=READ, profile="smoke")
@pytest.mark.parametrize("word", [])
def test_nothing(environment, word):
    pass


@check("API-T-034", "looks at nothing", level=MUST, effect=READ, profile="smoke")
def test_looks_at_nothing(environment):
    pass


@check("API-T-035", "looks where nothing is", level=MUST, effect=READ, profile="smoke")
def test_looks_where_nothing_is(environment):
    judged(chunks=0, streams=2)


@check("API-T-036", "sees answers", level=MUST, effect=READ, profile="smoke")
def test_sees_answers(gateway):
    gateway.models()


@pytest.fixture
def broken_after(target):
    yield
    raise RuntimeError("cannot clean up")


@pytest.fixture
def broken_before():
    raise RuntimeError("cannot set up")
"""


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One run of a check for each line of the table."""
    with serving() as gateway:
        project = new_project(tmp_path_factory.mktemp("table"))
        project.environment(gateway.url)
        sources = [a_check(number, body, asks) for number, body, asks, _ in NUMBERED.values()]
        project.checks(ALIVE, *sources, MARKED)
        return project.run()


@pytest.mark.parametrize("what", list(NUMBERED))
def test_the_table(table: Run, what: str) -> None:
    number, _, _, verdict = NUMBERED[what]
    assert table.verdict(f"API-T-{number:03}") == verdict


@pytest.mark.parametrize("what", [what for what, row in NUMBERED.items() if row[3] == "harness error"])
def test_a_harness_error_is_never_blamed_on_the_gateway(table: Run, what: str) -> None:
    (case,) = table.cases(f"API-T-{NUMBERED[what][0]:03}")
    assert case["blame"] == "harness"


def test_a_harness_error_tells_where_it_came_from(table: Run) -> None:
    (case,) = table.cases("API-T-010")
    assert "Traceback" in case["detail"]
    assert "KeyError: 'choices'" in case["detail"]
    assert case["waiver"] is None
    assert "Traceback (most recent call last)" in table.output


@pytest.mark.parametrize("check", ["API-T-030", "API-T-032", "API-T-033"])
def test_marks_that_hide_a_check_are_harness_errors(table: Run, check: str) -> None:
    assert table.verdict(check) == "harness error"


def test_an_xfail_mark_hides_no_failure(table: Run) -> None:
    assert table.verdict("API-T-031") == "failed"


@pytest.mark.parametrize(
    ("check", "says"),
    [("API-T-034", "looked at no answer and no fact"), ("API-T-035", "no chunk (2 streams)")],
)
def test_a_case_that_passed_without_a_subject_is_untestable(table: Run, check: str, says: str) -> None:
    (case,) = table.cases(check)
    assert case["verdict"] == "untestable"
    assert f"nothing judged: {'the check ' if says.startswith('looked') else ''}{says}" in case["message"]


def test_a_case_that_passed_says_for_what(table: Run) -> None:
    (case,) = table.cases("API-T-036")
    assert (case["verdict"], case["subjects"]) == ("passed", {"answers": 1})
    assert case["message"] == "held for 1 answer"


def test_one_harness_error_is_exit_code_3(table: Run) -> None:
    assert (table.code, table.state) == (3, "SMOKE FAILED")


def test_every_problem_is_told(table: Run) -> None:
    (case,) = table.cases("API-T-003")
    assert "a.b: broken" in case["message"]
    assert "c.d: too" in case["message"]


def test_the_missing_thing_and_its_fix_are_told(table: Run) -> None:
    assert "API-T-006 Untestable: no tree; plant one" in table.output


def test_the_terminal_says_what_was_seen(table: Run) -> None:
    assert "one is not two" in table.output


def test_the_totals_count_every_case(table: Run) -> None:
    totals = table.record()["totals"]
    assert totals["failed"] == 6
    assert totals["checks_selected"] == len(NUMBERED) + 8
