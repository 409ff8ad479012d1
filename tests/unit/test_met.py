"""Whom ``init`` met: addresses, certificate and its name, for somebody to confirm."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway_acceptance.cli.init.asker import Asker
from gateway_acceptance.wire.met import Met
from tests.real_networks import Authority, front, server_context
from tests.unit.test_identified import declared, digest_of


def test_a_certificate_that_was_shown(tmp_path: Path) -> None:
    own = Authority(tmp_path).issue("server.pem", "127.0.0.1", "gateway.example")
    with front(server_context(own)) as served:
        environment = declared(tmp_path, served.url, {"addresses": ["127.0.0.1"]}, ca_file="ca.pem")
        gateway = environment.gateway.model_copy(update={"identity": None})
        asker = Asker(environment.model_copy(update={"gateway": gateway}), "k" * 20, tmp_path)
        try:
            assert asker.get("/v1/models") is not None
        finally:
            asker.close()
    assert asker.met.document == {
        "addresses": ["127.0.0.1"],
        "tls_name": "gateway.example",
        "certificates": [digest_of(own)],
    }


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["*.example", "other.example"], "gateway.example"),
        (["gateway.example"], "gateway.example"),
        (["other.example"], "other.example"),
        (["*.other.example"], None),
        ([], None),
    ],
)
def test_a_name_is_the_one_that_is_asked_for_where_it_is_there(names: list[str], told: str | None) -> None:
    met = Met("https://Gateway.example/v1")
    assert met.document == {}
    assert met.among("gateway.example", [("203.0.113.7", 443), ("2001:db8::1", 443)])
    assert met.among("elsewhere.example", [("203.0.113.9", 443)])
    assert met.shown("gateway.example", b"der", names) == ""
    assert met.shown("elsewhere.example", b"other", ["elsewhere.example"]) == ""
    assert met.document["addresses"] == ["2001:db8::1", "203.0.113.7"]
    assert met.document.get("tls_name") == told
    assert len(met.document["certificates"]) == 1
