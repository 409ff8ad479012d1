"""What a look at the hosts costs: remote commands and seconds, beside a plain testinfra rendition.

Run ``.venv/bin/python bench/host_look.py`` with the lab of hosts up (``gateway-acceptance lab up --hosts``).
The slow line is made by a relay in front of SSH that holds every piece back for half the added round trip in
each direction: kernels without the netem queue can measure it, too, and no packet leaves this machine.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import testinfra

from gateway_acceptance.environment import Environment, load_environment
from gateway_acceptance.environment.host import Host
from gateway_acceptance.host.snapshot import take_snapshot

ROOT = Path(__file__).parents[1]
ADDED_ROUND_TRIP_S = 0.05
RELAY_PORT = 2223
PLAIN_FILES = 60
"""Files of the tree that the plain rendition asks one by one: what the tree has without its environment."""


def suite(environment: Environment) -> int:
    """The suite's own way: one remote command per machine, all at once."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: take_snapshot(environment, name), environment.machines))
    return len(environment.machines)


def plain(environment: Environment) -> int:
    """What a reader of testinfra's documentation would write for the gateway's machine alone."""
    declared = environment.host
    assert isinstance(declared, Host)
    config = str((environment.source.parent / str(declared.ssh_config)).resolve())
    host = testinfra.get_host(declared.uri, ssh_config=config)
    commands = 0
    run = host.backend.run

    def counted(*arguments: object, **named: object) -> object:
        nonlocal commands
        commands += 1
        return run(*arguments, **named)

    host.backend.run = counted
    service = host.service(declared.unit)
    _ = service.is_running, service.is_enabled, service.is_valid
    user = host.user(declared.user)
    _ = user.exists, user.uid, user.shell, user.groups, user.home
    for word in declared.hardening:
        host.run("systemctl show -p %s --value %s", word, declared.unit)
    _ = host.socket("tcp://0.0.0.0:4000").is_listening
    for path in declared.directories:
        entry = host.file(f"{declared.tree}/{path}")
        _ = entry.is_directory, entry.mode, entry.user, entry.group
    names = host.run("find %s -path '*/venv' -prune -o -type f -print", declared.tree).stdout.split()
    for path in names[:PLAIN_FILES]:
        entry = host.file(path)
        _ = entry.mode, entry.user, entry.group
    for path in declared.scripts:
        host.run("bash -n %s", f"{declared.tree}/{path}")
    for path in declared.secrets:
        entry = host.file(path)
        _ = entry.exists, entry.mode, entry.user
    return commands


@contextlib.contextmanager
def slow_line(environment: Environment) -> Iterator[Environment]:
    """The same environment through a relay on loopback that adds a round trip to every answer."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    addresses = [
        declared.address.rpartition(".")[2] for declared in environment.machines.values() if declared.address
    ]
    for number in addresses:
        asyncio.run_coroutine_threadsafe(_relay(f"127.37.0.{number}"), loop).result(5)
    with tempfile.TemporaryDirectory() as folder:
        config = Path(environment.source.parent / str(environment.machines["gateway"].ssh_config))
        (Path(folder) / "ssh_config").write_text(
            config.read_text().replace("Port 2222", f"Port {RELAY_PORT}")
        )
        text = environment.source.read_text(encoding="utf-8")
        path = Path(folder) / "slow.toml"
        path.write_text(text.replace("../.lab/lab/ssh_config", f"{folder}/ssh_config"))
        try:
            yield load_environment(str(path), ROOT, {})
        finally:
            asyncio.run_coroutine_threadsafe(_end_all(), loop).result(5)
            loop.call_soon_threadsafe(loop.stop)
            thread.join()


async def _relay(address: str) -> None:
    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection(address, 2222)
        await asyncio.gather(_late(reader, inner_writer), _late(inner_reader, writer))

    await asyncio.start_server(accept, address, RELAY_PORT)


async def _end_all() -> None:
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


async def _late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass on every piece half a round trip after it came, in order, without holding the next one back."""
    loop = asyncio.get_running_loop()
    with contextlib.suppress(OSError):
        while piece := await reader.read(65536):
            loop.call_later(ADDED_ROUND_TRIP_S / 2, writer.write, piece)
    loop.call_later(ADDED_ROUND_TRIP_S / 2 + 0.001, writer.close)


def measured(what: str, run: Callable[[Environment], int], environment: Environment) -> None:
    """Print one line: remote commands and seconds."""
    begun = time.perf_counter()
    commands = run(environment)
    print(f"{what:<46} {commands:>4} commands {time.perf_counter() - begun:>7.2f} s")


def main() -> None:
    """Four lines: the suite and the plain rendition, on the line as it is and on the slow one."""
    environment = load_environment("lab", ROOT, {})
    measured("suite, four machines", suite, environment)
    measured("plain testinfra, the gateway's machine", plain, environment)
    with slow_line(environment) as slow:
        measured(f"suite, four machines, +{ADDED_ROUND_TRIP_S * 1000:.0f} ms", suite, slow)
        measured(f"plain testinfra, +{ADDED_ROUND_TRIP_S * 1000:.0f} ms", plain, slow)


if __name__ == "__main__":
    main()
