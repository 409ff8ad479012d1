"""``make drift``: does the project still hold with the newest of everything that its ranges allow?

It works on a copy: nothing of it reaches the locks, ``.venv`` or ``.lab`` of this checkout (docs/setup.md).
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway_acceptance.locked_install import InstallFailedError, neutral_for, reason_of, run
from lab.litellm.install import base_python, locked_versions
from lab.patience import patient

ROOT = Path(__file__).parents[1]
STEP_BUDGET_S = 1800
SHOWN_LINES = 15


@dataclass(frozen=True, slots=True)
class Step:
    """name: for people; command: run in the copy, by its own interpreter."""

    name: str
    command: Sequence[str]


STEPS = (
    Step("ruff", ("-m", "ruff", "check", ".")),
    Step("mypy", ("-m", "mypy")),
    Step("unit tests", ("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/unit")),
    Step("smoke", ("-m", "pytest", "-q", "-m", "smoke", "--env", "local", "--no-report")),
)
"""In this order; each is run, whatever became of those before it."""


def drift(say: Callable[[str], None]) -> list[str]:
    """The names of the steps that broke. say: told each result, and what changed since the lock."""
    with tempfile.TemporaryDirectory(prefix="drift-") as folder:
        copy = Path(folder) / "checkout"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(copy)], check=True, timeout=patient(60))
        python = copy / ".venv" / "bin" / "python"
        say("installing the newest of everything that pyproject.toml allows ...")
        try:
            run([base_python(), "-m", "venv", str(python.parents[1])], {})
            wanted = ["--upgrade", "--editable", f"{copy}[lab,dev]"]
            run([str(python), "-m", "pip", "install", "--quiet", *wanted], neutral_for(python))
        except InstallFailedError as failed:
            say(f"it cannot be installed: {failed}")
            return ["installation"]
        for changed in newer(installed(python), ROOT / "requirements" / "suite.lock"):
            say(f"  {changed}")
        return [step.name for step in STEPS if not _holds(step, python, copy, say)]


def newer(found: dict[str, str], lock: Path) -> list[str]:
    """What is installed otherwise than the lock says: ``name 1.0 -> 1.1``."""
    pins = dict(
        line.split(" ")[0].split("==")
        for line in lock.read_text(encoding="utf-8").splitlines()
        if "==" in line
    )
    return [
        f"{name} {pins[name]} -> {version}"
        for name, version in sorted(found.items())
        if name in pins and pins[name] != version
    ]


def installed(python: Path) -> dict[str, str]:
    """Name -> version, in that environment."""
    listed = run([str(python), "-m", "pip", "list", "--format=freeze"], neutral_for(python))
    return dict(line.split("==") for line in listed.splitlines() if "==" in line)


def _holds(step: Step, python: Path, copy: Path, say: Callable[[str], None]) -> bool:
    try:
        done = subprocess.run(
            [str(python), *step.command],
            cwd=copy,
            capture_output=True,
            text=True,
            check=False,
            timeout=patient(STEP_BUDGET_S),
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired as error:
        say(f"{step.name} BROKE: it did not end within {error.timeout:.0f} s")
        return False
    if done.returncode == 0:
        say(f"{step.name} holds")
        return True
    last = "\n".join(f"    {line}" for line in done.stdout.splitlines()[-SHOWN_LINES:])
    say(f"{step.name} BROKE: {reason_of(done.stderr)[0] if done.stderr else 'it says'}\n{last}")
    return False


def main() -> int:
    """0 where everything holds, 1 where something broke; what did is said last."""
    broken = drift(lambda sentence: print(sentence, flush=True))
    print(f"drift: {', '.join(broken)} broke" if broken else "drift: all holds with the newest of everything")
    print(f"(LiteLLM is locked: {', '.join(locked_versions())}; --litellm VERSION tries another one)")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
