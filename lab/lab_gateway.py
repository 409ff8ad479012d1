"""What a lab knows of a gateway product that it runs, said in ``lab/<product>/product.py``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from lab.specification import Specification


class GatewayProcess(Protocol):
    """A gateway that a supervisor holds. It must die with the supervisor, however that happens."""

    async def start(self) -> None:
        """Returns when it serves. Raises NotStarted."""
        ...  # pragma: no cover

    async def stop(self) -> None:
        """Returns when nothing of it runs; without effect on one that is stopped."""
        ...  # pragma: no cover


@dataclass(frozen=True, slots=True)
class LabGateway:
    """name: for people; resolve: the version that a wish (or none) means, raises NotStarted; install: makes
    the version ready below a root once, and returns what ``process`` starts; log: its file's name."""

    name: str
    resolve: Callable[[str], str]
    install: Callable[[Path, str, Callable[[str], None]], Path]
    process: Callable[[Specification], GatewayProcess]
    log: str
