"""The generated pages say what is: ``make docs`` was run after the last change."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from gateway_acceptance.cli.main import main

ROOT = Path(__file__).parents[2]
CHECK_ID = re.compile(r"`((?:API|HOST|BACKEND)-[A-Z][A-Z0-9]*-\d{3})`")


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("name", ["coverage", "faults"])
def test_a_generated_page_is_up_to_date(capsys: pytest.CaptureFixture[str], name: str) -> None:
    page = (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
    assert said(capsys, name, "--markdown") == page, f"docs/{name}.md is old: run make docs"


def test_every_check_stands_in_the_coverage_page(capsys: pytest.CaptureFixture[str]) -> None:
    """With a statement, or beyond the specification, and not both."""
    document = json.loads(said(capsys, "coverage", "--json"))
    proving = {check_id for statement in document["statements"] for check_id in statement["checks"]}
    checks = {check["id"] for check in json.loads(said(capsys, "checks", "--json"))}
    assert proving | set(document["beyond"]) == checks
    assert not proving & set(document["beyond"])
    page = (ROOT / "docs" / "coverage.md").read_text(encoding="utf-8")
    assert set(CHECK_ID.findall(page)) == checks


def test_a_reason_speaks_of_checks_that_exist(capsys: pytest.CaptureFixture[str]) -> None:
    """Exclusions point to what is checked nearby; an id there is as binding as in ``checks``."""
    document = json.loads(said(capsys, "coverage", "--json"))
    checks = {check["id"] for check in json.loads(said(capsys, "checks", "--json"))}
    texts = [statement["excluded"] for statement in document["statements"]] + list(
        document["reasons"].values()
    )
    named = set(re.findall(r"(?:API|HOST|BACKEND)-[A-Z][A-Z0-9]*-\d{3}", " ".join(texts)))
    assert named
    assert named <= checks


def test_the_list_for_people_ends_with_the_count(capsys: pytest.CaptureFixture[str]) -> None:
    lines = said(capsys, "coverage").splitlines()
    assert lines[0] == "models.list: All models that can be used are listed"
    assert re.fullmatch(r"\d+ statements, \d+ covered by checks, \d+ not", lines[-1])


LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)[^)]*\)")
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs" / "contributing").glob("*.md")),
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    links = LINK.findall(page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_index_names_every_page() -> None:
    index = set(LINK.findall((ROOT / "docs" / "README.md").read_text(encoding="utf-8")))
    pages = {page.name for page in (ROOT / "docs").glob("*.md")} - {"README.md"}
    assert pages - index == set(), "docs/README.md is the index: name the page there"
