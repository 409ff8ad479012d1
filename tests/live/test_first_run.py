"""The first run of somebody who knows a URL and a key: ``init``, nothing edited, smoke and nightly, of each
release of LiteLLM that a file of deviations is kept of. What is red opens a door, leaks or loses data.

Installs every such release once, with the network that this needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from gateway_acceptance.deviations import (
    Deviation,
    Known,
    file_name,
    forbidden,
    load_harm,
    names_of,
    read_release,
    releases,
)
from gateway_acceptance.verdict import Verdict
from lab.deviations import PRODUCT
from tests.live.conftest import ROOT, judge, running
from tests.live.test_init import made

BUDGET_S = {"smoke": 60, "nightly": 600}
RELEASES = releases(PRODUCT)
HARMS = load_harm(ROOT / "suites" / "harm.toml")


@pytest.mark.parametrize(("version", "variant"), RELEASES, ids=[file_name(*one) for one in RELEASES])
def test_what_is_red_is_harm(
    version: str, variant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = file_name(version, variant)
    with running(tmp_path, name) as lab:
        environment = made(lab, tmp_path, monkeypatch)
        key = lab.state.key
        smoke = judge(environment, tmp_path / "smoke", key=key, budget_s=BUDGET_S["smoke"])
        nightly = judge(
            environment,
            tmp_path / "nightly",
            "-n",
            "2",
            key=key,
            profile="nightly",
            budget_s=BUDGET_S["nightly"],
        )
    known = Known(PRODUCT, version, variant, deviations=of_release(version, variant))
    for run in (smoke, nightly):
        assert run.record is not None, run.output
        assert name in run.record["deviations"]["judged_by"]
        red = [(check, case) for check, case in run.cases() if Verdict(case["verdict"]).red]
        other = [
            f"{check}: {case['verdict']}: {case['message']}"
            for check, case in red
            if not is_harm(check, case, known, names_of(environment))
        ]
        assert not other, "\n".join(other)


def of_release(version: str, variant: str) -> Mapping[str, Deviation]:
    """What its file says, by check."""
    return {one.check: one for one in read_release(PRODUCT, version, variant).deviations}


def is_harm(check: str, case: Mapping[str, Any], known: Known, names: Mapping[str, str]) -> bool:
    """Whether a red case fails for what no release may do, beside what this one does by itself."""
    lines = [line for line in case["message"].splitlines() if line.strip()]
    harm = [line for line in lines if forbidden(HARMS, check, line)]
    rest = [line for line in lines if line not in harm]
    failed = Verdict(case["verdict"]) is Verdict.FAILED
    return failed and bool(harm) and all(known.covers(check, line, names) for line in rest)
