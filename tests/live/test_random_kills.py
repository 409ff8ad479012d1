"""Runs of smoke with random kills: of workers, of the gateway, of backends, of the run.

``make kills`` plays 50 of them, every fourth with a real LiteLLM; here a few, by the same seed each time.
"""

from __future__ import annotations

import json
import os
import random
import re
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from lab.loopback_pool import own_net
from lab.state import lab_folder, read_state
from tests.live.conftest import ROOT, command, environment_at
from tests.live.kills import A_WORKER, Trial, a_worker, ended_by, named, of_lab
from tests.plugin.gateway import Gateway, serving
from tests.plugin.project import ALIVE, a_check, new_project

RUNS = int(os.environ.get("GATEWAY_ACCEPTANCE_KILLS", "4"))
SEED = int(os.environ.get("GATEWAY_ACCEPTANCE_SEED", "17"))
REAL_EVERY = 4
SIGNALS = (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
ASKS = [
    "assert gateway.models().status == 200",
    "gateway.chat('chat-one', 'hello', max_tokens=8)\nassert gateway.get('/alive').status == 200",
    "target.once(('list',), gateway.models)\nassert gateway.models().status == 200",
]
LAST = 45
"""So many requests has a run of the made-up checks, start and end included, and a few more: some die late."""
REAL_LAST = 90
KINDS_FROM = 50
"""So many runs kill somebody of each kind."""
ARRIVED = re.compile(r'"[A-Z]+ (?!/health/readiness)\S+ HTTP/1')
"""A line of LiteLLM's access log; readiness is what the lab asks as well."""


MET: list[str] = []
"""Whom each run's kill met; empty for nobody."""


@pytest.mark.parametrize("number", range(RUNS))
def test_a_kill_leaves_the_truth(number: int, tmp_path: Path) -> None:
    draw = random.Random(SEED * 1000 + number)
    play = real if RUNS > REAL_EVERY and number % REAL_EVERY == REAL_EVERY - 1 else made_up
    trial = play(draw, tmp_path)
    MET.append(trial.killed)
    state = (trial.record() or {"run": {"state": "no record"}})["run"]["state"]
    told = f"killed {trial.killed or 'nobody'} after {trial.arrived_at}: {state}, exit code {trial.code}"
    print(f"{play.__name__} {number}: {told}")
    assert trial.problems() == [], f"{told}\n{trial.output[-3000:]}"


def test_the_kills_met_somebody() -> None:
    """Of all runs; some are over before their kill is due. A kind that is never found kills nobody."""
    assert sum(map(bool, MET)) >= 3 * len(MET) // 4
    if len(MET) >= KINDS_FROM:
        whom = {name.split(" (")[0] for name in MET}
        assert whom >= {"the run", A_WORKER, "the gateway", "the backend", "the backends"}


def made_up(draw: random.Random, folder: Path) -> Trial:
    """Against a gateway and a backend of this process."""
    project = new_project(folder)
    project.checks(
        ALIVE,
        *(a_check(n, ASKS[n % len(ASKS)], "gateway, target", effect="SPEND") for n in range(1, 25)),
    )
    with serving() as gateway, serving() as backend:
        backend.version = "1.0"
        path = project.environment(gateway.url)
        text = path.read_text(encoding="utf-8")
        path.write_text(
            text.replace(f'name = "one"\nurl = "{gateway.url}"', f'name = "one"\nurl = "{backend.url}"'),
            encoding="utf-8",
        )
        workers = draw.choice([0, 2, 2])
        victims: list[Callable[..., str]] = [ended_by(draw.choice(SIGNALS)), gone(gateway, "the gateway")]
        victims += [
            gone(backend, "the backend"),
            a_worker(draw) if workers else ended_by(draw.choice(SIGNALS)),
        ]
        trial = Trial(
            project.command("--env=mini", "-m", "smoke", "-n", str(workers)),
            folder,
            project.variables(),
            folder / "reports" / "runs" / "mini" / "latest",
            lambda: gateway.accepted,
            lambda: sum(len(one.seen) + one.unanswered for one in (gateway, backend)),
            draw.choice(victims),
            draw.randrange(LAST),
            missed=lambda: gateway.unanswered + backend.unanswered,
        )
        trial.play()
    return trial


def gone(server: Gateway, name: str) -> Callable[..., str]:
    """It takes connections no more."""

    def kill(_: object) -> str:
        server.dead = True
        return name

    return kill


def real(draw: random.Random, folder: Path) -> Trial:
    """Against a real LiteLLM that the run itself starts."""
    with own_net() as net:
        environment = environment_at(net, folder, embedded=True, logs="ordinary")
        lab, key = lab_folder(ROOT, environment), [""]

        def secret() -> str:
            state = read_state(lab)
            key[0] = state.key if state is not None else key[0]
            return key[0]

        def arrived() -> int:
            secret()  # it is known as long as the lab is up
            log = lab / "litellm.log"
            return len(ARRIVED.findall(log.read_text(errors="replace"))) if log.exists() else 0

        def part(find: Callable[[], list[psutil.Process]], name: str) -> Callable[..., str]:
            def kill(_: object) -> str:
                found = find()
                for one in found:
                    one.kill()
                return name if found else ""

            return kill

        (lab / "litellm.log").unlink(missing_ok=True)
        victims: list[Callable[..., str]] = [ended_by(draw.choice(SIGNALS)), a_worker(draw)]
        victims += [
            part(lambda: of_lab(str(lab)), "the gateway"),
            part(lambda: named(trial.mark, "lab.supervisor"), "the backends"),
        ]
        trial = Trial(
            command(environment, folder / "runs", "-n", "2"),
            folder,
            dict(os.environ),
            folder / "runs" / environment.name / "latest",
            secret,
            arrived,
            draw.choice(victims),
            draw.randrange(REAL_LAST),
            str(lab),
        )
        trial.play()
        print(json.dumps({"python": sys.version.split()[0], "victim": trial.killed}))
    return trial
