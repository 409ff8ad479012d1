"""The listeners of a lab: the backends at their own addresses, and every view with its defect."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack

from lab.backends import BackendServer, Listener, listen
from lab.controls import CONTROLS
from lab.doors import DOORS
from lab.doors.guard import WITHOUT_A_HOLE
from lab.faults import FAULTS, Fault
from lab.ports import place
from lab.proxy.gate import EmbeddingGate
from lab.proxy.server import ProxiedGateway
from lab.specification import Specification


class Listeners:
    """Opens and closes all listeners of a specification."""

    def __init__(self, specification: Specification) -> None:
        self._specification = specification
        self._gate = EmbeddingGate()
        self._stack = AsyncExitStack()
        self._listeners: dict[str, Listener] = {}
        self._backends: Mapping[str, BackendServer] = {}

    def embedding_scenario(self) -> str | None:
        """The scenario of the embedding request under way, for the backends."""
        return self._gate.scenario()

    async def start(self, backends: Mapping[str, BackendServer]) -> None:
        """Backends first, then the views in front of the gateway."""
        self._backends = backends
        base = self._specification.environment
        for name in backends:
            await self.start_backend(name)
        for declared in self._specification.views:
            fault = _named(declared.fault) if declared.fault else None
            moved = {}
            for backend in declared.environment.backends:
                own = base.backend(backend.name).called
                if backend.url != own and backend.gateway_url is None:
                    moved[own] = backend.url
                    scenario = fault.scenario if fault else None
                    listener = await listen(backends[backend.name], *place(backend.url), scenario=scenario)
                    self._stack.push_async_callback(listener.close)
            view = ProxiedGateway(base.gateway.url, self._specification.key, fault, self._gate, moved)
            self._stack.push_async_callback(view.close)
            await view.start(declared.environment.gateway.url)

    async def start_backend(self, name: str) -> None:
        """Listen at the backend's own address (again); without effect where it listens."""
        if name in self._listeners:
            return
        url = self._specification.environment.backend(name).called
        self._listeners[name] = await listen(self._backends[name], *place(url))

    async def stop_backend(self, name: str) -> None:
        """Close the backend's own address: connections are refused."""
        listener = self._listeners.pop(name, None)
        if listener is not None:
            await listener.close()

    def connections(self, name: str) -> int:
        """Open connections to the backend's own address."""
        listener = self._listeners.get(name)
        return listener.connections if listener is not None else 0

    async def close(self) -> None:
        """Close every listener."""
        for name in list(self._listeners):
            await self.stop_backend(name)
        await self._stack.aclose()


def _named(name: str) -> Fault:
    """A fault, an open door, or the view of a control."""
    if name in CONTROLS:
        return CONTROLS[name].view
    return {**FAULTS, **DOORS, WITHOUT_A_HOLE.name: WITHOUT_A_HOLE}[name]
