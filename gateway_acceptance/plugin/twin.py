"""``--twin``: what a release without a file of deviations does by itself, learned beside the run.

The command ``deviations learn`` of the lab starts the same release clean, runs the same checks and writes
what it shows into the run's private folder; the run then judges by that (docs/deviations.md). Nothing of the
lab is imported here: the command is found as every command is, by its entry point.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import entry_points
from pathlib import Path

from gateway_acceptance.deviations import LEARNED, Known, known_before, known_of, merged, releases
from gateway_acceptance.embedded import NotStarted
from gateway_acceptance.environment import Environment
from gateway_acceptance.environment.secrets import key_of
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.wire.exchange import Notebook

COMMANDS, COMMAND = "gateway_acceptance.commands", "deviations"
TWINS = "twins"
"""The folder of what twins showed, in the private folder of a run: as that of the products is laid out."""
WAKING, WOKEN = "smoke", "nightly"
"""What a smoke finds wakes checks of nightly: which ones is a matter of what it asks, so all are learned."""
LONGEST_S = 1800
"""Seconds for one twin: its installation, once, and its checks."""
NOT_HANDED_ON = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTEST_XDIST_WORKER", "GATEWAY_ACCEPTANCE_ENV")
"""Variables that would make the twin's run another one."""
Say = Callable[[str], None]


def twin_problems(environments: Sequence[Environment]) -> list[str]:
    """A sentence for each thing that keeps a twin from being started at all; before anything is sent."""
    found = [
        f"--twin: no release of {one.gateway.product!r} can be started beside {one.name}; it is there for "
        "products with files of deviations (gateway-acceptance deviations list); take the option away"
        for one in environments
        if not releases(one.gateway.product)
    ]
    points = [point for point in entry_points(group=COMMANDS) if point.name == COMMAND]
    try:
        loaded = [point.load() for point in points]
    except ModuleNotFoundError:
        loaded = []
    if not loaded:
        found.append("--twin starts a release in the lab, whose packages are not installed; "
                     "pip install 'gateway-acceptance[lab]'")  # fmt: skip
    return found


def twin_needed(environment: Environment, version: str) -> str:
    """Why no twin is started, or nothing where one is needed. Raises NotStarted where the release is not
    known."""
    gateway = environment.gateway
    if not version:
        raise NotStarted(
            f"--twin: {environment.name} does not tell its version; declare it as gateway.version, or take "
            "the option away"
        )
    listed = releases(gateway.product)
    if (version, gateway.variant or "") in listed:
        return f"{gateway.product} {version} has a file of deviations: no twin is needed"
    return ""


def start_twins(
    environments: Sequence[Environment],
    keys: Mapping[str, str],
    profile: str,
    folder: Path,
    root: Path,
    say: Say,
) -> None:
    """A twin for each environment that needs one, before the run's own time begins. keys: of the environments
    whose key no variable holds; folder, root: as of ``learn_twin``. Raises NotStarted, NotPermitted."""
    for environment in environments:
        key = keys.get(environment.name) or key_of(environment, os.environ)
        target = Target(environment, key, folder, time.time(), Notebook(agent="twin"))
        try:
            seen = target.probe()
        finally:
            target.close()
        if seen.trouble is not None:
            say(f"no twin of {environment.name}: {seen.trouble.what}")  # the run says so, with its fix
            continue
        version = seen.version or environment.gateway.version or ""
        if why := twin_needed(environment, version):
            say(why)
        else:
            learn_twin(environment, version, profile, folder, root, say)


def learn_twin(
    environment: Environment, version: str, profile: str, folder: Path, root: Path, say: Say
) -> None:
    """Start the release clean, run the profile's checks of the API, and keep what they show. folder: private
    to the run; root: the folder that the lab works in. Raises NotStarted."""
    gateway = environment.gateway
    say(f"starting the twin of {environment.name}: {gateway.product} {version}, clean, in the lab ...")
    command = [
        *(sys.executable, "-P", "-c", "from gateway_acceptance.cli.main import main; main()"),
        *(COMMAND, "learn", "--product", gateway.product, "--version", version),
        *(["--variant", gateway.variant] if gateway.variant else []),
        *("--beside", "--profile", WOKEN if profile == WAKING else profile, "--out", str(folder / TWINS)),
    ]
    try:
        done = subprocess.run(
            command,
            cwd=root,
            env=_variables(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=LONGEST_S,
        )
    except subprocess.TimeoutExpired:
        raise NotStarted(f"--twin: {version} was not learned within {LONGEST_S} s") from None
    if done.returncode != 0 or not (folder / TWINS / gateway.product).is_dir():
        said = done.stderr.strip() or done.stdout.strip() or f"exit code {done.returncode}"
        raise NotStarted(f"--twin: {gateway.product} {version} could not be learned", said)
    say(done.stdout.strip().splitlines()[-1].partition(": ")[2] + f" of {version} by itself")


def _variables(environment: Environment) -> Mapping[str, str]:
    """The environment's key is none of the twin's business."""
    left_out = {*NOT_HANDED_ON, environment.gateway.key_variable}
    return {name: value for name, value in os.environ.items() if name not in left_out}


def known_here(
    folder: Path, product: str, version: str, variant: str | None, upstreams: Collection[str] = ()
) -> Known:
    """What is known of a release in a run: what its twin showed, else what the files say. upstreams: as of
    ``known_of``; a twin stands before Ollama's own protocol, what it does before these the files say."""
    twins = folder / TWINS
    if version and (version, variant or "") in releases(product, twins):
        shown = known_of(product, version, variant or "", twins)
        before = [release for one in upstreams for release in known_before(product, version, one)]
        also = [deviation for release in before for deviation in release.deviations]
        return replace(shown, note=LEARNED, deviations=merged([*shown.deviations.values(), *also]))
    return known_of(product, version, variant, upstreams=upstreams)
