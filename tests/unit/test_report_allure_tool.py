"""The pinned Allure: what is pinned, that it is installed once, and that its page needs no network."""

from __future__ import annotations

import base64
import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gateway_acceptance.record_model import record_of
from gateway_acceptance.report import allure_tool
from gateway_acceptance.report import node as wheel_node
from gateway_acceptance.report.allure import finish_results
from gateway_acceptance.report.allure_tool import (
    AllureUnavailableError,
    build_report,
    ensure_allure,
    strip_analytics,
)
from gateway_acceptance.verdict import Verdict
from tests.unit.records import case, check, exchange, record

GTAG = """<script async src="https://www.googletagmanager.com/gtag/js?id=G-X"></script>
    <script>
        window.dataLayer = window.dataLayer || [];
        gtag('config', 'G-X', {});
    </script>
    """


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty place for Allure, with a lock file."""
    folder = tmp_path / "allure"
    folder.mkdir()
    (folder / "package-lock.json").write_text("{}")
    monkeypatch.setattr(allure_tool, "allure_home", lambda: folder)
    return folder


@pytest.fixture
def installs(home: Path, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Counts installs that do what npm would."""
    done: list[int] = []

    def install(_: Path) -> None:
        command = home / "node_modules" / "allure" / "cli.js"
        command.parent.mkdir(parents=True, exist_ok=True)
        command.write_text("")
        done.append(1)

    monkeypatch.setattr(allure_tool, "_install", install)
    return done


def test_the_version_is_pinned_and_the_lock_names_no_host() -> None:
    folder = Path(__file__).parents[2] / "reports" / "allure"
    assert json.loads((folder / "package.json").read_text())["dependencies"] == {"allure": "3.18.0"}
    lock = (folder / "package-lock.json").read_text()
    assert "://" not in lock, "npm wrote addresses: take `resolved` and `funding` out of the lock file"
    packages = {name: one for name, one in json.loads(lock)["packages"].items() if name}
    assert packages["node_modules/allure"]["version"] == "3.18.0"
    assert not [name for name, one in packages.items() if "integrity" not in one]


def test_runs_at_the_same_time_install_once(home: Path, installs: list[int]) -> None:
    with ThreadPoolExecutor(4) as pool:
        commands = list(pool.map(lambda _: ensure_allure(), range(4)))
    assert commands == [home / "node_modules" / "allure" / "cli.js"] * 4
    assert len(installs) == 1


def test_another_lock_file_installs_again(home: Path, installs: list[int]) -> None:
    ensure_allure()
    (home / "package-lock.json").write_text('{"changed": true}')
    ensure_allure()
    assert len(installs) == 2


def test_a_failed_install_is_one_sentence_and_no_exception(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    npm = tmp_path / "node_root" / "lib" / "node_modules" / "npm" / "bin"
    npm.mkdir(parents=True)
    (npm / "npm-cli.js").write_text("console.error('npm error code EAI_AGAIN'); process.exit(1)")
    node = tmp_path / "node_root" / "bin" / "node"
    node.parent.mkdir()
    node.symlink_to(wheel_node.node())
    monkeypatch.setattr(allure_tool, "node", lambda: node)
    monkeypatch.setattr(allure_tool, "npm", lambda: npm / "npm-cli.js")
    outcome = build_report(tmp_path, tmp_path / "out", title="lab")
    assert outcome.report is None
    assert outcome.problem == (
        "Allure could not be installed: npm error code EAI_AGAIN; installing it needs npm's packages once"
    )


def test_an_incomplete_checkout_is_one_sentence(home: Path, tmp_path: Path) -> None:
    (home / "package-lock.json").unlink()
    outcome = build_report(tmp_path, tmp_path / "out", title="lab")
    assert outcome.report is None
    assert "could not be installed: [Errno 2]" in outcome.problem
    assert "\n" not in outcome.problem


def test_the_analytics_block_is_taken_out_and_nothing_else() -> None:
    assert strip_analytics(f"<p>before</p>\n{GTAG}<script>ours</script>") == (
        "<p>before</p>\n<script>ours</script>"
    )


@pytest.mark.parametrize(
    "left",
    [
        '<script src="https://cdn.example/x.js"></script>',
        "<link rel=stylesheet href=//fonts.example/x.css>",
        GTAG.replace("async ", ""),
    ],
)
def test_a_page_that_would_load_something_is_refused(left: str) -> None:
    with pytest.raises(AllureUnavailableError, match="would load"):
        strip_analytics(left)


def test_results_that_are_not_there_are_told_in_one_sentence(tmp_path: Path) -> None:
    outcome = build_report(tmp_path / "nothing", tmp_path / "out", title="lab")
    assert outcome.report is None
    assert outcome.problem.startswith("Allure could not be run: ")
    assert not (tmp_path / "out" / "report.html").exists()


def test_the_real_tool_draws_one_page_that_needs_no_network(tmp_path: Path) -> None:
    hostile = "</script><script src='https://evil.example/x.js'></script>"
    checks = [
        check(f"API-X-{number:03d}", case(f"n{number}", verdict, hostile, evidence=[exchange()]))
        for number, verdict in enumerate(Verdict)
    ]
    results = tmp_path / "odd [name] {1,2} *"
    finish_results(tmp_path / "staging", results, record_of(record(*checks, claims=("FUN-01",))), str)
    outcome = build_report(results, tmp_path / "out", title="lab: NOT READY")
    assert outcome.problem == ""
    assert outcome.report == tmp_path / "out" / "report.html"
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["report.html"]

    page = outcome.report.read_text(encoding="utf-8")
    assert "<title> lab: NOT READY </title>" in page
    assert "googletagmanager" not in page
    assert "gtag(" not in page
    assert "https://" not in page
    assert set(re.findall(r"http://[\w./]*", page)) <= {"http://www.w3.org/2000/svg"}
    data = dict(re.findall(r'd\("([^"]+)","([A-Za-z0-9+/=]*)"\)', page))
    environment = json.loads(base64.b64decode(data["widgets/allure_environment.json"]))
    assert {"name": "Started", "values": ["2026-03-01 10:00:00 UTC"]} in environment
    categories = base64.b64decode(data["widgets/categories.json"]).decode()
    assert "untestable: a prerequisite is missing" in categories
    assert json.loads(base64.b64decode(data["widgets/statistic.json"]))["total"] == len(Verdict)
