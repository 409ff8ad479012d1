"""Open doors that are published: what a finding is called for a product, and how it is closed."""

from __future__ import annotations

from gateway_acceptance.advisories import clear_from, load_base
from gateway_acceptance.environment.products import PRODUCTS

HOST_HOLES = {"litellm": "CVE-2026-49468 (GHSA-4xpc-pv4p-pm3w; LiteLLM before 1.84.0)"}
"""Product -> the published hole that a Host header opens."""

HOST_FIX = "or put a reverse proxy in front that sends a Host of its own (docs/ways-in.md)"


def host_alarm(product: str) -> str:
    """The sentence of a Host header that lets anybody in. The upgrade is the one that leaves no published
    hole open, as of API-ADV-001: who stops at the first release that closes this door has others."""
    package = PRODUCTS[product].package if product in PRODUCTS else None
    to = clear_from(load_base(), *package) if package else ""
    hole = f"{HOST_HOLES[product]}: " if product in HOST_HOLES else ""
    upgrade = f"upgrade {package[1]} to >= {to}" if package and to else "upgrade the gateway"
    return f"anybody gets in without a key, by a Host header: {hole}{upgrade}, {HOST_FIX}"
