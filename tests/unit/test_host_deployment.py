"""The checks of deployment, repository, configuration and Python environment, on facts by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gateway_acceptance.environment import Environment
from gateway_acceptance.environment.host import Host
from gateway_acceptance.verdict import CheckFailed, NotApplicable, Untestable
from suites.host.configuration import rules as configuration_rules
from suites.host.configuration import test_configuration as configuration_checks
from suites.host.configuration.extract import configuration, entries, parsed, values_of
from suites.host.deployment import rules as deployment_rules
from suites.host.deployment import test_deployment as deployment_checks
from suites.host.deployment import test_repository as repository_checks
from suites.host.distributions import rules as python_rules
from suites.host.distributions import test_python as python_checks
from suites.host.recommendations import rules as recommendation_rules
from suites.host.recommendations import test_recommendations as recommendation_checks
from tests.unit.host_facts_deployment import (
    CONFIGURATION,
    DEPLOY_TEXT,
    SCRIPT,
    a_file,
    declared,
    machine_facts,
    sections,
)

OF_THE_HOST = [
    deployment_checks.test_deployment_script,
    deployment_checks.test_service_scripts,
    deployment_checks.test_syntax,
    deployment_checks.test_commands,
    deployment_checks.test_commands_asked,
    deployment_checks.test_guard,
    deployment_checks.test_validation,
    deployment_checks.test_chat_validation,
    deployment_checks.test_executed,
    repository_checks.test_remote,
    repository_checks.test_commit,
    repository_checks.test_published,
    repository_checks.test_clean,
    python_checks.test_startup,
]
OF_THE_ENVIRONMENT = [
    *(value for name, value in vars(configuration_checks).items() if name.startswith("test_")),
    *(value for name, value in vars(recommendation_checks).items() if name.startswith("test_")),
    python_checks.test_version,
    python_checks.test_not_compromised,
]


def judged(check: Callable[..., None], found: dict[str, Any], env: Environment | None = None) -> None:
    env = env or declared()
    facts = machine_facts(env, found)
    if check in (configuration_checks.test_balanced, configuration_checks.test_weights):
        check("both", facts, env)
    elif check in OF_THE_HOST:
        check(facts)
    else:
        check(facts, env)


def configured(old: str, new: str) -> dict[str, Any]:
    """Healthy sections but for the configuration's text."""
    assert old in CONFIGURATION
    found = sections()
    found["files"]["config.yaml"] = a_file(CONFIGURATION.replace(old, new))
    return found


def scripted(old: str, new: str) -> dict[str, Any]:
    """Healthy sections but for the deployment script's text."""
    assert old in DEPLOY_TEXT
    found = sections()
    found["files"][SCRIPT] = a_file(DEPLOY_TEXT.replace(old, new), "0755")
    return found


def changed(section: str, **fields: Any) -> dict[str, Any]:
    found = sections()
    found[section] = {**found[section], **fields}
    return found


def with_file(path: str, **fields: Any) -> dict[str, Any]:
    found = sections()
    found["files"][path] = {**found["files"][path], **fields}
    return found


@pytest.mark.parametrize("check", [*OF_THE_HOST, *OF_THE_ENVIRONMENT], ids=lambda check: check.__name__)
def test_healthy_is_green(check: Callable[..., None]) -> None:
    judged(check, sections())


D, C, R = deployment_checks, configuration_checks, recommendation_checks
MODE = {"entry": {"mode": "0644"}}


def unit_starting(*words: str) -> dict[str, Any]:
    found = sections()
    line = f"{{ path=x ; argv[]=litellm {' '.join(words)} ; ignore_errors=no ; }}"
    found["unit"]["properties"]["ExecStart"] = line
    return found


def settings_with(names: list[str], **values: str) -> dict[str, Any]:
    found = sections()
    found["settings"]["names"] = names
    found["settings"]["values"] = values
    return found


@pytest.mark.parametrize(
    ("check", "found", "says"),
    [
        (D.test_deployment_script, with_file(SCRIPT, **MODE), "has mode 0644.*sudo chmod 755 /opt/hx"),
        (D.test_service_scripts, with_file("scripts/stop.sh", exists=False), "stop.sh: has nothing"),
        (D.test_syntax, with_file("scripts/stop.sh", syntax="line 2: syntax error"), "syntax error"),
        (D.test_syntax, with_file("scripts/stop.sh", syntax=None), "no shell's #! line"),
        (D.test_commands, changed("commands", ip=None), "the command ip: .*apt-get install iproute2"),
        (D.test_commands_asked, with_file(SCRIPT, text="command -v jq\nip a\n"), "no question for ip,"),
        (D.test_commands_asked, scripted("command -v", "true"), "has no command -v"),
        (D.test_guard, scripted("ip -j addr", "cat"), "no look at the host's own addresses"),
        (D.test_guard, scripted("FORCE", "FORCED"), "has no FORCE,"),
        (D.test_validation, scripted("/v1/embeddings", "/v1/x"), "no request to /v1/embeddings"),
        (D.test_chat_validation, scripted('"temperature": 0', '"temperature": 1'), "has temperature 1"),
        (D.test_chat_validation, scripted('"temperature": 0,', '"temperature": 0,,'), "expected valid JSON"),
        (D.test_chat_validation, scripted('"messages"', '"texts"'), "no JSON body"),
        (D.test_executed, with_file("config.yaml", exists=False), "config.yaml: has nothing"),
        (D.test_executed, changed("python", exists=False), "venv: has nothing, expected a virtual env"),
        (repository_checks.test_remote, changed("repository", root=None, error="no"), "no git work tree"),
        (repository_checks.test_remote, changed("repository", remote="git@x:y"), "the origin: has git@x:y"),
        (
            repository_checks.test_commit,
            changed("repository", head="abc"),
            r"abc, expected 984c4c3 \(known there",
        ),
        (repository_checks.test_published, changed("repository", published=False), "in no branch"),
        (repository_checks.test_published, changed("repository", published=None), "no branch of a remote"),
        (repository_checks.test_clean, changed("repository", dirty=[" M a", "?? b"]), "' M a'.*\n.*b'"),
        (
            python_checks.test_version,
            changed("python", packages={"litellm": "1.1"}),
            "has 1.1, expected 1.74",
        ),
        (
            python_checks.test_not_compromised,
            changed("python", packages={"litellm": "1.82.7"}),
            "compromised",
        ),
        (python_checks.test_not_compromised, changed("python", packages={}), "litellm: has none"),
        (C.test_parses, configured("model_list:", "model_list: ["), "has no YAML"),
        (C.test_parses, configured("model_list:", "models:"), "has no model_list"),
        (C.test_parses, configured("model: ollama/vec", "mode: x"), "entry 2: .*expected model_name and"),
        (C.test_parses, configured("{request_timeout: 60, set_verbose: false, json_logs: true}", "x"), "str"),
        (C.test_aliases, configured("model_name: emb", "model_name: other"), "alias emb: .*\n.*other"),
        (C.test_models, configured("ollama/vec", "ollama/vac"), r"emb: has \['vac:latest'\]"),
        (
            C.test_balanced,
            configured("tiny:2b", "tiny"),
            r"\['tiny:latest', 'tiny:latest'\], expected \['tiny:2b'",
        ),
        (C.test_weights, configured('"ollama_chat/tiny:2b"', '"x/tiny:2b", weight: 2'), "counts as 0"),
        (C.test_backends, configured("http://127.0.0.2:11434/", "http://127.0.0.3"), "has http://127.0.0.3,"),
        (C.test_backends, settings_with([]), "has nothing by HX_LLM_01_URL"),
        (C.test_no_literal_secret, configured("os.environ/LITELLM_M", "sk-x"), "general_settings.master_key"),
        (
            C.test_no_literal_secret,
            configured(
                "json_logs: true", 'json_logs: true, db: "postgresql://<secret of 9 characters>@db/x"'
            ),
            r"litellm_settings\.db: has a literal secret",
        ),
        (C.test_master_key, configured("os.environ/LITELLM_M", "sk-x"), "has a literal value"),
        (C.test_master_key, settings_with(["HX_LLM_01_URL"]), "LITELLM_MASTER_KEY, the master key: has no"),
        (C.test_variables, settings_with(["LITELLM_MASTER_KEY"]), r"HX_LLM_01_URL, named by model_list\[1\]"),
        (
            C.test_without_effect,
            configured("litellm_s", "router_settings: {model_group: {}}\nlitellm_s"),
            "eff",
        ),
        (R.test_timeout, configured("request_timeout: 60, ", ""), r"nothing \(6000 s\)"),
        (R.test_timeout, configured("request_timeout: 60", "request_timeout: 6000"), "has 6000"),
        (R.test_not_verbose, configured("set_verbose: false", "set_verbose: true"), "set_verbose: has true"),
        (R.test_not_verbose, unit_starting("--detailed_debug"), "--detailed_debug: has debugging"),
        (R.test_log_level, settings_with([], LITELLM_LOG="DEBUG"), "LITELLM_LOG: has DEBUG"),
        (R.test_json_logs, configured(", json_logs: true", ""), "json_logs: has nothing"),
        (R.test_mode, settings_with([]), "LITELLM_MODE: has nothing"),
        (R.test_workers, unit_starting("--num_workers", "3"), "workers: has 3, expected at most 2"),
        (R.test_workers, unit_starting("--num_workers=3"), "workers: has 3, expected at most 2"),
        (
            R.test_strategy,
            configured("litellm_s", "router_settings: {routing_strategy: x}\nlitellm_s"),
            "has x",
        ),
        (R.test_redis, settings_with(["REDIS_URL"]), "REDIS_URL: has Redis by URL"),
        (R.test_salt_key, settings_with(["DATABASE_URL"]), "LITELLM_SALT_KEY: has nothing"),
        (R.test_health_details, configured(", health_check_details: false", ""), "details are told"),
        (
            R.test_mock_testing,
            configured(
                "general_settings: {", "general_settings: {dangerously_allow_mock_testing_request_params: 1, "
            ),
            "has true",
        ),
    ],
)
def test_a_defect_is_red(check: Callable[..., None], found: dict[str, Any], says: str) -> None:
    with pytest.raises(CheckFailed, match=says):
        judged(check, found)


def test_pinned_files() -> None:
    env = declared(digests={SCRIPT: "sha256:" + "b" * 64}, sizes={SCRIPT: 8180})
    for check, says in ((D.test_digests, "expected sha256:bbb"), (D.test_sizes, "expected 8180 bytes")):
        with pytest.raises(CheckFailed, match=says):
            check(machine_facts(env, sections()))
        with pytest.raises(NotApplicable, match=r"declares no (digests|sizes)"):
            check(machine_facts(declared(), sections()))
    host = env.host
    assert isinstance(host, Host)
    assert not deployment_rules.other_content({SCRIPT: {"sha256": "sha256:" + "b" * 64}}, host)


def test_public_machines_need_the_database() -> None:
    document = {"general_settings": {"allow_requests_on_db_unavailable": True}}
    assert not recommendation_rules.served_without_database(document, ["10.0.0.1", "fe80::1"])
    assert recommendation_rules.served_without_database(document, ["10.0.0.1", "11.0.0.1"])


@pytest.mark.parametrize(
    ("name", "line", "known"),
    [
        ("litellm_init.pth", "import os; os.system('x')", False),
        ("distutils-precedence.pth", "import os; os.system('x')", False),
        ("distutils-precedence.pth", "import os; var = 'SETUPTOOLS_USE_DISTUTILS'; os.system('x')", False),
        ("sitecustomize.py", "(a module that Python runs at its start)", False),
        ("_virtualenv.pth", "import _virtualenv", True),
    ],
)
def test_startup_files(name: str, line: str, known: bool) -> None:
    assert python_rules.known({"name": name, "lines": [line]}) is known


def test_missing_rights_are_named() -> None:
    with pytest.raises(Untestable, match=r"sudo rule: probe ALL=.root. NOPASSWD: /usr/bin/grep"):
        judged(C.test_master_key, {**sections(), "settings": "setting_names"})


def test_one_check_says_that_the_configuration_is_none() -> None:
    found = configured("model_list:", "model_list: [")
    for check in (C.test_aliases, R.test_timeout):
        with pytest.raises(Untestable, match="see HOST-CONF-001"):
            judged(check, found)


def test_another_product_is_not_judged_by_litellms_rules() -> None:
    env = declared()
    other = env.model_copy(update={"gateway": env.gateway.model_copy(update={"product": "other"})})
    for check in (C.test_parses, R.test_timeout, python_checks.test_version):
        with pytest.raises(NotApplicable, match="product is other"):
            judged(check, sections(), other)


def test_an_address_in_an_unread_variable_is_untestable() -> None:
    found = configured("HX_LLM_01_URL", "MY_URL")
    found["settings"]["names"].append("MY_URL")
    with pytest.raises(Untestable, match="the value of MY_URL"):
        judged(C.test_backends, found)


@pytest.mark.parametrize(
    "url", ["https://git.example/hx/hx.git", "git@git.example:hx/hx", "ssh://git@git.example/hx/hx/"]
)
def test_remotes_are_the_same_however_they_are_reached(url: str) -> None:
    assert deployment_rules.plain_remote(url) == "git.example/hx/hx"


def test_commands_may_be_asked_for_one_by_one() -> None:
    text = "command -v ip || exit 3\nwhich jq || exit 3\ncurl x\n"
    assert not deployment_rules.commands_not_asked(text, ["ip", "jq"])
    assert "no question for curl" in deployment_rules.commands_not_asked(text, ["curl"])[0].message


def test_shell_quoted_chat_bodies_are_read() -> None:
    text = 'curl -d "{\\"messages\\": [{\\"role\\": \\"user\\"}], \\"temperature\\": 0}" x'
    assert deployment_rules.chat_bodies(text) == ['{"messages": [{"role": "user"}], "temperature": 0}']
    assert not deployment_rules.chat_validation_wrong(text)


def test_weights_as_declared() -> None:
    env = declared()
    document, problems = parsed(CONFIGURATION.replace('"ollama_chat/tiny:2b"', '"x/tiny:2b", weight: 2'), "c")
    group = env.group("both")
    assert not problems
    assert len(configuration_rules.other_weights(entries(document), group)) == 1
    assert not configuration_rules.other_weights(
        entries(configuration(machine_facts(env, sections()), env)), group
    )


def test_hidden_values_of_the_unit_are_known_by_name_alone() -> None:
    found = sections()
    found["unit"]["properties"]["Environment"] = 'A_KEY=<hidden> "B=c d"'
    names, values = values_of(machine_facts(declared(), found))
    assert {"A_KEY", "B", "LITELLM_MASTER_KEY"} <= names
    assert "A_KEY" not in values
    assert values["B"] == "c d"
