"""Taken ports are said before anything is started: which, by whom, and what to do."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

import psutil

from gateway_acceptance.embedded import NotStarted
from gateway_acceptance.environment import Environment

LOOPBACK = "127."
ANY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104  (compared, not bound)


def refuse_taken_ports(environment: Environment, *, forwarded: bool = False) -> None:
    """Raises NotStarted for an address that is not loopback, or that somebody already holds.

    forwarded: the backends are on hosts of their own, and what listens here leads there; otherwise they
    listen where the gateway calls them.
    """
    backends = [one.url if forwarded else one.called for one in environment.backends]
    for url in [environment.gateway.url, *backends]:
        host, port = place(url)
        if not host.startswith(LOOPBACK):
            raise NotStarted(f"{url} is no loopback address; embedded environments live on 127.0.0.0/8 only")
        refuse_taken_port(host, port)


def refuse_taken_port(host: str, port: int) -> None:
    """Raises NotStarted where somebody already holds it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise NotStarted(
                f"{host}:{port} cannot be used ({error.strerror}){_holder(host, port)}; "
                "end it, or run `gateway-acceptance lab down` if it is an earlier lab"
            ) from None


def place(url: str) -> tuple[str, int]:
    """Host and port of a URL."""
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or 80


def _holder(host: str, port: int) -> str:
    try:
        connections = psutil.net_connections("tcp")
    except psutil.AccessDenied:
        return ""
    for found in connections:
        if found.status != psutil.CONN_LISTEN or not found.laddr or not found.pid:
            continue
        if found.laddr.port == port and found.laddr.ip in (host, *ANY_ADDRESS):
            return f", held by {psutil.Process(found.pid).name()} (pid {found.pid})"
    return ""
