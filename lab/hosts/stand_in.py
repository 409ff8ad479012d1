"""``ollama`` on the lab's backend hosts: ``serve`` speaks Ollama's protocol for the models on disk.

Runs there with Debian's Python and aiohttp; ``models.json`` beside it tells what each model is.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from pathlib import Path

from aiohttp import web

from lab.backends import Backend, ModelSpec, build_app, normalise

HERE = Path(__file__).parents[2]
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


async def serve(folder: Path) -> None:
    """Listen at OLLAMA_HOST until told to end."""
    known = json.loads((HERE / "models.json").read_text(encoding="utf-8"))
    backend = Backend(socket.gethostname(), models_on_disk(folder, known))
    host, _, port = os.environ.get("OLLAMA_HOST", "127.0.0.1:11434").rpartition(":")
    runner = web.AppRunner(build_app(backend, None), access_log=None, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, host, int(port)).start()
    ending = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ending.set)
    await ending.wait()
    await runner.cleanup()


def main() -> None:
    """``ollama serve`` and ``ollama --version``."""
    if sys.argv[1:] == ["--version"]:
        print(f"ollama version is {Backend('', {}).version}")
    elif sys.argv[1:] == ["serve"]:
        models = os.environ.get("OLLAMA_MODELS", str(Path.home() / ".ollama" / "models"))
        asyncio.run(serve(Path(models)))
    else:
        sys.exit("usage: ollama serve | ollama --version")


if __name__ == "__main__":
    main()
