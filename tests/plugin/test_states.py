"""The state of a run: computed from what was executed; a green one is hard to come by."""

from __future__ import annotations

import pytest

from tests.plugin.gateway import Gateway
from tests.plugin.project import ALIVE, CLAIM, OTHER_CLAIM, Project, a_check

PASSES = a_check(1, "pass")


def test_all_passed_is_smoke_passed(project: Project) -> None:
    project.checks(ALIVE, PASSES)
    run = project.run()
    assert (run.code, run.state) == (0, "SMOKE PASSED"), run.output
    assert "SMOKE PASSED" in run.output


def test_the_frozen_list_and_what_there_is_must_agree(project: Project) -> None:
    project.checks(ALIVE, PASSES, listed=["API-OPS-001", "API-T-009"])
    run = project.run()
    assert (run.code, run.state) == (1, "SMOKE FAILED")
    assert "API-T-009 was not executed: it is in the profile's list and was not there to run" in run.reasons
    assert "not in the list of smoke in suites/profiles.toml: API-T-001" in run.reasons


def test_what_the_policy_forbids_leaves_the_profile_not_whole(project: Project, gateway: Gateway) -> None:
    """Whether a check says what it does or not. Nobody need permit that something is taken down."""
    project.environment(gateway.url, effects=["read"])
    honest = a_check(1, "gateway.get('/mutate')", "gateway", effect="MUTATE")
    liar = a_check(2, "gateway.chat('chat-one', 'hello')", "gateway", effect="READ")
    outage = a_check(3, "gateway.get('/disrupt')", "gateway", effect="DISRUPT")
    project.checks(ALIVE, honest, liar, outage)
    run = project.run()
    assert (run.code, run.state) == (1, "SMOKE FAILED")
    for check in ("API-T-001", "API-T-002", "API-T-003"):
        assert run.verdict(check) == "not permitted"
        missed = f"{check} was not executed: the policy does not permit it" in run.reasons
        assert missed is (check != "API-T-003")
    for path in ("/mutate", "/disrupt", "/v1/chat/completions"):
        assert gateway.count(path) == 0


@pytest.mark.parametrize("selection", [["-k", "no_such_check"], ["-n", "2", "-m", "mutate"]])
def test_no_check_selected(project: Project, selection: list[str]) -> None:
    project.checks(ALIVE)
    run = project.run(*selection)
    assert run.code == 4, run.output
    assert "no check was selected" in run.output
    assert run.directories == {}


@pytest.mark.parametrize(
    "options",
    [
        ["-k", "alive"],
        ["-m", "smoke and must", "suites/test_checks.py::test_alive"],
    ],
)
def test_a_selection_is_a_partial_run(project: Project, options: list[str]) -> None:
    project.checks(ALIVE, PASSES)
    run = project.run(*options)
    assert (run.code, run.state) == (0, "PARTIAL RUN"), run.output


def test_cases_that_a_plugin_deselects_make_a_partial_run(project: Project) -> None:
    """Every check is there, and one of its cases is not: no list of checks would notice."""
    project.checks(ALIVE, a_check(1, "pass", "environment, n").replace("@check", MANY + "@check", 1))
    project.write("conftest.py", 'pytest_plugins = ["gateway_acceptance.plugin.hooks"]\n' + DESELECTS)
    run = project.run()
    assert run.verdict("API-T-001") == "passed"
    assert run.state == "PARTIAL RUN"
    assert run.record()["run"]["selection"]["narrowed"] == ["1 cases of the profile were deselected"]


MANY = "@pytest.mark.parametrize('n', [1, 2])\n"
DESELECTS = """
def pytest_collection_modifyitems(items):
    items[:] = [item for item in items if "2" not in item.nodeid.split("[")[1]]
"""


def test_setup_only_proves_nothing(project: Project) -> None:
    project.checks(ALIVE)
    run = project.run("--setup-only")
    assert (run.code, run.state) == (3, "SMOKE FAILED")
    assert run.verdict("API-OPS-001") == "harness error"


def test_a_test_that_is_no_check_cannot_fail_unnoticed(project: Project) -> None:
    project.checks(ALIVE)
    project.write(
        "suites/test_plain.py", "import pytest\n@pytest.mark.smoke\ndef test_plain():\n    assert 0\n"
    )
    run = project.run()
    assert run.code == 3
    assert "suites/test_plain.py::test_plain failed outside of any check" in run.reasons


def test_a_release_run_with_an_unverified_claim_is_not_ready(project: Project, gateway: Gateway) -> None:
    project.environment(gateway.url, kind="production")
    project.write("suites/claims.toml", CLAIM + OTHER_CLAIM)
    project.checks(ALIVE)
    run = project.run("-m", "release")
    assert (run.code, run.state) == (1, "NOT READY")
    assert "1 claims are not verified: FUN-02" in run.reasons


@pytest.mark.parametrize(
    ("selection", "of_production", "of_staging"),
    [
        (["-m", "release"], "PRODUCTION READY", "READY"),
        (["-m", "release", "-k", "alive"], "PARTIAL RUN", "PARTIAL RUN"),
    ],
)
def test_only_a_whole_release_of_production_is_production_ready(
    project: Project, gateway: Gateway, selection: list[str], of_production: str, of_staging: str
) -> None:
    known_by = 'identity = { addresses = ["127.0.0.1"] }'
    project.environment(gateway.url, "real", kind="production", gateway=known_by)
    project.checks(ALIVE)
    run = project.run("--env=real", "--env=mini", *selection)
    assert run.code == 0, run.output
    states = [run.record(name)["run"]["state"] for name in ("real", "mini")]
    assert states == [of_production, of_staging]


def test_two_environments_are_two_results(project: Project, gateway: Gateway) -> None:
    project.environment(gateway.url, "other")
    project.checks(
        ALIVE, a_check(1, "assert environment.name == 'other', 'only other is right'", "environment")
    )
    run = project.run("--env=mini", "--env=other")
    assert run.code == 1
    assert run.record("mini")["run"]["state"] == "SMOKE FAILED"
    assert run.record("other")["run"]["state"] == "SMOKE PASSED"
    for name in ("mini", "other"):
        nodeids = [case["nodeid"] for case in run.cases("API-T-001", name)]
        assert nodeids == [f"suites/test_checks.py::test_1[{name}]"]


def test_a_path_names_an_environment(project: Project, gateway: Gateway) -> None:
    path = project.environment(gateway.url, "elsewhere")
    moved = path.rename(project.root / "own.toml")
    project.checks(ALIVE)
    run = project.run(f"--env={moved}")
    assert (run.code, list(run.directories)) == (0, ["elsewhere"])


TEMPLATES = """
[[claim]]
id = "MOD-01"
section = "Available Models"
text = "The {kind} model {alias} is available"
about = "{alias}"
per = "model"

[[claim]]
id = "STA-01"
section = "Current Status"
text = "The gateway's service is active"
needs = ["host"]
"""
OWN = """
[[claim]]
id = "OWN-01"
section = "What the helpdesk was promised"
text = "it is quick"
checks = ["API-T-002"]
"""
SECOND = """
[[models]]
alias = "chat-two"
kind = "chat"
backend = "one"
upstream = "tiny"
"""


def test_a_small_deployment_can_be_ready_and_speaks_of_its_own(project: Project, gateway: Gateway) -> None:
    """Two models, one backend, no host; and a claim of the operator's."""
    project.write("suites/claims.toml", CLAIM + TEMPLATES)
    path = project.environment(gateway.url, more=SECOND)
    path.write_text('claims = "claims.toml"\n' + path.read_text(encoding="utf-8"), encoding="utf-8")
    project.write("environments/claims.toml", OWN)
    project.checks(ALIVE, a_check(1, "assert chat_model", "environment, chat_model"), a_check(2, "pass"))
    run = project.run("-m", "release")
    assert (run.code, run.state) == (0, "READY"), run.output
    record = run.record()
    told = {claim["id"]: (claim["text"], claim["verdict"]) for claim in record["claims"]}
    assert told["MOD-02"] == ("The chat model chat-two is available", "passed")
    assert told["OWN-01"] == ("it is quick", "passed")
    assert [(one["id"], one["why"]) for one in record["not_part"]] == [("STA-01", "no [host] is declared")]
    status = (run.directories["mini"] / "STATUS.md").read_text(encoding="utf-8")
    assert "not part of this deployment, no \\[host\\] is declared: `STA-01`" in status
    assert "What the helpdesk was promised" in status


def test_an_own_claim_of_an_unknown_check_is_refused(project: Project, gateway: Gateway) -> None:
    path = project.environment(gateway.url)
    path.write_text('claims = "claims.toml"\n' + path.read_text(encoding="utf-8"), encoding="utf-8")
    project.write("environments/claims.toml", OWN.replace("API-T-002", "API-T-009"))
    project.checks(ALIVE, PASSES)
    run = project.run()
    assert run.code == 4
    assert "the claim OWN-01 names the check API-T-009, which does not exist" in run.output
    assert gateway.count("/alive") == 0
