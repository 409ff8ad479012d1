"""The process that holds a lab: backends and fault views inside it, the gateway as its child.

Started by ``lab.local`` with a specification file, and told apart from other processes by its pid. It ends
on SIGTERM, and by itself when the process that owns it dies, however that happens (pidfd); the gateway is
killed by the kernel when this process dies (PR_SET_PDEATHSIG). So nothing stays behind, also after
``kill -9``.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from pathlib import Path

import psutil

from gateway_acceptance.embedded import NotStarted
from lab.addresses import BACKLOG
from lab.backend_factory import backends_of
from lab.control_api import Admin
from lab.gateways import gateway_of
from lab.listeners import Listeners
from lab.outages import SOCKET as OUTAGES
from lab.outages import LocalStage, Outages
from lab.ports import refuse_taken_ports
from lab.specification import Specification
from lab.state import LabState, digest_of, write_state


async def hold(specification: Specification, ready: int) -> None:
    """Start everything, report on the file descriptor ``ready``, and serve until told to end."""
    ending = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sent in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(sent, ending.set)
    if specification.owner is not None:
        end_with(specification.owner, ending)
    async with contextlib.AsyncExitStack() as stack:
        try:
            await _start(specification, stack)
        except NotStarted as failure:
            report(ready, {"error": failure.sentence, "log": failure.log})
            return
        report(ready, {"ready": True})
        await ending.wait()


async def _start(specification: Specification, stack: contextlib.AsyncExitStack) -> None:
    environment = specification.environment
    folder = specification.folder
    refuse_taken_ports(environment)
    views = Listeners(specification)
    backends = backends_of(environment, embed_scenario=views.embedding_scenario)
    stack.push_async_callback(views.close)
    await views.start(backends)
    product = gateway_of(environment)
    gateway = product.process(specification)
    stack.push_async_callback(gateway.stop)
    await gateway.start()
    admin = Admin(folder / "admin.sock", backends, views, gateway)
    stack.push_async_callback(admin.close)
    await admin.start()
    outages = Outages(folder / OUTAGES, LocalStage(backends, views))
    stack.push_async_callback(outages.close)
    await outages.start()
    state = LabState(
        environment=environment.name,
        pid=os.getpid(),
        created=psutil.Process().create_time(),
        key=specification.key,
        version=specification.version,
        gateway=environment.gateway.url,
        declared=digest_of(environment),
        owner=specification.owner,
        log=str(folder / product.log),
        product=product.name,
        limited_key=getattr(gateway, "limited_key", ""),
    )
    stack.callback(lambda: (folder / "state.json").unlink(missing_ok=True))
    write_state(folder, state)


def end_with(owner: int, ending: asyncio.Event) -> None:
    """Set ``ending`` when the process ``owner`` ends, however that happens."""
    try:
        descriptor = os.pidfd_open(owner)
    except ProcessLookupError:
        ending.set()
        return
    asyncio.get_running_loop().add_reader(descriptor, ending.set)


def report(ready: int, document: dict[str, object]) -> None:
    """One line of JSON to the process that waits at the other end."""
    with contextlib.suppress(OSError):  # nobody may be listening any more
        os.write(ready, json.dumps(document).encode() + b"\n")
        os.close(ready)


def main() -> None:
    """``python -m lab.supervisor SPECIFICATION READY_FD ADDRESSES_FD``."""
    with socket.socket(fileno=int(sys.argv[3])) as held:
        held.listen(BACKLOG)  # whoever wants the same addresses learns of this process, and of its end
        _main()


def _main() -> None:
    specification = Specification.read(Path(sys.argv[1]))
    asyncio.run(hold(specification, int(sys.argv[2])))


if __name__ == "__main__":
    main()
