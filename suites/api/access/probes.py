"""What somebody without a key sends to get in."""

from __future__ import annotations

from urllib.parse import urlsplit

from gateway_acceptance.environment import Environment
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.wire.exchange import Exchange
from suites.api.access.bundles import of_clients
from suites.api.access.rarer import IDENTITIES
from suites.api.auth.tried import plainly, served, tried_without_key

KEY_HEADERS = ("x-api-key", "x-auth-token", "api-key", "x-goog-api-key")
"""Where other products take a key: Anthropic, OpenStack, Azure, Google."""


def host_that_hides(environment: Environment) -> str:
    """A value of Host that makes the front page of the asked path for who puts them together."""
    return f"{urlsplit(environment.gateway.url).netloc}/?"


def open_to_all(target: Target) -> bool:
    """Whether the route that ways in are tried on is served without a key, in its ordinary form."""
    return served(target, plainly(target))


def words_of_clients(target: Target) -> Exchange:
    """The same with made-up keys in every other header, and all that clients might say: asked once."""
    return target.once(
        ("access", "words of clients"),
        lambda: tried_without_key(target, headers=of_clients(target.environment)),
    )


def hidden_path(target: Target) -> Exchange:
    """The same with a Host that hides the path, and who it is by rarer names: asked once."""
    return target.once(
        ("access", "hidden path"),
        lambda: tried_without_key(target, hosts=[host_that_hides(target.environment)], headers=IDENTITIES),
    )
