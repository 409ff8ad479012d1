"""What somebody without a key sends to get in."""

from __future__ import annotations

from urllib.parse import urlsplit

from gateway_acceptance.environment import Environment
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import Untestable
from gateway_acceptance.wire.exchange import Exchange
from suites.api.access.rules import lists_models

LIST = "/v1/models"
"""The route that the ways in are tried on: it changes nothing, costs nothing, and every gateway has it."""

PLAIN = ("access", "plain")
"""Under which the list of models without a key, in its ordinary form, is kept for the run."""

KEY_HEADERS = ("x-api-key", "api-key", "x-litellm-api-key", "x-goog-api-key", "x-auth-token")
"""Where other products take a key: Anthropic, Azure, LiteLLM, Google, OpenStack."""


def hosts_that_hide(environment: Environment) -> dict[str, str]:
    """Values of Host that make another path of the asked one for who puts them together: the front page, and
    the path that says whether the gateway lives. What it is -> the value."""
    place = urlsplit(environment.gateway.url).netloc
    public = (environment.gateway.liveness_path or "/health/liveliness").lstrip("/")
    return {
        "a public path and a query": f"{place}/{public}?",
        "a fragment": f"{place}/#",
        "a query": f"{place}/?",
    }


def refused_plainly(target: Target) -> Exchange:
    """The list of models without a key, in its ordinary form. Raises Untestable where that is served."""
    answer = target.once(PLAIN, lambda: target.gateway.without_key("GET", LIST))
    if lists_models(answer):
        raise Untestable(
            f"GET {LIST} is served to everybody, so nothing can be seen to open it",
            "close it first: see API-AUTH-002",
        )
    return answer
