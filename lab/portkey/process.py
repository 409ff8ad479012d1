"""Portkey with its front: two listeners, one gateway. The front dies with the supervisor that it runs in,
Portkey's process by the kernel's promise (``lab.gateway_process``)."""

from __future__ import annotations

from urllib.parse import urlsplit

from gateway_acceptance.report.node import node
from lab.gateway_process import Child
from lab.portkey.front import Front
from lab.portkey.install import HERE
from lab.ports import place, refuse_taken_port
from lab.specification import Specification

LOG = "portkey.log"


class Portkey:
    """The front at the gateway's address, Portkey at the port after it."""

    def __init__(self, child: Child, front: Front, own: tuple[str, int]) -> None:
        self._child, self._front, self._own = child, front, own

    async def start(self) -> None:
        """Returns when both serve. Raises NotStarted."""
        refuse_taken_port(*self._own)
        await self._child.start()
        await self._front.start()

    async def stop(self) -> None:
        """Close the front, end Portkey."""
        await self._front.close()
        await self._child.stop()


def portkey_process(specification: Specification) -> Portkey:
    """Portkey for the environment of a specification."""
    environment = specification.environment
    host, port = place(environment.gateway.url)
    own = (host, port + 1)
    upstream = f"http://{host}:{port + 1}"
    backends = sorted({urlsplit(backend.url).hostname or "" for backend in environment.backends})
    command = [str(node()), "--require", str(HERE / "loopback.cjs"), str(specification.installed)]
    command += [f"--port={port + 1}", "--headless"]
    variables = {
        "LISTEN_HOST": host,
        "TRUSTED_CUSTOM_HOSTS": ",".join(backends),  # others are refused, but for a few names
        "NODE_ENV": "production",
    }
    child = Child("Portkey", command, variables, specification.folder / LOG, upstream)
    return Portkey(child, Front(environment, specification.key, upstream), own)
