"""The metadata of a check: what a test function declares above its body."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

ID_PATTERN = re.compile(r"^(API|HOST|BACKEND)-[A-Z][A-Z0-9]*-\d{3}$")
SUITES = {"API": "api", "HOST": "host", "BACKEND": "backends"}


class Level(StrEnum):
    """MUST: breaking it breaks clients, security or the deployment's promise. SHOULD: good practice."""

    MUST = "MUST"
    SHOULD = "SHOULD"


class Effect(StrEnum):
    """What a check does to the environment, mildest first; and two beside that order. ``probe``: it asks as
    scanners and attackers do, harmlessly, which may set off who watches. ``expose``: it shows the real key to
    places that are logged, to see whether it counts there."""

    READ = "read"
    SPEND = "spend"
    MUTATE = "mutate"
    DISRUPT = "disrupt"
    PROBE = "probe"
    EXPOSE = "expose"


VOLUNTARY = frozenset({Effect.DISRUPT, Effect.PROBE, Effect.EXPOSE})
"""No environment need permit these: a profile is whole without them."""

MUST, SHOULD = Level.MUST, Level.SHOULD
READ, SPEND, MUTATE, DISRUPT = Effect.READ, Effect.SPEND, Effect.MUTATE, Effect.DISRUPT
PROBE, EXPOSE = Effect.PROBE, Effect.EXPOSE

SMOKE, NIGHTLY, RELEASE = "smoke", "nightly", "release"
PROFILES = (SMOKE, NIGHTLY, RELEASE)
"""From narrow to wide; a check in a narrow profile is in every wider one."""


@dataclass(frozen=True, slots=True)
class Check:
    """One behaviour with a stable id. claims: ids in suites/claims.toml; profiles: subset of PROFILES;
    alone: no other case uses the environment meanwhile."""

    id: str
    title: str
    level: Level
    effect: Effect
    claims: tuple[str, ...]
    profiles: tuple[str, ...]
    spec: str = ""
    alone: bool = False

    @property
    def suite(self) -> str:
        """The folder of suites/ that the check belongs to."""
        return SUITES[self.id.split("-", 1)[0]]


Function = TypeVar("Function", bound=Callable[..., object])


def declared(
    check_id: str,
    title: str,
    *,
    level: Level,
    effect: Effect,
    claims: str | Sequence[str] = (),
    profile: str = NIGHTLY,
    spec: str = "",
    alone: bool = False,
) -> Check:
    """A check as ``@check`` declares it. Raises ValueError for an id or profile that is not well-formed."""
    if not ID_PATTERN.match(check_id):
        raise ValueError(f"check id {check_id!r} is not of the form API-AREA-001")
    if profile not in PROFILES:
        raise ValueError(f"{check_id}: profile {profile!r} is none of {', '.join(PROFILES)}")
    profiles = PROFILES[PROFILES.index(profile) :]
    claim_ids = (claims,) if isinstance(claims, str) else tuple(claims)
    return Check(check_id, title, level, effect, claim_ids, profiles, spec, alone or effect is DISRUPT)


def check(
    check_id: str,
    title: str,
    *,
    level: Level,
    effect: Effect,
    claims: str | Sequence[str] = (),
    profile: str = NIGHTLY,
    spec: str = "",
    alone: bool = False,
) -> Callable[[Function], Function]:
    """Declare a test function to be a check.

    profile: the narrowest profile that runs it (``smoke`` implies nightly and release). spec: where the
    behaviour is normed, for example ``openai:CreateChatCompletionResponse``. alone: no other case of the run
    uses the environment meanwhile, as with every check of effect ``disrupt``: it measures what others would
    change. Raises ValueError for an id or
    profile that is not well-formed, at import: a malformed check never runs silently.
    """
    info = declared(
        check_id, title, level=level, effect=effect, claims=claims, profile=profile, spec=spec, alone=alone
    )

    def decorate(function: Function) -> Function:
        import pytest  # only where a check is declared: the layers below need none

        pytest.mark.check(info)(function)
        for name in (*info.profiles, level.value.lower(), effect.value):
            getattr(pytest.mark, name)(function)
        return function

    return decorate
