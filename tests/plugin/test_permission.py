"""What needs more than a policy, and what a policy without ``probe`` leaves untold."""

from __future__ import annotations

from tests.plugin.gateway import Gateway
from tests.plugin.project import ALIVE, Project, a_check

OUTAGE = a_check(1, "gateway.get('/disrupt')", "gateway", effect="DISRUPT")
PROBE = a_check(2, "assert gateway.models().status == 200", "gateway", effect="PROBE")


def test_disrupt_in_production_is_named_by_the_run(project: Project, gateway: Gateway) -> None:
    project.environment(gateway.url, kind="production", effects=["read", "disrupt"])
    project.checks(ALIVE, OUTAGE)
    refused = project.run("-n", "2")
    assert refused.code == 4
    sentence = (
        "API-T-001 would take something down in the production environment mini; run with "
        "--allow-disrupt mini if that is meant, or take 'disrupt' out of policy.effects"
    )
    assert refused.output.count(sentence) == 1
    assert gateway.seen == []
    assert refused.directories == {}
    named = project.run("--allow-disrupt", "mini")
    assert named.verdict("API-T-001") == "passed", named.output
    assert gateway.count("/disrupt") == 1


def test_nothing_is_judged_while_a_check_takes_something_down(project: Project, gateway: Gateway) -> None:
    """Not in the first case of an environment either, with which the target is made."""
    asked = "assert (target.watch.suspended, target.breaker.suspended) == ({0}, {0})"
    project.environment(gateway.url, effects=["read", "disrupt"])
    project.checks(
        a_check(1, asked.format(True), "target", effect="DISRUPT"),
        a_check(2, asked.format(False), "target"),
        ALIVE,
    )
    run = project.run()
    assert [run.verdict(f"API-T-00{number}") for number in (1, 2)] == ["passed", "passed"], run.output


def test_a_run_without_such_a_check_needs_no_flag(project: Project, gateway: Gateway) -> None:
    project.environment(gateway.url, kind="production", effects=["read", "disrupt"])
    project.checks(ALIVE, OUTAGE)
    assert project.run("-k", "alive").verdict("API-OPS-001") == "passed"


def test_the_flag_replaces_no_permission(project: Project, gateway: Gateway) -> None:
    project.environment(gateway.url, kind="production", effects=["read"])
    project.checks(ALIVE, OUTAGE)
    refused = project.run("--allow-disrupt", "mini")
    assert refused.code == 4
    assert "mini.toml does not permit it; add 'disrupt' to policy.effects" in refused.output
    other = project.run("--allow-disrupt", "another")
    assert "no such environment is judged here; these are: mini" in other.output
    assert gateway.seen == []


def test_a_policy_without_probe_says_so_and_loses_nothing_else(project: Project, gateway: Gateway) -> None:
    project.checks(ALIVE, PROBE)
    run = project.run()
    assert (run.code, run.state) == (0, "SMOKE PASSED"), run.output
    assert run.verdict("API-T-002") == "not permitted"
    (case,) = run.cases("API-T-002")
    assert "this check needs 'probe' (policy.effects)" in case["message"]
    assert "policy.effects has no 'probe': 1 checks of well-known paths, published holes" in run.output
    assert "API-T-002" in (run.directories["mini"] / "STATUS.md").read_text(encoding="utf-8")
    project.environment(gateway.url, effects=["read", "probe"])
    assert project.run().verdict("API-T-002") == "passed"
