"""How the gateway and its backends are reached: ``[network]`` of an environment file (docs/networks.md)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import Field
from pydantic.functional_validators import AfterValidator

from gateway_acceptance.environment.table import Table, Url

VARIABLE_NAME: Final = r"^[A-Za-z_][A-Za-z0-9_]*$"
FIELD_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""RFC 9110, section 5.1."""
FIELD_VALUE = re.compile(r"[\x21-\x7e]([\x20-\x7e\t]*[\x21-\x7e])?")
OWN_FIELDS = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "content-type",
        "cookie",
        "expect",
        "host",
        "proxy-authorization",
        "te",
        "transfer-encoding",
        "upgrade",
        "user-agent",
    }
)
"""What the suite itself sends, or what would change the framing of a request."""


def _proxy_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError("is a proxy's URL: write its scheme, host and port alone")
    return value


ProxyUrl = Annotated[Url, AfterValidator(_proxy_url)]


def _fields(value: dict[str, str]) -> dict[str, str]:
    for name, text in value.items():
        if not FIELD_NAME.fullmatch(name):
            raise ValueError(f"holds {name!r}, which is no name of a header")
        if name.lower() in OWN_FIELDS:
            raise ValueError(f"holds {name!r}, which the suite or the client sets itself: take it out")
        if not FIELD_VALUE.fullmatch(text):
            raise ValueError(f"holds a value for {name!r} that no header can carry (ASCII, no line ends)")
    lower = {name.lower(): text for name, text in value.items()}
    if len(lower) < len(value):
        raise ValueError("names a header twice, in other capitals: write each once")
    return lower


class Network(Table):
    """ca_file: PEM certificates that are trusted besides the system's; client_certificate, client_key:
    PEM, what is shown to a server that asks for a certificate (the key may stand in the certificate's
    file); proxy: what everything is sent through, but for the hosts in no_proxy (names, addresses,
    ``.suffix``); proxy_credentials_variable: the variable that holds ``USER:PASSWORD`` for it; headers:
    sent with each request to the gateway, where ``${NAME}`` stands for a variable whose value is a
    secret. Paths are relative to the environment's file. Nothing of it is ever taken from the environment
    variables that other clients know.
    """

    ca_file: Path | None = None
    client_certificate: Path | None = None
    client_key: Path | None = None
    proxy: ProxyUrl | None = None
    proxy_credentials_variable: Annotated[str, Field(pattern=VARIABLE_NAME)] | None = None
    no_proxy: tuple[str, ...] = ()
    headers: Annotated[dict[str, str], AfterValidator(_fields)] = Field(default_factory=dict)

    def contradictions(self) -> list[str]:
        """A sentence for each key that says nothing without another one."""
        found = []
        if self.client_key is not None and self.client_certificate is None:
            found.append("network.client_key is without network.client_certificate: name both")
        for name in ("proxy_credentials_variable", "no_proxy"):
            if getattr(self, name) and self.proxy is None:
                found.append(f"network.{name} is without network.proxy: name the proxy, or take it out")
        return found
