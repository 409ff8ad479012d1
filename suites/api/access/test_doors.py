"""API-ACCESS: open doors that cost a request or a few to find. They run before everything else."""

from gateway_acceptance.check import MUST, READ, check
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.problem import Problem
from gateway_acceptance.verdict import require
from gateway_acceptance.wire.gateway import GatewayClient
from suites.api.access.known import host_alarm
from suites.api.access.probes import KEY_HEADERS, hosts_that_hide, refused_plainly
from suites.api.auth.rules import made_up
from suites.api.auth.tried import served, tried_route, tried_without_key


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
    that everything is the front page."""
    refused_plainly(target)
    problems, hidden, route = [], hosts_that_hide(target.environment), tried_route(target)
    for what, host in hidden.items():
        if served(target, tried_without_key(target, hosts=[host])):
            seen = f"{route} without a key is served where Host holds {what}: 'Host: {host}'"
            problems.append(Problem("", seen))
    require(
        problems,
        blame="gateway",
        alarm=host_alarm(target.environment.gateway.product),
        judged={"requests with a changed Host": len(hidden)},
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
    them. Two headers in a request, each for itself where that is served; a gateway may take the right key
    there, and only that."""
    refused_plainly(target)

    def believed(*names: str) -> bool:
        headers = [(name, made_up()) for name in names]
        return served(target, tried_without_key(target, headers=headers))

    opened = [
        name
        for names in KEY_HEADERS
        if believed(*names)
        for name in ([one for one in names if believed(one)] or names)
    ]
    require(
        [Problem("", f"{tried_route(target)} is served to a made-up value in {name}") for name in opened],
        blame="gateway",
        alarm=f"anybody gets in with any value in {' or '.join(opened)}: no key is checked there",
        judged={"key headers": sum(map(len, KEY_HEADERS))},
    )
