"""``init`` and ``doctor`` of the gateways of others that install in seconds. Those that take longer, and
smoke of each of them, are in test_packaged.py; LiteLLM and Portkey in test_init.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway_acceptance.cli.main import main
from tests.live.conftest import running
from tests.live.test_init import made


@pytest.mark.parametrize("name", ["aimock", "mock-llm", "lm-proxy"])
def test_from_a_url_and_a_key(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(tmp_path, of=name) as lab:
        environment = made(lab, tmp_path, monkeypatch)
        with pytest.raises(SystemExit) as ended:
            main(["doctor", f"--env={environment.source}"])
    assert ended.value.code == 0, "nothing is to be fixed before a run"
    ours = {model.alias: model.kind for model in lab.environment.models}
    assert {model.alias: model.kind for model in environment.models} == ours
    assert not environment.backends, "it tells nothing of what stands behind it"
    assert environment.gateway.liveness_path == lab.environment.gateway.liveness_path
    assert environment.groups == (), "no word of what it has not"
