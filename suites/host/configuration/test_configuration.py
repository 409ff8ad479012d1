"""HOST-CONF: LiteLLM's configuration, against what the environment declares."""

from gateway_acceptance.check import MUST, READ, SHOULD, check
from gateway_acceptance.environment import Environment
from gateway_acceptance.host.facts import MachineFacts
from gateway_acceptance.verdict import require
from suites.host.configuration import rules
from suites.host.configuration.extract import (
    configuration,
    configuration_path,
    entries,
    parsed,
    values_of,
)
from suites.host.deployment.extract import file_text

CONFIGS = "docs.litellm.ai/docs/proxy/configs"


@check(
    "HOST-CONF-001",
    "the configuration can be read, and is one",
    level=MUST,
    effect=READ,
    claims="INF-11",
    spec=CONFIGS,
)
def test_parses(host: MachineFacts, environment: Environment) -> None:
    path = configuration_path(host, environment)
    require(parsed(file_text(host, path, "HOST-DEPLOY-011"), path)[1])


@check(
    "HOST-CONF-002",
    "the configured aliases are the declared ones and no others",
    level=MUST,
    effect=READ,
    claims="MOD-08",
    spec=f"{CONFIGS}: model_name",
)
def test_aliases(host: MachineFacts, environment: Environment) -> None:
    require(rules.other_aliases(entries(configuration(host, environment)), environment))


@check(
    "HOST-CONF-003",
    "each alias of one model is one entry with the declared model",
    level=MUST,
    effect=READ,
    claims="MOD-08",
    spec=f"{CONFIGS}: litellm_params.model",
)
def test_models(host: MachineFacts, environment: Environment) -> None:
    require(rules.other_models(entries(configuration(host, environment)), environment))


@check(
    "HOST-CONF-004",
    "a balanced group is an entry for each of its deployments under one name",
    level=MUST,
    effect=READ,
    claims="FUN-05",
    spec="docs.litellm.ai/docs/routing",
)
def test_balanced(group: str, host: MachineFacts, environment: Environment) -> None:
    require(rules.not_balanced(entries(configuration(host, environment)), environment.group(group)))


@check(
    "HOST-CONF-005",
    "the weights of a balanced group are the declared ones",
    level=MUST,
    effect=READ,
    claims="FUN-05",
    spec="litellm/router_strategy/simple_shuffle.py: a missing weight beside others counts as 0",
)
def test_weights(group: str, host: MachineFacts, environment: Environment) -> None:
    require(rules.other_weights(entries(configuration(host, environment)), environment.group(group)))


@check(
    "HOST-CONF-006",
    "every entry calls the backend that is declared for it",
    level=MUST,
    effect=READ,
    claims=("RES-05", "FUN-05"),
    spec=f"{CONFIGS}: litellm_params.api_base",
)
def test_backends(host: MachineFacts, environment: Environment) -> None:
    found = entries(configuration(host, environment))
    require(rules.other_backends(found, environment, *values_of(host)))


@check(
    "HOST-CONF-007",
    "no setting stands in the configuration that has no effect",
    level=SHOULD,
    effect=READ,
    claims="FUN-05",
    spec="litellm.Router: router_settings are its arguments, and model_group is none of them",
)
def test_without_effect(host: MachineFacts, environment: Environment) -> None:
    require(rules.without_effect(configuration(host, environment)))


@check(
    "HOST-CONF-008",
    "no setting of the configuration is a literal secret",
    level=MUST,
    effect=READ,
    claims="SYS-08",
    spec="deployment: the configuration is readable by all (644)",
)
def test_no_literal_secret(host: MachineFacts, environment: Environment) -> None:
    require(rules.literal_secrets(configuration(host, environment)))


@check(
    "HOST-CONF-009",
    "the master key comes from the service's environment",
    level=MUST,
    effect=READ,
    claims="SYS-08",
    spec="docs.litellm.ai/docs/proxy/virtual_keys: master_key",
)
def test_master_key(host: MachineFacts, environment: Environment) -> None:
    require(rules.no_master_key(configuration(host, environment), values_of(host)[0]))


@check(
    "HOST-CONF-010",
    "every variable that the configuration names is set for the service",
    level=MUST,
    effect=READ,
    claims="INF-11",
    spec=f"{CONFIGS}: os.environ/",
)
def test_variables(host: MachineFacts, environment: Environment) -> None:
    require(rules.unset_variables(configuration(host, environment), values_of(host)[0]))
