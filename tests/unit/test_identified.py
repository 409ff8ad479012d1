"""Nothing is sent to who is not the declared gateway, whichever way it is sent."""

from __future__ import annotations

import hashlib
import ssl
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gateway_acceptance.environment import Environment
from gateway_acceptance.host.snapshot import _known_host
from tests.real_networks import Authority, forward_proxy, front, server_context
from tests.unit.declared import URL, environment
from tests.unit.test_networks import WayIn, answered, every_way

SSH_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMadeUpForThisTestAndOfNobodyAtAllXXXXXXXX"


def declared(folder: Path, url: str, identity: dict[str, Any], **network: Any) -> Environment:
    gateway = {"url": url, "key_variable": "K", "identity": identity}
    there = environment(gateway=gateway, network=network)
    return there.model_copy(update={"source": folder / "mini.toml"})


def digest_of(file: Path) -> str:
    certificate = x509.load_pem_x509_certificate(file.read_bytes())
    return "sha256:" + hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest()


@every_way
def test_a_certificate(ask: WayIn, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    own = authority.issue("server.pem", "127.0.0.1", "gateway.example")
    with front(server_context(own)) as served:

        def seen(**identity: Any) -> Any:
            return ask(declared(tmp_path, served.url, identity, ca_file="ca.pem"), tmp_path, {})

        assert answered(seen(certificates=["sha256:" + "0" * 64, digest_of(own)]))
        assert answered(seen(tls_name="gateway.example", addresses=["127.0.0.1"]))
        served.seen.clear()
        other = seen(certificates=["sha256:" + "0" * 64])
        assert f"it is {digest_of(own)}, which gateway.identity.certificates does not declare" in other.error
        named = seen(tls_name="other.example")
        assert "it holds the names gateway.example, and gateway.identity.tls_name is other" in named.error
        assert (other.status, named.status, served.seen) == (None, None, [])


@every_way
def test_an_address(ask: WayIn, tmp_path: Path) -> None:
    with front() as served:
        assert answered(ask(declared(tmp_path, served.url, {"addresses": ["127.0.0.1"]}), tmp_path, {}))
        served.seen.clear()
        other = ask(declared(tmp_path, served.url, {"addresses": ["127.0.0.2", "::1"]}), tmp_path, {})
        assert (other.status, served.seen) == (None, [])
        assert "127.0.0.1 stands for 127.0.0.1, which gateway.identity.addresses does not" in other.error


@every_way
def test_it_is_looked_at_on_every_connection(ask: WayIn, tmp_path: Path) -> None:
    """Another machine takes the place of the gateway in mid-run: the next connection finds it."""
    authority = Authority(tmp_path)
    own, other = authority.issue("one.pem", "127.0.0.1"), authority.issue("two.pem", "127.0.0.1")
    context: ssl.SSLContext = server_context(own)
    with front(context) as served:
        there = declared(tmp_path, served.url, {"certificates": [digest_of(own)]}, ca_file="ca.pem")
        assert answered(ask(there, tmp_path, {}))
        context.load_cert_chain(other)
        served.seen.clear()
        moved = ask(there, tmp_path, {})
        assert (moved.status, served.seen) == (None, [])
        assert f"it is {digest_of(other)}" in moved.error


@every_way
def test_it_is_seen_through_a_tunnel(ask: WayIn, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    own = authority.issue("server.pem", "gateway.example")
    with front(server_context(own)) as served, forward_proxy() as proxy:
        url = served.url.replace("127.0.0.1", "gateway.example")
        network = {"ca_file": "ca.pem", "proxy": proxy.url}
        good = declared(tmp_path, url, {"certificates": [digest_of(own)]}, **network)
        assert answered(ask(good, tmp_path, {}))
        served.seen.clear()
        bad = declared(tmp_path, url, {"certificates": ["sha256:" + "0" * 64]}, **network)
        assert (ask(bad, tmp_path, {}).status, served.seen) == (None, [])


@pytest.mark.parametrize(
    ("identity", "more", "sentence"),
    [
        ({}, {}, "says nothing: give one of addresses, tls_name, certificates, ssh_host_key"),
        ({"addresses": ["gateway"]}, {}, "is no IP address"),
        ({"tls_name": "gateway.example"}, {}, "are of TLS, and gateway.url begins with http:"),
        ({"ssh_host_key": SSH_KEY}, {}, "is of a machine that is reached by ssh: declare [host]"),
        (
            {"addresses": ["192.0.2.1"]},
            {"network": {"proxy": "http://127.0.0.1:9"}},
            "cannot be seen through network.proxy: declare tls_name or certificates",
        ),
    ],
)
def test_what_could_not_be_looked_at(identity: Any, more: dict[str, Any], sentence: str) -> None:
    gateway = {"url": URL, "key_variable": "K", "identity": identity}
    with pytest.raises(ValueError, match="gateway") as refused:
        environment(gateway=gateway, **more)
    assert sentence in str(refused.value)


def test_a_host_key_is_the_only_one_that_ssh_knows() -> None:
    with _known_host(environment(), "gateway") as known:
        assert known == ""
    pinned = environment(
        gateway={"url": URL, "key_variable": "K", "identity": {"ssh_host_key": SSH_KEY}},
        host={"uri": "ssh://gateway", "unit": "g.service", "user": "g", "tree": "/opt/gateway"},
    )
    with _known_host(pinned, "one") as known:
        assert known == ""
    with _known_host(pinned, "gateway") as known:
        options = dict(word.split("=", 1) for word in known.split() if "=" in word)
        text = Path(options["UserKnownHostsFile"]).read_text(encoding="ascii")
        assert text == f"{options['HostKeyAlias']} {SSH_KEY}\n"
        assert options["StrictHostKeyChecking"] == "yes"
    assert not Path(options["UserKnownHostsFile"]).exists()
