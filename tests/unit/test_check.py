"""What may stand above a check."""

from __future__ import annotations

import pytest

from gateway_acceptance.check import MUST, READ, Check, check


def marks(profile: str) -> tuple[Check, set[str]]:
    @check("API-AUTH-001", "title", level=MUST, effect=READ, claims="FUN-01", profile=profile)
    def test() -> None: ...

    found = {mark.name: mark for mark in test.pytestmark}  # type: ignore[attr-defined]
    return found["check"].args[0], set(found) - {"check"}


@pytest.mark.parametrize(
    ("profile", "profiles"),
    [
        ("smoke", ("smoke", "nightly", "release")),
        ("nightly", ("nightly", "release")),
        ("release", ("release",)),
    ],
)
def test_a_narrow_profile_is_in_every_wider_one(profile: str, profiles: tuple[str, ...]) -> None:
    declared, names = marks(profile)
    assert declared.profiles == profiles
    assert names == {*profiles, "must", "read"}
    assert (declared.claims, declared.suite) == (("FUN-01",), "api")


@pytest.mark.parametrize(
    "name", ["API-AUTH-1", "api-auth-001", "WEB-AUTH-001", "API-001", "API-AUTH-001x", ""]
)
def test_a_malformed_id_never_runs(name: str) -> None:
    with pytest.raises(ValueError, match="is not of the form API-AREA-001"):
        check(name, "t", level=MUST, effect=READ)


def test_an_unknown_profile_never_runs() -> None:
    with pytest.raises(ValueError, match="profile 'hourly' is none of smoke, nightly, release"):
        check("API-AUTH-001", "t", level=MUST, effect=READ, profile="hourly")
