"""A real nginx, Debian's, between a run and its gateway: private CA, client certificates, a prefix, IPv6,
a declared proxy, two replicas behind one name; green as declared, one sentence where something is missing.

docs/networks.md. The package is fetched once, below .lab; without apt there is nothing to fetch it with.
"""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from lab.hosts.tools import search_path
from tests.live.test_lifecycle import all_gone
from tests.nginx import ensure_nginx, listening, place, serving_nginx
from tests.plugin.gateway import Gateway, serving
from tests.plugin.project import ALIVE, Project, a_check, new_project
from tests.real_networks import Authority, ForwardProxy, forward_proxy

ROOT = Path(__file__).parents[2]
NAME = "gateway.example"
"""Nobody resolves it but the proxy."""
ASKS = [
    a_check(1, "assert gateway.models().status == 200", "gateway"),
    a_check(2, "assert sdk.models.with_raw_response.list().http_response.status_code == 200", "sdk"),
    a_check(3, "assert async_sdk(listing).http_response.status_code == 200", "async_sdk"),
    a_check(4, "assert gateway.without_key('GET', '/v1/models').status == 401", "gateway"),
    a_check(5, "assert gateway.chat('chat-one', 'say OK').status == 200", "gateway", effect="SPEND"),
]
LISTING = "async def listing(client):\n    return await client.models.with_raw_response.list()\n"
CHECKS = ["API-OPS-001", *(f"API-T-{number:03}" for number in range(1, len(ASKS) + 1))]
CA = 'ca_file = "ca.pem"\n'
CLIENT = 'client_certificate = "client.pem"\n'
SERVER = """
server {{
  listen {place} ssl;
  ssl_certificate {folder}/{certificate};
  ssl_certificate_key {folder}/{certificate};
  {clients}
  location {path} {{ proxy_pass http://{upstream}/; }}
}}
"""


@dataclass(frozen=True)
class Listener:
    """address; certificate: a file; demands: whether it wants one of a client; path: what it serves, all else
    being 404 there; upstream: what stands behind."""

    address: str = "127.0.0.1"
    certificate: str = "server.pem"
    demands: bool = False
    path: str = "/"
    upstream: str = "replicas"


LISTENERS: Mapping[str, Listener] = {
    "private": Listener(),
    "prefix": Listener(path="/llm/"),
    "mutual": Listener(demands=True),
    "both": Listener(demands=True, path="/llm/"),
    "six": Listener(address="::1"),
    "misnamed": Listener(certificate="misnamed.pem"),
    "halved": Listener(upstream="halved"),
    "dead": Listener(upstream="dead"),
}


@dataclass
class Front:
    """urls: by listener; replicas: what stands behind; proxy: that knows NAME; project: runs with ca.pem,
    client.pem and stranger.pem beside their environments."""

    project: Project
    urls: Mapping[str, str]
    replicas: list[Gateway]
    proxy: ForwardProxy

    def arrived(self) -> list[int]:
        """Requests so far, by replica."""
        return [len(one.seen) for one in self.replicas]


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """One nginx with all listeners, in front of two replicas."""
    if not any(shutil.which(one, path=search_path()) for one in ("apt-get", "nginx")):
        pytest.skip("there is no nginx here, and no apt-get that would fetch Debian's")
    program = ensure_nginx(ROOT)
    project = new_project(tmp_path_factory.mktemp("nginx"))
    project.checks(ALIVE, LISTING, *ASKS)
    folder = project.root / "environments"
    folder.mkdir()
    authority = Authority(folder)
    authority.issue("server.pem", "127.0.0.1", "::1", NAME)
    authority.issue("misnamed.pem", NAME)
    authority.issue("client.pem", "suite.example")
    Authority(folder, "another").issue("stranger.pem", "suite.example")
    with ExitStack() as stack:
        replicas = [stack.enter_context(serving()) for _ in range(2)]
        nobody = stack.enter_context(socket.socket())
        nobody.bind(("127.0.0.1", 0))  # held, and not listened at: refused for certain
        both = [one.url.removeprefix("http://") for one in replicas]
        upstreams = {"replicas": both, "halved": [both[0], place(nobody)], "dead": [place(nobody)]}
        inside = [
            f"upstream {name} {{ {' '.join(f'server {one};' for one in servers)} }}"
            for name, servers in upstreams.items()
        ]
        listeners = {name: listening(one.address) for name, one in LISTENERS.items()}
        places = {name: place(one) for name, one in listeners.items()}
        for name, one in LISTENERS.items():
            clients = f"ssl_client_certificate {authority.file}; ssl_verify_client on;" if one.demands else ""
            server = {"folder": folder, "clients": clients, "place": places[name], "path": one.path}
            inside.append(SERVER.format(**server, certificate=one.certificate, upstream=one.upstream))
        served = serving_nginx(program, project.root / "served", listeners, "\n".join(inside))
        process = stack.enter_context(served)
        proxy = stack.enter_context(forward_proxy())
        urls = {name: f"https://{one}" for name, one in places.items()}
        workers = psutil.Process(process.pid).children(recursive=True)
        yield Front(project, urls, replicas, proxy)
    assert workers
    assert all_gone(workers)
    assert process.returncode == 0, "nginx goes when it is told to"


def test_green_as_declared(nginx: Front) -> None:
    """Each way an environment of one run: raw requests, byte for byte ones, the SDK in both forms, the
    preflight, the fingerprint."""
    behind = nginx.urls["both"].replace("127.0.0.1", NAME)
    ways = {
        "private": (nginx.urls["private"], CA),
        "prefix": (nginx.urls["prefix"] + "/llm", CA),
        "mutual": (nginx.urls["mutual"], CA + CLIENT),
        "six": (nginx.urls["six"], CA),
        "halved": (nginx.urls["halved"], CA),
        "proxy": (behind + "/llm/v1/", CA + CLIENT + f'proxy = "{nginx.proxy.url}"\n'),
    }
    before = nginx.arrived()
    for name, (url, network) in ways.items():
        nginx.project.environment(url, name, more=f"[network]\n{network}")
    run = nginx.project.run(*(f"--env={name}" for name in ways))
    for name in ways:
        verdicts = {check: run.verdict(check, name) for check in CHECKS}
        assert verdicts == dict.fromkeys(CHECKS, "passed"), (name, run.output)
    place_behind = behind.removeprefix("https://")
    assert {*nginx.proxy.lines} == {f"CONNECT {place_behind} HTTP/1.1"}
    assert all(after - first >= len(ways) for first, after in zip(before, nginx.arrived(), strict=True))
    paths = {one.path for replica in nginx.replicas for one in replica.seen}
    assert "/v1/models" in paths
    assert not any(path.startswith("/llm") for path in paths), "the prefix ends at nginx"


UNKNOWN = (
    "the gateway does not answer (GET {url}/alive: TLS: the certificate of {host} is of an unknown CA; name "
    "that CA's file as network.ca_file); then run again"
)
STRANGER = (
    "the gateway refuses whom it does not know in TLS (GET /v1/models: 400); name a client certificate that "
    "it accepts as network.client_certificate"
)
REDS: Mapping[str, tuple[str, str, str]] = {
    "no-ca": ("private", "", UNKNOWN),
    "no-ca-six": ("six", "", UNKNOWN),
    "no-client": ("mutual", CA, STRANGER),
    "stranger": ("mutual", CA + 'client_certificate = "stranger.pem"\n', STRANGER),
    "misnamed": (
        "misnamed",
        CA,
        "the gateway does not answer (GET {url}/alive: TLS: the certificate is not one of {host} (wrong "
        "name); use the name that it holds); then run again",
    ),
    "dead": (
        "dead",
        CA,
        "the gateway is unavailable (GET /v1/models: 502 Bad Gateway); something answers in its place or "
        "before it is ready: start what stands behind, then run again",
    ),
}
"""Environment -> listener, its [network], the one sentence."""


def test_red_with_one_sentence(nginx: Front) -> None:
    before = nginx.arrived()
    for name, (listener, network, _) in REDS.items():
        more = f"[network]\n{network}" if network else ""
        nginx.project.environment(nginx.urls[listener], name, more=more)
    run = nginx.project.run(*(f"--env={name}" for name in REDS))
    assert run.code == 1, run.output
    for name, (listener, _, words) in REDS.items():
        url = nginx.urls[listener]
        cause = words.format(url=url, host=urlsplit(url).hostname)
        assert run.record(name)["run"]["reasons"] == [
            "API-OPS-001 it is alive: 1 failed",
            f"{len(ASKS)} checks are untestable because of one cause: {cause}",
        ], name
        (alive,) = run.cases("API-OPS-001", name)
        assert alive["message"].strip() == cause, name
    assert nginx.arrived() == before, "nothing came through to what stands behind"
