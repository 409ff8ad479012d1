"""The hand-over to Locust, by Locust itself: from PyPI by its lock, in a virtual environment of its own."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from lab.packaged.install import HERE, from_pypi, pinned
from lab.patience import patient
from tests.live.conftest import KEY_VARIABLE, ROOT, Lab
from tests.live.test_lifecycle import console
from tests.plugin.gateway import KEY
from tests.plugin.project import KEY_VARIABLE as MINI_KEY
from tests.plugin.project import Project
from tests.real_networks import Authority, forward_proxy, front, server_context

REQUESTS = 60
CREDENTIALS = "suite:pass-3f9c0d7a"
OF_OTHERS = {"HTTP_PROXY": "http://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9"}
"""Variables of other clients: nothing is taken from them."""


@pytest.fixture(scope="module")
def locust() -> str:
    """The program, installed once."""
    lock = HERE / "locust.lock"
    return str(
        ROOT / from_pypi(ROOT, "locust", pinned(lock, "locust"), lock, print, package="locust") / "locust"
    )


def handed_over(
    locust: str, environment: Path, folder: Path, **variables: str
) -> subprocess.CompletedProcess[str]:
    """A locustfile of an environment, and Locust's run by it, which ends by the number of its requests."""
    file = folder / "load.py"
    made = console("load-file", f"--env={environment}", f"--out={file}", f"--requests={REQUESTS}")
    assert made.returncode == 0, made.stderr
    words = [locust, "-f", str(file), "--headless", "-u", "4", "-r", "4", "-t", "60s", "--only-summary"]
    return subprocess.run(
        words,
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), **OF_OTHERS, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=patient(120),
    )


def inference(lab: Lab) -> int:
    """Requests to models that the lab's backends counted."""
    counts = lab.do("counts")
    return sum(one["count"] for backend in counts.values() for one in backend["requests"] if one["model"])


def test_a_real_gateway_serves_all_of_it(locust: str, lab: Lab, tmp_path: Path) -> None:
    before = inference(lab)
    done = handed_over(locust, lab.environment.source, tmp_path, **{KEY_VARIABLE: lab.state.key})
    assert done.returncode == 0, done.stdout + done.stderr
    told = re.search(r" refused +([0-9]+) +0\(0\.00%\) ", done.stderr)
    assert inference(lab) - before + (int(told[1]) if told else 0) == REQUESTS, done.stderr
    assert lab.state.key not in done.stdout + done.stderr


def test_it_goes_the_declared_way_and_tells_what_is_wrong(locust: str, tmp_path: Path) -> None:
    """TLS by a private CA with a client certificate, below a prefix, with a header of the file. This gateway
    serves any model, and its streams have no end: both are failures, told apart."""
    authority = Authority(tmp_path)
    context = server_context(authority.issue("server.pem", "127.0.0.1"), clients=authority.file)
    authority.issue("client.pem", "suite.example")
    more = f"""
[network]
ca_file = "{authority.file}"
client_certificate = "{tmp_path / "client.pem"}"
headers = {{ "x-pass" = "v1 ${{PASS}}" }}
"""
    with front(context, prefix="/llm/gw") as served:
        environment = Project(tmp_path).environment(served.url, more=more)
        done = handed_over(locust, environment, tmp_path, PASS="s3cret-3f9c0d7a", **{MINI_KEY: KEY})
    assert done.returncode == 1, done.stdout + done.stderr
    said = done.stdout + done.stderr
    assert "200: a model that does not exist is to be refused" in said
    assert "200: the stream has no end" in said
    assert "200: no completion" not in said
    assert {path for path, _ in served.seen} == {"/llm/gw/v1/chat/completions"}
    assert {(one["authorization"], one["x-pass"]) for _, one in served.seen} == {
        (f"Bearer {KEY}", "v1 s3cret-3f9c0d7a")
    }
    assert all(one["user-agent"].startswith("gateway-acceptance/") for _, one in served.seen)
    assert len(served.seen) == REQUESTS


def test_it_goes_through_the_declared_proxy(locust: str, tmp_path: Path) -> None:
    more = """
[network]
proxy = "PROXY"
proxy_credentials_variable = "P"
"""
    with front() as served, forward_proxy(CREDENTIALS) as proxy:
        url = served.url.replace("127.0.0.1", "gateway.example")  # a name that the proxy alone knows
        environment = Project(tmp_path).environment(url, more=more.replace("PROXY", proxy.url))
        handed_over(locust, environment, tmp_path, P=CREDENTIALS, **{MINI_KEY: KEY})
    assert len(served.seen) == REQUESTS
    assert proxy.lines[0].startswith("POST http://gateway.example:")


def test_without_its_key_nothing_is_sent(locust: str, tmp_path: Path) -> None:
    with front() as served:
        done = handed_over(locust, Project(tmp_path).environment(served.url), tmp_path)
    assert done.returncode == 1
    assert f"the key of mini is not there, or unfit: {{'variable': '{MINI_KEY}'}}" in done.stderr
    assert served.seen == []
