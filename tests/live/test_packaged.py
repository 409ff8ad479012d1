"""Gateways of others, as they install from their registries: a URL and a key, nothing edited, and every red
is truly theirs. The findings in words: docs/other-gateways.md."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from gateway_acceptance.cli.main import main
from gateway_acceptance.verdict import Verdict
from tests.live.conftest import judge, running
from tests.live.test_init import made

OPEN = r"got 200: it was served"
NO_USAGE = r"expected usage\.\w+ to be an integer, got None"
SERVED = r"expected 400 or 404 for a model that does not exist, got 200"
MADE_UP = r"max_tokens had no effect|expected finish_reason length|expected at most \d+ tokens"

REDS: Mapping[str, Mapping[str, str]] = {
    "lm-proxy": {},
    "aimock": {},
    "mock-llm": {},
    "llm-katan": {},
}
"""Gateway -> check -> what each line of each of its red cases says."""


@pytest.mark.parametrize("name", sorted(REDS))
def test_every_red_is_theirs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``init``, ``doctor``, smoke: nothing is claimed of models and backends that it has not."""
    with running(tmp_path, of=name) as lab:
        environment = made(lab, tmp_path, monkeypatch)
        with pytest.raises(SystemExit) as ended:
            main(["doctor", f"--env={environment.source}"])
        assert ended.value.code == 0
        run = judge(environment, tmp_path / "runs", key=lab.state.key)
    assert {model.alias for model in environment.models} == {model.alias for model in lab.environment.models}
    red = [
        (check, line)
        for check, case in run.cases()
        if Verdict(case["verdict"]).red
        for line in case["message"].splitlines()
    ]
    pinned = REDS[name]
    assert not [one for one in red if not re.search(pinned.get(one[0], "(?!)"), one[1])], run.output
    assert {check for check, _ in red} == set(pinned)
    assert run.record is not None
    told = {claim["id"]: claim for claim in run.record["claims"]}
    assert not [claim for claim in told if claim.startswith("STA-03")], "no backend is declared"
