"""Ollama-protocol backends: deterministic, countable, with switchable faults. See docs/lab-backends.md."""

from lab.backends.backend import BackendServer
from lab.backends.models import ModelSpec, normalise
from lab.backends.scenario import Call, Connection, Fixed, Scenario
from lab.backends.scenarios import SCENARIOS, register, scenario_named
from lab.backends.server import SCENARIO_HEADER, Listener, build_app, listen, listen_on_host

__all__ = [
    "SCENARIOS",
    "SCENARIO_HEADER",
    "BackendServer",
    "Call",
    "Connection",
    "Fixed",
    "Listener",
    "ModelSpec",
    "Scenario",
    "build_app",
    "listen",
    "listen_on_host",
    "normalise",
    "register",
    "scenario_named",
]
