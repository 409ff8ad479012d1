"""What is known of products, and who has the last word."""

from __future__ import annotations

from gateway_acceptance.environment import product_of
from tests.unit.declared import URL, environment


def test_the_environment_has_the_last_word() -> None:
    own = {"url": URL, "key_variable": "K", "product": "litellm", "liveness_path": "/up"}
    product = product_of(environment(gateway=own).gateway)
    assert (product.liveness, product.readiness) == ("/up", "/health/readiness")
    assert product.served_by == "x-litellm-model-api-base"


def test_of_an_unknown_product_nothing_is_known() -> None:
    unknown = {"url": URL, "key_variable": "K", "product": "openai-compatible", "served_by_header": "x-by"}
    product = product_of(environment(gateway=unknown).gateway)
    assert (product.liveness, product.readiness, product.version_path) == (None, None, None)
    assert product.served_by == "x-by"
