"""``gateway-acceptance report``: a run's page drawn again; the sealed run stays as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway_acceptance.report import write_outputs as views
from gateway_acceptance.report.allure_history import HISTORY, remember
from gateway_acceptance.report.allure_tool import BuildOutcome
from gateway_acceptance.seal import broken, digest_of
from tests.unit import finished_run
from tests.unit.test_cli import said


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Two finished runs of the environment lab; the second is the latest."""
    folder = tmp_path / "runs" / "lab"
    for name in ("20260301T100000Z", "20260302T100000Z"):
        finished_run.write(folder / name, finished_run.record())
    (folder / "latest").symlink_to("20260302T100000Z")
    return folder.parent


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Stands in for Allure: (the run whose results were drawn, the title)."""
    seen: list[tuple[str, str]] = []

    def draws(results: Path, out_dir: Path, *, title: str, history: str) -> BuildOutcome:
        seen.append((results.parent.name, title))
        page = out_dir / "report.html"
        page.write_text(f"page of {len(history.splitlines())} earlier runs")
        return BuildOutcome(page, "", 1.25)

    monkeypatch.setattr(views, "build_report", draws)
    return seen


def files(folder: Path) -> dict[str, str]:
    return {str(path): digest_of(path) for path in folder.rglob("*") if path.is_file()}


def test_the_latest_run_is_drawn_and_no_run_is_touched(
    runs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    drawn: list[tuple[str, str]],
) -> None:
    monkeypatch.chdir(tmp_path)
    before = files(runs)
    code, out, err = said(capsys, "report", "--env", "lab", "--runs", str(runs))
    assert (code, err) == (0, "")
    assert out == "report  report-lab.html  20260302T100000Z, READY, drawn in 1.2 s\n"
    assert [name for name, _ in drawn] == ["20260302T100000Z"]
    assert (tmp_path / "report-lab.html").read_text() == "page of 0 earlier runs"
    assert files(runs) == before
    assert broken(runs / "lab" / "20260302T100000Z") == []


def test_another_run_and_another_place(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], drawn: list[tuple[str, str]]
) -> None:
    made = finished_run.record()
    run = made.run.model_copy(update={"id": "before", "ended": "2020-01-01T00:00:00Z"})
    earlier = made.model_copy(update={"run": run})
    remember(runs / "lab" / HISTORY, earlier)
    out = tmp_path / "page.html"
    arguments = ["--run", "20260301T100000Z", "--runs", str(runs), "--out", str(out)]
    assert said(capsys, "report", "--env", "lab", *arguments)[0] == 0
    assert [name for name, _ in drawn] == ["20260301T100000Z"]
    assert out.read_text() == "page of 1 earlier runs"


def test_without_allure_it_is_one_sentence_and_code_3(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(views, "build_report", lambda *_, **__: BuildOutcome(None, "no node", 0.0))
    out = tmp_path / "page.html"
    seen = said(capsys, "report", "--env", "lab", "--runs", str(runs), "--out", str(out))
    assert seen == (3, "no report: no node\n", "")
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--env", "nowhere"], "--env nowhere: it has no run in"),
        (["--env", "../lab"], "--env ../lab: it has no run in"),
        (["--env", "lab", "--run", "x"], "--run x: there is no such run"),
        (["--env", "lab", "--out", "."], "it is a folder; give the path of a file"),
        (["--env", "lab", "--out", "none/page.html"], "there is no folder"),
        (["--env", "lab", "--out", "runs/lab/latest/report.html"], "that is among the sealed runs"),
    ],
)
def test_bad_input_is_one_sentence_and_code_4(
    runs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    drawn: list[tuple[str, str]],
    arguments: list[str],
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = said(capsys, "report", "--runs", str(runs), *arguments)
    assert (code, out, drawn) == (4, "", [])
    assert words in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "words"),
    [("seal.json", "has not ended, or was not sealed"), ("junit.xml", "was changed after the run")],
)
def test_what_is_not_as_the_run_left_it_is_not_drawn(
    runs: Path, capsys: pytest.CaptureFixture[str], drawn: list[tuple[str, str]], name: str, words: str
) -> None:
    (runs / "lab" / "latest" / name).unlink()
    code, _, err = said(capsys, "report", "--env", "lab", "--runs", str(runs))
    assert (code, drawn) == (4, [])
    assert words in err
