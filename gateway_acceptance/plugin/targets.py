"""A target: one environment made ready, as one worker of a run holds it."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from gateway_acceptance.environment import Environment
from gateway_acceptance.environment.model import UNDECLARED
from gateway_acceptance.host.facts import MachineFacts, NoFacts
from gateway_acceptance.plugin.machines import Machines
from gateway_acceptance.plugin.preflight import LONGEST_LOOK_S, Preflight, looked_at
from gateway_acceptance.policy import Budget, budget_file
from gateway_acceptance.run_directory import run_id_of
from gateway_acceptance.verdict import NotApplicable, NotPermitted, Untestable
from gateway_acceptance.wire.backend import BackendClient
from gateway_acceptance.wire.breaker import PATIENCE_S, Breaker, Trouble
from gateway_acceptance.wire.exchange import Exchange, Notebook
from gateway_acceptance.wire.failures import Failures
from gateway_acceptance.wire.gateway import GatewayClient
from gateway_acceptance.wire.ledger import Conduct
from gateway_acceptance.wire.pace import Pace
from gateway_acceptance.wire.route import route_of
from gateway_acceptance.wire.sender import Deadline, Sender
from gateway_acceptance.wire.watch import UniversalRule, Watch

if TYPE_CHECKING:
    import openai

Observed = TypeVar("Observed")


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
        rules: Sequence[UniversalRule] = (),
    ) -> None:
        """folder: private to the run, shared by its workers; started: seconds since the epoch;
        recorded_facts: as of ``Machines``; rules: that every exchange is held against."""
        self.environment, self.key, self.notebook = environment, key, notebook
        notebook.agent = notebook.agent or f"run {run_id_of(started)}"
        self._folder = folder
        gateway = environment.gateway
        notebook.key_places.add(key, gateway.key_header, gateway.url)
        route = route_of(environment, os.environ)
        for name, value in route.headers:
            if "${" in environment.network.headers[name]:
                notebook.key_places.add(value, name, gateway.url)
        self.budget = Budget(budget_file(folder, environment.name), environment.policy, started)
        self._deadline = Deadline(gateway.connect_deadline_s, gateway.request_deadline_s)
        self.breaker = Breaker(
            folder / f"trouble-{environment.name}.json", gateway.url, self._holds_key, self._looked
        )
        self.watch = Watch(environment, key, rules)
        self.failures = Failures(
            folder / f"failures-{environment.name}.jsonl", [group.alias for group in environment.groups]
        )
        self.conduct = Conduct(
            before=[self.breaker.before],
            after=[self.watch.after, self.breaker.after, self.failures.after],
            patience_s=PATIENCE_S,
            silent=self.breaker.silent,
            pace=Pace(folder, environment.name, environment.policy, started + environment.policy.seconds),
            route=route,
        )
        self.sender = Sender(notebook, self.budget, self._deadline, conduct=self.conduct)
        self.gateway = GatewayClient(environment, key, self.sender)
        self.machines = Machines(environment, folder, recorded_facts or {})
        self._sdk: openai.OpenAI | None = None
        self._seen: dict[tuple[str, ...], tuple[list[Exchange], object]] = {}
        self._preflight: Preflight | None = None

    @property
    def limited(self) -> GatewayClient:
        """The gateway asked with the limited key. Raises NotApplicable where the environment declares none,
        Untestable where its variable is not set."""
        declared = self.environment.gateway.limited_key
        if declared is None:
            raise NotApplicable("the environment declares no limited key", declared="gateway.limited_key")
        key = os.environ.get(declared.key_variable, "")
        if not key:
            raise Untestable(f"{declared.key_variable} is not set", "export it with the limited key")
        gateway = self.environment.gateway
        self.notebook.key_places.add(key, gateway.key_header, gateway.url)
        return GatewayClient(self.environment, key, self.sender)

    @property
    def sdk(self) -> openai.OpenAI:
        """The official client, made at first use."""
        if self._sdk is None:
            from gateway_acceptance.wire.sdk import sdk_client  # it takes long to import, and few ask for it

            self._sdk = sdk_client(
                self.environment, self.key, self.notebook, self.budget, conduct=self.conduct
            )
        return self._sdk

    def backend(self, name: str) -> BackendClient:
        """A backend asked directly. Raises NotApplicable where the environment declares it closed to all but
        the gateway: the gateway's own machine, where it is declared, looks at it instead (HOST-NET). So it is
        where the environment does not say what serves a model."""
        if name == UNDECLARED:
            raise NotApplicable("what serves the model is not declared", declared="models.backend")
        backend = self.environment.backend(name)
        if not backend.direct:
            raise NotApplicable(
                f"{name} is declared closed to everybody but the gateway", declared="backends.direct"
            )
        return BackendClient(backend, self.sender, self._shown)

    def machine(self, name: str) -> MachineFacts:
        """What was seen of a machine. Raises Untestable where it could not be looked at."""
        try:
            return self.machines.facts(name)
        except NoFacts as failure:
            raise Untestable(f"{name}: {failure.why}", failure.mend) from None

    def once(self, name: tuple[str, ...], observe: Callable[[], Observed]) -> Observed:
        """The same observation for several checks of a worker: made once, evidence of each of them."""
        shared = self._shared(*name)
        self.notebook.meter.used(shared)
        if name in self._seen:
            exchanges, result = self._seen[name]
            self.notebook.exchanges.extend(exchanges)
            return result  # type: ignore[return-value]
        before = len(self.notebook.exchanges)
        with self.notebook.meter.sharing(shared):
            observed = observe()
        self._seen[name] = (self.notebook.exchanges[before:], observed)
        return observed

    def _shared(self, *name: str) -> str:
        """How the meter calls a shared observation; one worker may hold several environments."""
        return " / ".join((self.environment.name, *map(str, name)))

    def once_per_run(self, name: str, observe: Callable[[], Observed], *, drawn: bool = False) -> Observed:
        """The same for all workers of the run: one makes it while the others wait for it. observe: what it
        returns must be picklable. Where it raises, nothing is kept, and the next one observes anew. drawn:
        chance decides how many requests it takes."""
        shared_name = self._shared(name)
        self.notebook.meter.used(shared_name)
        digest = hashlib.sha256(name.encode()).hexdigest()[:16]
        path = self._folder / f"once-{self.environment.name}-{digest}"
        with path.open("a+b") as shared:
            fcntl.flock(shared, fcntl.LOCK_EX)
            shared.seek(0)
            known = shared.read()
            if known:
                made: Observed = pickle.loads(known)  # noqa: S301  (of this run, in its private folder)
                return made
            with self.notebook.meter.sharing(shared_name, drawn=drawn):
                observed = observe()
            shared.write(pickle.dumps(observed))
            return observed

    def kept(self, name: str, ask: Callable[[], Exchange]) -> Exchange:
        """An answer of 200 that the run asks for once; any other is asked for again by whoever wants it."""
        try:
            return self.once_per_run(f"kept {name}", lambda: _good(ask()))
        except _NotKept as other:
            return other.exchange

    def _shown(self, name: str, ask: Callable[[], Exchange]) -> Exchange:
        """The same, evidence of the running case."""
        before = len(self.notebook.exchanges)
        exchange = self.kept(name, ask)
        if len(self.notebook.exchanges) == before:
            self.notebook.exchanges.append(exchange)
        return exchange

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
                    if self._preflight.silent and self._preflight.trouble:
                        self.breaker.open(self._preflight.trouble)
                    shared.write(json.dumps(asdict(self._preflight)))
        return self._preflight

    def require_answer(self) -> None:
        """Raises Untestable where the gateway gave no answer at all."""
        found = self.preflight()
        if found.silent and found.trouble:
            raise Untestable(found.trouble.what, found.trouble.mend)

    def require_key(self) -> None:
        """Raises Untestable where the gateway does not answer, or refuses the environment's key."""
        self.require_answer()
        trouble = self.preflight().trouble
        if trouble is not None:
            raise Untestable(trouble.what, trouble.mend)

    def close(self) -> None:
        """Close all connections."""
        self.sender.close()
        if self._sdk is not None:
            self._sdk.close()

    def look(self, question_s: float = LONGEST_LOOK_S, *, description: bool = True) -> Preflight:
        """The same questions as of the preflight, asked now; question_s: the longest that one is waited for;
        description: as of ``looked_at``. Raises NotPermitted when over budget."""
        notebook = Notebook(agent=self.notebook.agent, key_places=self.notebook.key_places)
        deadline = Deadline(self._deadline.connect_s, min(question_s, self._deadline.total_s))
        conduct = Conduct(pace=self.conduct.pace, route=self.conduct.route)  # it is the circuit's own look
        with contextlib.closing(Sender(notebook, self.budget, deadline, conduct=conduct)) as sender:
            client = GatewayClient(self.environment, self.key, sender)
            return looked_at(client, description=description)

    def _looked(self, question_s: float) -> Trouble | None:
        try:
            return self.look(question_s, description=False).trouble
        except NotPermitted:
            return None  # over budget: the next request says so

    def _holds_key(self, exchange: Exchange) -> bool:
        return any(self.key in value for _, value in exchange.request_headers)


class _NotKept(Exception):  # noqa: N818  (an answer that is no success)
    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        super().__init__()


def _good(exchange: Exchange) -> Exchange:
    if exchange.status != HTTPStatus.OK:
        raise _NotKept(exchange)
    return exchange


def _preflight_file(folder: Path, environment: str) -> Path:
    return folder / f"preflight-{environment}.json"


def read_preflight(folder: Path, environment: str) -> Preflight:
    """What the run's preflight of an environment found; nothing where no check asked for it."""
    try:
        return Preflight(**json.loads(_preflight_file(folder, environment).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return Preflight()
