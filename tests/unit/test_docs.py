"""The generated pages say what is: ``make docs`` was run after the last change."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

from gateway_acceptance.cli.main import main
from gateway_acceptance.environment import Environment
from gateway_acceptance.waivers import load_waivers

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


def example(page: str, word: str) -> str:
    """The first TOML of a page of docs/ that holds a word."""
    blocks = re.findall(r"```toml\n(.*?)```", (ROOT / "docs" / page).read_text(encoding="utf-8"), re.DOTALL)
    return str(next(block for block in blocks if word in block))


def test_the_example_of_an_environment_is_one_and_names_the_defaults() -> None:
    document = tomllib.loads(example("environments.md", "[gateway]"))
    environment = Environment.model_validate_json(json.dumps(document))
    for table in ("bounds", "balance", "outage", "tracker"):
        assert getattr(environment, table) == Environment.model_fields[table].default, table


def test_the_example_of_a_waiver_is_one_of_ours(tmp_path: Path) -> None:
    file = tmp_path / "waivers.toml"
    file.write_text(example("waivers.md", "[[waiver]]"), encoding="utf-8")
    (waiver,) = load_waivers(file)
    assert waiver.id in {one.id for one in load_waivers(ROOT / "environments" / "waivers.toml")}


def test_the_readme_counts_as_the_commands_do(capsys: pytest.CaptureFixture[str]) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    counts = re.findall(r"^(\w+) +(\d+) checks$", said(capsys, "profiles"), re.MULTILINE)
    assert counts
    assert re.findall(r"^\| `(\w+)` \| (\d+) \|", readme, re.MULTILINE) == counts
    faults = said(capsys, "faults").splitlines()[-1]
    assert f"The lab has {faults.replace(' ', ' deliberate ')} (" in readme
