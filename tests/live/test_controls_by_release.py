"""Right gateways are free of red before more than one release of LiteLLM: smoke, and all that each concerns.

``make test`` asks less of each, before the default release alone (test_control_matrix.py).
"""

from __future__ import annotations

import pytest
from packaging.version import Version

from gateway_acceptance.deviations import releases
from lab.controls import CONTROLS
from lab.deviations import PRODUCT
from lab.litellm.install import resolve_version
from tests.live.right_gateways import red_on_right_gateways

NEWEST = max((version for version, _ in releases(PRODUCT)), key=Version)
RELEASES = tuple(dict.fromkeys((resolve_version(""), NEWEST, "1.106.2")))
"""The default, the newest that a file of deviations is kept of, and an older one of the locked."""


@pytest.mark.parametrize("release", RELEASES)
def test_right_gateways_are_free_of_red(release: str) -> None:
    found, red = red_on_right_gateways(release)
    assert red == []
    assert set(found.ran) == set(CONTROLS)
    assert all(judged for judged, _ in found.ran.values())
