"""What a smoke costs beside its own requests: its process, and a plain asynchronous client's that sends them.

``python bench/smoke_beside_client.py [--pairs N]`` starts a lab, warms it by one smoke whose requests are
written down, and then runs both, one after the other. Medians of paired runs, in seconds of wall and of CPU.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from bench.recorded_exchanges import SENT_VARIABLE  # noqa: E402
from tests.live.conftest import KEY_VARIABLE, Lab, command, running  # noqa: E402

AT_ONCE = 8
CLIENT = f"""
import asyncio, json, sys, httpx
async def main():
    gate = asyncio.Semaphore({AT_ONCE})
    async with httpx.AsyncClient(timeout=60) as client:
        async def send(one):
            headers = [tuple(pair) for pair in one["headers"] if pair[0].lower() != "content-length"]
            async with gate:
                try:
                    await client.request(
                        one["method"], one["url"], headers=headers, content=one["body"].encode("latin-1"))
                except httpx.HTTPError:
                    pass
        await asyncio.gather(*map(send, json.load(open(sys.argv[1]))))
asyncio.run(main())
"""


def measured(arguments: list[str], variables: dict[str, str]) -> tuple[float, float]:
    """(seconds of wall, seconds of CPU) of a process and its children, which is to succeed."""
    begun, before = time.monotonic(), os.times()
    subprocess.run(
        arguments, cwd=ROOT, env={**os.environ, **variables}, check=True, stdout=subprocess.DEVNULL
    )
    after = os.times()
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    return time.monotonic() - begun, spent


def pairs(lab: Lab, folder: Path, count: int) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    """(smoke, client) so often."""
    sent, runs = folder / "sent.json", folder / "runs"
    known = {KEY_VARIABLE: lab.state.key, SENT_VARIABLE: str(sent)}
    smoke = command(lab.environment, runs)
    measured([*smoke, "-p", "bench.recorded_exchanges"], known)
    client = [sys.executable, "-c", CLIENT, str(sent)]
    print(f"{len(json.loads(sent.read_text('utf-8')))} requests, {AT_ONCE} at once", flush=True)
    return [(measured(smoke, known), measured(client, known)) for _ in range(count)]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=5)
    count = parser.parse_args().pairs
    with tempfile.TemporaryDirectory() as name, running(Path(name), "latest") as lab:
        seen = pairs(lab, Path(name), count)
    for number, what in enumerate(("wall", "CPU")):
        smokes = [smoke[number] for smoke, _ in seen]
        clients = [client[number] for _, client in seen]
        ratio = statistics.median(smoke / client for smoke, client in zip(smokes, clients, strict=True))
        print(
            f"{what:<5} smoke {statistics.median(smokes):6.2f} s, "
            f"client {statistics.median(clients):6.2f} s: {ratio:.1f} x"
        )


if __name__ == "__main__":
    main()
