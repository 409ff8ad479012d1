"""The machines of an environment, looked at once per run: by one worker, for all of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway_acceptance.environment import Environment
from gateway_acceptance.host.facts import MachineFacts, NoFacts
from gateway_acceptance.host.privileges import privileges_in
from gateway_acceptance.lazily import lazily_from
from gateway_acceptance.plugin.made_once import made_once

if TYPE_CHECKING:
    from gateway_acceptance.host.snapshot import Snapshot, take_snapshot
else:  # most runs look at no machine
    (take_snapshot,) = lazily_from("gateway_acceptance.host.snapshot", "take_snapshot")

MOST_AT_ONCE = 8

Collector = Callable[..., "Snapshot"]
"""``host.snapshot.take_snapshot``, or a stand-in for it."""


class Machines:
    """Facts by machine name, collected at first use and shared by all workers of the run."""

    def __init__(
        self,
        environment: Environment,
        folder: Path,
        recorded: Mapping[str, str],
        collector: Collector = take_snapshot,
    ) -> None:
        """folder: private to the run; recorded: files of looks that an embedded environment took itself."""
        self._environment, self._folder = environment, folder
        self._recorded, self._collector = recorded, collector
        self._snapshots: dict[str, dict[str, Any]] | None = None

    def facts(self, name: str) -> MachineFacts:
        """What was seen of a machine. Raises NoFacts where it could not be looked at."""
        found = self._all()[name]
        if "why" in found:
            raise NoFacts(found["why"], found["fix"])
        machine = self._environment.machines[name]
        sections = found["sections"]
        account = sections.get("machine", {}).get("value", {}).get("account", "ACCOUNT")
        return MachineFacts(
            name,
            machine,
            sections,
            privileges_in(self._environment, machine),
            found["asked"],
            found["answered"],
            account,
        )

    def refresh(self, name: str, sections: Sequence[str], turn: int = 0) -> Mapping[str, Any]:
        """Some sections of a machine, seen now and for this caller alone. Raises NoFacts. A look that an
        embedded environment took itself cannot be repeated: it is read again. turn: which of several looks
        that belong together; there, one that was taken for it is read, where there is any."""
        recorded = self._recorded.get(name)
        if recorded is not None:
            turns = self._all()[name].get("turns", [])
            taken: Mapping[str, Any] = turns[turn] if turn < len(turns) else self.facts(name).sections
            return taken
        return self._collector(self._environment, name, sections).sections

    def _all(self) -> dict[str, dict[str, Any]]:
        if self._snapshots is None:
            path = self._folder / f"machines-{self._environment.name}.json"
            self._snapshots = json.loads(made_once(path, lambda: json.dumps(self._collect_all()).encode()))
        return self._snapshots or {}

    def _collect_all(self) -> dict[str, dict[str, Any]]:
        names = list(self._environment.machines)
        with ThreadPoolExecutor(MOST_AT_ONCE) as pool:
            return dict(zip(names, pool.map(self._collect, names), strict=True))

    def _collect(self, name: str) -> dict[str, Any]:
        recorded = self._recorded.get(name)
        if recorded is not None:
            document: dict[str, Any] = json.loads(Path(recorded).read_text(encoding="utf-8"))
            return document
        try:
            return asdict(self._collector(self._environment, name))
        except NoFacts as failure:
            return {"why": failure.why, "fix": failure.fix}
