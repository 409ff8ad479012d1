"""A target: one environment made ready, as one worker of a run holds it."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import pickle
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TypeVar

import openai

from gateway_acceptance.environment import Environment
from gateway_acceptance.host.facts import MachineFacts, NoFacts
from gateway_acceptance.plugin.machines import Machines
from gateway_acceptance.policy import Budget
from gateway_acceptance.run_directory import run_id_of
from gateway_acceptance.verdict import CheckFailed, NoAnswer, NotApplicable, Untestable
from gateway_acceptance.wire.backend import BackendClient
from gateway_acceptance.wire.exchange import Exchange, Notebook
from gateway_acceptance.wire.gateway import GatewayClient
from gateway_acceptance.wire.ledger import Conduct
from gateway_acceptance.wire.sdk import sdk_client
from gateway_acceptance.wire.sender import Deadline, Sender

Observed = TypeVar("Observed")


@dataclass(frozen=True, slots=True)
class Preflight:
    """What was found before the first check. silent, refused: why, in words; empty where all is well; models:
    the ids that it lists, sorted, with commas between; None where it lists none."""

    silent: str = ""
    refused: str = ""
    version: str = ""
    models: str | None = None


class Target:
    """Clients, budget and shared observations of one environment."""

    def __init__(
        self,
        environment: Environment,
        key: str,
        folder: Path,
        started: float,
        notebook: Notebook,
        recorded_facts: Mapping[str, str] | None = None,
    ) -> None:
        """folder: private to the run, shared by its workers; started: seconds since the epoch;
        recorded_facts: as of ``Machines``."""
        self.environment, self.key, self.notebook = environment, key, notebook
        notebook.agent = notebook.agent or f"run {run_id_of(started)}"
        self._folder = folder
        gateway = environment.gateway
        notebook.key_places.add(key, gateway.key_header, gateway.url)
        self.budget = Budget(folder / f"budget-{environment.name}.json", environment.policy, started)
        self._deadline = Deadline(gateway.connect_deadline_s, gateway.request_deadline_s)
        self.conduct = Conduct()
        self.sender = Sender(notebook, self.budget, self._deadline, conduct=self.conduct)
        self.gateway = GatewayClient(environment, key, self.sender)
        self.machines = Machines(environment, folder, recorded_facts or {})
        self._sdk: openai.OpenAI | None = None
        self._seen: dict[tuple[str, ...], tuple[list[Exchange], object]] = {}
        self._preflight: Preflight | None = None

    @property
    def sdk(self) -> openai.OpenAI:
        """The official client, made at first use."""
        if self._sdk is None:
            self._sdk = sdk_client(
                self.environment, self.key, self.notebook, self.budget, conduct=self.conduct
            )
        return self._sdk

    def backend(self, name: str) -> BackendClient:
        """A backend asked directly. Raises NotApplicable where the environment declares it closed to all but
        the gateway: the gateway's own machine, where it is declared, looks at it instead (HOST-NET)."""
        backend = self.environment.backend(name)
        if not backend.direct:
            raise NotApplicable(
                f"{name} is declared closed to everybody but the gateway", declared="backends.direct"
            )
        return BackendClient(backend, self.sender)

    def machine(self, name: str) -> MachineFacts:
        """What was seen of a machine. Raises Untestable where it could not be looked at."""
        try:
            return self.machines.facts(name)
        except NoFacts as failure:
            raise Untestable(f"{name}: {failure.why}", failure.mend) from None

    def once(self, name: tuple[str, ...], observe: Callable[[], Observed]) -> Observed:
        """The same observation for several checks of a worker: made once, evidence of each of them."""
        if name in self._seen:
            exchanges, result = self._seen[name]
            self.notebook.exchanges.extend(exchanges)
            return result  # type: ignore[return-value]
        before = len(self.notebook.exchanges)
        observed = observe()
        self._seen[name] = (self.notebook.exchanges[before:], observed)
        return observed

    def once_per_run(self, name: str, observe: Callable[[], Observed]) -> Observed:
        """The same for all workers of the run: one makes it while the others wait for it. observe: what it
        returns must be picklable. Where it raises, nothing is kept, and the next one observes anew."""
        digest = hashlib.sha256(name.encode()).hexdigest()[:16]
        path = self._folder / f"once-{self.environment.name}-{digest}"
        with path.open("a+b") as shared:
            fcntl.flock(shared, fcntl.LOCK_EX)
            shared.seek(0)
            known = shared.read()
            if known:
                made: Observed = pickle.loads(known)  # noqa: S301  (of this run, in its private folder)
                return made
            observed = observe()
            shared.write(pickle.dumps(observed))
            return observed

    def preflight(self) -> Preflight:
        """Does it answer, and does it accept the key: asked once per run, told to all workers."""
        if self._preflight is None:
            with _preflight_file(self._folder, self.environment.name).open("a+", encoding="utf-8") as shared:
                fcntl.flock(shared, fcntl.LOCK_EX)
                shared.seek(0)
                text = shared.read()
                if text:
                    self._preflight = Preflight(**json.loads(text))
                else:
                    self._preflight = self.look()
                    shared.write(json.dumps(asdict(self._preflight)))
        return self._preflight

    def require_answer(self) -> None:
        """Raises Untestable where the gateway gave no answer at all."""
        silent = self.preflight().silent
        if silent:
            raise Untestable(f"the gateway does not answer ({silent})", "start it, then run again")

    def require_key(self) -> None:
        """Raises Untestable where the gateway does not answer, or refuses the environment's key."""
        self.require_answer()
        refused = self.preflight().refused
        if refused:
            variable = self.environment.gateway.key_variable
            source = f"correct the key in {variable}" if variable else "restart the lab"
            raise Untestable(f"the gateway refuses the environment's key ({refused})", source)

    def close(self) -> None:
        """Close all connections."""
        self.sender.close()
        if self._sdk is not None:
            self._sdk.close()

    def look(self) -> Preflight:
        """The same questions as of the preflight, asked now. Raises NotPermitted when over budget."""
        kept = list(self.notebook.exchanges)
        try:
            return self._asked()
        finally:
            self.notebook.exchanges[:] = kept

    def _asked(self) -> Preflight:
        product = self.gateway.product
        try:
            answer = self.gateway.get(product.readiness or product.liveness or "/v1/models", key=None)
        except NoAnswer as failure:
            return Preflight(silent=str(failure))
        found = Preflight(version=_version(answer, product.version_key))
        try:
            listed = self.gateway.models()
        except NoAnswer as failure:
            return replace(found, silent=str(failure))
        if listed.status in (400, 401, 403):
            return replace(found, refused=f"GET /v1/models: {listed.status} {listed.text[:200]}")
        found = replace(found, models=_model_ids(listed))
        if not found.version and product.version_path:
            with contextlib.suppress(NoAnswer):
                found = replace(
                    found, version=_version(self.gateway.get(product.version_path), product.version_key)
                )
        return found


def _preflight_file(folder: Path, environment: str) -> Path:
    return folder / f"preflight-{environment}.json"


def read_preflight(folder: Path, environment: str) -> Preflight:
    """What the run's preflight of an environment found; nothing where no check asked for it."""
    try:
        return Preflight(**json.loads(_preflight_file(folder, environment).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return Preflight()


def _model_ids(answer: Exchange) -> str | None:
    try:
        body = answer.json()
    except CheckFailed:
        return None
    entries = body.get("data") if isinstance(body, Mapping) else None
    if answer.status != 200 or not isinstance(entries, list):
        return None
    return ", ".join(sorted(str(entry.get("id")) for entry in entries if isinstance(entry, Mapping)))


def _version(answer: Exchange, key: str | None) -> str:
    try:
        body = answer.json()
    except CheckFailed:
        return ""
    value = body.get(key) if key and isinstance(body, Mapping) else None
    return value if isinstance(value, str) else ""
