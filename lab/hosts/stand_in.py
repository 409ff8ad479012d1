"""``ollama`` on the lab's backend hosts: ``serve`` speaks Ollama's protocol for the models on disk.

Runs there with Debian's Python and aiohttp; ``models.json`` beside it tells what each model is.
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

from lab.backends import BackendServer, Listener, ModelSpec, listen_on_host, normalise

HERE = Path(__file__).parents[2]
CONTROL = "/tmp/outages.sock"  # noqa: S108  (its unit has a /tmp of its own)
"""Where the lab, as root of this machine, begins and ends outages: see ``lab.hosts.outages``."""
MANIFESTS = "manifests/registry.ollama.ai/library"


def models_on_disk(folder: Path, known: dict[str, dict[str, object]]) -> dict[str, ModelSpec]:
    """The models that have a manifest below Ollama's models directory."""
    found = {}
    for path in sorted((folder / MANIFESTS).glob("*/*")):
        name = normalise(f"{path.parent.name}:{path.name}")
        if name in known:
            spec = dict(known[name])
            spec["capabilities"] = tuple(spec["capabilities"])  # type: ignore[arg-type]
            found[name] = ModelSpec(**spec)  # type: ignore[arg-type]
    return found


class StandInBackend:
    """The stand-in at its address, which an outage may close."""

    def __init__(self, backend: BackendServer, host: str, port: int) -> None:
        self._backend, self._host, self._port = backend, host, port
        self._listener: Listener | None = None

    async def become(self, *, listens: bool, outage: str | None) -> None:
        """Returns when it is so. outage: a scenario of the backends, None for none."""
        if self._listener is not None and not listens:
            await self._listener.close()
            self._listener = None
        self._backend.outage = outage
        if self._listener is None and listens:
            self._listener = await listen_on_host(self._backend, self._host, self._port)

    async def obey(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Lines of JSON, each the arguments of ``become`` or nothing; the answer to each is what is held."""
        with contextlib.suppress(OSError), contextlib.closing(writer):
            while line := await reader.readline():
                try:
                    if asked := json.loads(line):
                        await self.become(**asked)
                    connections = self._listener.connections if self._listener else 0
                    reply: dict[str, object] = {"slots": self._backend.in_flight, "connections": connections}
                except (OSError, ValueError, TypeError) as error:
                    reply = {"error": f"{type(error).__name__}: {error}"}
                writer.write(json.dumps(reply).encode() + b"\n")
                await writer.drain()


async def serve(folder: Path, control: Path) -> None:
    """Listen at OLLAMA_HOST until told to end."""
    known = json.loads((HERE / "models.json").read_text(encoding="utf-8"))
    backend = BackendServer(socket.gethostname(), models_on_disk(folder, known))
    host, _, port = os.environ.get("OLLAMA_HOST", "127.0.0.1:11434").rpartition(":")
    server = StandInBackend(backend, host, int(port))
    await server.become(listens=True, outage=None)
    control.unlink(missing_ok=True)
    async with await asyncio.start_unix_server(server.obey, str(control)):
        control.chmod(0o600)
        ending = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ending.set)
        await ending.wait()
    await server.become(listens=False, outage=None)


def main() -> None:
    """``ollama serve`` and ``ollama --version``."""
    if sys.argv[1:] == ["--version"]:
        print(f"ollama version is {BackendServer('', {}).version}")
    elif sys.argv[1:] == ["serve"]:
        models = os.environ.get("OLLAMA_MODELS", str(Path.home() / ".ollama" / "models"))
        asyncio.run(serve(Path(models), Path(CONTROL)))
    else:
        sys.exit("usage: ollama serve | ollama --version")


if __name__ == "__main__":
    main()
