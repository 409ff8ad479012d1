"""Hooks by which suites tell the plugin what it does not know by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway_acceptance.plugin.waking import Sentinel
    from gateway_acceptance.wire.watch import UniversalRule


def pytest_gateway_rules() -> Sequence[UniversalRule]:  # type: ignore[empty-body]
    """The rules that every exchange of a run is held against (docs/every-exchange.md)."""


def pytest_gateway_sentinels() -> Sequence[Sentinel]:  # type: ignore[empty-body]
    """Questions of smoke that stand for many checks, and wake them (docs/every-exchange.md)."""
