"""Who served a request."""

from __future__ import annotations

import pytest

from gateway_acceptance.environment import Backend
from gateway_acceptance.wire.attribution import served_by
from gateway_acceptance.wire.exchange import Exchange

BACKENDS = [Backend(name="one", url="http://llm-01:11434"), Backend(name="two", url="https://llm-02")]


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("http://llm-01:11434", "one"),
        ("http://LLM-01:11434/api/", "one"),
        ("https://llm-02:443/v1", "two"),
        ("http://llm-02", "http://llm-02"),
        ("http://llm-01:11435", "http://llm-01:11435"),
        ("http://[", "http://["),
        ("", ""),
    ],
)
def test_hosts_and_ports_are_compared(value: str, name: str) -> None:
    """What names no declared backend is seen as it is."""
    exchange = Exchange("GET", "http://g/", (), b"", 200, (("X-By", value),))
    assert served_by(exchange, "x-by", BACKENDS) == name


def test_no_header_is_no_witness() -> None:
    exchange = Exchange("GET", "http://g/", (), b"", 200, (("x-other", "http://llm-01:11434"),))
    assert served_by(exchange, "x-by", BACKENDS) == ""
    assert served_by(exchange, None, BACKENDS) == ""
