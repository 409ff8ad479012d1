"""HOST-REC: LiteLLM's own recommendations for production, as far as the deployment shows them."""

from gateway_acceptance.check import READ, SHOULD, check
from gateway_acceptance.environment import Environment
from gateway_acceptance.host.facts import MachineFacts
from gateway_acceptance.verdict import require
from suites.host.configuration.extract import configuration, values_of
from suites.host.recommendations import rules
from suites.host.user.facts import started_argv

PRODUCTION_PAGE = "docs.litellm.ai/docs/proxy/prod"


@check(
    "HOST-REC-001",
    "a request has a timeout",
    level=SHOULD,
    effect=READ,
    claims="STA-05",
    spec=f"{PRODUCTION_PAGE}: request_timeout",
)
def test_timeout(host: MachineFacts, environment: Environment) -> None:
    require(rules.no_timeout(configuration(host, environment)))


@check(
    "HOST-REC-002",
    "nothing makes LiteLLM log requests",
    level=SHOULD,
    effect=READ,
    claims="SYS-08",
    spec=f"{PRODUCTION_PAGE}: set_verbose",
)
def test_not_verbose(host: MachineFacts, environment: Environment) -> None:
    document = configuration(host, environment)
    require(rules.verbose(document, started_argv(host["unit"]), values_of(host)[1]))


@check(
    "HOST-REC-003",
    "the log level is set, and quiet",
    level=SHOULD,
    effect=READ,
    claims="STA-05",
    spec=f"{PRODUCTION_PAGE}: LITELLM_LOG",
)
def test_log_level(host: MachineFacts, environment: Environment) -> None:
    configuration(host, environment)
    require(rules.other_log_level(values_of(host)[1]))


@check(
    "HOST-REC-004",
    "logs are JSON",
    level=SHOULD,
    effect=READ,
    claims="STA-05",
    spec=f"{PRODUCTION_PAGE}: json_logs",
)
def test_json_logs(host: MachineFacts, environment: Environment) -> None:
    require(rules.no_json_logs(configuration(host, environment)))


@check(
    "HOST-REC-005",
    "LiteLLM runs in production mode",
    level=SHOULD,
    effect=READ,
    claims="SYS-08",
    spec=f"{PRODUCTION_PAGE}: LITELLM_MODE, without which a .env file is loaded",
)
def test_mode(host: MachineFacts, environment: Environment) -> None:
    configuration(host, environment)
    require(rules.not_production(values_of(host)[1]))


@check(
    "HOST-REC-006",
    "there are no more workers than processors",
    level=SHOULD,
    effect=READ,
    claims="STA-05",
    spec=f"{PRODUCTION_PAGE}: one worker for each processor",
)
def test_workers(host: MachineFacts, environment: Environment) -> None:
    configuration(host, environment)
    processors = host["machine"]["processors"]
    require(rules.too_many_workers(started_argv(host["unit"]), values_of(host)[1], processors))


@check(
    "HOST-REC-007",
    "routing is by the declared strategy",
    level=SHOULD,
    effect=READ,
    claims="FUN-05",
    spec=f"{PRODUCTION_PAGE}: simple-shuffle",
)
def test_strategy(host: MachineFacts, environment: Environment) -> None:
    strategies = {group.strategy for group in environment.groups}
    require(rules.other_strategy(configuration(host, environment), strategies))


@check(
    "HOST-REC-008",
    "Redis is not given by URL",
    level=SHOULD,
    effect=READ,
    claims="STA-05",
    spec=f"{PRODUCTION_PAGE}: redis_host, redis_port, redis_password",
)
def test_redis(host: MachineFacts, environment: Environment) -> None:
    require(rules.redis_by_url(configuration(host, environment), values_of(host)[0]))


@check(
    "HOST-REC-009",
    "no database without a salt key",
    level=SHOULD,
    effect=READ,
    claims="SYS-08",
    spec=f"{PRODUCTION_PAGE}: LITELLM_SALT_KEY",
)
def test_salt_key(host: MachineFacts, environment: Environment) -> None:
    """That there is no database is seen, not declared: the configuration that names none is in order."""
    require(rules.no_salt_key(configuration(host, environment), values_of(host)[0]))


@check(
    "HOST-REC-010",
    "requests are not let through without the database on a public network",
    level=SHOULD,
    effect=READ,
    claims="FUN-04",
    spec=f"{PRODUCTION_PAGE}: allow_requests_on_db_unavailable",
)
def test_database_gone(host: MachineFacts, environment: Environment) -> None:
    document = configuration(host, environment)
    require(rules.served_without_database(document, host["machine"]["addresses"]))


@check(
    "HOST-REC-011",
    "health details are not told",
    level=SHOULD,
    effect=READ,
    claims="STA-04",
    spec="docs.litellm.ai/docs/proxy/health: health_check_details",
)
def test_health_details(host: MachineFacts, environment: Environment) -> None:
    require(rules.health_details(configuration(host, environment)))


@check(
    "HOST-REC-012",
    "clients cannot ask for pretended failures",
    level=SHOULD,
    effect=READ,
    claims="STA-04",
    spec="docs.litellm.ai/docs/proxy/reliability: mock_testing_fallbacks",
)
def test_mock_testing(host: MachineFacts, environment: Environment) -> None:
    require(rules.mock_testing(configuration(host, environment)))
