"""A whole run over a declared network: its preflight, its checks, its fingerprint; and no secret in it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

from tests.plugin.gateway import KEY
from tests.plugin.project import ALIVE, Project, a_check
from tests.real_networks import Authority, forward_proxy, front, server_context

PASS = "s3cret-3f9c0d7a51"
ASKS = [
    a_check(1, "assert gateway.models().status == 200", "gateway"),
    a_check(2, "sdk.models.with_raw_response.list()", "sdk"),
    a_check(3, "gateway.without_key('GET', '/v1/models')", "gateway"),
    a_check(
        4,
        "gateway.models(); raise CheckFailed('it is ' + os.environ['PASS'] + ' and suite:pw-51e84b26')",
        "gateway",
    ),
]


def test_a_run_over_tls_a_proxy_and_a_prefix(project: Project) -> None:
    project.checks(ALIVE, *ASKS)
    folder = project.root / "environments"
    folder.mkdir(exist_ok=True)
    authority = Authority(folder)
    context = server_context(authority.issue("server.pem", "gateway.example"), clients=authority.file)
    authority.issue("client.pem", "suite.example")
    project.write("environments/key", KEY + "\n").chmod(0o644)
    with front(context, prefix="/llm") as served, forward_proxy("suite:pw-51e84b26") as proxy:
        network = (
            f'[network]\nca_file = "ca.pem"\nclient_certificate = "client.pem"\nproxy = "{proxy.url}"\n'
            'proxy_credentials_variable = "CREDENTIALS"\nheaders = { x-pass = "${PASS}" }\n'
        )
        url = served.url.replace("127.0.0.1", "gateway.example")
        path = project.environment(url, more=network, connect_s=30)
        text = path.read_text(encoding="utf-8").replace('key_variable = "MINI_KEY"', 'key_file = "key"')
        path.write_text(text, encoding="utf-8")
        variables = {"PASS": PASS, "CREDENTIALS": "suite:pw-51e84b26"}
        run = project.run(more=variables, key=None)
        lines = set(
            re.findall(r"ask again  (curl .*)", run.output)
        )  # where CI is set, pytest says all of it twice
        assert len(lines) == 1, run.output
        (line,) = lines
        if shutil.which("curl") is not None:
            told = subprocess.run(
                ["sh", "-c", line],
                env={**variables, "PATH": os.environ["PATH"]},
                capture_output=True,
                timeout=30,
            )
            assert b"chat-one" in told.stdout, (line, told.stderr)
    verdicts = [run.verdict(f"API-T-00{number}") for number in (1, 2, 3, 4)]
    assert verdicts == ["passed", "passed", "passed", "failed"], run.output
    assert all(headers.get("x-pass") == PASS for _, headers in served.seen)
    assert "others than its owner may use" in run.output
    (directory,) = run.directories.values()
    written = [one.read_text(errors="replace") for one in directory.rglob("*") if one.is_file()]
    for secret in (PASS, KEY, "pw-51e84b26"):
        assert all(secret not in text for text in [run.output, *written])
    assert "[redacted:PASS in the header x-pass of mini]" in run.output


def test_a_command_is_asked_once(project: Project) -> None:
    project.checks(ALIVE, *ASKS[:1])
    with front() as served:
        path = project.environment(served.url)
        told = f"open('asked', 'a').write('x'); print('{KEY}')"
        command = f'key_command = ["{sys.executable}", "-c", "{told}"]'
        text = path.read_text(encoding="utf-8").replace('key_variable = "MINI_KEY"', command)
        path.write_text(text, encoding="utf-8")
        run = project.run("-n", "2", key=None)
    assert run.verdict("API-T-001") == "passed", run.output
    assert (path.parent / "asked").read_text(encoding="utf-8") == "x"


def test_nothing_is_sent_where_the_command_fails(project: Project) -> None:
    project.checks(ALIVE, *ASKS[:1])
    with front() as served:
        path = project.environment(served.url)
        text = path.read_text(encoding="utf-8").replace(
            'key_variable = "MINI_KEY"', 'key_command = ["false"]'
        )
        path.write_text(text, encoding="utf-8")
        run = project.run(key=None)
        assert served.seen == []
    assert run.code == 4
    assert "gateway.key_command (false) failed with exit status 1" in run.output
    assert run.directories == {}
