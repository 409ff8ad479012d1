"""The fix for those who cannot upgrade, on the release that needs it: LiteLLM 1.74.15 behind Debian's nginx,
with just the lines that docs/ways-in.md tells. The door that its Host opens is shut, and is seen to be."""

from __future__ import annotations

import re
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import tomli_w

from gateway_acceptance.environment import Environment, load_environment
from gateway_acceptance.verdict import Verdict
from lab.hosts.tools import search_path
from lab.patience import patient
from tests.live.conftest import Lab, judge, running
from tests.nginx import ensure_nginx, listening, place, serving_nginx

ROOT = Path(__file__).parents[2]
WRITTEN = re.compile(r"nginx:\n\n```\n(location / \{.*?\n\})\n```", re.DOTALL)
AS_WRITTEN = "http://127.0.0.1:4000"
BUDGET_S = 400


@pytest.fixture(scope="module")
def as_it_was(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """The reference deployment's first release."""
    with running(tmp_path_factory.mktemp("lab"), "1.74.15") as lab:
        yield lab


@pytest.fixture(scope="module")
def fronted(as_it_was: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    """The same gateway, at the address of an nginx that has the documented lines."""
    if not any(shutil.which(one, path=search_path()) for one in ("apt-get", "nginx")):
        pytest.skip("there is no nginx here, and no apt-get that would fetch Debian's")
    program = ensure_nginx(ROOT)
    folder = tmp_path_factory.mktemp("nginx")
    found = WRITTEN.search((ROOT / "docs" / "ways-in.md").read_text(encoding="utf-8"))
    assert found is not None
    assert AS_WRITTEN in found[1]
    listener = listening("127.0.0.1")
    address, gateway = place(listener), as_it_was.environment.gateway.url
    location = found[1].replace(AS_WRITTEN, gateway)
    server = f"server {{ listen {address}; server_tokens off; proxy_buffering off; {location} }}"
    document = tomllib.loads(Path(as_it_was.environment.source).read_text(encoding="utf-8"))
    document["name"] = "behind-nginx"
    document["gateway"]["url"] = f"http://{address}"
    document["advisories"] = {"without": ["unvalidated-host"]}
    path = folder / "behind-nginx.toml"
    path.write_text(tomli_w.dumps(document), encoding="utf-8")
    with serving_nginx(program, folder / "served", {"front": listener}, server):
        yield load_environment(str(path), ROOT, {})


def test_without_it_the_door_is_open(as_it_was: Lab, tmp_path: Path) -> None:
    run = judge(as_it_was.environment, tmp_path, "-k", "test_doors", key=as_it_was.state.key)
    assert "API-ACCESS-001" in run.verdicts("failed"), run.output
    assert run.record is not None
    assert "a reverse proxy in front that sends a Host of its own" in run.record["run"]["headline"]


def test_with_it_no_way_in_is_left(as_it_was: Lab, fronted: Environment, tmp_path: Path) -> None:
    """Every way in of nightly, through it; and the probe of the hole says so."""
    suites = ("suites/api/access", "suites/api/advisories")
    run = judge(
        fronted, tmp_path, *suites, key=as_it_was.state.key, profile="nightly", budget_s=patient(BUDGET_S)
    )
    opened = {check: case for check, case in run.cases() if check.startswith("API-ACCESS-")}
    assert {case["verdict"] for case in opened.values()} == {"passed"}, run.output
    red = {check: case["message"] for check, case in run.cases() if Verdict(case["verdict"]).red}
    assert "probe host-path: refused" in red["API-ADV-001"]
    assert "host-path" not in red.get("API-ADV-003", "")
