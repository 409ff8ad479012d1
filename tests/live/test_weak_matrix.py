"""Before models that talk and do not obey: what the gateway does wrong is seen as well, and a nightly says
what it does not prove."""

from __future__ import annotations

from pathlib import Path

from gateway_acceptance.report.assess import ABILITIES
from lab.loopback_pool import own_net
from lab.weak_matrix import BASIC, run_weak, text, weakened
from tests.live.conftest import ROOT, environment_at, judge

NIGHTLY_BUDGET_S = 400


def test_faults_are_found_before_models_that_obey_nobody() -> None:
    found = run_weak(ROOT, [], "", print)
    assert found.complete, text(found)


def test_a_nightly_says_what_it_does_not_prove(tmp_path: Path) -> None:
    with own_net() as net:
        weak = weakened(environment_at(net, tmp_path, embedded=True))
        run = judge(weak, tmp_path / "runs", "-n", "2", profile="nightly", budget_s=NIGHTLY_BUDGET_S)
    assert run.record is not None, run.output
    assert (run.code, run.record["run"]["state"]) == (0, "NIGHTLY PASSED"), run.output
    passed = {check for check, case in run.cases() if case["verdict"] == "passed"}
    assert passed >= set(BASIC) - set(run.verdicts("deviation"))
    bare = [case["nodeid"] for _, case in run.cases() if case["verdict"] == "passed" and not case["subjects"]]
    assert bare == [], "a pass that judged nothing"
    away = {check for check, case in run.cases() if case["message"].endswith(ABILITIES)}
    assert away & passed == set(), "one alias able, another not: none is"
    assert len(away) > 60
    claims = {claim["id"]: claim["verdict"] for claim in run.record["claims"]}
    assert claims["FUN-06"] == "not verified"
    status = (tmp_path / "runs" / weak.name / "latest" / "STATUS.md").read_text(encoding="utf-8")
    assert f"**Not judged:** no model declares the abilities that {len(away)} checks " in status
    assert "as declared nothing of FUN-06 applies: " in status
