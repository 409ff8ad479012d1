"""Hands the plugin the rules that every exchange is held against, and the sentinels of smoke."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway_acceptance.plugin.waking import Sentinel
    from gateway_acceptance.wire.watch import UniversalRule


def pytest_gateway_rules() -> Sequence[UniversalRule]:
    """Asked once, when the first exchange is about to be made."""
    from suites.every_exchange import RULES  # only where something is judged: collecting needs none of it

    return RULES


def pytest_gateway_sentinels() -> Sequence[Sentinel]:
    """Asked once, when the first case of smoke has run."""
    from suites.sentinels import SENTINELS

    return SENTINELS
