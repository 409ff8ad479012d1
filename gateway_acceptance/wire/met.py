"""Whom connections to a gateway met that declares no identity yet: what it may be known by from now on."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from gateway_acceptance.wire.identified import Identified, holds


class Met(Identified):
    """Lets everybody pass, and remembers the gateway's addresses and the certificate that it showed."""

    def __init__(self, url: str) -> None:
        self._host = (urlsplit(url).hostname or "").lower()
        self.at_home = False
        self._addresses: set[str] = set()
        self._certificates: dict[str, tuple[str, ...]] = {}

    def among(self, host: str, found: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
        """All of the addresses; those of the gateway's host are remembered."""
        if host.lower().strip("[]") == self._host:
            self._addresses |= {ip_address(address).compressed for address, _ in found}
        return list(found)

    def shown(self, host: str | None, certificate: bytes | None, names: Sequence[str]) -> str:
        """Nothing is wrong with any certificate; the gateway's is remembered."""
        if certificate and (host or "").lower().strip("[]") == self._host:
            digest = f"sha256:{hashlib.sha256(certificate).hexdigest()}"
            self._certificates[digest] = tuple(names)
        return ""

    @property
    def document(self) -> dict[str, Any]:
        """As ``[gateway.identity]`` declares it; empty where nobody was met."""
        names = [name for facts in self._certificates.values() for name in facts]
        own = [self._host] if any(holds(name, self._host) for name in names) else names[:1]
        facts: dict[str, Any] = {
            "addresses": sorted(self._addresses),
            "tls_name": next((name for name in own if "*" not in name), ""),
            "certificates": sorted(self._certificates),
        }
        return {name: value for name, value in facts.items() if value}
