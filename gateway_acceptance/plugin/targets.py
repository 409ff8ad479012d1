"""A target: one environment made ready, as one worker of a run holds it."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from gateway_acceptance.environment import Environment
from gateway_acceptance.environment.model import UNDECLARED
from gateway_acceptance.host.facts import MachineFacts, NoFacts
from gateway_acceptance.lazily import lazily_from
from gateway_acceptance.plugin.observations import Observations
from gateway_acceptance.run_directory import run_id_of
from gateway_acceptance.verdict import NotApplicable, NotPermitted, Untestable
from gateway_acceptance.wire.exchange import Exchange, Notebook
from gateway_acceptance.wire.gateway import GatewayClient

if TYPE_CHECKING:
    import openai

    from gateway_acceptance.plugin.connection import GatewayConnection, key_for
    from gateway_acceptance.plugin.machines import Machines
    from gateway_acceptance.plugin.preflight import Preflight
    from gateway_acceptance.plugin.readiness import Readiness, require_answer, require_key
    from gateway_acceptance.policy import Budget
    from gateway_acceptance.wire.backends import BackendClient, client_of
    from gateway_acceptance.wire.breaker import Breaker, Trouble
    from gateway_acceptance.wire.failures import Failures
    from gateway_acceptance.wire.ledger import Conduct
    from gateway_acceptance.wire.sender import Sender
    from gateway_acceptance.wire.watch import UniversalRule, Watch
else:  # a collection makes no target, and every check names this class
    GatewayConnection, key_for = lazily_from(
        "gateway_acceptance.plugin.connection", "GatewayConnection", "key_for"
    )
    (Machines,) = lazily_from("gateway_acceptance.plugin.machines", "Machines")
    Readiness, require_answer, require_key = lazily_from(
        "gateway_acceptance.plugin.readiness", "Readiness", "require_answer", "require_key"
    )
    (client_of,) = lazily_from("gateway_acceptance.wire.backends", "client_of")

Observed = TypeVar("Observed")


class Target:
    """What a check asks. connection: how it is asked; observations: what is asked once for several checks;
    readiness: whether it answers at all; machines: what was seen of them. The other methods lead to these."""

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
        gateway = environment.gateway
        notebook.key_places.add(key, gateway.key_header, gateway.url)
        self.connection = GatewayConnection(environment, key, folder, started, notebook, rules, self._trouble)
        self.observations = Observations(environment.name, folder, notebook)
        self.readiness = Readiness(environment, key, folder, notebook, self.connection)
        self.machines = Machines(environment, folder, recorded_facts or {})
        self.gateway = GatewayClient(environment, key, self.sender)
        self._sdk: openai.OpenAI | None = None

    @contextmanager
    def of_a_thread(self) -> Iterator[Target]:
        """The same target for a thread of its own: what it asks stands in a notebook of its own, and is
        measured there; all else is shared."""
        kept = self.notebook
        notebook = Notebook(key_places=kept.key_places, agent=kept.agent, nonce=kept.nonce)
        other = copy.copy(self)
        other.notebook, other._sdk = notebook, None
        other.connection = self.connection.of_a_thread(notebook)
        other.observations = self.observations.of_a_thread(notebook)
        other.gateway = GatewayClient(self.environment, self.key, other.sender)
        try:
            yield other
        finally:
            other.close()

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
        """The official client, made at first use. Raises Untestable where it could not ask any more."""
        if self._sdk is None:
            self.breaker.refuse_if_open()
            from gateway_acceptance.wire.sdk import sdk_client  # it takes long to import, and few ask for it

            self._sdk = sdk_client(
                self.environment, self.key, self.notebook, self.budget, conduct=self.conduct
            )
        return self._sdk

    def backend(self, name: str) -> BackendClient:
        """A backend asked directly, in its declared protocol. Raises NotApplicable where the environment
        declares it closed to all but the gateway: the gateway's own machine, where it is declared, looks at
        it instead (HOST-NET). So it is where the environment does not say what serves a model."""
        if name == UNDECLARED:
            raise NotApplicable("what serves the model is not declared", declared="models.backend")
        backend = self.environment.backend(name)
        if not backend.direct:
            raise NotApplicable(
                f"{name} is declared closed to everybody but the gateway", declared="backends.direct"
            )
        return client_of(backend, self.sender, self.observations.shown, key_for(backend, self.notebook))

    def machine(self, name: str) -> MachineFacts:
        """What was seen of a machine. Raises Untestable where it could not be looked at."""
        try:
            return self.machines.facts(name)
        except NoFacts as failure:
            raise Untestable(f"{name}: {failure.why}", failure.fix) from None

    def once(self, name: tuple[str, ...], observe: Callable[[], Observed]) -> Observed:
        """As of ``Observations``."""
        return self.observations.once(name, observe)

    def once_per_run(self, name: str, observe: Callable[[], Observed]) -> Observed:
        """As of ``Observations``."""
        return self.observations.once_per_run(name, observe)

    def kept(self, name: str, ask: Callable[[], Exchange]) -> Exchange:
        """As of ``Observations``."""
        return self.observations.kept(name, ask)

    def preflight(self) -> Preflight:
        """Does it answer, and does it accept the key: asked once per run, told to all workers."""
        return self.readiness.preflight(lambda: self.readiness.probe(keep=self.observations.kept))

    @property
    def unlisted(self) -> bool:
        """Whether the run's first look found no list of models."""
        return self.readiness.unlisted

    def at_the_start(self, name: str, ask: Callable[[], Exchange]) -> Exchange:
        """What the run's first look was answered to the same question (``READINESS``, ``MODELS``), if that
        was 200: evidence of the running case, and held against the rules here, which that look was taken
        past. Else the question is asked now. Once for several checks of a worker."""

        asked = False

        def anew() -> Exchange:
            nonlocal asked
            asked = True
            return ask()

        def shown() -> Exchange:
            answer = self.observations.shown(name, anew)
            if not asked:
                self.watch.after(answer)
            return answer

        return self.once((name,), shown)

    def probe(
        self, question_s: float | None = None, *, description: bool = True, version: bool = True
    ) -> Preflight:
        """As of ``Readiness``; None for its own bound. Raises NotPermitted when over budget."""
        bound = () if question_s is None else (question_s,)
        return self.readiness.probe(*bound, description=description, version=version)

    def require_answer(self) -> None:
        """Raises Untestable where the gateway gave no answer at all."""
        require_answer(self.preflight())

    def require_key(self) -> None:
        """Raises Untestable where the gateway does not answer, or refuses the environment's key."""
        require_key(self.preflight())

    @property
    def sender(self) -> Sender:
        """Of everything that asks this environment."""
        return self.connection.sender

    @property
    def budget(self) -> Budget:
        """Of the run, over all workers."""
        return self.connection.budget

    @property
    def breaker(self) -> Breaker:
        """Opens where the gateway is at fault as a whole."""
        return self.connection.breaker

    @property
    def watch(self) -> Watch:
        """What exchanges broke of the rules."""
        return self.connection.watch

    @property
    def failures(self) -> Failures:
        """What balanced groups answered with an error."""
        return self.connection.failures

    @property
    def conduct(self) -> Conduct:
        """How its senders behave."""
        return self.connection.conduct

    def close(self) -> None:
        """Close all connections."""
        self.sender.close()
        if self._sdk is not None:
            self._sdk.close()

    def _trouble(self, question_s: float) -> Trouble | None:
        try:
            return self.probe(question_s, description=False).trouble
        except NotPermitted:
            return None  # over budget: the next request says so
