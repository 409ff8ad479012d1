"""The process that holds the lab of hosts: their namespaces as its child, the forwards into them in itself.

Like ``lab.supervisor`` it ends on SIGTERM, and with the run that owns it. When it dies, however that happens,
the kernel ends its child, and with that process (the first of its pid namespace) every host, mount, network.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import shutil
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

from gateway_acceptance.embedded import NotStarted
from gateway_acceptance.environment import Environment, load_environment
from lab.deployment import OWN_ADDRESS, PROBE_ACCOUNT, UNIT, backend_variable
from lab.gateway_process import die_with_parent
from lab.hosts import cgroups
from lab.hosts.forwards import Forwards
from lab.hosts.machine import Leader
from lab.hosts.outages import HostsStage
from lab.hosts.provision import provision
from lab.hosts.tools import command, search_path
from lab.outages import SOCKET as OUTAGES
from lab.outages import Outages
from lab.ports import refuse_taken_ports
from lab.state import LabState, digest_of, write_state
from lab.supervisor import end_with, report

NETWORK = "198.51.100"
"""TEST-NET-2 of RFC 5737: no address of it exists anywhere, and none of it is used outside the namespace."""
LINKS = "203.0.113"
"""TEST-NET-3: links between the gateway's host and one backend's, where no other host has a way."""
SSH_PORT = 2222
BOOT_BUDGET_S = 60
MASKED = (
    *("systemd-udevd.service", "systemd-udevd-control.socket", "systemd-udevd-kernel.socket"),
    *("systemd-timesyncd.service", "systemd-networkd-wait-online.service", "console-getty.service"),
    *(
        "getty@tty1.service",
        "apt-daily.timer",
        "apt-daily-upgrade.timer",
        "e2scrub_all.timer",
        "fstrim.timer",
    ),
)
PR_SET_PDEATHSIG = 1
ENFORCED = "enforced"
INIT = "/lib/systemd/systemd"
"""What the first process of a host is, once it is one: before that it is still systemd-nspawn, or a shell."""


@dataclass(frozen=True, slots=True)
class HostPlan:
    """A host of the lab. layers: its read-only root directories, uppermost first; binds: [from, to]."""

    name: str
    hostname: str
    layers: tuple[str, ...]
    binds: tuple[tuple[str, str], ...] = ()

    def address(self, environment: Environment) -> str:
        """Its address in the lab's network: the last number is that of its forward on loopback."""
        return f"{NETWORK}.{self.forward(environment).rpartition('.')[2]}"

    def serves_at(self, environment: Environment) -> str:
        """Where a backend's service listens: at its own address, or where the gateway calls it on a link that
        it has with the gateway's host alone."""
        given = environment.backend(self.name).gateway_url
        host = urlsplit(given).hostname if given else None
        return host if host and host.startswith(f"{LINKS}.") else self.address(environment)

    def forward(self, environment: Environment) -> str:
        """The loopback address that leads to it."""
        url = environment.gateway.url if self.name == "gateway" else environment.backend(self.name).url
        return urlsplit(url).hostname or ""


async def hold(given: Mapping[str, Any], ready: int) -> None:
    """Boot, deploy, report on the file descriptor ``ready``, and serve until told to end."""
    ending = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sent in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(sent, ending.set)
    if given["owner"] is not None:
        end_with(given["owner"], ending)
    async with contextlib.AsyncExitStack() as stack:
        try:
            starting = asyncio.ensure_future(start(given, stack))
            ended = asyncio.ensure_future(ending.wait())
            await asyncio.wait((starting, ended), return_when=asyncio.FIRST_COMPLETED)
            if not starting.done():
                starting.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await starting
                return
            starting.result()
        except NotStarted as failure:
            report(ready, {"error": failure.sentence, "log": failure.log})
            return
        report(ready, {"ready": True})
        await ended


async def start(given: Mapping[str, Any], stack: contextlib.AsyncExitStack) -> None:
    """Everything, in order; what was started is taken back by the stack. Raises NotStarted."""
    environment = load_environment(given["environment"], Path(), os.environ)
    folder = Path(given["folder"])
    refuse_taken_ports(environment, forwarded=True)
    plans = [
        HostPlan(entry["name"], entry["hostname"], tuple(entry["layers"]), tuple(map(tuple, entry["binds"])))
        for entry in given["hosts"]
    ]
    found = cgroups.hierarchies(Path("/proc/self/mounts").read_text(encoding="utf-8"))
    lab = f"{cgroups.PREFIX}{os.getpid()}"
    cgroups.sweep(found.roots)
    cgroups.start_janitor(found, lab)
    made = cgroups.make(found, lab, [plan.name for plan in plans])
    child = await boot(given, environment, plans, made, stack)
    leaders = await booted(child, plans)
    forwards = Forwards(child.pid)
    stack.push_async_callback(forwards.close)
    await open_forwards(forwards, environment, plans)
    keys = make_keys(folder, plans)
    stack.callback(shutil.rmtree, keys, ignore_errors=True)
    variables = deployment_variables(environment, plans, given["key"])
    jobs = [
        asyncio.to_thread(
            provision,
            plan.name,
            leaders[plan.name],
            environment,
            listening(plan, environment),
            keys,
            variables,
        )
        for plan in sorted(plans, key=lambda plan: plan.name == "gateway")
    ]
    await asyncio.gather(*jobs[:-1])  # the backends first: the deployment script asks them
    await jobs[-1]
    write_ssh_config(folder, environment, plans, keys)
    outages = Outages(folder / OUTAGES, HostsStage(leaders))
    stack.push_async_callback(outages.close)
    await outages.start()
    document = {
        "leaders": {name: leader.pid for name, leader in leaders.items()},
        "namespaces": child.pid,
        "cgroups": {"kind": found.kind, "limits": await asyncio.to_thread(limits, leaders["gateway"])},
    }
    stack.callback(lambda: (folder / "hosts.json").unlink(missing_ok=True))
    (folder / "hosts.json").write_text(json.dumps(document), encoding="utf-8")
    state = LabState(
        environment=environment.name,
        pid=os.getpid(),
        created=psutil.Process().create_time(),
        key=given["key"],
        version=given["version"],
        gateway=environment.gateway.url,
        declared=digest_of(environment),
        owner=given["owner"],
        log=str(folder / "lab.log"),
    )
    stack.callback(lambda: (folder / "state.json").unlink(missing_ok=True))
    write_state(folder, state)


async def boot(
    given: Mapping[str, Any],
    environment: Environment,
    plans: list[HostPlan],
    made: Mapping[str, list[str]],
    stack: contextlib.AsyncExitStack,
) -> psutil.Process:
    """Start the namespaces and in them the hosts; returns the namespaces' first process."""
    folder = Path(given["folder"])
    changes = folder / "changes"
    changes.mkdir(exist_ok=True)
    names = [(plan.address(environment), plan.hostname) for plan in plans]
    document = {
        "changes": str(changes),
        "bridge": f"{NETWORK}.1/24",
        "nspawn": given["nspawn"],
        "environment": {"LD_LIBRARY_PATH": given["libraries"], "PATH": search_path()},
        "hosts": [
            {
                "name": plan.name,
                "hostname": plan.hostname,
                "address": f"{plan.address(environment)}/24",
                "links": links_of(plan, plans, environment),
                "layers": plan.layers,
                "binds": plan.binds,
                "names": names,
                "masked": MASKED,
                "cgroups": made[plan.name],
                "log": str(folder / f"{plan.name}.log"),
            }
            for plan in plans
        ],
    }
    path = folder / "inside.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    unshare = ["unshare", "--mount", "--propagation", "private", "--net", "--pid", "--fork", "--kill-child"]
    process = await asyncio.create_subprocess_exec(
        *unshare,
        "--mount-proc",
        sys.executable,
        "-m",
        "lab.hosts.inside",
        str(path),
        stdin=asyncio.subprocess.DEVNULL,
        preexec_fn=die_with_parent,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PATH": search_path()},
    )

    async def end() -> None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()  # --kill-child: the first process of the namespaces goes with it
        await process.wait()

    stack.push_async_callback(end)
    return await _child_of(process.pid)


async def booted(child: psutil.Process, plans: list[HostPlan]) -> dict[str, Leader]:
    """The hosts' inits by name, when each says that it runs. Raises NotStarted."""
    leaders: dict[str, Leader] = {}
    for _ in range(BOOT_BUDGET_S * 10):
        for process in child.children():
            words = _words(process)
            if "-M" in words and words[words.index("-M") + 1] not in leaders:
                inits = [found for found in process.children() if _words(found)[:1] == [INIT]]
                if inits:
                    leaders[words[words.index("-M") + 1]] = Leader(inits[0].pid)
        if len(leaders) == len(plans):
            break
        if not child.is_running():
            raise NotStarted("the hosts' namespaces ended at once; see lab.log")
        await asyncio.sleep(0.1)
    missing = [plan.name for plan in plans if plan.name not in leaders]
    if missing:
        raise NotStarted(f"the hosts {', '.join(missing)} did not boot within {BOOT_BUDGET_S} s")
    await asyncio.gather(
        *(asyncio.to_thread(_until_running, name, leader) for name, leader in leaders.items())
    )
    return leaders


def _until_running(name: str, leader: Leader) -> None:
    wait = (
        f"for _ in $(seq {BOOT_BUDGET_S * 10}); do state=$(systemctl is-system-running 2>/dev/null || true); "
        "case $state in running | degraded) break ;; esac; sleep 0.1; done; echo $state"
    )
    said = leader.run(wait, timeout=BOOT_BUDGET_S * 2).stdout.strip()
    if said != "running":
        raise NotStarted(f"the host {name} says {said or 'nothing'} instead of running")


async def open_forwards(forwards: Forwards, environment: Environment, plans: list[HostPlan]) -> None:
    """One forward for each declared address, and one for each host's SSH."""
    for plan in plans:
        address, outside = plan.address(environment), plan.forward(environment)
        url = environment.gateway.url if plan.name == "gateway" else environment.backend(plan.name).url
        port = urlsplit(url).port or 80
        try:
            await forwards.add((outside, port), (address, port))
            await forwards.add((outside, SSH_PORT), (address, 22))
        except OSError as error:
            raise NotStarted(f"{outside} cannot be listened on ({error.strerror})") from None


def listening(plan: HostPlan, environment: Environment) -> str:
    """The address of a host's service."""
    return plan.address(environment) if plan.name == "gateway" else plan.serves_at(environment)


def links_of(plan: HostPlan, plans: list[HostPlan], environment: Environment) -> list[tuple[str, str]]:
    """The links of a host: its own address and the other end's. Closed backends have one, the gateway's host
    one with each of them; a host that has none can neither ask at such an address nor be answered."""
    own = next(one for one in plans if one.name == "gateway").address(environment)
    gateway = f"{LINKS}.{own.rpartition('.')[2]}"
    ends = {one.name: listening(one, environment) for one in plans if one.name != "gateway"}
    closed = {name: end for name, end in ends.items() if end.startswith(f"{LINKS}.")}
    if plan.name == "gateway":
        return [(gateway, end) for end in closed.values()]
    return [(closed[plan.name], gateway)] if plan.name in closed else []


def limits(gateway: Leader) -> str:
    """Whether the kernel holds the gateway's unit to its memory limit, or systemd only shows it: looked up
    where the limit would be, with cgroups of version 1 and 2."""
    group = f"system.slice/{UNIT}"
    places = (f"/sys/fs/cgroup/memory/{group}/memory.limit_in_bytes", f"/sys/fs/cgroup/{group}/memory.max")
    asked = " || ".join(f"test -e {place}" for place in places)
    done = gateway.run(asked, timeout=BOOT_BUDGET_S)
    return ENFORCED if done.returncode == 0 else "shown, not enforced: this machine keeps the controllers"


def make_keys(folder: Path, plans: list[HostPlan]) -> Path:
    """A client key and a key per host, made up for this lab."""
    keys = folder / f"keys-{secrets.token_hex(4)}"
    for old in folder.glob("keys-*"):  # of a lab that was killed
        shutil.rmtree(old)
    keys.mkdir(mode=0o700)
    for name in ("client", *(plan.name for plan in plans)):
        command(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(keys / name)])
    return keys


def write_ssh_config(folder: Path, environment: Environment, plans: list[HostPlan], keys: Path) -> None:
    """``ssh -F .lab/NAME/ssh_config HOST``, with the hosts' real keys."""
    known, lines = [], []
    for plan in plans:
        alias = plan.hostname
        known.append(f"{alias} {(keys / f'{plan.name}.pub').read_text(encoding='utf-8').strip()}")
        lines += [
            f"Host {alias}",
            f"  HostName {plan.forward(environment)}",
            f"  Port {SSH_PORT}",
            f"  User {PROBE_ACCOUNT}",
            f"  HostKeyAlias {alias}",
            f'  IdentityFile "{keys / "client"}"',
            f'  UserKnownHostsFile "{folder / "known_hosts"}"',
            "  IdentitiesOnly yes",
            "  IdentityAgent none",
            "  StrictHostKeyChecking yes",
            "  BatchMode yes",
            "  LogLevel ERROR",
        ]
    (folder / "known_hosts").write_text("\n".join(known) + "\n", encoding="utf-8")
    (folder / "ssh_config").write_text("\n".join(lines) + "\n", encoding="utf-8")


def deployment_variables(environment: Environment, plans: list[HostPlan], key: str) -> dict[str, str]:
    """What the deployment script is told."""
    addresses = {plan.name: listening(plan, environment) for plan in plans}
    urls = {
        backend_variable(backend.name): f"http://{addresses[backend.name]}:11434"
        for backend in environment.backends
    }
    return {OWN_ADDRESS: addresses["gateway"], "LITELLM_MASTER_KEY": key, **urls}


async def _child_of(pid: int) -> psutil.Process:
    for _ in range(100):
        children = psutil.Process(pid).children()
        if children:
            return children[0]
        await asyncio.sleep(0.05)
    raise NotStarted("the hosts' namespaces could not be made; see lab.log")


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def main() -> None:
    """``python -m lab.hosts.supervisor SPECIFICATION READY_FD``; the specification holds the key: removed."""
    path = Path(sys.argv[1])
    given = json.loads(path.read_text(encoding="utf-8"))
    path.unlink()
    asyncio.run(hold(given, int(sys.argv[2])))


if __name__ == "__main__":
    main()
