"""Open doors that are published: what a finding is called for a product, and how it is closed."""

from __future__ import annotations

HOST_HOLES = {
    "litellm": (
        "CVE-2026-49468 (GHSA-4xpc-pv4p-pm3w; LiteLLM before 1.84.0): upgrade LiteLLM to 1.84.0 or newer"
    ),
}
"""Product -> the published hole that a Host header opens, and its fix."""

HOST_MEND = "or put a reverse proxy in front that sends a Host of its own (docs/ways-in.md)"


def host_alarm(product: str) -> str:
    """The sentence of a Host header that lets anybody in."""
    hole = HOST_HOLES.get(product, "upgrade the gateway")
    return f"anybody gets in without a key, by a Host header: {hole}, {HOST_MEND}"
