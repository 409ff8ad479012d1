"""What a run is given before it begins: declared by files and options, read whole, never changed after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from gateway_acceptance.check import RELEASE
from gateway_acceptance.claims_here import Here
from gateway_acceptance.environment import Environment
from gateway_acceptance.plugin.deciding import Stamps
from gateway_acceptance.plugin.options import narrowed, profile_of, runs_root
from gateway_acceptance.waivers import Waiver


@dataclass(frozen=True)
class RunInputs:
    """waivers, claims: by environment; frozen: the check ids of each profile; stamps: of the files that
    decide, before pytest read any; seal_key, known_signers: as of ``--seal-key`` and ``--allowed-signers``,
    None without them."""

    config: pytest.Config
    environments: Sequence[Environment]
    waivers: Mapping[str, Sequence[Waiver]]
    claims: Mapping[str, Here]
    frozen: Mapping[str, Sequence[str]]
    stamps: Stamps = field(default_factory=dict)
    seal_key: Any = None
    known_signers: Any = None

    @property
    def profile(self) -> str | None:
        """The profile that the run executes; None for a selection of its own."""
        return profile_of(self.config)

    @property
    def narrowed(self) -> list[str]:
        """The options that make the run smaller than its profile."""
        return narrowed(self.config)

    @property
    def could_accept(self) -> bool:
        """Whether a release could be accepted by this run."""
        return self.profile == RELEASE and not self.narrowed

    @property
    def with_views(self) -> bool:
        """Whether all that is derived from a record is wanted as well."""
        return not self.config.getoption("--record-only")

    @property
    def runs(self) -> Path:
        """Where run directories go."""
        return runs_root(self.config)
