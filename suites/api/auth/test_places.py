"""API-AUTH: the real key where it does not belong. Only where the policy permits to expose it."""

from gateway_acceptance.check import EXPOSE, MUST, check
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import require
from gateway_acceptance.wire.gateway import GatewayClient
from suites.api.auth.places import in_cookie, in_query, let_in, of_schemes


@check(
    "API-AUTH-019",
    "the right key counts only as a bearer token",
    level=MUST,
    effect=EXPOSE,
    spec="RFC 6750 section 2.1",
)
def test_right_key_in_other_schemes(target: Target, gateway: GatewayClient) -> None:
    """As Basic password, under a foreign scheme, and without any: what made-up values cannot tell."""
    answers = of_schemes(target, target.key)
    require(let_in(answers), blame="gateway", judged={"places": len(answers)})


@check(
    "API-AUTH-020",
    "the right key in the URL gets nobody in",
    level=MUST,
    effect=EXPOSE,
    spec="RFC 6750 section 5.3",
)
def test_right_key_in_the_query(target: Target, gateway: GatewayClient) -> None:
    """Every proxy and every log on the way has it then."""
    answers = in_query(target, target.key)
    require(let_in(answers), blame="gateway", judged={"places": len(answers)})


@check(
    "API-AUTH-021",
    "the right key in a cookie gets nobody in",
    level=MUST,
    effect=EXPOSE,
    spec="OWASP CSRF",
)
def test_right_key_in_a_cookie(target: Target, gateway: GatewayClient) -> None:
    """See API-AUTH-010."""
    answers = in_cookie(target, target.key)
    require(let_in(answers), blame="gateway", judged={"places": len(answers)})
