"""What later runs say of earlier ones: proven earlier, changed, damaged; and that it improves no state."""

from __future__ import annotations

import json
import shutil

import pytest

from tests.plugin.project import ALIVE, CLAIM, KEY_VARIABLE, OTHER_CLAIM, Project, Run

NIGHTLY_CHECK = """
@check("API-T-002", "at night", level=MUST, effect=READ, claims="FUN-02", profile="nightly")
def test_at_night(environment):
    judged(things=1)
    assert not os.environ.get("BROKEN_AT_NIGHT")
"""


@pytest.fixture
def nights(project: Project) -> Project:
    """One check of the smoke profile, one of nightly only, each the evidence of a claim."""
    project.write("suites/claims.toml", CLAIM + OTHER_CLAIM)
    project.checks(ALIVE, NIGHTLY_CHECK)
    project.profiles(smoke=["API-OPS-001"], nightly=["API-T-002"])
    return project


def pages(run: Run) -> tuple[str, str]:
    """STATUS.md's line of FUN-02, and the whole of index.html."""
    folder = run.directories["mini"]
    status = (folder / "STATUS.md").read_text(encoding="utf-8")
    line = next(line for line in status.splitlines() if "| `FUN-02` |" in line)
    return line, (folder / "index.html").read_text(encoding="utf-8")


def test_a_smoke_run_shows_what_the_night_before_proved_and_is_none_the_better(nights: Project) -> None:
    alone = nights.run()
    assert pages(alone)[0].startswith("| ⬜ not verified |")
    night = nights.run("-m", "nightly")
    assert (night.code, night.state) == (0, "NIGHTLY PASSED"), night.output
    smoke = nights.run()
    line, page = pages(smoke)
    assert line.startswith("| 🕓 proven earlier |")
    assert f"in run `{night.directories['mini'].name}`" in line
    assert "1 proven earlier" in page
    folder = smoke.directories["mini"]
    status = json.loads((folder / "status.json").read_text(encoding="utf-8"))
    assert (status["state"], status["claims"]["not verified"]) == ("SMOKE PASSED", ["FUN-02"])
    assert list(status["proven"]) == ["FUN-01"]
    assert (
        status["headline"] == json.loads((alone.directories["mini"] / "status.json").read_text())["headline"]
    )


def test_a_red_night_is_not_forgotten_by_a_green_smoke(
    nights: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    nights.run("-m", "nightly")
    monkeypatch.setenv("BROKEN_AT_NIGHT", "1")
    red = nights.run("-m", "nightly")
    assert red.code == 1
    monkeypatch.delenv("BROKEN_AT_NIGHT")
    nights.run("-k", "night", "-m", "nightly")  # a part of a profile settles nothing
    line, page = pages(nights.run())
    assert line.startswith("| ⬜ not verified |")
    assert f"failed in run {red.directories['mini'].name}, and no run as wide has proven it since" in line
    assert "no run as wide has proven it since" in page


def test_an_edited_or_torn_run_is_named_and_proves_nothing(nights: Project) -> None:
    night = nights.run("-m", "nightly").directories["mini"]
    path = night / "status.json"
    path.write_text(path.read_text(encoding="utf-8").replace("NIGHTLY PASSED", "READY"), encoding="utf-8")
    run = nights.run()
    line, page = pages(run)
    assert run.code == 0, run.output
    assert line.startswith("| ⬜ not verified |")
    assert f"run {night.name} is left out: status.json is not what was sealed when the run ended" in page


def test_what_changed_since_the_last_accepted_release(
    nights: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = nights.run("-m", "nightly").directories["mini"]
    release = nights.root / "reports" / "signoffs" / "mini" / "1.0"
    release.mkdir(parents=True)
    shutil.copy(first / "record.json", release)
    (release / "signoff.json").write_text('{"signed": "2026-11-20T10:00:00Z"}')
    monkeypatch.setenv("BROKEN_AT_NIGHT", "1")
    nights.run("-m", "nightly")
    page = pages(nights.run("-m", "nightly"))[1]
    last, _, accepted = page.partition("Since the last accepted release")
    assert "No check and no claim changed." in last
    assert "Compared with the release <code>1.0</code>, signed 2026-11-20 10:00:00 UTC" in accepted
    assert "<strong>Broken</strong> (1)" in accepted


def test_an_older_proof_than_counts_is_stale(nights: Project) -> None:
    nights.run("-m", "nightly")
    environment = nights.root / "environments" / "mini.toml"
    environment.write_text(environment.read_text() + "\n[tracker]\nfresh_h = 0.00001\n")
    line, page = pages(nights.run())
    assert line.startswith("| ⌛ stale |")
    assert "1 stale" in page
    assert "1e-05 hours" in page


def test_the_key_is_in_no_page(nights: Project) -> None:
    run = nights.run()
    assert nights.variables()[KEY_VARIABLE] not in pages(run)[1]
