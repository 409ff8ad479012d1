"""The real smoke of a real LiteLLM through Debian's nginx: TLS of a private CA, a demanded client certificate
and a path prefix, at once. What is red with nginx's own defaults is nginx's: it tells its version."""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import tomli_w

from gateway_acceptance.environment import load_environment
from lab.hosts.tools import search_path
from tests.live.conftest import Lab, Run, judge
from tests.live.test_smoke import DEVIATING
from tests.nginx import ensure_nginx, listening, place, serving_nginx
from tests.real_networks import Authority

ROOT = Path(__file__).parents[2]
SERVER = """
server {{
  listen {place} ssl;
  ssl_certificate {folder}/server.pem;
  ssl_certificate_key {folder}/server.pem;
  ssl_client_certificate {folder}/ca.pem;
  ssl_verify_client on;
  server_tokens {tokens};
  client_max_body_size 64m;
  proxy_buffering off;
  location /llm/ {{ proxy_pass {gateway}/; }}
}}
"""


@dataclass(frozen=True)
class Front:
    """lab: with the LiteLLM behind; folder: of the certificates; places: of nginx, as it is (on) and told not
    to tell its version (off)."""

    lab: Lab
    folder: Path
    places: Mapping[str, str]

    def judged(self, tokens: str, *options: str) -> Run:
        """A smoke through one of them."""
        document = tomllib.loads(Path(self.lab.environment.source).read_text(encoding="utf-8"))
        document["name"] = f"nginx-{tokens}"
        document["gateway"]["url"] = f"https://{self.places[tokens]}/llm"
        document["network"] = {"ca_file": "ca.pem", "client_certificate": "client.pem"}
        path = self.folder / f"{document['name']}.toml"
        path.write_text(tomli_w.dumps(document), encoding="utf-8")
        environment = load_environment(str(path), ROOT, {})
        return judge(environment, self.folder / "runs", *options, key=self.lab.state.key)


@pytest.fixture(scope="module")
def front(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """nginx in front of the lab's LiteLLM."""
    if not any(shutil.which(one, path=search_path()) for one in ("apt-get", "nginx")):
        pytest.skip("there is no nginx here, and no apt-get that would fetch Debian's")
    program = ensure_nginx(ROOT)
    folder = tmp_path_factory.mktemp("nginx")
    authority = Authority(folder)
    authority.issue("server.pem", "127.0.0.1")
    authority.issue("client.pem", "suite.example")
    listeners = {tokens: listening("127.0.0.1") for tokens in ("on", "off")}
    places = {tokens: place(one) for tokens, one in listeners.items()}
    gateway = lab.environment.gateway.url
    inside = [
        SERVER.format(place=one, folder=folder, tokens=tokens, gateway=gateway)
        for tokens, one in places.items()
    ]
    with serving_nginx(program, folder / "served", listeners, "\n".join(inside)):
        yield Front(lab, folder, places)


def test_smoke_is_green_through_nginx(front: Front) -> None:
    """As green as without it: the same deviations of this LiteLLM, and nothing else."""
    run = front.judged("off")
    assert run.code == 0, run.output
    assert run.record is not None
    assert run.record["run"]["state"] == "SMOKE PASSED"
    assert run.record["target"]["product_version"] == front.lab.state.version
    assert run.verdicts("deviation") == DEVIATING[front.lab.state.version]
    assert {case["verdict"] for _, case in run.cases()} == {"passed", "deviation", "not applicable"}


def test_the_version_that_nginx_tells_is_found(front: Front) -> None:
    run = front.judged("on", "suites/api/models")
    assert run.code == 1, run.output
    assert run.verdicts("failed") == ["API-EXPO-011"]
    said = {case["message"] for check, case in run.cases() if check == "API-EXPO-011"}
    assert all("expected no version in headers, got server: nginx/" in one for one in said), said
