"""API-ACCESS: open doors that cost a request or a few to find. They run before everything else."""

from gateway_acceptance.check import MUST, READ, check
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.problem import Problem
from gateway_acceptance.verdict import require
from gateway_acceptance.wire.gateway import GatewayClient
from suites.api.access.known import host_alarm
from suites.api.access.probes import (
    KEY_HEADERS,
    hidden_path,
    host_that_hides,
    words_of_clients,
)
from suites.api.auth.rules import made_up
from suites.api.auth.tried import refused_plainly, served, tried_route, tried_without_key


@check(
    "API-ACCESS-001",
    "a Host header that hides another path lets nobody in",
    level=MUST,
    effect=READ,
    claims="FUN-04",
    profile="smoke",
    spec="CVE-2026-49468; RFC 9112 section 3.3",
)
def test_host_that_hides_a_path(target: Target, live_gateway: GatewayClient) -> None:
    """Who authorises by a URL that is put together from Host, and serves by the request line, can be told
    that everything is the front page. Names of users stand beside it, and are left out where that is
    served. The other shapes of Host are API-ACCESS-003's and -009's."""
    refused_plainly(target)
    problems, host, route = [], host_that_hides(target.environment), tried_route(target)
    if served(target, hidden_path(target)) and served(target, tried_without_key(target, hosts=[host])):
        problems.append(
            Problem("", f"{route} without a key is served where Host holds a query: 'Host: {host}'")
        )
    require(
        problems,
        blame="gateway",
        alarm=host_alarm(target.environment.gateway.product),
        judged={"requests with a changed Host": 1},
    )


@check(
    "API-ACCESS-002",
    "a made-up value in another key header lets nobody in",
    level=MUST,
    effect=READ,
    claims="FUN-04",
    profile="smoke",
    spec="OWASP API2:2023",
)
def test_other_key_headers(target: Target, live_gateway: GatewayClient) -> None:
    """Gateways take keys from headers of other products, or believe that somebody before them has looked at
    them. All in one request, with what else clients say; each for itself where that is served. A gateway may
    take the right key there, and only that."""
    refused_plainly(target)

    def believed(name: str) -> bool:
        answer = tried_without_key(target, headers=[(name, made_up())])
        return served(target, answer)

    opened: list[str] = []
    if served(target, words_of_clients(target)):
        opened = [name for name in KEY_HEADERS if believed(name)]
    require(
        [Problem("", f"{tried_route(target)} is served to a made-up value in {name}") for name in opened],
        blame="gateway",
        alarm=f"anybody gets in with any value in {' or '.join(opened)}: no key is checked there",
        judged={"key headers": len(KEY_HEADERS)},
    )
