"""Real networks: every way of sending takes the same declared way, and says what is wrong with it."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openai
import pytest

from gateway_acceptance.check import Effect
from gateway_acceptance.environment import Environment, missing_variables
from gateway_acceptance.environment.model import Policy
from gateway_acceptance.policy import Budget
from gateway_acceptance.verdict import NoAnswer, Untestable
from gateway_acceptance.wire.exchange import Exchange, Notebook
from gateway_acceptance.wire.gateway import GatewayClient
from gateway_acceptance.wire.ledger import Conduct
from gateway_acceptance.wire.route import route_of
from gateway_acceptance.wire.sdk import async_sdk_client, sdk_client
from gateway_acceptance.wire.sender import Deadline, Sender
from tests.plugin.gateway import KEY
from tests.real_networks import Authority, forward_proxy, front, server_context
from tests.unit.declared import environment

WayIn = Callable[[Environment, Path, dict[str, str]], Exchange]
LIMIT = Deadline(2, 5)


def declared(folder: Path, url: str, **network: Any) -> Environment:
    there = environment(gateway={"url": url, "key_variable": "K"}, network=network)
    return there.model_copy(update={"source": folder / "mini.toml"})


def by_sender(there: Environment, folder: Path, variables: dict[str, str]) -> Exchange:
    return _asked(there, variables, lambda client: client.models())


def by_stranger(there: Environment, folder: Path, variables: dict[str, str]) -> Exchange:
    return _asked(there, variables, lambda client: client.without_key("GET", "/v1/models"))


def _asked(
    there: Environment, variables: dict[str, str], ask: Callable[[GatewayClient], Exchange]
) -> Exchange:
    notebook = Notebook()
    sender = Sender(notebook, None, LIMIT, conduct=Conduct(route=route_of(there, variables)))
    try:
        ask(GatewayClient(there, KEY, sender))
    except NoAnswer:
        pass
    finally:
        sender.close()
    return notebook.exchanges[-1]


def by_sdk(there: Environment, folder: Path, variables: dict[str, str]) -> Exchange:
    notebook = Notebook()
    conduct = Conduct(route=route_of(there, variables))
    client = sdk_client(there, KEY, notebook, _budget(folder), conduct=conduct)
    with client, contextlib.suppress(openai.APIError):
        client.models.list()
    return notebook.exchanges[-1]


def by_async_sdk(there: Environment, folder: Path, variables: dict[str, str]) -> Exchange:
    notebook = Notebook()
    conduct = Conduct(route=route_of(there, variables))

    async def ask() -> None:
        async with async_sdk_client(there, KEY, notebook, _budget(folder), conduct=conduct) as client:
            with contextlib.suppress(openai.APIError):
                await client.models.list()

    asyncio.run(ask())
    return notebook.exchanges[-1]


def _budget(folder: Path) -> Budget:
    policy = Policy(effects=(Effect.READ, Effect.SPEND), requests=9, tokens=1000, seconds=60)
    return Budget(folder / "budget", policy, time.time())


WAYS = [by_sender, by_stranger, by_sdk, by_async_sdk]
every_way = pytest.mark.parametrize("ask", WAYS)


@pytest.fixture(autouse=True)
def _no_variables_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """What other clients would take from here: were it taken, nothing below would be reached."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def answered(exchange: Exchange) -> bool:
    """The stranger is refused, everybody else is served."""
    return exchange.status in (200, 401)


@every_way
def test_a_private_ca(ask: WayIn, authority: Authority, tmp_path: Path) -> None:
    context = server_context(authority.issue("server.pem", "127.0.0.1"))
    with front(context) as served:
        assert answered(ask(declared(tmp_path, served.url, ca_file="ca.pem"), tmp_path, {}))
        unknown = ask(declared(tmp_path, served.url), tmp_path, {})
    assert unknown.status is None
    assert "is of an unknown CA; name that CA's file as network.ca_file" in unknown.error


@every_way
@pytest.mark.parametrize(
    ("certificate", "words"),
    [
        ({"begins": -9, "ends": -1}, "TLS: the certificate of 127.0.0.1 has expired; renew it"),
        ({"begins": 1, "ends": 9}, "is not valid yet; look at both clocks"),
        ({"names": ("gateway.example",)}, "(wrong name); use the name that it holds"),
        ({"names": ("127.0.0.2",)}, "(wrong name); use the name that it holds"),
    ],
)
def test_a_wrong_certificate(
    ask: WayIn, certificate: dict[str, Any], words: str, authority: Authority, tmp_path: Path
) -> None:
    dates = {name: value for name, value in certificate.items() if name != "names"}
    names = certificate.get("names", ("127.0.0.1",))
    context = server_context(authority.issue("server.pem", *names, **dates))
    with front(context) as served:
        seen = ask(declared(tmp_path, served.url, ca_file="ca.pem"), tmp_path, {})
    assert (seen.status, served.seen) == (None, [])
    assert words in seen.error


@every_way
def test_a_client_certificate(ask: WayIn, authority: Authority, tmp_path: Path) -> None:
    context = server_context(authority.issue("server.pem", "127.0.0.1"), clients=authority.file)
    authority.issue("client.pem", "suite.example")
    Authority(tmp_path, "stranger").issue("other.pem", "suite.example")
    with front(context) as served:

        def shown(**network: str) -> Exchange:
            return ask(declared(tmp_path, served.url, ca_file="ca.pem", **network), tmp_path, {})

        assert answered(shown(client_certificate="client.pem"))
        assert answered(shown(client_certificate="client.pem", client_key="client.pem"))
        without, other = shown(), shown(client_certificate="other.pem")
    words = "asks for a client certificate; name one", "does not know the CA of"
    if ask is by_async_sdk:  # an event loop may have lost what the server said last
        words = ("asks for a client certificate", "network.client_certificate")
    assert words[0] in without.error
    assert words[1] in other.error


@every_way
def test_no_tls_there_and_old_tls(ask: WayIn, authority: Authority, tmp_path: Path) -> None:
    with front() as plain:
        seen = ask(declared(tmp_path, plain.url.replace("http:", "https:")), tmp_path, {})
    assert "TLS: no handshake with 127.0.0.1: " in seen.error


@every_way
@pytest.mark.parametrize("secure", [False, True])
def test_a_proxy(ask: WayIn, secure: bool, authority: Authority, tmp_path: Path) -> None:
    context = server_context(authority.issue("server.pem", "gateway.example")) if secure else None
    with front(context) as served, forward_proxy("suite:pass-3f9c0d7a") as proxy:
        url = served.url.replace("127.0.0.1", "gateway.example")  # a name that the proxy alone knows
        network = {"ca_file": "ca.pem", "proxy": proxy.url, "proxy_credentials_variable": "P"}
        there = declared(tmp_path, url, **network)
        assert answered(ask(there, tmp_path, {"P": "suite:pass-3f9c0d7a"}))
        assert len(proxy.lines) == 1
        assert all("proxy-authorization" not in headers for _, headers in served.seen) or not secure
        past = declared(
            tmp_path, served.url.replace("gateway.example", "127.0.0.1"), **network, no_proxy=["127.0.0.1"]
        )
        ask(past, tmp_path, {"P": "suite:pass-3f9c0d7a"})
        assert len(proxy.lines) == 1, "a host of no_proxy is reached past it"


@every_way
def test_a_proxy_that_refuses_or_is_not_there(ask: WayIn, tmp_path: Path) -> None:
    with front() as served, forward_proxy("suite:pass-3f9c0d7a") as proxy:
        there = declared(tmp_path, served.url.replace("http:", "https:"), proxy=proxy.url)
        if ask is by_stranger:
            with pytest.raises(Untestable, match=r"makes no tunnel to .* \(CONNECT: 407\)"):
                ask(there, tmp_path, {})
        else:
            assert "(CONNECT: 407)" in ask(there, tmp_path, {}).error
    seen = ask(declared(tmp_path, "http://gateway.example", proxy=proxy.url), tmp_path, {})
    assert f"the proxy {proxy.url[7:]} cannot be reached: connection refused" in seen.error


@every_way
def test_headers_go_to_the_gateway_alone(ask: WayIn, tmp_path: Path) -> None:
    with front() as served, front() as elsewhere:
        there = declared(tmp_path, served.url, headers={"X-Tenant": "blue", "x-pass": "v1 ${PASS}"})
        ask(there, tmp_path, {"PASS": "s3cret-3f9c0d7a"})
        ((_, headers),) = served.seen
        assert (headers["x-tenant"], headers["x-pass"]) == ("blue", "v1 s3cret-3f9c0d7a")
        sender = Sender(
            Notebook(), None, LIMIT, conduct=Conduct(route=route_of(there, {"PASS": "s3cret-3f9c0d7a"}))
        )
        sender.send("GET", elsewhere.url + "/alive")
        sender.close()
        assert not {"x-tenant", "x-pass"} & set(elsewhere.seen[0][1])


@every_way
def test_a_path_prefix(ask: WayIn, tmp_path: Path) -> None:
    with front(prefix="/llm/gw") as served:
        there = declared(tmp_path, served.url + "/v1/")
        assert there.gateway.url == served.url
        assert answered(seen := ask(there, tmp_path, {}))
    assert served.seen[0][0] == "/llm/gw/v1/models"
    assert seen.url == served.url + "/v1/models"


@every_way
def test_an_ipv6_address(ask: WayIn, authority: Authority, tmp_path: Path) -> None:
    with front(server_context(authority.issue("server.pem", "::1")), address="::1") as served:
        assert answered(ask(declared(tmp_path, served.url, ca_file="ca.pem"), tmp_path, {}))
    assert served.seen[0][1]["host"] == served.url.removeprefix("https://")


@every_way
def test_an_ipv6_address_behind_a_proxy(ask: WayIn, authority: Authority, tmp_path: Path) -> None:
    context = server_context(authority.issue("server.pem", "2001:db8::1"))
    with front(context) as served, forward_proxy() as proxy:
        url = served.url.replace("127.0.0.1", "[2001:db8::1]")
        assert answered(ask(declared(tmp_path, url, ca_file="ca.pem", proxy=proxy.url), tmp_path, {}))
    port = served.url.rpartition(":")[2]
    assert proxy.lines == [f"CONNECT [2001:db8::1]:{port} HTTP/1.1"]


def test_what_is_asked_in_absolute_form_keeps_the_prefix() -> None:
    there = environment(gateway={"url": "http://127.0.0.1:4000/llm", "key_variable": "K"})
    client = GatewayClient(there, KEY, None)  # type: ignore[arg-type]
    assert client._below("http://h/v1/models") == "http://h/llm/v1/models"
    assert client._below("//v1/models") == "/llm//v1/models"
    assert client._below("/v1?x=a://b") == "/llm/v1?x=a://b"


def test_what_this_machine_does_not_have(authority: Authority, tmp_path: Path) -> None:
    authority.issue("client.pem", "suite.example")
    authority.issue("locked.pem", "suite.example", password="made-up")
    authority.issue("another.pem", "suite.example")
    (tmp_path / "empty.pem").write_text("nothing\n", encoding="utf-8")
    for network, words in (
        ({"ca_file": "none.pem"}, "network.ca_file: .*none.pem cannot be read"),
        ({"ca_file": "empty.pem"}, "network.ca_file: .*empty.pem holds no certificate in PEM"),
        ({"client_certificate": "empty.pem"}, "network.client_certificate: this is no PEM"),
        ({"client_certificate": "locked.pem"}, "network.client_key is encrypted, and nobody is asked"),
        (
            {"client_certificate": "client.pem", "client_key": "another.pem"},
            "network.client_key is not the key of network.client_certificate",
        ),
        (
            {"headers": {"x-pass": "${PASS}"}},
            "network.headers.x-pass needs the variable PASS, which is not set",
        ),
        ({"headers": {"x-pass": "${SHORT}"}}, "fewer than 8 characters"),
        (
            {"proxy": "http://proxy:3128", "proxy_credentials_variable": "SHORT"},
            "does not hold USER:PASSWORD; export SHORT so",
        ),
    ):
        (sentence,) = missing_variables(declared(tmp_path, "http://h", **network), {"K": KEY, "SHORT": "abc"})
        assert re.search(words, sentence), sentence
