"""A project, a key, and the command line: what an approver has before them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from gateway_acceptance.cli.main import main
from tests.unit.signing import APPROVER, SIGNED, Ground, ground


@dataclass
class Desk:
    """A project, a key, and the command line."""

    ground: Ground
    key: Path
    capsys: pytest.CaptureFixture[str]

    def signoff(self, *more: str, **given: str) -> tuple[int, str, str]:
        """Exit code, output, errors. given: options that replace the good ones."""
        options = {
            **{"env": "mini", "version": "1.0", "approver": APPROVER, "key": str(self.key)},
            **{name.replace("_", "-"): value for name, value in given.items()},
        }
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        return self.run("signoff", *words, *more)

    def run(self, *words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(words)
        out, err = self.capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, out, err

    @property
    def written(self) -> list[Path]:
        """Everything below the place of sign-offs."""
        return sorted((self.ground.root / "reports" / "signoffs").rglob("*"))

    @property
    def out(self) -> Path:
        """Where version 1.0 lands."""
        return self.ground.root / "reports" / "signoffs" / "mini" / "1.0"


def at_a_desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Desk:
    """A project with the suite that judged it, at the time of signing."""
    made = ground(tmp_path / "project")
    monkeypatch.chdir(made.root)
    set_clock(monkeypatch, SIGNED)
    here = {"version": "0.1.0", "commit": "a" * 40, "dirty": False}
    monkeypatch.setattr("gateway_acceptance.cli.signoff.suite_identity", lambda _: here)
    monkeypatch.setattr("gateway_acceptance.cli.signoff.suite_at_hand", lambda *_: made.suite())
    return Desk(made, made.key(), capsys)


def set_clock(monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    """What both commands take for now."""
    for command in ("signoff", "verify"):
        monkeypatch.setattr(f"gateway_acceptance.cli.{command}.utc_now", lambda: now)
