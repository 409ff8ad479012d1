"""From a URL and a key to a right STATUS.md, with nothing edited: ``init``, ``doctor`` and smoke of real
gateways."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gateway_acceptance.cli.main import main
from gateway_acceptance.environment import Environment, ServedModel, load_environment
from lab.patience import patient
from tests.live.conftest import KEY_VARIABLE, ROOT, Lab, judge
from tests.live.test_other_gateway import FAILURES

INIT_BUDGET_S = 60
MOST_REQUESTS = 30


def made(lab: Lab, folder: Path, monkeypatch: pytest.MonkeyPatch, *options: str) -> Environment:
    """The environment that ``init`` writes of a lab, as it is. options: of ``init`` besides."""
    monkeypatch.setenv(KEY_VARIABLE, lab.state.key)
    path = folder / "made.toml"
    path.unlink(missing_ok=True)
    done = subprocess.run(
        [
            *(sys.executable, "-c", "from gateway_acceptance.cli.main import main; main()", "init"),
            *("--url", lab.state.gateway, "--key-env", KEY_VARIABLE, "--out", str(path)),
            *options,
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=patient(INIT_BUDGET_S),
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stderr
    sent = re.search(r"found with (\d+) requests", done.stdout)
    assert sent is not None, done.stdout
    assert int(sent[1]) <= MOST_REQUESTS
    assert lab.state.key not in path.read_text(encoding="utf-8") + done.stdout + done.stderr
    return load_environment(str(path), ROOT, {})


def substance(environment: Environment) -> dict[str, Any]:
    """What a file declares of a gateway, whatever its author calls the servers behind it."""

    def behind(served: ServedModel) -> tuple[object, ...]:
        url = environment.backend(served.backend).url
        return url, served.upstream, served.digest

    gateway = environment.gateway
    return {
        "gateway": (gateway.url, gateway.product, gateway.endpoints, gateway.public_paths),
        "backends": {(one.url, one.direct, one.product) for one in environment.backends},
        "models": {
            one.alias: (one.kind, behind(one), one.dimensions, one.unit_norm, environment.abilities_of(one))
            for one in environment.models
        },
        "groups": {
            group.alias: (group.kind, group.strategy, [behind(one)[:2] for one in group.deployments])
            for group in environment.groups
        },
        "outage": (environment.outage.retries, environment.outage.cooldown_s, environment.outage.patience_s),
    }


def test_it_writes_what_ours_says(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reference deployment in small, against environments/local.toml; then smoke of what was written."""
    environment = made(lab, tmp_path, monkeypatch)
    assert substance(environment) == substance(lab.environment)
    with pytest.raises(SystemExit) as ended:
        main(["doctor", f"--env={environment.source}"])
    assert ended.value.code == 0, "nothing is to be fixed before a run"
    run = judge(environment, tmp_path / "runs", key=lab.state.key)
    assert run.code == 0, run.output
    assert run.record is not None
    assert run.record["run"]["state"] == "SMOKE PASSED"
    assert run.record["target"]["product_version"] == lab.state.version


def test_another_gateway(other_lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Portkey lists nothing of what stands behind it; the header of its answers tells."""
    environment = made(other_lab, tmp_path, monkeypatch)
    if environment.model("hx-chat").declared:  # once in 2,187 all that it asks is answered by one of three
        environment = made(other_lab, tmp_path, monkeypatch)
    ours, theirs = substance(other_lab.environment), substance(environment)
    assert theirs["backends"] == ours["backends"]
    assert environment.gateway.product == "portkey"
    singles = {alias: seen[:2] for alias, seen in theirs["models"].items() if alias != "hx-chat"}
    assert singles == {alias: seen[:2] for alias, seen in ours["models"].items()}
    assert not environment.model("hx-chat").declared, "it is balanced, and nobody tells over what"
    run = judge(environment, tmp_path / "runs", key=other_lab.state.key)
    assert run.code == 1, run.output
    assert run.record is not None
    musts = {one["id"] for one in run.record["checks"] if one["level"] == "MUST"}
    red = {*run.verdicts("failed"), *run.verdicts("untestable")}
    assert "API-EMB-001" in red
    assert musts & red <= set(FAILURES), "what is known of Portkey, and no more"
    assert not {*run.verdicts("inconclusive"), *run.verdicts("harness error")}, run.output
