"""What somebody without a key sends to get in."""

from __future__ import annotations

from urllib.parse import urlsplit

from gateway_acceptance.environment import Environment
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import Untestable
from gateway_acceptance.wire.exchange import Exchange
from suites.api.auth.tried import PLAIN, served, tried_route, tried_without_key

KEY_HEADERS = (("x-api-key", "x-auth-token"), ("api-key", "x-goog-api-key"))
"""Where other products take a key: Anthropic, OpenStack; Azure, Google. Two in a request: no product is known
that takes both. LiteLLM's own header, which it takes before any other, is asked with the rarer ones."""


def hosts_that_hide(environment: Environment) -> dict[str, str]:
    """Values of Host that make another path of the asked one for who puts them together: the front page, and
    the path that says whether the gateway lives. What it is -> the value. The other shapes are nightly's."""
    place = urlsplit(environment.gateway.url).netloc
    public = (environment.gateway.liveness_path or "/health/liveliness").lstrip("/")
    return {
        "a public path and a query": f"{place}/{public}?",
        "a query": f"{place}/?",
    }


def refused_plainly(target: Target) -> Exchange:
    """The route that ways in are tried on, without a key and in its ordinary form. Raises Untestable where
    that is served."""
    answer = target.once(PLAIN, lambda: tried_without_key(target))
    if served(target, answer):
        raise Untestable(
            f"{tried_route(target)} is served to everybody, so nothing can be seen to open it",
            "close it first: see API-AUTH-002",
        )
    return answer
