"""An earlier LiteLLM beside a client that fails: as long as the newest's, so part of ``make matrices``."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.live.beside_cooldown import no_right_gateway_fails_beside_it


def test_no_right_gateway_fails_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    no_right_gateway_fails_beside_it("1.74.15", tmp_path, monkeypatch)
