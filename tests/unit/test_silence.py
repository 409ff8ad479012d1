"""A gateway that cannot be asked: what is wrong, and the fix that fixes it."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import pytest

from gateway_acceptance.environment.products import Product
from gateway_acceptance.plugin.preflight import Preflight, fix_of_silence, preflight_of
from gateway_acceptance.verdict import NoAnswer
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.gateway import GatewayClient
from tests.unit.declared import environment

PLAIN, TLS = "http://gw.example:4000", "https://gw.example:4000"


@pytest.mark.parametrize(
    ("words", "url", "fix"),
    [
        (
            "the name gw.example cannot be resolved: Name or service not known",
            PLAIN,
            "there is no such name: ",
        ),
        ("the name gw.example was not resolved within 3 s", PLAIN, "look whether the resolver"),
        ("TLS: no handshake with gw.example: wrong version number", TLS, f"write {PLAIN} as gateway.url"),
        ("TLS: no handshake with gw.example: record layer failure", TLS, f"write {PLAIN} as gateway.url"),
        (
            "TLS: no handshake with gw.example: tlsv1 alert protocol version",
            TLS,
            "which versions and ciphers",
        ),
        ("TLS: the certificate of gw.example has expired; renew it", TLS, "then run again"),
        ("connection refused", PLAIN, "start it, or correct the port in gateway.url"),
        ("no answer within 5 s", PLAIN, "whether it hangs or a firewall"),
        ("the connection broke: reset by peer", PLAIN, f"if it speaks TLS there, write {TLS} as gateway.url"),
        ("the connection broke: reset by peer", TLS, "look whether gateway.url is its address"),
        ("no connection: No route to host", PLAIN, "look whether gateway.url is its address"),
    ],
)
def test_the_fix_of_a_silence(words: str, url: str, fix: str) -> None:
    said = fix_of_silence(f"GET {url}/health: {words}", url)
    assert fix in said
    assert ("start it" in said) == (words == "connection refused")


def looked(
    *answers: Exchange | NoAnswer, product: Product | None = None, description: bool = True
) -> Preflight:
    """What is found of a gateway that answers its readiness, its models and what else is asked so."""
    left = list(answers)

    def next_answer(*_: object, **__: object) -> Exchange:
        answer = left.pop(0)
        if isinstance(answer, NoAnswer):
            raise answer
        return answer

    declared = environment(gateway={"url": PLAIN, "key_variable": "K"})
    only = SimpleNamespace(
        product=product or Product(), environment=declared, get=next_answer, models=next_answer
    )
    return preflight_of(cast(GatewayClient, only), description=description)


def answered(status: int, text: object) -> Exchange:
    body = json.dumps(text).encode()
    return Exchange("GET", PLAIN, (), b"", status=status, chunks=[(0.1, body)], elapsed_s=0.1)


@pytest.mark.parametrize(
    "text",
    [
        "<center>The plain HTTP request was sent to HTTPS port</center>",
        "Client sent an HTTP request to an HTTPS server.",
        "Reason: You're speaking plain HTTP to an SSL-enabled server port.",
    ],
)
def test_a_port_of_tls_is_no_refused_key(text: str) -> None:
    trouble = looked(answered(400, text), answered(400, text)).trouble
    assert trouble is not None
    assert trouble.what.startswith("the gateway speaks TLS there (GET /v1/models: 400")
    assert trouble.fix == f"write {TLS} as gateway.url"


def test_a_key_that_is_refused_with_400_stays_one() -> None:
    trouble = looked(answered(200, ""), answered(400, "no such key")).trouble
    assert trouble is not None
    assert trouble.what.startswith("the gateway refuses the environment's key")


LISTED = {"object": "list", "data": [{"id": "m"}]}


@pytest.mark.parametrize(
    ("bare", "spoken", "refused"),
    [
        (200, 401, 'the gateway refuses the environment\'s key (POST /v1/chat/completions: 401 "no")'),
        (200, 200, ""),
        (200, 404, ""),
        (200, 400, ""),
        (401, 401, ""),
    ],
)
def test_a_list_that_everybody_gets_proves_no_key(bare: int, spoken: int, refused: str) -> None:
    """The Shepherd Model Gateway: with a wrong key twenty checks were red, and "doctor" said that it is
    taken."""
    chat = replace(answered(spoken, "no"), url=f"{PLAIN}/v1/chat/completions")
    answers = {None: answered(bare, LISTED if bare == 200 else {}), "own": answered(200, LISTED)}
    gateway = SimpleNamespace(
        product=Product(),
        environment=environment(gateway={"url": PLAIN, "key_variable": "K"}),
        get=lambda *_, key="own": answers[key],
        models=lambda: answers["own"],
        chat=lambda *_, **__: chat,
    )
    assert preflight_of(cast(GatewayClient, gateway), prove=True).refused == refused
    assert preflight_of(cast(GatewayClient, gateway)).refused == ""


def test_litellm_without_a_database_says_400_of_a_key_that_it_does_not_know() -> None:
    error = {"message": "No connected db.", "type": "no_db_connection", "param": None, "code": "400"}
    gateway = SimpleNamespace(
        product=Product(),
        environment=environment(gateway={"url": PLAIN, "key_variable": "K"}),
        get=lambda *_, **__: answered(200, LISTED),
        models=lambda: answered(200, LISTED),
        chat=lambda *_, **__: answered(400, {"error": error}),
    )
    found = preflight_of(cast(GatewayClient, gateway), prove=True)
    assert found.refused.startswith("the gateway refuses the environment's key (POST")


@pytest.mark.parametrize(
    ("spoken", "silent"), [(200, ""), (503, 'the gateway is unavailable (GET /v1/models: 502 "no")')]
)
def test_a_list_that_is_broken_alone_is_no_gateway_that_is_down(spoken: int, silent: str) -> None:
    """NeMo Guardrails: 502 for a list of models whose server is not configured, and chats."""
    gateway = SimpleNamespace(
        product=Product(),
        environment=environment(gateway={"url": PLAIN, "key_variable": "K"}),
        get=lambda *_, **__: answered(200, {}),
        models=lambda: answered(502, "no"),
        chat=lambda *_, **__: answered(spoken, {}),
    )
    found = preflight_of(cast(GatewayClient, gateway), prove=True)
    assert (found.silent, found.unlisted) == (silent, not silent)


DESCRIBED = Product(readiness="/ready", version_key="version", version_described=True)
DESCRIPTION = {"openapi": "3.1.0", "info": {"title": "A gateway", "version": "1.108.7"}}


@pytest.mark.parametrize(
    ("description", "version"),
    [
        (DESCRIPTION, "1.108.7"),
        ({"info": ["1.108.7"]}, ""),
        ({"version": "1.108.7"}, ""),
        ("no description", ""),
        ([], ""),
    ],
)
def test_who_refuses_the_key_may_describe_its_version(description: object, version: str) -> None:
    refused = answered(401, "no such key")
    found = looked(answered(200, {}), refused, answered(200, description), product=DESCRIBED)
    assert found.version == version
    assert found.refused.startswith("the gateway refuses the environment's key")


def test_a_description_is_asked_for_only_where_the_version_is_not_told_otherwise() -> None:
    refused = answered(401, "no such key")
    assert looked(answered(200, {"version": "1.2"}), refused, product=DESCRIBED).version == "1.2"
    assert not looked(answered(200, {}), refused, product=DESCRIBED, description=False).version
    assert not looked(answered(200, {}), refused, NoAnswer("silent"), product=DESCRIBED).version


@pytest.mark.parametrize(
    ("page", "said"),
    [
        (
            "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>nginx</body>",
            "502 Bad Gateway",
        ),
        (" <!DOCTYPE html><TITLE lang='en'>gw.example |\n 502: Bad\n</TITLE>", "502 gw.example | 502: Bad"),
        ("<html>\n<p>down\n</html>", "502 <html> <p>down </html>"),
        ("<title" * 100_000, "502 " + ("<title" * 20)),
        ('{"error":\n "no <title>x</title>"}', '502 {"error": "no <title>x</title>"}'),
    ],
)
def test_a_page_in_front_is_leaks_of_answer_its_title_on_one_line(page: str, said: str) -> None:
    answer = Exchange("GET", PLAIN, (), b"", status=502, chunks=[(0.1, page.encode())], elapsed_s=0.1)
    trouble = looked(answer, answer).trouble
    assert trouble is not None
    assert trouble.what == f"the gateway is unavailable (GET /v1/models: {said})"


def test_a_proxy_without_a_gateway_behind_is_not_told_to_start() -> None:
    trouble = looked(answered(502, "bad gateway"), answered(502, "bad gateway")).trouble
    assert trouble is not None
    assert "start what stands behind" in trouble.fix


def test_no_answer_is_told_with_its_fix() -> None:
    trouble = looked(NoAnswer(f"GET {PLAIN}/v1/models: the name gw.example cannot be resolved: -2")).trouble
    assert trouble is not None
    assert trouble.fix.startswith("there is no such name: correct gw.example in gateway.url")
