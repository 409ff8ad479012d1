"""``gateway-acceptance init``: what it refuses, and what it says of a gateway that cannot be examined."""

from __future__ import annotations

import pytest

from tests.unit.plain_gateway import Plain
from tests.unit.test_init import VARIABLE, Init, init, plain

__all__ = ["init", "plain"]

BAD = [
    (["--url", "gateway.example"], "is not an http:// or https:// URL"),
    (["--url", "http://u:p@127.0.0.1:1"], "must not hold a user or a password"),
    (["--url", "http://127.0.0.1:1/v1/models"], "is the URL of one endpoint; write"),
    (["--url", "http://127.0.0.1:99999"], "has no valid port"),
    (["--url", "http://${HOST}:1"], "holds a variable that the shell did not replace"),
    (["--key-env", "sk-1234567890"], "--key-env is not the name of a variable"),
    (["--key-env", "NO_SUCH_VARIABLE"], "which is not set; export NO_SUCH_VARIABLE"),
    (["--out", "mine.txt"], "does not end in .toml"),
    (["--out", "no/such/mine.toml"], "there is no directory no/such"),
    (["--host", "gateway.example"], "is not a testinfra URI"),
    (["--host", "ssh://u:p@host"], "must not hold a password"),
    (["--requests", "31"], "is not between 5 and 30"),
    (["--requests", "0"], "is not between 5 and 30"),
    (["--host", "ssh://h", "--ssh-config", "no-such"], "there is no such file"),
    (["--ca-file", "no-such.pem"], "no-such.pem"),
    (["--key-header", "X Key"], "is no name of a header"),
    (["--header", "x-a"], "--header 'x-a' is without a value: write NAME=VALUE"),
    (["--header", "x-a=b\nc"], "--header holds a value for 'x-a' that no header can carry"),
    (["--header", "Authorization=Bearer x"], "--header names the header of the key"),
    (["--header", "x-a=${NOT_SET}"], "x-a needs the variable NOT_SET, which is not set"),
    (["--proxy", "proxy:3128"], "--proxy is not an http:// or https:// URL with a host"),
    (["--client-key", __file__], "--client-key is without --client-certificate: name both"),
    (["--ca-file", __file__], f"--ca-file: {__file__} holds no certificate in PEM"),
]


@pytest.mark.parametrize(("options", "words"), BAD)
def test_bad_input_sends_nothing(init: Init, plain: Plain, options: list[str], words: str) -> None:
    code, out, err = init(*options)
    assert (code, out, plain.seen) == (4, "", [])
    assert words in err
    assert len(err.splitlines()) == 1
    assert "sk-1234567890" not in err


def test_a_wrong_key(init: Init, plain: Plain) -> None:
    plain.key = "sk-another-0123456789"
    code, out, err = init()
    assert (code, out, len(plain.seen)) == (1, "", 1)
    assert "refuses the environment's key (GET /v1/models: 401" in err
    assert f"correct the key in {VARIABLE}" in err


def test_nothing_listens(init: Init) -> None:
    code, out, err = init(url="http://127.0.0.1:9")
    assert (code, out) == (1, "")
    assert "connection refused" in err
    assert "correct the port in --url" in err
    assert len(err.splitlines()) == 1


def test_the_api_is_elsewhere(init: Init, plain: Plain) -> None:
    """Who names a page of the gateway's console is told the URL that is meant."""
    code, _, err = init(url=f"{plain.url}/console")
    assert code == 1
    assert f"write --url {plain.url}" in err


def test_what_fails_everywhere_is_no_better_elsewhere(init: Init, plain: Plain) -> None:
    """A server of which every path fails is not recommended by another one of them."""
    for path in ("/v1/models", "/api/v1/models", "/openai/v1/models"):
        plain.answers[path] = (500, {"error": "Cannot read properties of undefined"}, {})
    code, _, err = init()
    assert code == 1
    assert "/api" not in err
