"""What the check of a list's shape says where there is no list."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from gateway_acceptance.environment import Environment
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import CheckFailed
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.gateway import GatewayClient
from suites.api.models.test_listing import test_list_shape as list_shape


@pytest.mark.parametrize(("status", "said"), [(502, "Bad Gateway"), (404, "not found")])
def test_it_tells_what_came_instead(status: int, said: str) -> None:
    """ "There is none" was said of a list that is broken as well."""
    url = "http://x/v1/models"
    answer = Exchange("GET", url, (), b"", status=status, chunks=((0.0, said.encode()),))
    asked = SimpleNamespace(models=None)
    one = SimpleNamespace(unlisted=True, gateway=asked, at_the_start=lambda *_: answer)
    with pytest.raises(CheckFailed) as told:
        list_shape(cast(Target, one), cast(GatewayClient, None), cast(Environment, None))
    assert str(told.value) == f"expected 200 and a list of models from {url}, got {status}: {said}"
