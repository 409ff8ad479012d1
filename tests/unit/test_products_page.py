"""docs/products.md: what each release keeps, from its file of deviations."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from gateway_acceptance.cli import products as products_command
from gateway_acceptance.cli.catalogue import collect
from gateway_acceptance.cli.findings import all_findings
from gateway_acceptance.cli.main import main
from gateway_acceptance.cli.products import (
    BY_A_RUN,
    DEVIATION,
    KEPT,
    NO_CHECK,
    NOT_OFFERED,
    badge_of,
    counted,
    known_products,
    pages,
    spans,
    state_of,
    users_should_know,
)
from gateway_acceptance.coverage import load_coverage
from gateway_acceptance.coverage_entry import Statement
from gateway_acceptance.deviations import Deviation, Harm, Release, load_harm

ROOT = Path(__file__).parents[2]
RELEASE = Release("p", "1", "", "2026-11-26", 3, (Deviation("API-A-001", "MUST", "t", frozenset({"x"})),))
HARMS = (Harm(("API-DOOR-*",), "opens a door"),)


def statement(*checks: str, endpoint: str = "POST /v1/embeddings") -> Statement:
    return Statement(id="s", endpoint=endpoint, text="t", source="openai:x", checks=checks)


def test_the_state_of_a_promise() -> None:
    assert state_of(statement("API-A-001", "API-A-002"), RELEASE, HARMS) == DEVIATION
    assert state_of(statement("API-A-002"), RELEASE, HARMS) == KEPT
    assert state_of(statement("API-RESP-001", endpoint="POST /v1/responses"), RELEASE, HARMS) == NOT_OFFERED
    assert state_of(statement("API-DOOR-001"), RELEASE, HARMS) == BY_A_RUN
    assert state_of(statement(), RELEASE, HARMS) == NO_CHECK
    assert counted(RELEASE, [statement("API-A-001"), statement("API-A-002"), statement()], HARMS) == (
        1,
        1,
        0,
        0,
    )


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ([True, True, True, True, True], "all; all (prisma)"),
        ([True, False, False, True, False], "1, 3"),
        ([True, False, True, False, True], "1 to 2; 2 (prisma)"),
        ([False, True, False, False, False], "1 (prisma)"),
    ],
)
def test_releases_in_a_row_are_leaks_of_answer_their_ends(chosen: list[bool], words: str) -> None:
    names = [("1", ""), ("1", "prisma"), ("2", ""), ("3", ""), ("2", "prisma")]
    listed = [Release("p", version, variant, "2026-11-26", 3, ()) for version, variant in names]
    assert spans(listed, chosen) == words


def test_every_page_is_that_of_the_files() -> None:
    checks = collect(ROOT).checks
    coverage = load_coverage(ROOT / "suites" / "coverage.toml", [check.id for check in checks])
    harms = load_harm(ROOT / "suites" / "harm.toml")
    made = pages(known_products(), coverage, checks, harms, all_findings())
    docs = ROOT / "docs"
    kept = {path: (docs / path).read_text(encoding="utf-8") for path in made}
    assert [path for path in made if made[path] != kept[path]] == [], "run make docs"
    there = {str(path.relative_to(docs)) for path in (docs / "products").iterdir()}
    assert there == made.keys() - {"products.md"}, "a page or badge of nobody"


def test_what_users_of_a_release_should_know() -> None:
    link = "https://example.org/1"
    told = Deviation("API-A-001", "MUST", "it answers", frozenset({"x"}), link)
    release = Release("p", "1", "", "2026-11-26", 3, (told,))
    statements = [statement("API-A-001", "API-A-002"), statement("API-A-002")]
    assert users_should_know(release, statements, HARMS) == [
        "p 1: 1 promises kept, 1 not; learned 2026-11-26",
        "  POST /v1/embeddings: t",
        f"    API-A-001        MUST   it answers ({link})",
    ]
    drawn = badge_of(release, statements, HARMS)
    assert "p 1: 1 of 2 promises kept · 2026-11-26" in drawn
    assert drawn.startswith("<svg")


def test_an_unknown_release_is_named_with_those_that_are_known(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(products_command, "collect", lambda _: SimpleNamespace(checks=[]))
    monkeypatch.setattr(products_command, "load_coverage", lambda *_: SimpleNamespace(statements=[]))
    with pytest.raises(SystemExit) as ended:
        main(["products", "--badge", "litellm-9.9"])
    assert ended.value.code == 4
    assert "no release 'litellm-9.9' is known; known are: litellm-1.74.0, " in capsys.readouterr().err
