"""By what a gateway is known to be the one that is meant: ``[gateway.identity]`` (docs/environments.md)."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator
from pydantic.functional_validators import AfterValidator

from gateway_acceptance.environment.host import Host, Sha256
from gateway_acceptance.environment.network import Network
from gateway_acceptance.environment.table import Table


def _address(value: str) -> str:
    if "${" in value:
        return value
    try:
        return ip_address(value).compressed
    except ValueError:
        raise ValueError("is no IP address; write the one that the gateway's name stands for") from None


Address = Annotated[str, AfterValidator(_address)]
PublicKey = Annotated[str, Field(pattern=r"^(ssh-[a-z0-9]+|ecdsa-sha2-nistp[0-9]+) [A-Za-z0-9+/]+={0,3}$")]


class Identity(Table):
    """addresses: every one at which the gateway may be reached; tls_name: a name that its certificate must
    hold; certificates: the SHA-256 of its certificate in DER, now and after the next renewal; ssh_host_key:
    of the gateway's machine, as the first two words of its ``.pub`` file. All that are given must hold, on
    every connection; before anything is sent on it."""

    addresses: tuple[Address, ...] = ()
    tls_name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]*$")] | None = None
    certificates: tuple[Sha256, ...] = ()
    ssh_host_key: PublicKey | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.parts:
            raise ValueError(f"says nothing: give one of {', '.join(type(self).model_fields)}")
        return self

    @property
    def parts(self) -> tuple[str, ...]:
        """What is declared, by name."""
        return tuple(name for name in type(self).model_fields if getattr(self, name))

    @property
    def document(self) -> dict[str, Any]:
        """As the record tells it."""
        fields: Mapping[str, Any] = self.model_dump(mode="json")
        return {name: fields[name] for name in self.parts}

    def problems(self, url: str, network: Network, host: Host | None) -> list[str]:
        """What of it could not be looked at. url: of the gateway."""
        found = []
        secure = url.startswith("https:") or "${" in url
        if (self.tls_name or self.certificates) and not secure:
            found.append(
                "gateway.identity.tls_name and certificates are of TLS, and gateway.url begins with http:"
            )
        if self.addresses and network.proxy is not None and not _past(url, network):
            found.append(
                "gateway.identity.addresses cannot be seen through network.proxy: declare tls_name or "
                "certificates"
            )
        if self.ssh_host_key and (host is None or urlsplit(host.uri).scheme not in ("ssh", "safe-ssh", "")):
            found.append(
                "gateway.identity.ssh_host_key is of a machine that is reached by ssh: declare [host] with "
                "a uri ssh://…"
            )
        return found


def _past(url: str, network: Network) -> bool:
    """Whether the gateway is reached past the proxy."""
    name = (urlsplit(url).hostname or "").lower()
    return any(
        name.endswith(one.lower()) if one.startswith(".") else name == one.lower() for one in network.no_proxy
    )
