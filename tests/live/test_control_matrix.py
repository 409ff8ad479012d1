"""No check is red on a gateway that is right in another way; more of each: mutation-matrix --controls."""

from __future__ import annotations

from lab.controls import CONTROLS
from tests.live.right_gateways import red_on_right_gateways

LEAST = 20


def test_right_gateways_are_free_of_red() -> None:
    found, red = red_on_right_gateways("", brief=True)
    assert red == []
    assert set(found.ran) == set(CONTROLS)
    assert len(found.ran) >= LEAST
    assert all(judged for judged, _ in found.ran.values())
