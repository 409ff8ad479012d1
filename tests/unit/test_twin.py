"""``--twin``: when one is started, what is said where none can be, and by what a run then judges."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gateway_acceptance.deviations import LEARNED, Deviation, Release, releases, write_release
from gateway_acceptance.embedded import NotStarted
from gateway_acceptance.plugin import twin
from tests.unit.declared import URL, environment

OF_LITELLM = environment(gateway={"url": URL, "product": "litellm", "variant": "", "key_variable": "THE_KEY"})
UNKNOWN = "1.99.99"


def shown(folder: Path) -> None:
    """What a twin leaves."""
    seen = Deviation("API-T-001", "MUST", "title", frozenset({"content <n>"}))
    write_release(Release("litellm", UNKNOWN, "", "2026-11-26", 1, (seen,)), folder / twin.TWINS)


def test_other_products_have_none() -> None:
    (said,) = twin.twin_problems(
        [environment(gateway={"url": URL, "product": "portkey", "key_variable": "K"}), OF_LITELLM]
    )
    assert said.startswith("--twin: no release of 'portkey' can be started beside")


def test_the_lab_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(twin, "entry_points", lambda **_: [])
    (said,) = twin.twin_problems([OF_LITELLM])
    assert said.endswith("pip install 'gateway-acceptance[lab]'")


def test_a_known_release_needs_none() -> None:
    known = releases("litellm")[0][0]
    assert "has a file of deviations: no twin is needed" in twin.twin_needed(OF_LITELLM, known)
    assert twin.twin_needed(OF_LITELLM, UNKNOWN) == ""
    with pytest.raises(NotStarted, match=r"does not tell its version; declare it as gateway\.version"):
        twin.twin_needed(OF_LITELLM, "")


def test_a_run_judges_by_its_twin(tmp_path: Path) -> None:
    before = twin.known_here(tmp_path, "litellm", UNKNOWN, "")
    assert "no file of litellm" in before.note
    shown(tmp_path)
    for variant in ("", None):
        known = twin.known_here(tmp_path, "litellm", UNKNOWN, variant)
        assert (known.judged_by, known.note) == ((UNKNOWN,), LEARNED)
        assert known.covers("API-T-001", "content 7", {})
    assert twin.known_here(tmp_path, "litellm", UNKNOWN, "prisma").note != LEARNED
    assert twin.known_here(tmp_path, "litellm", "1.74.15", "").note == ""


def test_before_other_upstreams_the_files_say_what_a_twin_cannot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A twin stands before Ollama's own protocol."""
    also = Deviation("API-T-002", "MUST", "title", frozenset({"usage <n>"}))
    before = Release("litellm", "1.99.0", "", "2026-11-26", 1, (also,))
    monkeypatch.setattr(twin, "known_before", lambda *asked: [before] if asked[2] == "openai" else [])
    shown(tmp_path)
    known = twin.known_here(tmp_path, "litellm", UNKNOWN, "", ("openai",))
    assert (known.judged_by, known.note) == ((UNKNOWN,), LEARNED)
    assert known.covers("API-T-001", "content 7", {})
    assert known.covers("API-T-002", "usage 7", {})
    assert not twin.known_here(tmp_path, "litellm", UNKNOWN, "").covers("API-T-002", "usage 7", {})


def test_the_twin_never_has_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is started by the command, in a private folder, without the environment's key."""
    monkeypatch.setenv("THE_KEY", "sk-secret-0123456789")
    asked: dict[str, Any] = {}

    def run(command: list[str], **how: Any) -> subprocess.CompletedProcess[str]:
        asked.update(how, command=command)
        shown(tmp_path)
        return subprocess.CompletedProcess(command, 0, "x.json: 1 deviations in 1 checks\n", "")

    monkeypatch.setattr("gateway_acceptance.plugin.twin.subprocess.run", run)
    said: list[str] = []
    twin.learn_twin(OF_LITELLM, UNKNOWN, "smoke", tmp_path, tmp_path, said.append)
    assert "THE_KEY" not in asked["env"]
    assert "sk-secret-0123456789" not in str(asked["env"]) + str(asked["command"])
    assert asked["command"][4:6] == ["deviations", "learn"]
    assert said[-1] == f"1 deviations in 1 checks of {UNKNOWN} by itself"


def test_a_twin_that_fails_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 3, "", "no such release\n")

    monkeypatch.setattr("gateway_acceptance.plugin.twin.subprocess.run", run)
    with pytest.raises(NotStarted, match="could not be learned\nno such release"):
        twin.learn_twin(OF_LITELLM, UNKNOWN, "smoke", tmp_path, tmp_path, print)


def test_a_product_without_releases_sends_nothing(tmp_path: Path) -> None:
    """The whole command: one sentence, exit code 4."""
    path = tmp_path / "mine.toml"
    path.write_text(
        'name = "mine"\nkind = "staging"\n[gateway]\nurl = "http://127.0.0.1:9"\nkey_variable = "K"\n'
        '[[models]]\nalias = "a"\nkind = "chat"\n'
        '[policy]\neffects = ["read"]\nrequests = 1\ntokens = 1\nseconds = 1\n',
        encoding="utf-8",
    )
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-m", "smoke", "-p", "no:cacheprovider", "--twin"),
            *(f"--env={path}", f"--runs={tmp_path / 'runs'}", "suites/api/models"),
        ],
        cwd=Path(__file__).parents[2],
        env={"K": "sk-secret-0123456789", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 4, done.stdout
    assert "--twin: no release of 'openai-compatible' can be started beside mine" in done.stdout + done.stderr
    assert not (tmp_path / "runs").exists()
