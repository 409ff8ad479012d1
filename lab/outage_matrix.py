"""The faults that show only while backends are away, and the healthy control: one after the other, for they
share the backends that are taken away."""

from __future__ import annotations

import os
import tempfile
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import tomli_w

from gateway_acceptance.embedded import Running
from gateway_acceptance.environment import Environment, load_environment
from gateway_acceptance.usage import UsageProblem
from lab.description import have_it_described
from lab.faults import FAULTS, Fault, Layer
from lab.flakiness import Rounds, progress
from lab.local import nothing, start
from lab.loopback_pool import own_net
from lab.mutation_matrix import CONTROL, Declarer, Matrix, judge, run_checks
from lab.outages import Lease
from lab.specification import LabView
from lab.state import lab_folder, stop

SUITE = "suites/backends/outage/test_outage.py"
PROVIDER_NAME = "outage-view"


class ViewProvider:
    """Starts nothing: one lab holds all views. options of ``[embedded]``: ``lab``, the folder of that lab,
    and ``key``, a file with the gateway's key."""

    def acquire(
        self,
        environment: Environment,
        *,
        options: Mapping[str, str],  # noqa: ARG002
        root: Path,  # noqa: ARG002
        say: Callable[[str], None],  # noqa: ARG002
    ) -> Running:
        """See ``gateway_acceptance.embedded.Provider``."""
        return Running(Path(_option(environment, "key")).read_text(encoding="utf-8"), nothing)

    def disruptor(self, environment: Environment, root: Path) -> Lease:  # noqa: ARG002
        """See ``gateway_acceptance.embedded.disruptor_of``."""
        return Lease(Path(_option(environment, "lab")))


PROVIDER = ViewProvider()


def chosen_outage_faults(only: Sequence[str]) -> list[Fault]:
    """The faults to run, all where ``only`` is empty. Raises UsageProblem for an unknown name."""
    known = {name: fault for name, fault in FAULTS.items() if fault.layer is Layer.OUTAGE}
    unknown = [name for name in only if name not in known]
    if unknown:
        listed = ", ".join(known)
        raise UsageProblem(
            [f"--only {name}: there is no such fault of outages; known are: {listed}" for name in unknown]
        )
    return [known[name] for name in only] if only else list(known.values())


def run_outage_matrix(root: Path, only: Sequence[str], litellm: str, say: Callable[[str], None]) -> Matrix:
    """Run the faults of outages. Raises UsageProblem, NotStarted."""
    (matrix,) = _matrices(root, only, litellm, 1, say)
    return matrix


def run_outages_repeated(
    root: Path, only: Sequence[str], litellm: str, times: int, say: Callable[[str], None]
) -> Rounds:
    """Run faults of outages so many times on one lab. Raises UsageProblem, NotStarted."""
    return Rounds(_matrices(root, only, litellm, times, say))


def _matrices(
    root: Path, only: Sequence[str], litellm: str, times: int, say: Callable[[str], None]
) -> list[Matrix]:
    faults = chosen_outage_faults(only)
    with own_net() as net, tempfile.TemporaryDirectory(prefix="outage-matrix-") as temporary:
        folder = Path(temporary)
        declare = Declarer(root, folder, net)
        base = declare.base()
        key = folder / "key"
        names = [CONTROL, *(fault.name for fault in faults)]
        views = []
        for number, name in enumerate(names, start=1):
            view = declare.view(name, number, FAULTS.get(name))
            environment = _embedded(root, view, {"lab": str(lab_folder(root, base)), "key": str(key)})
            views.append(LabView(environment, name if name != CONTROL else None))
        state = start(base, litellm, root, say, owner=os.getpid(), views=views)
        try:
            have_it_described(base.gateway.url)
            key.write_text(state.key, encoding="utf-8")
            say(f"running {len(faults)} faults of outages and the healthy control ...")
            environments = [view.environment for view in views]
            matrices = []
            for number in range(times):
                runs = folder / f"run-{number}"
                runs.mkdir()
                records = run_checks(root, runs, environments, faults, {}, suite=SUITE, workers=0)
                matrices.append(judge(faults, records, complete=not only))
                if times > 1:
                    say(progress(matrices[-1], number, times))
        finally:
            stop(state)
        return matrices


def _embedded(root: Path, view: Environment, options: Mapping[str, str]) -> Environment:
    """The view's file again, as an environment whose backends may be taken away."""
    document: dict[str, Any] = tomllib.loads(view.source.read_text(encoding="utf-8"))
    document["kind"] = "embedded"
    document["embedded"] = {"provider": PROVIDER_NAME, "options": dict(options)}
    document["policy"]["effects"].append("disrupt")
    del document["gateway"]["key_variable"]
    view.source.write_text(tomli_w.dumps(document), encoding="utf-8")
    return load_environment(str(view.source), root, {})


def _option(environment: Environment, name: str) -> str:
    assert environment.embedded is not None
    return str(environment.embedded.options[name])
