"""What an environment of this project permits is enough for its nightly run: a budget that checks have
outgrown leaves the last of them unasked."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from lab.patience import patient

ROOT = Path(__file__).parents[2]
NAMES = sorted(
    path.stem
    for path in (ROOT / "environments").glob("*.toml")
    if "gateway" in tomllib.loads(path.read_text(encoding="utf-8"))
)


@pytest.mark.parametrize("name", NAMES)
def test_a_nightly_run_has_the_requests_that_it_needs(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-m", "nightly", f"--env={name}", "--plan"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=patient(60),
        stdin=subprocess.DEVNULL,
    )
    said = [line for line in done.stdout.splitlines() if line.startswith("policy.requests")]
    assert [line for line in said if not line.endswith("is enough")] == []
    assert len(said) == 1, done.stdout + done.stderr
