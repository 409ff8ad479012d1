"""No false alarm on the newest releases of LiteLLM that install: smoke is green on each, and nothing is red
of what nightly asks about who gets in, what strangers are shown, and what is published of holes.

1.108.8 to 1.110.2 are newer, and do not resolve whole (``lab/litellm/versions.toml``); of them the versions
alone are judged here, in ``tests/unit/test_advisories.py``. Each release is installed once, with the network
that this needs.
"""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from gateway_acceptance.verdict import Verdict
from lab.litellm.install import default_version
from lab.patience import patient
from tests.live.conftest import Lab, judge, running

NEWEST = ("1.108.7", "1.108.6", "1.108.5", "1.108.4", "1.108.3")
DOORS = tuple(f"suites/api/{folder}" for folder in ("access", "auth", "exposure", "advisories"))
BUDGET_S = 400


@pytest.fixture(scope="module", params=NEWEST)
def newest(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with running(tmp_path_factory.mktemp("lab"), request.param) as lab:
        # LiteLLM builds its description at the first request, and answers nobody meanwhile: for seconds
        described = f"{lab.state.gateway}/openapi.json"
        assert httpx.get(described, timeout=patient(60), trust_env=False).status_code == 200
        yield lab


def test_the_first_of_them_is_what_the_lab_runs() -> None:
    assert NEWEST[0] == default_version()


@pytest.mark.parametrize("profile", ["smoke", "nightly"])
def test_nothing_is_red(newest: Lab, tmp_path_factory: pytest.TempPathFactory, profile: str) -> None:
    runs = tmp_path_factory.mktemp(profile)
    suites = DOORS if profile == "nightly" else ()
    run = judge(newest.environment, runs, *suites, key=newest.state.key, profile=profile, budget_s=BUDGET_S)
    red = [
        f"{check}: {case['verdict']}: {case['message']}"
        for check, case in run.cases()
        if Verdict(case["verdict"]).red
    ]
    assert not red, "\n".join(red)
    assert run.code == 0, run.output
    assert run.record is not None
    assert run.record["target"]["product_version"] == newest.state.version
    assert "API-ADV-001" in run.verdicts("passed")
    assert "API-ACCESS-001" in run.verdicts("passed")
