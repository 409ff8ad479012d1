"""Smoke on a real gateway: green but for an open door, within its budget, nothing left unexecuted."""

from pathlib import Path

from suites.api.observations import ECHO_TEXT
from suites.sentinels.doors import KNOCKS
from suites.sentinels.keys import KEY_REQUESTS
from suites.sentinels.pairs import PAIRS
from tests.live.conftest import Lab, Run, judge

ALLOWED_REQUESTS = 43
"""What smoke may cost in the embedded environment, the target's fingerprint among it, without the ways in,
which are counted by their checks, and without what chance asks for beside."""
WAYS_IN = {
    "API-ACCESS-001": 2,
    "API-ACCESS-002": 2,
    "API-ACCESS-009": 3,
    "API-AUTH-003": 2,
    "API-AUTH-004": 2,
}
"""What each may cost where nothing is open: requests without the run's key, which any gateway refuses."""
ALL = 60
"""Of every kind, where nothing is open, without the draws that chance may ask for beside those of others."""
KNOCKED = len(KNOCKS) + KEY_REQUESTS + len(PAIRS)
"""The same, of sentinels. They are not asked where something is red before."""
OF_OLD_HOLES = {"1.74.15": 3}
"""What the probes of a release's published holes, and the backend of a tool that it does not call, cost."""

DEVIATING = {
    "1.74.15": ["API-AUTH-003", "API-AUTH-004", "API-CHAT-009", "API-STREAM-060"],
    "1.108.7": ["API-AUTH-002", "API-AUTH-003", "API-AUTH-004", "API-STREAM-001"],
}


OPEN = {"1.74.15": ["API-ACCESS-001", "API-ACCESS-009", "API-ADV-001"]}
"""What is red on a release that is open to the world, by what it does and by its version."""


def test_smoke_judges_every_version(any_lab: Lab, tmp_path: Path) -> None:
    run = judge(any_lab.environment, tmp_path, key=any_lab.state.key)
    opened = OPEN.get(any_lab.state.version, [])
    assert run.code == (1 if opened else 0), run.output
    assert run.record is not None
    assert run.record["run"]["state"] == ("SMOKE FAILED" if opened else "SMOKE PASSED")
    assert run.record["target"]["product_version"] == any_lab.state.version
    assert min(run.cases(), key=lambda case: case[1]["started"])[0] == "API-ACCESS-001", (
        "the doors come first"
    )
    assert (run.verdicts("failed"), run.verdicts("deviation")) == (opened, DEVIATING[any_lab.state.version])
    absent = run.verdicts("not applicable")
    assert absent == [check for check in absent if check.startswith("HOST-")], "no machine is declared"
    judged = {"passed", "deviation", "not applicable", *(["failed"] if opened else [])}
    assert {case["verdict"] for _, case in run.cases()} == judged


def test_an_open_door_is_the_headline(any_lab: Lab, tmp_path: Path) -> None:
    """Its CVE and its fix, before anything else that is said of the run."""
    run = judge(any_lab.environment, tmp_path, "-k", "test_doors", key=any_lab.state.key)
    assert run.record is not None, run.output
    opened = any_lab.state.version in OPEN
    words = "anybody gets in without a key, by a Host header: CVE-2026-49468"
    assert run.record["run"]["headline"].startswith(words) is opened
    assert [reason for reason in run.record["run"]["reasons"] if words in reason] == (
        run.record["run"]["reasons"][:1] if opened else []
    )


def test_smoke_costs_at_most_its_requests(any_lab: Lab, tmp_path: Path) -> None:
    """The only random part is the draw for a second backend; the rest is counted exactly."""
    run = judge(any_lab.environment, tmp_path, key=any_lab.state.key)
    assert run.record is not None, run.output
    # the balance check begins with what others were answered, the validation prompt's answer among it
    drawn = sum(max(0, case["requests"] - 1) for check, case in run.cases() if check == "BACKEND-BAL-001")
    ways_in = {check: case["requests"] for check, case in run.cases() if check in WAYS_IN}
    if any_lab.state.version not in OPEN:  # who finds an open door asks which of its parts opened it
        assert all(ways_in[check] <= allowed for check, allowed in WAYS_IN.items())
    plain = 4  # of the first four it is the same request, which API-AUTH-002 asked
    doors = sum(ways_in.values()) - plain + (KNOCKED if any_lab.state.version not in OPEN else 0)
    fixed = run.record["totals"]["requests"] - drawn - doors
    more = OF_OLD_HOLES.get(any_lab.state.version, 0)
    assert fixed <= ALLOWED_REQUESTS + more
    if any_lab.state.version not in OPEN:
        assert run.record["totals"]["requests"] <= ALL + drawn


def test_workers_share_one_lab_and_give_the_same_verdicts(lab: Lab, tmp_path: Path) -> None:
    alone = judge(lab.environment, tmp_path / "alone", key=lab.state.key)
    spread = judge(lab.environment, tmp_path / "spread", "-n", "2", key=lab.state.key)
    assert spread.code == alone.code == 0
    assert sorted(_verdicts(spread)) == sorted(_verdicts(alone))


def test_no_secret_is_written(lab: Lab, tmp_path: Path) -> None:
    run = judge(lab.environment, tmp_path, key=lab.state.key)
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(ECHO_TEXT.encode() in path.read_bytes() for path in written)  # evidence is there at all
    assert not [path for path in written if lab.state.key.encode() in path.read_bytes()]
    assert lab.state.key not in run.output


def _verdicts(run: Run) -> list[tuple[str, str]]:
    return [(case["nodeid"], case["verdict"]) for _, case in run.cases()]
