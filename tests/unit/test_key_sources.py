"""Where a key comes from: a variable, a file or a command; what is wrong is one sentence without the key."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from gateway_acceptance.environment import Environment, load_environment
from gateway_acceptance.environment.secrets import file_notes, key_of, secrets_of
from gateway_acceptance.usage import UsageProblem
from tests.unit.declared import URL, document, environment

KEY = "sk-made-up-7d2f90c1"


def declared(folder: Path, **gateway: object) -> Environment:
    there = environment(gateway={"url": URL, **gateway})
    return there.model_copy(update={"source": folder / "mini.toml"})


def printing(text: str) -> list[str]:
    return [sys.executable, "-c", text]


def test_each_source_gives_it(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"\ufeff{KEY}\r\n", encoding="utf-8")
    assert key_of(declared(tmp_path, key_variable="K"), {"K": KEY}) == KEY
    assert key_of(declared(tmp_path, key_file="key"), {}) == KEY
    assert key_of(declared(tmp_path, key_command=printing(f"print('{KEY}')")), {}) == KEY
    assert key_of(declared(tmp_path, key_command=["cat", "key"]), {}) == KEY, "from the file's folder"


@pytest.mark.parametrize(
    ("gateway", "words"),
    [
        ({}, "gateway.key_variable is missing"),
        ({"key_variable": "K", "key_file": "f"}, "gateway.key_variable and gateway.key_file are given"),
        ({"key_file": "f", "key_command": ["c"]}, "gateway.key_file and gateway.key_command are given"),
        ({"key_command": []}, "gateway.key_command"),
    ],
)
def test_exactly_one_is_named(tmp_path: Path, gateway: dict[str, object], words: str) -> None:
    path = tmp_path / "mini.toml"
    lines = [f"{name} = {json.dumps(value)}" for name, value in {"url": URL, **gateway}.items()]
    rest = "\n".join(
        f"[policy]\neffects = {json.dumps(policy['effects'])}\nrequests = 1\ntokens = 1\nseconds = 1"
        for policy in (document()["policy"],)
    )
    model = '[[models]]\nalias = "a"\nkind = "chat"\nbackend = "one"\nupstream = "u"\n'
    backend = '[[backends]]\nname = "one"\nurl = "http://127.0.0.1:1"\n'
    text = 'name = "mini"\nkind = "staging"\n[gateway]\n' + "\n".join(lines) + f"\n{backend}{model}{rest}\n"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageProblem) as told:
        load_environment(str(path), tmp_path, {})
    (sentence,) = told.value.sentences
    assert words in sentence


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read (No such file or directory)"),
        (b"", "holds nothing"),
        (b"\n", "holds nothing"),
        (b"short", "fewer than 8 characters"),
        (b"production", "is a plain word"),
        (b"sk-one-key-3f9c\nsk-another-key\n", "no header can carry"),
        (b"x" * 9000, "holds more than 8192 bytes, which is no key"),
        (b"\x80\x81\x82\x83\x84\x85\x86\x87", "no header can carry"),
    ],
)
def test_what_is_wrong_with_a_file(tmp_path: Path, content: bytes | None, words: str) -> None:
    if content is not None:
        (tmp_path / "key").write_bytes(content)
    with pytest.raises(UsageProblem) as told:
        key_of(declared(tmp_path, key_file="key"), {})
    (sentence,) = told.value.sentences
    assert words in sentence
    assert content is None or len(content.strip()) < 6 or content.decode("latin-1").strip() not in sentence


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["no-such-program-here"], "(no-such-program-here) cannot be started (No such file or directory)"),
        (printing(f"import sys; print('{KEY}'); sys.exit(3)"), "failed with exit status 3; run it by hand"),
        (printing(f"import sys; sys.stderr.write('{KEY}'); sys.exit(1)"), "failed with exit status 1"),
        (printing("pass"), "prints what holds nothing"),
        (printing("while True: print('x' * 4096)"), "more than 8192 bytes, which is no key"),
        (printing("input()"), "failed with exit status 1"),
    ],
)
def test_what_is_wrong_with_a_command(
    tmp_path: Path, command: list[str], words: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UsageProblem) as told:
        key_of(declared(tmp_path, key_command=command), {})
    (sentence,) = told.value.sentences
    assert words in sentence
    assert KEY not in sentence
    assert capfd.readouterr() == ("", ""), "what it prints is shown to nobody"


def test_a_command_that_never_ends_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its children with it, and one that has closed its output goes on no longer than others."""
    monkeypatch.setattr("gateway_acceptance.environment.secrets.COMMAND_S", 0.5)
    for text in ("import time; time.sleep(60)", "import os, time; os.close(1); time.sleep(60)"):
        with pytest.raises(UsageProblem, match=r"was not done within 0\.5 s"):
            key_of(declared(tmp_path, key_command=printing(text)), {})


def test_a_file_that_others_may_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(KEY, encoding="utf-8")
    (tmp_path / "key").chmod(0o640)
    (note,) = file_notes(declared(tmp_path, key_file="key"))
    assert "gateway.key_file: others than its owner may use" in note
    assert "(mode 0640); chmod 600 it" in note
    (tmp_path / "key").chmod(0o400)
    assert file_notes(declared(tmp_path, key_file="key")) == []


def test_the_secrets_of_a_network_are_no_part_of_the_environment(tmp_path: Path) -> None:
    path = tmp_path / "mini.toml"
    path.write_text(
        'name = "mini"\nkind = "staging"\n[gateway]\nurl = "http://h"\nkey_variable = "K"\n[network]\n'
        'proxy = "http://proxy:3128"\nproxy_credentials_variable = "P"\n'
        'headers = { X-Pass = "v ${PASS}" }\n[[backends]]\nname = "one"\nurl = "http://127.0.0.1:1"\n'
        '[[models]]\nalias = "a"\nkind = "chat"\nbackend = "one"\nupstream = "u"\n'
        '[policy]\neffects = ["read"]\nrequests = 1\ntokens = 1\nseconds = 1\n',
        encoding="utf-8",
    )
    variables = {"PASS": "s3cret-3f9c0d7a", "P": "suite:pw-51e84b26"}
    there = load_environment(str(path), tmp_path, variables)
    assert all(secret not in there.model_dump_json() for secret in variables.values())
    assert set(secrets_of(there, variables).values()) == {
        "s3cret-3f9c0d7a",
        "pw-51e84b26",
        "suite:pw-51e84b26",
    }


@pytest.mark.parametrize(
    ("network", "words"),
    [
        ({"client_key": "k"}, "network.client_key is without network.client_certificate"),
        ({"no_proxy": ["h"]}, "network.no_proxy is without network.proxy"),
        ({"proxy": "socks5://h:1"}, "is not an http:// or https:// URL"),
        ({"proxy": "http://user:pw@h:1"}, "must not hold a user or a password"),
        ({"proxy": "http://h:1/path"}, "write its scheme, host and port alone"),
        ({"headers": {"Host": "h"}}, "which the suite or the client sets itself"),
        ({"headers": {"x a": "h"}}, "no name of a header"),
        ({"headers": {"x-a": "a\nb"}}, "that no header can carry"),
        ({"headers": {"x-a": "1", "X-A": "2"}}, "names a header twice"),
        ({"headers": {"Authorization": "Bearer x"}}, "the header of the key"),
        ({"cafile": "x"}, "cafile"),
    ],
)
def test_what_is_wrong_with_a_network(network: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words.replace("(", r"\(")):
        environment(network=network)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://[::1", "holds a bracket that opens no IPv6 address"),
        ("http://2001:db8::1:4000", "holds an IPv6 address without brackets"),
        ("http://[fe80::1%eth0]:4000", "holds an IPv6 address with a zone"),
    ],
)
def test_addresses_that_are_none(url: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        environment(gateway={"url": url, "key_variable": "K"})
