"""The lab of hosts, as far as it needs no root: locks, cgroups, forwards, looks compared, refusals."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from gateway_acceptance.embedded import NotStarted
from gateway_acceptance.environment import load_environment
from gateway_acceptance.usage import UsageProblem
from lab.commands import starter_of
from lab.host_matrix import chosen_host_faults
from lab.host_state import differences
from lab.hosts import tools
from lab.hosts.base import for_python
from lab.hosts.cgroups import PREFIX, hierarchies, sweep
from lab.hosts.forwards import Forwards
from lab.hosts.provision import backend_files, repository_files
from lab.hosts.supervisor import (
    LINKS,
    NETWORK,
    HostPlan,
    deployment_variables,
    links_of,
    listening,
    write_ssh_config,
)
from lab.recorded import PROVIDER as RECORDED

ROOT = Path(__file__).parents[2]
LOCK = """\
always==1.0 \\
    --hash=sha256:aa
old-python==2.0 ; python_full_version < '3.11.3' \\
    --hash=sha256:bb \\
    --hash=sha256:cc
windows==3.0 ; sys_platform == 'win32' \\
    --hash=sha256:dd
"""


def test_a_lock_for_one_python_keeps_what_its_markers_choose() -> None:
    text = for_python(LOCK, "3.11.2")
    assert "old-python==2.0 \\" in text
    assert "sha256:cc" in text
    assert "windows" not in text
    assert "sha256:dd" not in text
    assert "old-python" not in for_python(LOCK, "3.11.7")


@pytest.mark.parametrize(
    ("mounts", "kind"),
    [
        ("cgroup /c/memory cgroup rw,memory 0 0\ncgroup /c/pids cgroup rw,pids 0 0\n", "v1"),
        ("cgroup /c/cpu cgroup rw,cpu 0 0\ncgroup2 /c/unified cgroup2 rw 0 0\n", "hybrid"),
        ("cgroup2 /c cgroup2 rw 0 0\n", "v2"),
    ],
)
def test_cgroups_are_told_apart(mounts: str, kind: str) -> None:
    assert hierarchies(mounts).kind == kind


def test_what_a_killed_lab_left_is_swept_and_nothing_else(tmp_path: Path) -> None:
    gone = psutil.Popen([sys.executable, "-c", ""])
    gone.wait()
    for name in (f"{PREFIX}{gone.pid}", f"{PREFIX}{os.getpid()}", f"{PREFIX}mine", "system.slice"):
        (tmp_path / name / "gateway").mkdir(parents=True)
    sweep([tmp_path])
    left = {f"{PREFIX}{os.getpid()}", f"{PREFIX}mine", "system.slice"}
    assert {path.name for path in tmp_path.iterdir()} == left


def test_without_root_one_sentence_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(NotStarted, match=r"needs root .* pytest --env local"):
        tools.refuse_unable_machine()


def test_missing_commands_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(tools, "NEEDED", ("no-such-command",))
    with pytest.raises(NotStarted, match="needs the commands no-such-command"):
        tools.refuse_unable_machine()


def test_forwards_listen_on_loopback_only() -> None:
    async def refused() -> None:
        forwards = Forwards(os.getpid())
        try:
            with pytest.raises(ValueError, match="no loopback"):
                await forwards.add(("192.0.2.1", 1), ("192.0.2.2", 2))
        finally:
            await forwards.close()

    asyncio.run(refused())


def test_addresses_come_from_the_forwards() -> None:
    environment = load_environment("lab", ROOT, {})
    plans = [HostPlan(name, name, ()) for name in environment.machines]
    assert {plan.name: plan.address(environment) for plan in plans} == {
        name: machine.address for name, machine in environment.machines.items()
    }
    variables = deployment_variables(environment, plans, "k")
    assert variables["HX_LLM_01_URL"] == environment.backend("llm-01").gateway_url
    assert variables["HX_GATEWAY_ADDRESS"].startswith(NETWORK)


def test_closed_backends_have_a_link_with_the_gateways_host_alone() -> None:
    environment = load_environment("lab-closed", ROOT, {})
    plans = [HostPlan(name, name, ()) for name in environment.machines]
    links = {plan.name: links_of(plan, plans, environment) for plan in plans}
    for backend in environment.backends:
        end = listening(next(plan for plan in plans if plan.name == backend.name), environment)
        assert backend.gateway_url == f"http://{end}:11434"
        assert end.startswith(LINKS)
        assert [(peer, own) for own, peer in links[backend.name]] == [
            link for link in links["gateway"] if link[1] == end
        ]
    assert not any(backend.direct for backend in environment.backends)
    open_ones = load_environment("lab", ROOT, {})
    plans = [HostPlan(name, name, ()) for name in open_ones.machines]
    assert not any(links_of(plan, plans, open_ones) for plan in plans)


def test_the_ssh_config_may_lie_in_a_folder_with_spaces(tmp_path: Path) -> None:
    environment = load_environment("lab", ROOT, {})
    folder = tmp_path / "check out"
    folder.mkdir()
    plans = [HostPlan(name, name, ()) for name in environment.machines]
    for plan in plans:
        (folder / f"{plan.name}.pub").write_text("ssh-ed25519 AAAA")
    write_ssh_config(folder, environment, plans, folder)
    command = ["ssh", "-G", "-F", str(folder / "ssh_config"), plans[0].hostname]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert f"identityfile {folder}/client" in told
    assert f"userknownhostsfile {folder}/known_hosts" in told


def test_backends_get_their_models_and_no_others() -> None:
    environment = load_environment("lab", ROOT, {})
    files = backend_files(environment, "llm-02", "198.51.100.28")
    manifests = sorted("/".join(path.split("/")[-2:]) for path in files if "/manifests/" in path)
    assert manifests == ["gemma2/2b", "phi3/latest"]
    assert "OLLAMA_HOST=198.51.100.28:11434" in str(files["/etc/systemd/system/ollama.service"].content)


def test_the_work_tree_holds_scripts_as_programs() -> None:
    modes = {path: given.mode for path, given in repository_files().items()}
    assert all((mode == 0o755) == path.endswith(".sh") for path, mode in modes.items())
    assert "/opt/HX-Infrastructure-/.gitignore" in modes


def taken(**sections: Any) -> dict[str, Any]:
    return {"sections": {name: {"value": value, "took_s": 0.1} for name, value in sections.items()}}


def test_looks_differ_only_where_something_lasting_does() -> None:
    one = taken(tree={"entries": [{"path": "a", "mode": "0644", "mtime": 1.0}]}, resources={"load": 1})
    other = taken(tree={"entries": [{"path": "a", "mode": "0644", "mtime": 2.0}]}, resources={"load": 9})
    assert differences(one, other) == []
    other["sections"]["tree"]["value"]["entries"][0]["mode"] = "0600"
    assert differences(one, other) == ["tree.value.entries[0].mode: was 0644, is 0600"]


def test_an_unknown_fault_of_machines_is_refused() -> None:
    with pytest.raises(UsageProblem, match="no such fault of machines"):
        chosen_host_faults(["gateway-down"])


def test_recorded_looks_must_be_whole(tmp_path: Path) -> None:
    document = (ROOT / "environments" / "lab.toml").read_text(encoding="utf-8")
    given = f'provider = "recorded"\noptions = {{ looks = "{tmp_path}", key = "{tmp_path}/key" }}'
    path = tmp_path / "seen.toml"
    path.write_text(document.replace('provider = "hosts"', given).replace('name = "lab"', 'name = "seen"', 1))
    environment = load_environment(str(path), ROOT, {})
    with pytest.raises(NotStarted, match="there is no look at gateway, llm-01"):
        RECORDED.acquire(environment, options={}, root=ROOT, say=print)
    for name in environment.machines:
        (tmp_path / f"{name}.json").write_text(json.dumps({}))
    (tmp_path / "key").write_text("k\n")
    running = RECORDED.acquire(environment, options={}, root=ROOT, say=print)
    assert running.key == "k"
    assert set(running.facts) == set(environment.machines)


def test_only_what_keeps_running_can_be_kept_up() -> None:
    assert starter_of("local") is not None
    with pytest.raises(UsageProblem, match="cannot be kept running"):
        starter_of("recorded")
