"""HOST-DEPLOY: the deployment script, the service scripts, and what a deployment leaves."""

from gateway_acceptance.check import MUST, READ, SHOULD, check
from gateway_acceptance.host.facts import MachineFacts
from gateway_acceptance.verdict import require
from suites.host.deployment import rules
from suites.host.deployment.extract import declared, declared_files, script_text
from suites.host.tree.rules import declared_host, require_seen


@check(
    "HOST-DEPLOY-001",
    "the deployment script is at its path and executable",
    level=MUST,
    effect=READ,
    claims=("INF-04", "SEC-04"),
    spec="deployment: known paths",
)
def test_deployment_script(host: MachineFacts) -> None:
    wanted = declared_host(host)
    path = declared(wanted.deployment_script, "deployment_script")
    require(rules.not_executable(declared_files(host, [path]), [path], wanted.tree))


@check(
    "HOST-DEPLOY-002",
    "the service scripts are in place and executable",
    level=MUST,
    effect=READ,
    claims="INF-09",
    spec="deployment: known paths",
)
def test_service_scripts(host: MachineFacts) -> None:
    wanted = declared_host(host)
    paths = declared(wanted.service_scripts, "service_scripts")
    require(rules.not_executable(declared_files(host, paths), paths, wanted.tree))


@check(
    "HOST-DEPLOY-003",
    "every script is valid shell",
    level=MUST,
    effect=READ,
    claims="OPS-05",
    spec="bash(1) -n",
)
def test_syntax(host: MachineFacts) -> None:
    scripts = declared(declared_host(host).scripts, "deployment_script and no service_scripts")
    files = declared_files(host, scripts, read=True)
    there = sum(1 for path in scripts if files[path]["exists"])
    require(rules.not_valid(files, scripts), judged={"scripts": there})


@check(
    "HOST-DEPLOY-004",
    "every command that deploying needs is on the host",
    level=MUST,
    effect=READ,
    claims="OPS-02",
    spec="deployment: needed commands",
)
def test_commands(host: MachineFacts) -> None:
    declared(declared_host(host).needed_commands, "needed_commands")
    require(rules.commands_missing(host["commands"]))


@check(
    "HOST-DEPLOY-005",
    "the deployment script asks for each command that it needs",
    level=MUST,
    effect=READ,
    claims="OPS-01",
    spec="deployment: needed commands",
)
def test_commands_asked(host: MachineFacts) -> None:
    """Read from its text: running it would deploy."""
    needed = declared(declared_host(host).needed_commands, "needed_commands")
    require(rules.commands_not_asked(script_text(host), needed))


@check(
    "HOST-DEPLOY-006",
    "the deployment script has the wrong-server guard",
    level=MUST,
    effect=READ,
    claims="OPS-03",
    spec="deployment: refuses a host that does not own the gateway's address, unless FORCE=1",
)
def test_guard(host: MachineFacts) -> None:
    """Read from its text, and no more than that both halves of the guard are there."""
    require(rules.guard_missing(script_text(host)))


@check(
    "HOST-DEPLOY-007",
    "the deployment script asks the gateway for what it deployed",
    level=MUST,
    effect=READ,
    claims="OPS-04",
    spec="deployment: deterministic validation",
)
def test_validation(host: MachineFacts) -> None:
    require(rules.validation_missing(script_text(host)))


@check(
    "HOST-DEPLOY-008",
    "the deployment script's chat validation is valid JSON at temperature 0",
    level=MUST,
    effect=READ,
    claims="OPS-06",
    spec="deployment: deterministic validation",
)
def test_chat_validation(host: MachineFacts) -> None:
    require(rules.chat_validation_wrong(script_text(host)))


@check(
    "HOST-DEPLOY-009",
    "pinned files have the pinned digest",
    level=MUST,
    effect=READ,
    claims="INF-05",
    spec="FIPS 180-4 SHA-256",
)
def test_digests(host: MachineFacts) -> None:
    wanted = declared_host(host)
    declared(wanted.digests, "digests")
    require(rules.other_content(declared_files(host, wanted.digests, read=True), wanted))


@check(
    "HOST-DEPLOY-010",
    "pinned files have the pinned size",
    level=SHOULD,
    effect=READ,
    claims="INF-05",
    spec="deployment: a size is an optional expectation beside the digest",
)
def test_sizes(host: MachineFacts) -> None:
    wanted = declared_host(host)
    declared(wanted.sizes, "sizes")
    require(rules.other_size(declared_files(host, wanted.sizes, read=True), wanted))


@check(
    "HOST-DEPLOY-011",
    "the deployment was executed: configuration and virtual environment are there",
    level=MUST,
    effect=READ,
    claims="INF-11",
    spec="deployment: known paths",
)
def test_executed(host: MachineFacts) -> None:
    """The unit is HOST-UNIT-001."""
    wanted = declared_host(host)
    declared(wanted.configuration or wanted.virtual_environment, "configuration and no virtual_environment")
    python = host["python"] if wanted.virtual_environment else None
    if python is not None:
        require_seen(host, str(wanted.virtual_environment), python)
    files = declared_files(host, [wanted.configuration] if wanted.configuration else [])
    require(rules.not_executed(files, python, wanted))
