"""Embedded environments on loopback addresses: a real gateway and Ollama-protocol backends."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import select
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from gateway_acceptance.embedded import NotStarted, Running
from gateway_acceptance.environment import Environment
from lab.addresses import held_addresses
from lab.gateway_process import READY_BUDGET_S, last_lines
from lab.gateways import gateway_of
from lab.outages import Lease
from lab.patience import patient
from lab.specification import LabView, Specification
from lab.state import LabState, digest_of, lab_folder, read_state, stop

START_BUDGET_S = READY_BUDGET_S + 30
"""Seconds for a supervisor to report: the gateway's own budget, and the rest."""


class LocalProvider:
    """Finds the environment running (``lab up``), or starts it for as long as the calling process lives."""

    def acquire(
        self,
        environment: Environment,
        *,
        options: Mapping[str, str],
        root: Path,
        say: Callable[[str], None],
    ) -> Running:
        """See ``gateway_acceptance.embedded.Provider``. options: ``litellm``, a version or ``latest``;
        other gateways have the one version that is locked."""
        wanted = options.get("litellm") or declared_version(environment)
        found = read_state(lab_folder(root, environment))
        if found is not None and found.owner is None:
            require_same(found, environment, wanted)
            say(f"using the lab that is up: {found.gateway}, {found.runs}")
            return Running(found.key, nothing, limited_key=found.limited_key)
        state = start(environment, wanted, root, say, owner=os.getpid())
        return Running(state.key, lambda: end(state), limited_key=state.limited_key)

    def disruptor(self, environment: Environment, root: Path) -> Lease:
        """See ``gateway_acceptance.embedded.disruptor_of``."""
        return Lease(lab_folder(root, environment))


PROVIDER = LocalProvider()


def start(
    environment: Environment,
    wanted: str,
    root: Path,
    say: Callable[[str], None],
    *,
    owner: int | None,
    views: Sequence[LabView] = (),
) -> LabState:
    """Start a lab and wait until it answers.

    wanted: the LiteLLM version, ``latest`` or empty for the default; owner: the pid that it lives and dies
    with, or None. Raises NotStarted, with the log's last lines.
    """
    product = gateway_of(environment)
    version = product.resolve(wanted)
    installed = product.install(root, version, say)
    folder = lab_folder(root, environment)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = f"sk-{secrets.token_hex(24)}"
    specification = Specification(environment, folder, key, installed, version, owner, tuple(views))
    with held_addresses(environment, say) as held:
        say(f"starting {environment.name}: {product.name} {version} at {environment.gateway.url} ...")
        _launch(specification, held)
    state = read_state(folder)
    if state is None:
        raise NotStarted("the lab ended right after it had started", last_lines(folder / "lab.log"))
    return state


def _launch(specification: Specification, held: socket.socket) -> None:
    folder = specification.folder
    (folder / gateway_of(specification.environment).log).write_bytes(b"")
    launch("lab.supervisor", specification.write(), folder / "lab.log", patient(START_BUDGET_S), held)


def launch(module: str, path: Path, log: Path, budget_s: float, held: socket.socket | None = None) -> None:
    """Start a supervisor and wait for its report. path: its specification, which it removes; held: what it
    holds as long as it lives (lab.addresses). Raises NotStarted."""
    kept = () if held is None else (held.fileno(),)
    reading, writing = os.pipe()
    try:
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", module, str(path), str(writing), *map(str, kept)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=(writing, *kept),
                start_new_session=True,  # Ctrl-C is for the run; the run ends its lab
                cwd=Path(__file__).parent.parent,
            )
        os.close(writing)
        writing = -1
        report = _first_line(reading, process, budget_s)
    except BaseException:
        with contextlib.suppress(NameError, ProcessLookupError):
            process.terminate()
            process.wait(START_BUDGET_S)
        raise
    finally:
        os.close(reading)
        if writing != -1:
            os.close(writing)
        path.unlink(missing_ok=True)
    if report is None:
        process.wait(START_BUDGET_S)
        raise NotStarted("the lab could not be started", last_lines(log))
    if "error" in report:
        process.wait(START_BUDGET_S)
        raise NotStarted(str(report["error"]), str(report.get("log", "")))


def _first_line(reading: int, process: subprocess.Popen[bytes], budget_s: float) -> dict[str, object] | None:
    """The supervisor's report, or None where it died without one."""
    readable, _, _ = select.select([reading], [], [], budget_s)
    if not readable:
        process.terminate()
        raise NotStarted(f"the lab did not report within {budget_s:.0f} s")
    data = b""
    while not data.endswith(b"\n"):
        part = os.read(reading, 65536)
        if not part:
            return None
        data += part
    document: dict[str, object] = json.loads(data)
    return document


def require_same(found: LabState, environment: Environment, wanted: str) -> None:
    version = gateway_of(environment).resolve(wanted)
    if wanted and version != found.version:
        raise NotStarted(
            f"the lab that is up runs {found.runs}, {version} is asked for; "
            "run `gateway-acceptance lab down` first"
        )
    if found.declared != digest_of(environment):
        raise NotStarted(
            f"the lab that is up was started from another version of {environment.source}; "
            "run `gateway-acceptance lab down` first"
        )


def declared_version(environment: Environment) -> str:
    assert environment.embedded is not None
    return str(environment.embedded.options.get("litellm", ""))


def end(state: LabState) -> None:
    if not stop(state):
        raise NotStarted(f"the lab's process {state.pid} could not be ended; end it by hand")


def nothing() -> None:
    """A lab that was found running stays."""
