"""A deployment with two models, one backend and no machine that is declared can be READY."""

from __future__ import annotations

import tomllib
from pathlib import Path

import tomli_w

from gateway_acceptance.environment import load_environment
from gateway_acceptance.record_model import record_of
from gateway_acceptance.signoff.kept import without_evidence
from lab.loopback_pool import own_net
from tests.live.conftest import ROOT, environment_at, judge

RELEASE_BUDGET_S = 600


def test_it_is_ready(tmp_path: Path) -> None:
    with own_net() as net:
        local = environment_at(net, tmp_path, embedded=True)
        document = tomllib.loads(Path(local.source).read_text(encoding="utf-8"))
        document["name"], document["backends"] = "small", document["backends"][-1:]
        (backend,) = document["backends"]
        document["models"] = [
            {**model, "backend": backend["name"]}
            for model in document["models"]
            if model["alias"] in ("llm01-llama3.2-3b", "emb-light")
        ]
        for table in ("groups", "balance"):
            document.pop(table, None)
        path = tmp_path / "small.toml"
        path.write_text(tomli_w.dumps(document), encoding="utf-8")
        small = load_environment(str(path), ROOT, {})
        run = judge(small, tmp_path / "runs", "-n", "2", profile="release", budget_s=RELEASE_BUDGET_S)
    assert run.record is not None, run.output
    assert (run.code, run.record["run"]["state"]) == (0, "READY"), run.output
    assert without_evidence(record_of(run.record)) == [], "it could not be signed"
    told = [claim["text"] for claim in run.record["claims"]]
    verdicts = {claim["verdict"] for claim in run.record["claims"]}
    assert verdicts <= {"passed", "deviation", "waived"}, run.output
    assert "phi3" not in " ".join(told), "no word about a model that it has not"
    assert len(run.record["not_part"]) > 0, "what it has not is said to be no part of it"
