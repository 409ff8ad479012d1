"""Planted defects in the run: each process that runs checks sends some of them at what is known to be bad.

They go the way of every check: pytest's hooks, fixtures, clients, rules, verdict. What neutralises any of
these shows itself, for a check then passes, or fails for another reason (docs/evidence.md).
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

from gateway_acceptance.environment import Environment
from gateway_acceptance.planted import NAME, PlantedDefects, drawn
from gateway_acceptance.planted.stand_in import StandIn
from gateway_acceptance.plugin.parametrise import AXES, check_of
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.plugin.worker import STATE, WorkerState
from gateway_acceptance.report.reading import first_line

LISTENERS = ("allure_listener",)
"""Plugins that would take a planted case for one of the run's."""
SAID_AT_MOST = 160

Result = dict[str, Any]


def plant(
    session: pytest.Session,
    catalogue: PlantedDefects,
    folder: Path,
    worker: str,
    names: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Draw checks, run them at the stand-in, write down what became of them (``planted-WORKER.json``).

    folder: private to the run; worker: xdist's id, or empty; names: these checks instead of drawn ones.
    """
    begun = time.monotonic()
    templates = _templates(session.items, catalogue.defects if names is None else names)
    seed = f"{secrets.token_hex(8)}{worker}"
    ids = drawn(seed, {name: _suite(item) for name, item in templates.items()}) if names is None else names
    results = []
    with _surroundings(session.config, catalogue, folder) as environment:
        for name in ids:
            if name in templates:
                results.append(_tried(templates[name], environment, name, catalogue.defects.get(name, "")))
    report = {"seed": seed, "results": results, "took_s": round(time.monotonic() - begun, 3)}
    (folder / f"planted-{worker}.json").write_text(json.dumps(report), encoding="utf-8")
    return report


def read_planted(folder: Path, known: int) -> dict[str, Any]:
    """What all processes of the run planted: {known, seeds, took_s (of the slowest), results}. known: how
    many defects the suite has."""
    reports = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("planted-*.json"))]
    return {
        "known": known,
        "seeds": [one["seed"] for one in reports],
        "took_s": max((one["took_s"] for one in reports), default=0.0),
        "results": [result for one in reports for result in one["results"]],
    }


def _templates(
    items: Sequence[pytest.Item], wanted: Mapping[str, str] | Sequence[str]
) -> dict[str, pytest.Function]:
    """One collected case of each check that may be drawn."""
    found: dict[str, pytest.Function] = {}
    for item in items:
        check = check_of(item)
        if check is not None and check.id in wanted and isinstance(item, pytest.Function):
            found.setdefault(check.id, item)
    return found


def _suite(item: pytest.Function) -> str:
    check = check_of(item)
    return check.suite if check is not None else ""


@contextmanager
def _surroundings(config: pytest.Config, catalogue: PlantedDefects, folder: Path) -> Iterator[Environment]:
    """The stand-in, its environment known to the process, and nobody listening who writes cases down."""
    state = config.stash[STATE]
    stand_in = StandIn()
    quiet = {name: config.pluginmanager.get_plugin(name) for name in LISTENERS}
    for name, plugin in quiet.items():
        if plugin is not None:
            config.pluginmanager.unregister(plugin, name)
    try:
        environment = catalogue.environment(stand_in.url)
        state.planted = environment
        state.targets[NAME] = _target(environment, catalogue, folder, state)
        yield environment
    finally:
        target = state.targets.pop(NAME, None)
        if target is not None:
            target.close()
        state.planted = None
        for name, plugin in quiet.items():
            if plugin is not None:
                config.pluginmanager.register(plugin, name)
        stand_in.close()


def _target(environment: Environment, catalogue: PlantedDefects, folder: Path, state: WorkerState) -> Target:
    """Its key is made up now; the environment's own is never sent there."""
    own = folder / f"planted-{secrets.token_hex(4)}"
    own.mkdir()
    key = secrets.token_hex(24)
    state.redactor.add("key of the planted defects", key)
    facts = dict.fromkeys(environment.machines, str(catalogue.facts))
    return Target(environment, key, own, time.time(), state.notebook, facts)


def _tried(template: pytest.Function, environment: Environment, name: str, expected: str) -> Result:
    """One check, run as pytest runs it but for its report, which goes nowhere."""
    case = _case(template, environment)
    begun = time.monotonic()
    outcome: dict[str, Any] = {}
    for report in runtestprotocol(case, log=False, nextitem=None):
        outcome = getattr(report, "gateway_case", outcome)
    verdict, said = str(outcome.get("verdict")), str(outcome.get("message", ""))
    return {
        "check": name,
        "expected": expected,
        "verdict": verdict,
        "said": first_line(said, SAID_AT_MOST),
        "took_s": round(time.monotonic() - begun, 3),
    }


def _case(template: pytest.Function, environment: Environment) -> pytest.Function:
    """The same check over the planted environment."""
    axis = next((one for one in template.callspec.params if one in AXES), None)
    params: dict[str, object] = {"environment": environment.name}
    if axis is not None:
        params[axis] = ([*AXES[axis][1](environment), "-"])[0]
    spec = replace(template.callspec, params=params, indices=dict.fromkeys(params, 0), _idlist=(NAME,))
    case: pytest.Function = pytest.Function.from_parent(
        template.parent,
        name=f"{template.originalname}[{NAME}]",
        callspec=spec,
        fixtureinfo=template._fixtureinfo,
        originalname=template.originalname,
    )
    return case
