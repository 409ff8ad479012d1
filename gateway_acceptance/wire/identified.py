"""Whom a connection has reached, looked at before anything is sent on it: ``[gateway.identity]``.

Addresses are held against the declaration before connecting, certificates at the end of each handshake, so no
request and no key ever comes to another machine. Only the gateway's own host is looked at.
"""

from __future__ import annotations

import fnmatch
import hashlib
import ssl
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from gateway_acceptance.environment import Environment
from gateway_acceptance.environment.identity import Identity

SHOWN = 3


class NotDeclared(Exception):  # noqa: N818  (a finding about a name)
    """Whom a name stands for, in words."""


class Identified:
    """What an environment declares of its gateway, held against connections to its host."""

    def __init__(self, environment: Environment, declared: Identity) -> None:
        self._declared = declared
        self._host = (urlsplit(environment.gateway.url).hostname or "").lower()
        self.at_home = False
        """Whether a connection went to an address of this very machine that no other one can reach."""

    def among(self, host: str, found: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
        """Of the addresses of a host those that are declared. Raises NotDeclared for none."""
        if host.lower().strip("[]") != self._host:
            return list(found)
        self.at_home = self.at_home or any(ip_address(address).is_loopback for address, _ in found)
        if not self._declared.addresses:
            return list(found)
        kept = [one for one in found if ip_address(one[0]).compressed in self._declared.addresses]
        if not kept:
            seen = ", ".join([address for address, _ in found][:SHOWN])
            raise NotDeclared(
                f"{host} stands for {seen}, which gateway.identity.addresses does not declare; nothing was "
                "sent: look who answers there, or declare the address"
            )
        return kept

    def shown(self, host: str | None, certificate: bytes | None, names: Sequence[str]) -> str:
        """What is wrong with a certificate (DER, and the names that it holds) of a host, or nothing."""
        if (host or "").lower().strip("[]") != self._host:
            return ""
        declared = self._declared
        if declared.certificates:
            digest = f"sha256:{hashlib.sha256(certificate or b'').hexdigest()}"
            if digest not in declared.certificates:
                return f"it is {digest}, which gateway.identity.certificates does not declare"
        wanted = declared.tls_name
        if wanted and not any(holds(name, wanted) for name in names):
            text = ", ".join(names[:SHOWN]) or "none"
            return f"it holds the names {text}, and gateway.identity.tls_name is {wanted}"
        return ""


def identified(environment: Environment) -> Identified | None:
    """None where the environment declares no identity."""
    declared = environment.gateway.identity
    return None if declared is None else Identified(environment, declared)


def checking(context: ssl.SSLContext, whom: Identified) -> ssl.SSLContext:
    """The context, each of whose handshakes ends with a check of whose certificate was shown."""

    def check_certificate(shown: ssl.SSLSocket | ssl.SSLObject) -> None:
        certificate: Any = shown.getpeercert() or {}
        names = [str(name) for kind, name in certificate.get("subjectAltName", ()) if kind == "DNS"]
        wrong = whom.shown(shown.server_hostname, shown.getpeercert(True), names)
        if wrong:
            error = ssl.SSLCertVerificationError(1, wrong)
            error.verify_code, error.verify_message = 0, wrong
            raise error

    class _Socket(ssl.SSLSocket):
        def do_handshake(self, block: bool = False) -> None:
            super().do_handshake(block)
            check_certificate(self)

    class _Object(ssl.SSLObject):
        def do_handshake(self) -> None:
            super().do_handshake()
            check_certificate(self)

    context.sslsocket_class = _Socket
    context.sslobject_class = _Object
    return context


def holds(pattern: str, name: str) -> bool:
    """Whether a certificate's name is this one or stands for it, with ``*`` for exactly one label (RFC 9525,
    section 6.3)."""
    same = pattern.count(".") == name.count(".")
    return same and fnmatch.fnmatchcase(name.lower(), pattern.lower())
