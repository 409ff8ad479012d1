"""The suite at hand, as a run is held against it: its checks, their cases in an environment, its rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway_acceptance.check import Check
from gateway_acceptance.claims import Claim
from gateway_acceptance.deviations import Harm
from gateway_acceptance.waivers import Waiver
from gateway_acceptance.wire.watch import UniversalRule


@dataclass(frozen=True, slots=True)
class Suite:
    """checks: all, by id; frozen: the lists of suites/profiles.toml; claims: those of the environment; cases:
    node id -> check id of every case that a release run of the environment has, None where that is not known
    (a wheel, a checkout that nobody runs); waivers: those in force for the environment, None where that is
    not known; rules: that every exchange is held against; harms: what no deviation may be."""

    checks: Mapping[str, Check]
    frozen: Mapping[str, Sequence[str]]
    claims: Sequence[Claim]
    cases: Mapping[str, str] | None = None
    waivers: Sequence[Waiver] | None = None
    rules: Sequence[UniversalRule] = ()
    harms: Sequence[Harm] = ()
    planted: bool = False
