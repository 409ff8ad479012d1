"""The way to an environment's servers: what is trusted and shown in TLS, the proxy between, what it demands.

All that sends takes it from the ``Conduct`` of its environment (docs/networks.md). Without one: the system's
trust, no proxy, nothing added; never what the environment variables of other clients say.
"""

from __future__ import annotations

import base64
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import urlsplit

from gateway_acceptance.environment import Environment
from gateway_acceptance.environment.secrets import (
    fresh,
    headers_of,
    proxy_credentials,
    system_trust,
    tls_context,
)
from gateway_acceptance.wire.exchange import Headers
from gateway_acceptance.wire.identified import Identified, checking, identified


@dataclass(frozen=True)
class Proxy:
    """url: scheme, host and port; authorization: the value of Proxy-Authorization, or empty; without: hosts
    that are reached past it."""

    url: str
    authorization: str = ""
    without: tuple[str, ...] = ()

    @property
    def place(self) -> tuple[str, int]:
        """Its host and port."""
        parts = urlsplit(self.url)
        return parts.hostname or "", parts.port or (443 if self.secure else 80)

    @property
    def secure(self) -> bool:
        """Whether TLS is spoken to the proxy itself."""
        return self.url.startswith("https:")

    @property
    def named(self) -> str:
        """As an operator would call it."""
        return urlsplit(self.url).netloc

    def serves(self, host: str) -> bool:
        """Whether a host is reached through it."""
        host = host.lower().strip("[]")
        return not any(
            host.endswith(one.lower()) if one.startswith(".") else host == one.lower().strip("[]")
            for one in self.without
        )


@dataclass(frozen=True)
class Route:
    """environment: where it is declared, None for the way that needs no declaration; headers: what each
    request to the gateway carries besides; met: who looks on where no identity is declared."""

    environment: Environment | None = None
    proxy: Proxy | None = None
    headers: Headers = field(default=())
    met: Identified | None = None

    @cached_property
    def context(self) -> ssl.SSLContext:
        """For all its connections. Raises ssl.SSLError, OSError where a declared file is gone meanwhile."""
        if self.environment is None:
            return system_trust()
        whom = self.whom
        return tls_context(self.environment) if whom is None else checking(fresh(self.environment), whom)

    @cached_property
    def whom(self) -> Identified | None:
        """Whom connections to the gateway must reach, where that is declared."""
        return None if self.environment is None else identified(self.environment) or self.met

    def proxy_of(self, host: str) -> Proxy | None:
        """The proxy that a host is reached through."""
        return self.proxy if self.proxy is not None and self.proxy.serves(host) else None

    def added(self, url: str) -> Headers:
        """The headers that a request to this URL carries besides: to the gateway, and to nobody else."""
        if self.environment is None or not self.headers:
            return ()
        own = self.environment.gateway.url
        return self.headers if url == own or url.startswith((own + "/", own + "?")) else ()


def route_of(environment: Environment, variables: Mapping[str, str]) -> Route:
    """The way that an environment declares, with the secrets of its variables."""
    network, proxy = environment.network, None
    if network.proxy is not None:
        credentials = proxy_credentials(environment, variables)
        authorization = ""
        if credentials is not None:
            authorization = "Basic " + base64.b64encode(":".join(credentials).encode()).decode()
        proxy = Proxy(network.proxy, authorization, network.no_proxy)
    return Route(environment, proxy, tuple(headers_of(environment, variables)))
