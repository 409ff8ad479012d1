"""The command that a finding prints asks the same again when it is pasted, by the declared way, and holds no
secret (docs/networks.md)."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from gateway_acceptance.environment import Environment
from gateway_acceptance.wire.curl import command, way_of
from gateway_acceptance.wire.exchange import Exchange, Headers, Notebook
from gateway_acceptance.wire.gateway import GatewayClient
from gateway_acceptance.wire.ledger import Conduct
from gateway_acceptance.wire.route import route_of
from gateway_acceptance.wire.sender import Deadline, Sender
from tests.plugin.gateway import KEY
from tests.real_networks import Authority, forward_proxy, front, server_context
from tests.unit.declared import environment

URL = "http://127.0.0.1:9/v1/chat/completions"
PASS, LIMITED = "s3cret-3f9c0d7a51", "sk-limited-51e84b269cd1"
VARIABLES = {"K": KEY, "PASS": PASS, "LIMITED": LIMITED, "CREDENTIALS": "suite:pw-51e84b26"}
SAYS = 'curl() { printf "%s\\0" "$@"; case "$*" in *"--data-binary @-") cat;; esac; }\n'
"""A shell in which curl tells what it was given."""


def declared(folder: Path, gateway: dict[str, Any] | None = None, **network: Any) -> Environment:
    given = gateway or {"key_variable": "K"}
    there = environment(gateway={"url": "http://127.0.0.1:9", **given}, network=network)
    return there.model_copy(update={"source": folder / "mini.toml"})


def pasted(
    exchange: Exchange, there: Environment, variables: dict[str, str] | None = None
) -> tuple[list[str], str]:
    """What curl is given by a shell, and the line that was pasted."""
    held = VARIABLES if variables is None else variables
    line = command(exchange, way_of(route_of(there, held), KEY, held))
    done = subprocess.run(
        ["sh", "-c", SAYS + line], env={**held, "PATH": "/usr/bin:/bin"}, capture_output=True, check=True
    )
    assert not any(secret in line for secret in VARIABLES.values())
    return [one.decode(errors="surrogateescape") for one in done.stdout.split(b"\0")], line


def asked(headers: Headers = (), body: bytes = b"", url: str = URL, **more: Any) -> Exchange:
    return Exchange("POST", url, tuple(headers), body, **more)


def test_the_key_comes_from_where_it_is_declared(tmp_path: Path) -> None:
    exchange = asked([("authorization", f"Bearer {KEY}")])
    (tmp_path / "a key").write_text(KEY + "\n", encoding="utf-8")
    ways: dict[str, dict[str, Any]] = {
        '"authorization: Bearer $K"': {"key_variable": "K"},
        "$(cat ": {"key_file": "a key"},
        "&& printf %s ": {"key_command": ["printf", "%s", "a key"]},
    }
    for shown, gateway in ways.items():
        words, line = pasted(exchange, declared(tmp_path, gateway))
        assert shown in line
        key = "a key" if "key_command" in gateway else KEY
        assert words[-3:-1] == ["-H", f"authorization: Bearer {key}"]
    words, line = pasted(
        asked([("x-own", KEY)]), declared(tmp_path, {"key_variable": "K", "key_header": "x-own"})
    )
    assert words[-2] == f"x-own: {KEY}"


def test_a_key_that_nobody_holds_is_made_up_and_the_limited_one_is_named(tmp_path: Path) -> None:
    gateway = {"key_variable": "K", "limited_key": {"key_variable": "LIMITED", "models": ["chat-one"]}}
    there = declared(tmp_path, gateway)
    words, line = pasted(asked([("authorization", "Bearer sk-wrong-77777777")]), there)
    assert words[-2] == "authorization: Bearer made-up"
    words, line = pasted(asked([("authorization", f"Bearer {LIMITED}")]), there)
    assert "$LIMITED" in line
    assert words[-2] == f"authorization: Bearer {LIMITED}"
    words, line = pasted(asked([("authorization", f"Bearer {KEY}x")]), there)
    assert words[-2] == f"authorization: Bearer {KEY}x"


def test_declared_headers_are_sent_their_secrets_by_name(tmp_path: Path) -> None:
    there = declared(tmp_path, headers={"x-tenant": "blue", "x-pass": 'id "${PASS}"!'})
    added = route_of(there, VARIABLES).added(URL)
    for withheld in (False, True):
        words, line = pasted(asked([*added, ("user-agent", "ours")], withheld=withheld), there)
        assert "x-tenant: blue" in words
        assert f'x-pass: id "{PASS}"!' in words
        assert "$PASS" in line


def test_what_is_trusted_and_shown_in_tls_is_named(tmp_path: Path) -> None:
    there = declared(tmp_path, ca_file="ca.pem", client_certificate="a:b.pem", client_key="client.key")
    words, _ = pasted(asked(url="https://gateway.example/v1"), there)
    place = tmp_path.absolute()
    assert words[4:-1] == [
        *("--cacert", f"{place}/ca.pem"),
        *("--cert", f"{place}/a\\:b.pem", "--key", f"{place}/client.key"),
    ]
    words, _ = pasted(asked(), there)
    assert "--cacert" not in words, "no TLS is spoken there"


def test_the_declared_proxy_is_named_and_no_other(tmp_path: Path) -> None:
    there = declared(
        tmp_path,
        proxy="http://proxy.example:3128",
        proxy_credentials_variable="CREDENTIALS",
        no_proxy=["127.0.0.1"],
    )
    words, line = pasted(asked(url="http://gateway.example/v1"), there)
    credentials = ["--proxy-user", VARIABLES["CREDENTIALS"]]
    assert words[4:-1] == ["--proxy", "http://proxy.example:3128", *credentials]
    assert '"$CREDENTIALS"' in line
    words, _ = pasted(asked(url="http://gateway.example/v1", withheld=True), there)
    assert words[-2] == "--proxytunnel"
    words, _ = pasted(asked(), there)
    assert words[4:-1] == ["--noproxy", "*"]
    words, _ = pasted(asked(), declared(tmp_path))
    assert words[4:-1] == []
    words, _ = pasted(asked(), declared(tmp_path), VARIABLES | {"HTTPS_PROXY": "http://127.0.0.1:9"})
    assert words[4:-1] == ["--noproxy", "*"], "nobody's but the declared one"


BODIES = [b'{"a": "it\'s $HOME `id` \\\\ !"}', b"\xff\xfe{", b"a\0b\\n%s\x1b[2J", "ü\u202e".encode(), b"@-"]


@pytest.mark.parametrize("body", BODIES)
def test_a_body_comes_byte_for_byte(body: bytes, tmp_path: Path) -> None:
    words, line = pasted(asked([("content-type", "application/json")], body), declared(tmp_path))
    assert line.isprintable()
    sent = "\0".join(words[words.index("--data-raw") + 1 : -1] if "--data-raw" in words else words[8:])
    assert sent.encode(errors="surrogateescape") == body


def test_what_curl_would_add_or_leave_out_is_said(tmp_path: Path) -> None:
    there = declared(tmp_path)
    assert "content-type:" in pasted(asked(body=b"{}"), there)[0]
    assert "x-empty;" in pasted(asked([("x-empty", "")]), there)[0]
    words, _ = pasted(Exchange("HEAD", URL, (), b""), there)
    assert words[:-1] == ["-sS", "--head", URL]


def test_pasted_into_a_shell_it_reaches_the_gateway(tmp_path: Path) -> None:
    """Over TLS of a private CA, with a client's certificate, through a proxy, with a secret header."""
    if shutil.which("curl") is None:
        pytest.skip("there is no curl here")
    authority = Authority(tmp_path)
    context = server_context(authority.issue("server.pem", "gateway.example"), clients=authority.file)
    authority.issue("client.pem", "suite.example")
    with front(context, prefix="/llm") as served, forward_proxy(VARIABLES["CREDENTIALS"]) as proxy:
        there = declared(
            tmp_path,
            {"url": served.url.replace("127.0.0.1", "gateway.example"), "key_variable": "K"},
            ca_file="ca.pem",
            client_certificate="client.pem",
            proxy=proxy.url,
            proxy_credentials_variable="CREDENTIALS",
            headers={"x-pass": "${PASS}"},
        )
        route, notebook = route_of(there, VARIABLES), Notebook()
        sender = Sender(notebook, None, Deadline(5, 10), conduct=Conduct(route=route))
        answer = GatewayClient(there, KEY, sender).models()
        sender.close()
        line = command(answer, way_of(route, KEY, VARIABLES))
        done = subprocess.run(
            ["sh", "-c", line], env={**VARIABLES, "PATH": "/usr/bin:/bin"}, capture_output=True, timeout=30
        )
    assert done.returncode == 0, (line, done.stderr)
    assert json.loads(done.stdout) == answer.json()
    (ours, headers), (again, theirs) = served.seen
    assert ours == again
    assert theirs["x-pass"] == PASS
    assert theirs["authorization"] == headers["authorization"]
